//! What the use cases of changes need of a database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use service_kit::{
    error::Result,
    identity::{Found, Scopes},
    outbox::Entry,
};
use uuid::Uuid;

use crate::domain::{
    change::{Change, Key, State},
    question::Question,
    snapshot::{Document, Revision},
};

/// Keeps changes, and puts them into force.
#[async_trait]
pub trait Changes: Send + Sync {
    /// Keeps a new change with its record, unless another was proposed with its request
    /// id: that one.
    async fn propose(
        &self,
        change: &Change,
        request: Option<&Request>,
        entry: &Entry,
    ) -> Result<Proposed>;

    /// A change of which the caller sees a scope.
    async fn change(&self, id: Uuid, scopes: &Scopes) -> Result<Found<Change>>;

    /// Changes in one of these states, the newest first, of which the caller sees a scope;
    /// from before a cursor.
    async fn changes(
        &self,
        scopes: &Scopes,
        states: &[State],
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Change>>;

    /// Keeps a change that was read with this version. False: it has another by now, and
    /// nothing is kept.
    async fn save(&self, change: &Change, version: u64, entries: &[Entry]) -> Result<bool>;

    /// Makes a revision, with everything that belongs to it, in one transaction. False:
    /// another made that revision, or changed a change, and nothing is kept.
    async fn activate(&self, activation: &Activation) -> Result<bool>;

    /// Scheduled changes whose time has come.
    async fn due(&self, now: DateTime<Utc>) -> Result<Vec<Uuid>>;

    /// The newest version that documents ever had; without one: none.
    async fn last_versions(&self, keys: &[Key]) -> Result<BTreeMap<Key, u64>>;

    /// The documents that were in force at a revision.
    async fn at_revision(&self, revision: u64) -> Result<Vec<Document>>;

    /// How often waivers were used, and when last.
    async fn waiver_uses(&self, names: &[String]) -> Result<BTreeMap<String, Use>>;

    /// How many decisions there are to decide again.
    async fn count_decisions(&self, period: &Period) -> Result<u64>;

    /// Decisions to decide again, the newest first, from before a cursor.
    async fn decisions(
        &self,
        period: &Period,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Stored>>;
}

/// How often something was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// In decisions.
    pub decisions: u64,
    /// When last.
    pub last: DateTime<Utc>,
}

/// A request id of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose.
    pub asker_key: String,
    /// The id.
    pub id: Uuid,
    /// Over what was asked.
    pub digest: String,
}

/// What became of a new change.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposed {
    /// It is kept.
    New,
    /// The request id has this one, asked for with the digest.
    Earlier(Box<Change>, String),
}

/// A new revision.
#[derive(Debug, Clone)]
pub struct Activation {
    /// The revision; its number is one more than the newest.
    pub revision: Revision,
    /// Changes that it changes, each with the version it was read with.
    pub changes: Vec<(Change, u64)>,
    /// Documents that come into force.
    pub puts: Vec<Document>,
    /// Documents that go out of force; those that are replaced as well.
    pub ends: Vec<Key>,
    /// The records.
    pub entries: Vec<Entry>,
}

/// Which decisions.
#[derive(Debug, Clone)]
pub struct Period {
    /// Of these workflows.
    pub workflows: Vec<String>,
    /// From here on.
    pub from: DateTime<Utc>,
}

/// A decision as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id.
    pub id: Uuid,
    /// When it was decided.
    pub decided: DateTime<Utc>,
    /// JSON of the question.
    pub question: String,
}

impl Stored {
    /// The question; `None`: it was kept in another form.
    #[must_use]
    pub fn question(&self) -> Option<Question> {
        serde_json::from_str(&self.question).ok()
    }
}
