//! The first revision of an empty store: from files, recorded, and possible only then.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use governance::{
    Bundle,
    files::{self, Diagnostic, Source, suite},
};
use serde_json::json;
use service_kit::{
    Context,
    bootstrap::{self, Files, Problem, Stamp},
    error::{Error, Kind, Reason, Result},
    identity::Principal,
    outbox::{Audit, Entry, Event, Outcome},
};

use super::App;
use crate::{
    Service,
    domain::snapshot::{Document, Revision, Snapshot},
};

/// What is wrong with the documents of a first revision.
pub(crate) fn check(files: &Files, documents: &[bootstrap::Document]) -> Vec<Problem> {
    let read = |found| read(files, found, DateTime::UNIX_EPOCH);
    let compiled = documents
        .iter()
        .map(read)
        .partition::<Vec<_>, _>(Result::is_ok);
    let diagnostics = match compiled {
        (read, refused) if refused.is_empty() => {
            let sources: Vec<_> = read.into_iter().flatten().map(located).collect();
            match files::compile(&sources) {
                Ok(bundle) => unsound_tests(&sources, &bundle),
                Err(found) => found,
            }
        }
        (_, refused) => refused.into_iter().filter_map(Result::err).collect(),
    };
    diagnostics.into_iter().map(problem).collect()
}

/// Tests that can't be read, or ask a workflow that isn't there.
pub(super) fn unsound_tests(sources: &[Source], bundle: &Bundle) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for source in sources {
        if !files::head(source).is_ok_and(|head| head.kind == suite::POLICY_TEST) {
            continue;
        }
        match suite::read(source) {
            Ok(tests) if bundle.workflows().contains_key(&tests.workflow) => {}
            Ok(tests) => found.push(Diagnostic {
                path: source.path.clone(),
                line: source.lines_before + 1,
                column: 1,
                message: format!("workflow: there is no workflow {}", tests.workflow),
            }),
            Err(problems) => found.extend(problems),
        }
    }
    found
}

/// A document with the number of lines before it in its file.
type Located = (Document, usize);

fn read(
    files: &Files,
    found: &bootstrap::Document,
    now: DateTime<Utc>,
) -> Result<Located, Diagnostic> {
    let lines_before = found.line.saturating_sub(1);
    let source = Source {
        path: found.path.clone(),
        lines_before,
        text: found.text.as_str().into(),
        attachments: std::collections::BTreeMap::new(),
        version: 1,
    };
    let beside = |name: &str| {
        let bytes = files.beside(&found.path, name)?;
        String::from_utf8(bytes.to_vec()).ok()
    };
    Ok((Document::first(source, beside, now)?, lines_before))
}

/// The source with the lines its file has, for errors that can be found.
fn located((document, lines_before): Located) -> Source {
    Source {
        lines_before,
        ..document.source()
    }
}

fn problem(diagnostic: Diagnostic) -> Problem {
    Problem {
        path: diagnostic.path,
        line: diagnostic.line,
        column: diagnostic.column,
        message: diagnostic.message,
    }
}

fn stamp(document: &Document) -> Stamp {
    Stamp::of(
        &document.text,
        document.attachments.values().map(String::as_str),
    )
}

impl App {
    /// Puts the files into the store, if it is empty. Several replicas may try at once.
    ///
    /// # Errors
    /// If the files don't compile or the store can't be reached.
    pub(super) async fn bootstrap(&self, context: &Context) -> Result<()> {
        if self.store.latest().await? > 0 {
            let begun: Vec<_> = self.store.begun().await?.iter().map(stamp).collect();
            context.warn_of_changes::<Service>(&begun, |found| {
                match read(&context.files, found, DateTime::UNIX_EPOCH) {
                    Ok((document, _)) => stamp(&document),
                    Err(_) => found.stamp(),
                }
            });
            return Ok(());
        }
        let now = self.clock.now();
        let read = |found| read(&context.files, found, now).map_err(|d| refused(&[d]));
        let offered = context.offered::<Service>()?;
        let documents = offered.iter().map(read).collect::<Result<Vec<_>>>()?;
        if documents.is_empty() {
            return Ok(());
        }
        let (documents, digest) = compile(documents).await?;
        let revision = Revision {
            number: 1,
            digest,
            activated: now,
        };
        let record = self.bootstrap_record(&revision, &documents);
        if self.store.bootstrap(&revision, &documents, &record).await? {
            tracing::info!(
                documents = documents.len(),
                "policies bootstrapped from files"
            );
        }
        Ok(())
    }

    fn bootstrap_record(&self, revision: &Revision, documents: &[Document]) -> Entry {
        let listed: Vec<_> = documents
            .iter()
            .map(|document| {
                json!({
                    "kind": document.kind,
                    "name": document.name,
                    "version": document.version,
                    "sha256": governance::canonical::sha256(document.text.as_bytes()),
                })
            })
            .collect();
        let root = documents
            .iter()
            .find(|document| document.kind == files::SCOPE_TREE)
            .and_then(|document| root(&document.text))
            .unwrap_or_default();
        let resource = format!("revisions/{}", revision.number);
        let data = json!({"revision": revision.number, "digest": revision.digest});
        Entry::new(Audit {
            r#type: "bylaw.policy.revision.bootstrapped.v1".to_owned(),
            action: "policy.revision.bootstrap".to_owned(),
            resource: resource.clone(),
            scope: root.clone(),
            correlation_id: resource.clone(),
            outcome: Outcome::Done,
            actor: Principal::own("policy"),
            via: None,
            payload: json!({
                "revision": revision.number,
                "digest": revision.digest,
                "documents": listed,
            }),
            occurred: revision.activated,
        })
        .with_event(Event {
            r#type: "bylaw.policy.revision.activated.v1".to_owned(),
            subject: resource.clone(),
            scope: root,
            correlation_id: resource,
            data,
        })
    }
}

/// Compiles documents, and gives them back with the digest of all.
async fn compile(documents: Vec<Located>) -> Result<(Vec<Document>, String)> {
    let task = tokio::task::spawn_blocking(move || {
        let sources: Vec<_> = documents.iter().cloned().map(located).collect();
        let bundle = files::compile(&sources).map_err(|found| refused(&found))?;
        let unsound = unsound_tests(&sources, &bundle);
        if !unsound.is_empty() {
            return Err(refused(&unsound));
        }
        let documents = documents
            .into_iter()
            .map(|(document, _)| document)
            .collect();
        Ok((documents, bundle.digest().to_owned()))
    });
    task.await.map_err(Error::internal)?
}

/// The root of a scope tree.
fn root(text: &Arc<str>) -> Option<String> {
    let revision = Revision {
        number: 1,
        digest: String::new(),
        activated: chrono::DateTime::UNIX_EPOCH,
    };
    let document = Document {
        kind: files::SCOPE_TREE.to_owned(),
        name: "scopes".to_owned(),
        version: 1,
        path: String::new(),
        text: text.clone(),
        attachments: std::collections::BTreeMap::new(),
        activated: revision.activated,
    };
    let snapshot = Snapshot::compile(revision, vec![document]).ok()?;
    let (scope, _) = snapshot.bundle.scopes().iter().next()?;
    Some(scope.to_string())
}

/// Unreachable after the check, and no reason to go on where it isn't.
fn refused(diagnostics: &[Diagnostic]) -> Error {
    let lines: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    Error::new(
        Kind::InvalidArgument,
        Reason::InvalidArgument,
        lines.join("\n"),
    )
}
