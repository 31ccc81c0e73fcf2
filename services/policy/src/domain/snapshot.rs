//! The policies in force, as one replica has them: swapped whole, never changed.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use governance::{
    Bundle,
    files::{Diagnostic, Source, compile, head},
};

/// A document in force, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `ScopeTree`, `Workflow`, `Policy` or `PolicyTest`.
    pub kind: String,
    /// Name; unique among its kind.
    pub name: String,
    /// Version, counted from 1.
    pub version: u64,
    /// Path of the file it came from.
    pub path: String,
    /// The YAML as it was accepted.
    pub text: Arc<str>,
    /// Files beside it that it names, by name.
    pub attachments: BTreeMap<String, String>,
    /// Since when it is in force.
    pub activated: DateTime<Utc>,
}

/// A revision: a state of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Counts activations, from 1; 0: the store is empty.
    pub number: u64,
    /// `sha256:` and hex over the digests of all that is in force.
    pub digest: String,
    /// When it came into force.
    pub activated: DateTime<Utc>,
}

/// The policies in force, compiled.
#[derive(Debug)]
pub struct Snapshot {
    /// The revision; `None`: the store is empty.
    pub revision: Option<Revision>,
    /// Scopes, workflows and policies.
    pub bundle: Bundle,
    /// All documents, by kind and name.
    pub documents: BTreeMap<(String, String), Document>,
}

impl Snapshot {
    /// What an empty store has in force: nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            revision: None,
            bundle: Bundle::default(),
            documents: BTreeMap::new(),
        }
    }

    /// Compiles a stored revision.
    ///
    /// # Errors
    /// What is wrong in its documents, which an earlier version of the product accepted.
    pub fn compile(revision: Revision, documents: Vec<Document>) -> Result<Self, Vec<Diagnostic>> {
        let sources: Vec<_> = documents.iter().map(Document::source).collect();
        let bundle = compile(&sources)?;
        let keyed = documents.into_iter().map(|document| {
            let key = (document.kind.clone(), document.name.clone());
            (key, document)
        });
        Ok(Self {
            revision: Some(revision),
            bundle,
            documents: keyed.collect(),
        })
    }

    /// The document of a policy.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&Document> {
        let key = (governance::files::POLICY.to_owned(), name.to_owned());
        self.documents.get(&key)
    }

    /// The revision's number; 0: the store is empty.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.revision.as_ref().map_or(0, |revision| revision.number)
    }
}

impl Document {
    /// The document as the compiler reads it.
    #[must_use]
    pub fn source(&self) -> Source {
        Source {
            path: self.path.clone(),
            lines_before: 0,
            text: self.text.clone(),
            attachments: self.attachments.clone(),
            version: self.version,
        }
    }

    /// The first version of a document from a file.
    ///
    /// # Errors
    /// If it is malformed, or a file that it names isn't there.
    pub fn first(
        mut source: Source,
        beside: impl Fn(&str) -> Option<String>,
        activated: DateTime<Utc>,
    ) -> Result<Self, Diagnostic> {
        let head = head(&source)?;
        for name in head.attachments {
            // A missing one is reported by the compiler, with its place.
            if let Some(text) = beside(&name) {
                source.attachments.insert(name, text);
            }
        }
        Ok(Self {
            kind: head.kind.to_owned(),
            name: head.name,
            version: source.version,
            path: source.path,
            text: source.text,
            attachments: source.attachments,
            activated,
        })
    }
}
