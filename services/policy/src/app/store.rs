//! What the use cases need of a database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use governance::{Effect, Scope};
use service_kit::{
    error::Result,
    identity::{Found, Scopes},
    outbox::Entry,
};
use uuid::Uuid;

use super::change::store::Changes;
use crate::domain::{
    decision::Answer,
    question::{Asker, Question},
    receipt::Receipt,
    snapshot::{Document, Revision},
};

/// Keeps revisions, decisions and receipts, and [`Changes`].
#[async_trait]
pub trait Store: Changes {
    /// The newest revision's number; 0: the store is empty.
    async fn latest(&self) -> Result<u64>;

    /// The documents of the first revision, whatever came after.
    async fn begun(&self) -> Result<Vec<Document>>;

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

    /// What was answered to a caller's request id at `since` or later.
    async fn answered(
        &self,
        asker_key: &str,
        request_id: Uuid,
        since: DateTime<Utc>,
    ) -> Result<Option<Earlier>>;

    /// A recorded decision.
    async fn decision(&self, id: Uuid, scopes: &Scopes) -> Result<Found<Kept>>;

    /// The last receipt of an action.
    async fn receipt(&self, action: &str, scopes: &Scopes) -> Result<Found<Authorized>>;

    /// Keeps a receipt with its decision in one transaction, unless another receipt came
    /// first, of the action (one that isn't `replaces`) or for the target: then nothing
    /// changes.
    async fn authorize(
        &self,
        authorized: &Authorized,
        claim: &Claim,
        replaces: Option<Uuid>,
        record: &Record,
    ) -> Result<Signed>;

    /// Forgets request ids that were answered before `answered`, with decisions kept for
    /// their sake alone, and receipts that stopped standing before `stood`: at most
    /// `limit` of each. The larger number of what was forgotten.
    async fn forget(
        &self,
        answered: DateTime<Utc>,
        stood: DateTime<Utc>,
        limit: u64,
    ) -> Result<u64>;

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
    /// Its request id is free if it was answered before.
    pub since: DateTime<Utc>,
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

/// What an action does to what: a receipt at a time stands for it, whatever its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The executing system.
    pub audience: String,
    /// `type/id` of the document.
    pub document: String,
    /// Line of the document; empty: all of it.
    pub line: String,
    /// Operation.
    pub operation: String,
}

/// What a receipt is to stand for, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What for.
    pub target: Target,
    /// Actions whose receipts are used up.
    pub finished: Vec<String>,
    /// Receipts that are used up, whatever their action.
    pub used: Vec<Uuid>,
    /// From when on receipts don't stand any more.
    pub now: DateTime<Utc>,
    /// Until when this one stands.
    pub until: DateTime<Utc>,
}

/// A receipt that stands for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Resource name of its action.
    pub action: String,
    /// `jti`.
    pub receipt: Uuid,
    /// When it stops being valid.
    pub expires: DateTime<Utc>,
    /// Until when it stands in the way of others.
    pub until: DateTime<Utc>,
}

/// What became of a receipt to keep.
#[derive(Debug, Clone, PartialEq)]
pub enum Signed {
    /// It is kept.
    New,
    /// The action has another one.
    Earlier(Box<Authorized>),
    /// One of another action stands for the target.
    Standing(Standing),
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
    pub fn of(answer: &Answer) -> Self {
        let decision = &answer.decision;
        Self {
            day: decision.decide_time.date_naive(),
            workflow: decision.workflow.clone(),
            scope: decision.scope.clone(),
            effect: decision.effect,
            revision: decision.revision,
        }
    }
}
