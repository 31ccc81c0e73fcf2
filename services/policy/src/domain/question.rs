//! Questions: may this step happen.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use decision::Value;
use governance::{Provenance, Scope, admit::Assertion, canonical};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// At most this many characters in a correlation id.
pub const MAX_CORRELATION_ID: usize = 128;
/// At most this many questions in a batch.
pub const MAX_BATCH: usize = 1_000;

/// A question with what is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Workflow asked about.
    pub workflow: String,
    /// Scope of the transaction.
    pub scope: Scope,
    /// The business transaction.
    pub correlation_id: String,
    /// What is known; each name once.
    pub facts: Vec<SentFact>,
    /// The least revision to decide at.
    pub min_revision: u64,
    /// Makes a retry return the first answer.
    pub request_id: Option<Uuid>,
    /// Whether to explain rows.
    pub explain: bool,
}

/// A fact with where it came from, as this service knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SentFact {
    /// Dotted name.
    pub name: String,
    /// The value as it was sent.
    #[serde(with = "decision::tagged")]
    pub value: Value,
    /// Where it came from.
    pub provenance: Provenance,
    /// Subject that asserted it.
    pub asserted_by: Arc<str>,
    /// When it was true at its source; `None`: when the question arrived.
    pub observed: Option<DateTime<Utc>>,
}

impl Question {
    /// The facts as assertions at the time the question arrived.
    pub fn assertions(&self, now: DateTime<Utc>) -> impl Iterator<Item = Assertion<'_>> {
        self.facts.iter().map(move |fact| Assertion {
            name: &fact.name,
            value: &fact.value,
            provenance: fact.provenance,
            observed: fact.observed.unwrap_or(now),
        })
    }

    /// `sha256:` and hex over what is asked: two questions with one request id must
    /// agree in it. The revision asked for is left out, since a retry may have seen more.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut facts: Vec<_> = self.facts.iter().collect();
        facts.sort_by(|a, b| a.name.cmp(&b.name));
        let facts: Vec<_> = facts
            .into_iter()
            .map(|fact| {
                json!({
                    "name": fact.name,
                    "value": canonical::value(&fact.value),
                    "provenance": fact.provenance,
                    "asserted_by": fact.asserted_by,
                    "observed": fact.observed,
                })
            })
            .collect();
        canonical::digest(&json!({
            "workflow": self.workflow,
            "scope": self.scope,
            "correlation_id": self.correlation_id,
            "facts": facts,
            "explain": self.explain,
        }))
    }
}

/// Who asked, as far as answers are kept for retries: request ids of different callers
/// have nothing to do with each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Asker {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `person`, `service` or `model`.
    pub kind: String,
    /// Grants, as `role@scope`.
    pub grants: Vec<String>,
    /// Subject of the service that asked for it.
    pub via: Option<String>,
}

impl Asker {
    /// The key that request ids are unique under.
    #[must_use]
    pub fn key(&self) -> String {
        // A line break can't be in either, nor in what tokens carry.
        format!(
            "{}\n{}\n{}",
            self.issuer,
            self.subject,
            self.via.as_deref().unwrap_or_default()
        )
    }
}
