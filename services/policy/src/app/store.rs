//! What the use cases need of a database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use governance::{Effect, Scope};
use service_kit::{error::Result, outbox::Entry};
use uuid::Uuid;

use crate::domain::{
    decision::Answer,
    question::{Asker, Question},
    receipt::Receipt,
    snapshot::{Document, Revision},
};

/// Keeps revisions, decisions and receipts.
#[async_trait]
pub trait Store: Send + Sync {
    /// The newest revision's number; 0: the store is empty.
    async fn latest(&self) -> Result<u64>;

    /// The newest revision with all documents in force.
    async fn load(&self) -> Result<Option<(Revision, Vec<Document>)>>;

    /// Makes the first revision, with its record, unless there is one: then nothing
    /// changes and the answer is false, also when several try at once.
    async fn bootstrap(
        &self,
        revision: &Revision,
        documents: &[Document],
        record: &Entry,
    ) -> Result<bool>;

    /// Keeps decisions in one transaction; durable when this returns. One answer each,
    /// in order.
    async fn record(&self, records: &[Record]) -> Result<Vec<Recorded>>;

    /// What was answered to a caller's request id.
    async fn answered(&self, asker_key: &str, request_id: Uuid) -> Result<Option<Earlier>>;

    /// A recorded decision.
    async fn decision(&self, id: Uuid) -> Result<Option<Kept>>;

    /// The last receipt of an action.
    async fn receipt(&self, action: &str) -> Result<Option<Authorized>>;

    /// Keeps a receipt with its decision in one transaction, unless another one came
    /// first (that isn't `replaces`): then nothing changes, and that one is the answer.
    async fn authorize(
        &self,
        authorized: &Authorized,
        replaces: Option<Uuid>,
        record: &Record,
    ) -> Result<Option<Authorized>>;

    /// Adds to the counts of decisions.
    async fn count(&self, counts: &BTreeMap<CountKey, u64>) -> Result<()>;
}

/// A decision to keep.
#[derive(Debug, Clone)]
pub struct Record {
    /// Who asked.
    pub asker: Asker,
    /// What.
    pub question: Question,
    /// Digest of the question, where it has a request id.
    pub digest: String,
    /// What was answered.
    pub answer: Answer,
    /// Records for the audit log; none for a decision that is kept only for its request
    /// id.
    pub entries: Vec<Entry>,
}

/// What became of a decision to keep.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// It is kept.
    New,
    /// Another one has its request id.
    Earlier(Box<Earlier>),
}

/// An earlier answer to a request id.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// Digest of the question.
    pub digest: String,
    /// What was answered.
    pub answer: Answer,
}

/// A decision as it was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Who asked.
    pub asker: Asker,
    /// What.
    pub question: Question,
    /// What was answered.
    pub answer: Answer,
}

/// An authorized action.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized {
    /// Resource name of the action.
    pub action: String,
    /// Digest of what was authorized.
    pub digest: String,
    /// The receipt.
    pub receipt: Receipt,
    /// The decision it rests on.
    pub answer: Answer,
}

/// What decisions are counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountKey {
    /// Day, UTC.
    pub day: NaiveDate,
    /// Workflow.
    pub workflow: String,
    /// Scope of the transaction.
    pub scope: Scope,
    /// What was answered.
    pub effect: Effect,
    /// Revision decided at.
    pub revision: u64,
}

impl CountKey {
    /// What a decision counts by.
    #[must_use]
    pub fn of(answer: &Answer, now: DateTime<Utc>) -> Self {
        let decision = &answer.decision;
        Self {
            day: now.date_naive(),
            workflow: decision.workflow.clone(),
            scope: decision.scope.clone(),
            effect: decision.effect,
            revision: decision.revision,
        }
    }
}
