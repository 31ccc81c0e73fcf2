//! What a change puts or takes away, laid over what is in force.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use decision::yaml::{self, Node};
use governance::{
    Scope,
    files::{self, Diagnostic, Source, suite::POLICY_TEST},
};
use serde::{Deserialize, Serialize};

use crate::domain::snapshot::Document;

/// What a document is known by.
pub type Key = (String, String);

/// Documents by what they are known by.
pub type Documents = BTreeMap<Key, Document>;

/// A document that a change puts or takes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Path of its file.
    pub path: String,
    /// The document; `None`: it is taken away.
    pub text: Option<String>,
    /// Files beside it that it names.
    pub attachments: BTreeMap<String, String>,
}

/// How an item differs from what is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// It isn't there yet.
    New,
    /// It replaces another version.
    Changed,
    /// It goes away.
    Deleted,
    /// It is in force as it is, or isn't there and isn't put.
    Same,
}

/// The state that a change would make.
#[derive(Debug, Clone)]
pub struct Overlaid {
    /// All documents, the changed ones with their next version.
    pub documents: Vec<Document>,
    /// What each item does, in order.
    pub actions: Vec<Action>,
}

impl Action {
    /// The name in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Changed => "CHANGED",
            Self::Deleted => "DELETED",
            Self::Same => "SAME",
        }
    }
}

impl Item {
    /// An item that puts a document.
    ///
    /// # Errors
    /// If the document is of no governed kind or has no name.
    pub fn put(
        path: String,
        text: String,
        attachments: BTreeMap<String, String>,
    ) -> Result<Self, Diagnostic> {
        let source = Source {
            path,
            lines_before: 0,
            text: text.as_str().into(),
            attachments,
            version: 1,
        };
        let head = files::head(&source)?;
        let Source {
            path, attachments, ..
        } = source;
        Ok(Self {
            kind: head.kind.to_owned(),
            name: head.name,
            path,
            text: Some(text),
            attachments,
        })
    }

    /// What it is known by.
    #[must_use]
    pub fn key(&self) -> Key {
        (self.kind.clone(), self.name.clone())
    }

    /// What it does to what is in force.
    #[must_use]
    pub fn action(&self, in_force: &Documents) -> Action {
        match (in_force.get(&self.key()), &self.text) {
            (None, None) => Action::Same,
            (None, Some(_)) => Action::New,
            (Some(_), None) => Action::Deleted,
            (Some(before), Some(text)) => {
                if *before.text == **text && before.attachments == self.attachments {
                    Action::Same
                } else {
                    Action::Changed
                }
            }
        }
    }

    /// Scopes that a proposer must hold its permission at: those that the document stands
    /// at, and those that the one it replaces stands at. Empty where neither names one that
    /// can be read: then the root's.
    #[must_use]
    pub fn stands_at(&self, in_force: &Documents) -> Vec<Scope> {
        let before = in_force.get(&self.key()).map(|document| &*document.text);
        let mut scopes: Vec<_> = [before, self.text.as_deref()]
            .into_iter()
            .flatten()
            .flat_map(|text| scopes_of(&self.kind, text))
            .collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }

    /// Who has the benefit of it, where it is a waiver.
    #[must_use]
    pub fn beneficiary(&self) -> Option<String> {
        let text = self
            .text
            .as_deref()
            .filter(|_| self.kind == files::WAIVER)?;
        field(&tree(text)?, "beneficiary")
    }

    /// The workflow it belongs to, before and after; the same counts once.
    #[must_use]
    pub fn workflows(&self, in_force: &Documents) -> Vec<String> {
        if self.kind == files::WORKFLOW {
            return vec![self.name.clone()];
        }
        let before = in_force.get(&self.key()).map(|document| &*document.text);
        let workflow = |text: &str| {
            let node = tree(text)?;
            if self.kind != files::WAIVER {
                return field(&node, "workflow");
            }
            // A waiver belongs to the workflow of its policy.
            let policy = (files::POLICY.to_owned(), field(&node, "policy")?);
            field(&tree(&in_force.get(&policy)?.text)?, "workflow")
        };
        let mut names: Vec<_> = [before, self.text.as_deref()]
            .into_iter()
            .flatten()
            .filter_map(workflow)
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

fn tree(text: &str) -> Option<Node> {
    yaml::parse(text).ok()?.pop()
}

fn field(node: &Node, name: &str) -> Option<String> {
    Some(node.get(name)?.as_str()?.to_owned())
}

/// The scopes that a document stands at; none where it is the whole company's.
#[must_use]
pub fn scopes_of(kind: &str, text: &str) -> Vec<Scope> {
    let Some(node) = tree(text) else {
        return Vec::new();
    };
    let scope = |node: &Node| Scope::parse(node.get("scope")?.as_str()?).ok();
    match kind {
        files::POLICY | files::WAIVER => scope(&node).into_iter().collect(),
        POLICY_TEST => {
            let tests = node.get("tests").and_then(Node::as_sequence);
            tests.unwrap_or_default().iter().filter_map(scope).collect()
        }
        _ => Vec::new(),
    }
}

/// The documents in force with the items laid over them. `versions` are the newest that
/// documents ever had: one that comes again counts on from there.
#[must_use]
pub fn overlay(
    in_force: &Documents,
    items: &[Item],
    versions: &BTreeMap<Key, u64>,
    now: DateTime<Utc>,
) -> Overlaid {
    let mut documents = in_force.clone();
    let mut actions = Vec::with_capacity(items.len());
    for item in items {
        let action = item.action(in_force);
        actions.push(action);
        match (action, &item.text) {
            (Action::New | Action::Changed, Some(text)) => {
                let last = versions.get(&item.key()).copied().unwrap_or(0);
                let document = Document {
                    kind: item.kind.clone(),
                    name: item.name.clone(),
                    version: last + 1,
                    path: item.path.clone(),
                    text: Arc::from(text.as_str()),
                    attachments: item.attachments.clone(),
                    activated: now,
                };
                documents.insert(item.key(), document);
            }
            (Action::Deleted, _) => {
                documents.remove(&item.key());
            }
            _ => {}
        }
    }
    Overlaid {
        documents: documents.into_values().collect(),
        actions,
    }
}
