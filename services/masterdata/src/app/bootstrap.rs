//! The first rules and mappings: from files, into an empty store, recorded.

use chrono::{DateTime, Utc};
use serde_json::json;
use service_kit::{
    bootstrap::{self, Files},
    error::{Error, Kind, Reason, Result},
    identity::Principal,
    outbox::{Audit, Entry, Outcome},
};

use super::Store;
use crate::domain::catalog::{Catalog, Document, KINDS, Problem};

/// A document came into force from a file.
const LOADED: &str = "bylaw.masterdata.document.bootstrapped.v1";

/// The catalog in force: that of the store, which is filled from the files first where it
/// is empty.
///
/// # Errors
/// If a document doesn't compile, with every problem and its place, or the store can't be
/// reached.
pub async fn catalog(store: &dyn Store, files: &Files, now: DateTime<Utc>) -> Result<Catalog> {
    let mut documents = store.documents().await?;
    if documents.is_empty() {
        let given = from_files(files)?;
        if !given.is_empty() {
            let entries = given.iter().map(|document| entry(document, now)).collect();
            if store.bootstrap(&given, entries).await? {
                tracing::info!(documents = given.len(), "bootstrapped rules and mappings");
            }
        }
        documents = store.documents().await?;
    } else if !files.is_empty() {
        tracing::info!("the store holds rules and mappings, files are not read");
    }
    Catalog::compile(&documents).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        invalid(&lines)
    })
}

/// The documents of the files that are this service's, compiled as a whole so that a broken
/// one stops the start with its place, before anything is stored.
fn from_files(files: &Files) -> Result<Vec<Document>> {
    let mut read = Vec::new();
    let mut problems = Vec::new();
    for file in files.documents()? {
        if !KINDS.contains(&file.kind.as_str()) {
            continue;
        }
        match Document::read(&file.kind, &file.text) {
            Ok(document) => read.push((document, file)),
            Err(found) => problems.extend(found.iter().map(|problem| placed(&file, problem))),
        }
    }
    read.sort_by_key(|(document, _)| document.resource());
    for pair in read.windows(2) {
        let [(first, before), (second, file)] = pair else {
            continue;
        };
        if first.resource() == second.resource() {
            let name = first.resource();
            problems.push(format!(
                "{}: {name} stands in {} too",
                file.at(1, 1),
                before.at(1, 1)
            ));
        }
    }
    let (documents, sources): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    if problems.is_empty()
        && let Err(found) = Catalog::compile(&documents)
    {
        let file = |problem: &Problem| {
            let at = documents
                .iter()
                .position(|d| d.resource() == problem.document);
            at.and_then(|at| sources.get(at))
        };
        problems.extend(found.iter().map(|problem| match file(problem) {
            Some(file) => placed(file, &problem.problem),
            None => problem.to_string(),
        }));
    }
    if problems.is_empty() {
        Ok(documents)
    } else {
        Err(invalid(&problems))
    }
}

fn placed(file: &bootstrap::Document, problem: &decision::Diagnostic) -> String {
    let place = file.at(problem.mark.line, problem.mark.column);
    match &problem.cell {
        Some(cell) => format!("{place}: {cell}: {}", problem.message),
        None => format!("{place}: {}", problem.message),
    }
}

fn invalid(problems: &[String]) -> Error {
    Error::new(
        Kind::FailedPrecondition,
        Reason::InvalidArgument,
        problems.join("\n"),
    )
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
