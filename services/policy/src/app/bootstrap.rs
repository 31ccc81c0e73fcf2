//! The first revision of an empty store: from files, recorded, and possible only then.

use std::sync::Arc;

use governance::files::{Diagnostic, KINDS, Source};
use serde_json::json;
use service_kit::{
    bootstrap::Files,
    error::{Error, Kind, Reason, Result},
    identity::Principal,
    outbox::{Audit, Entry, Event, Outcome},
};

use super::App;
use crate::domain::snapshot::{Document, Revision, Snapshot};

/// At most this many diagnostics are told.
const MAX_DIAGNOSTICS: usize = 20;

impl App {
    /// Puts the files into the store, if it is empty. Several replicas may try at once.
    ///
    /// # Errors
    /// If the files don't compile or the store can't be reached.
    pub(super) async fn bootstrap(&self, files: &Files) -> Result<()> {
        let latest = self.store.latest().await?;
        if latest > 0 {
            return Ok(());
        }
        let now = self.clock.now();
        let mut documents = Vec::new();
        for found in files.documents()? {
            if !KINDS.contains(&found.kind.as_str()) {
                continue;
            }
            let source = Source {
                path: found.path.clone(),
                lines_before: found.line.saturating_sub(1),
                text: found.text.as_str().into(),
                attachments: std::collections::BTreeMap::new(),
                version: 1,
            };
            let beside = |name: &str| sibling(files, &found.path, name);
            let document = Document::first(source, beside, now).map_err(|d| refused(&[d]))?;
            documents.push((document, found.line.saturating_sub(1)));
        }
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
            .find(|document| document.kind == governance::files::SCOPE_TREE)
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

/// Compiles documents with the lines their files have, for errors that can be found, and
/// gives them back with the digest of all.
async fn compile(documents: Vec<(Document, usize)>) -> Result<(Vec<Document>, String)> {
    let task = tokio::task::spawn_blocking(move || {
        let sources: Vec<_> = documents
            .iter()
            .map(|(document, lines_before)| Source {
                lines_before: *lines_before,
                ..document.source()
            })
            .collect();
        let bundle = governance::files::compile(&sources).map_err(|found| refused(&found))?;
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
        kind: governance::files::SCOPE_TREE.to_owned(),
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

fn sibling(files: &Files, path: &str, name: &str) -> Option<String> {
    let beside = match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}"),
        None => name.to_owned(),
    };
    let bytes = files.get(&beside)?;
    String::from_utf8(bytes.to_vec()).ok()
}

fn refused(diagnostics: &[Diagnostic]) -> Error {
    let mut lines: Vec<_> = diagnostics
        .iter()
        .take(MAX_DIAGNOSTICS)
        .map(ToString::to_string)
        .collect();
    if diagnostics.len() > MAX_DIAGNOSTICS {
        lines.push(format!("and {} more", diagnostics.len() - MAX_DIAGNOSTICS));
    }
    Error::new(
        Kind::InvalidArgument,
        Reason::InvalidArgument,
        lines.join("\n"),
    )
}
