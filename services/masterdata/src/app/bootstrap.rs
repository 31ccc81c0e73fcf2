//! The first rules and mappings: from files, into an empty store, recorded.

use chrono::{DateTime, Utc};
use serde_json::json;
use service_kit::{
    Context,
    bootstrap::{self, Stamp},
    error::{Error, Kind, Reason, Result},
    identity::Principal,
    outbox::{Audit, Entry, Outcome},
};

use super::Store;
use crate::{
    Service,
    domain::catalog::{Catalog, Document, Problem},
};

/// A document came into force from a file.
const LOADED: &str = "bylaw.masterdata.document.bootstrapped.v1";

/// The catalog in force: that of the store, which is filled from the files first where it
/// is empty.
///
/// # Errors
/// If a document doesn't compile, with every problem and its place, or the store can't be
/// reached.
pub async fn catalog(store: &dyn Store, context: &Context) -> Result<Catalog> {
    let documents = store.documents().await?;
    if documents.is_empty() {
        fill(store, context).await?;
    } else {
        let begun = store.begun().await?;
        let begun: Vec<_> = begun.iter().map(|d| Stamp::of(&d.source, [])).collect();
        context.warn_of_changes::<Service>(&begun, bootstrap::Document::stamp);
    }
    let documents = store.documents().await?;
    Catalog::compile(&documents).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let message = format!(
            "the store's documents don't compile any more: {}",
            lines.join("\n")
        );
        Error::new(Kind::FailedPrecondition, Reason::IllegalState, message)
    })
}

async fn fill(store: &dyn Store, context: &Context) -> Result<()> {
    let offered = context.offered::<Service>()?;
    let given = check(&offered).map_err(|problems| context.files.refuse(problems))?;
    if given.is_empty() {
        return Ok(());
    }
    let now = context.clock.now();
    let entries = given.iter().map(|document| entry(document, now)).collect();
    if store.bootstrap(&given, entries).await? {
        tracing::info!(documents = given.len(), "bootstrapped rules and mappings");
    }
    Ok(())
}

/// Reads the documents of the files, and compiles them as a whole.
///
/// # Errors
/// With everything that is wrong, each with its place in the files.
pub fn check(offered: &[bootstrap::Document]) -> Result<Vec<Document>, Vec<bootstrap::Problem>> {
    let mut read = Vec::new();
    let mut problems = Vec::new();
    for file in offered {
        match Document::read(&file.kind, &file.text) {
            Ok(document) => read.push((document, file)),
            Err(found) => problems.extend(found.iter().map(|problem| placed(file, problem))),
        }
    }
    read.sort_by_key(|(document, _)| document.resource());
    for pair in read.windows(2) {
        let [(first, before), (second, file)] = pair else {
            continue;
        };
        if first.resource() == second.resource() {
            let other = before.problem(1, 1, "");
            let place = format!("{}:{}:{}", other.path, other.line, other.column);
            let message = format!("{} stands in {place} too", first.resource());
            problems.push(file.problem(1, 1, message));
        }
    }
    let (documents, sources): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    if problems.is_empty()
        && let Err(found) = Catalog::compile(&documents)
    {
        let file = |problem: &Problem| {
            let named = |document: &Document| document.resource() == problem.document;
            documents
                .iter()
                .position(named)
                .and_then(|at| sources.get(at))
        };
        problems.extend(
            found
                .iter()
                .filter_map(|problem| Some(placed(file(problem)?, &problem.problem))),
        );
    }
    if problems.is_empty() {
        Ok(documents)
    } else {
        Err(problems)
    }
}

fn placed(file: &bootstrap::Document, problem: &decision::Diagnostic) -> bootstrap::Problem {
    let message = match &problem.cell {
        Some(cell) => format!("{cell}: {}", problem.message),
        None => problem.message.clone(),
    };
    file.problem(problem.mark.line, problem.mark.column, message)
}

fn entry(document: &Document, now: DateTime<Utc>) -> Entry {
    Entry::new(Audit {
        r#type: LOADED.to_owned(),
        action: "masterdata.document.bootstrap".to_owned(),
        resource: document.resource(),
        scope: document.scope.clone(),
        correlation_id: document.resource(),
        outcome: Outcome::Done,
        actor: Principal::own("masterdata"),
        via: None,
        payload: json!({
            "kind": document.kind,
            "name": document.name,
            "version": document.version,
            "digest": document.digest(),
        }),
        occurred: now,
    })
}
