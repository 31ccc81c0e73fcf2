//! What the use cases need of a database.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use governance::Scope;
use merkle::{Hash, tile};
use service_kit::{
    error::{Error, Result},
    identity::Principal,
    telemetry::TraceContext,
};

use crate::domain::{
    Record,
    batch::Placed,
    gaps::Sequence,
    stored::{Corrupt, Stored},
};

/// A record on its way into the log.
#[derive(Debug)]
pub struct Pending {
    /// The record, checked, with a canonical payload.
    pub record: Record,
    /// SHA-256 of the payload.
    pub data_hash: [u8; 32],
    /// Who appends it.
    pub by: Arc<By>,
}

/// Who appends, for the record of a refusal.
#[derive(Debug)]
pub struct By {
    /// The producer's principal.
    pub principal: Principal,
    /// The call's place in its trace.
    pub trace: TraceContext,
}

/// What became of a batch.
#[derive(Debug)]
pub struct Appended {
    /// For each record, in order.
    pub placed: Vec<Placed>,
    /// All that came of the producers in the batch.
    pub sequences: BTreeMap<String, Sequence>,
}

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Size of the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The signed note.
    pub note: String,
}

/// What one step of integration did.
#[derive(Debug)]
pub struct Integrated {
    /// The checkpoint now.
    pub signed: Signed,
    /// Whether records are left for the next step.
    pub more: bool,
}

/// Why a step of integration failed.
#[derive(Debug)]
pub enum Corruption {
    /// Stored bytes don't match the log; nothing was signed.
    Corrupt(Corrupt),
    /// Something else.
    Failed(Error),
}

impl From<Error> for Corruption {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Corrupt> for Corruption {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}

/// Which records a reader may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible {
    /// The topmost scopes; none where the reader sees all.
    pub scopes: Option<Vec<Scope>>,
    /// Whether it sees records without a scope.
    pub unscoped: bool,
}

/// How much is read at a time. One record is always read, whatever its size.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// At most this many records.
    pub records: u64,
    /// At most this many bytes of entries and payloads,
    pub bytes: u64,
    /// to which each record adds this much.
    pub each: u64,
}

/// What was read within bounds.
#[derive(Debug)]
pub struct Found {
    /// The records.
    pub records: Vec<Stored>,
    /// Whether the bounds left out more.
    pub more: bool,
}

/// A page of a transaction's records.
#[derive(Debug)]
pub struct Query<'q> {
    /// The transaction.
    pub correlation_id: &'q str,
    /// What the reader may see.
    pub visible: &'q Visible,
    /// Only records below this index.
    pub below: u64,
    /// Only records after this time, in microseconds, and index.
    pub after: Option<(i64, u64)>,
    /// How much of them.
    pub bounds: Bounds,
}

/// Signs a tree head.
pub type Sign<'s> = &'s (dyn Fn(u64, Hash) -> Result<String> + Send + Sync);

/// The database of the log.
#[async_trait]
pub trait Store: Send + Sync {
    /// Appends a batch in one transaction, alone. What is acknowledged is committed.
    /// Refused records are noted in the outbox in the same transaction.
    async fn append(&self, batch: &[Pending], now: DateTime<Utc>) -> Result<Appended, Corruption>;

    /// Integrates the next records into the tree, each recomputed from its stored bytes,
    /// and signs the new head, in one transaction, alone. Signs an empty tree where
    /// there is no head yet.
    async fn integrate(&self, sign: Sign<'_>, now: DateTime<Utc>)
    -> Result<Integrated, Corruption>;

    /// The newest checkpoint.
    async fn newest(&self) -> Result<Option<Signed>>;

    /// The checkpoint of a size, if one was signed.
    async fn signed(&self, size: u64) -> Result<Option<Signed>>;

    /// Checkpoints above a size, the smallest first.
    async fn signed_above(&self, size: u64, limit: u64) -> Result<Vec<Signed>>;

    /// Number of stored records.
    async fn size(&self) -> Result<u64>;

    /// Records from an index within bounds, in order.
    async fn records(&self, first: u64, bounds: Bounds) -> Result<Found>;

    /// A transaction's records, by time of occurrence and index.
    async fn lineage(&self, query: &Query<'_>) -> Result<Found>;

    /// Tiles by id; those that aren't there are left out.
    async fn tiles(&self, ids: &[tile::Id]) -> Result<BTreeMap<tile::Id, Vec<Hash>>>;

    /// Scopes of records below an index.
    async fn scopes(&self, below: u64) -> Result<Vec<String>>;

    /// What came of each producer.
    async fn producers(&self) -> Result<BTreeMap<String, Sequence>>;
}
