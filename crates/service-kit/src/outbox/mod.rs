//! The transactional outbox: no effect without its record, no record without its effect.
//!
//! A use case writes its state and its entries in one transaction. The [relay](Outbox::relay)
//! of the database numbers committed rows without gaps, appends them to the audit log and
//! publishes their events, in order and at least once. A row stays until the log has it
//! and every consumer group has passed its event.

mod canonical;
mod lag;
mod relay;
mod rows;
mod schema;
mod sink;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use contracts::audit;
use futures::future::BoxFuture;
use sea_orm::ConnectionTrait;
use tokio_util::sync::CancellationToken;

pub use canonical::canonical;
pub use lag::Lag;
pub(crate) use schema::migrations;
pub use sink::{Appended, AuditSink, Sink};

use crate::{
    bus::Bus, clock::Clock, db::Db, error::Result, health::Health, identity::Principal,
    telemetry::TraceContext,
};

/// Largest payload of a record and largest data of an event, in bytes of canonical JSON:
/// what the log and the contracts take.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

/// What is recorded, and what is told to others, about one thing that happened.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The record for the audit log.
    pub audit: Audit,
    /// The event for the stream, where others are told.
    pub event: Option<Event>,
    /// The trace it belongs to; `None`: that of the span in which it is inserted.
    pub trace: Option<TraceContext>,
}

impl Entry {
    /// An entry that is recorded only.
    #[must_use]
    pub fn new(audit: Audit) -> Self {
        Self {
            audit,
            event: None,
            trace: None,
        }
    }

    /// Tells others too.
    #[must_use]
    pub fn with_event(mut self, event: Event) -> Self {
        self.event = Some(event);
        self
    }

    /// Sets the trace, where one transaction serves several.
    #[must_use]
    pub fn in_trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
        self
    }
}

/// A record for the audit log; see `bylaw.audit.v1.Record`.
#[derive(Debug, Clone)]
pub struct Audit {
    /// CloudEvents type, such as `bylaw.exceptions.exception.raised.v1`.
    pub r#type: String,
    /// What was done, such as `exceptions.action.approve`.
    pub action: String,
    /// Resource it was done to, such as `exceptions/019a…`.
    pub resource: String,
    /// Scope of the resource.
    pub scope: String,
    /// The business transaction.
    pub correlation_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Who did it.
    pub actor: Principal,
    /// The service that called on the actor's behalf.
    pub via: Option<String>,
    /// JSON object with the details; decimals as strings.
    pub payload: serde_json::Value,
    /// When it happened.
    pub occurred: DateTime<Utc>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// An event for the stream, as CloudEvents has it. Its id is the record's, its source
/// `/bylaw/<service>`, its time the record's.
#[derive(Debug, Clone)]
pub struct Event {
    /// Type, such as `bylaw.policy.revision.activated.v1`.
    pub r#type: String,
    /// What it is about, such as `exceptions/019a…`.
    pub subject: String,
    /// Scope of the transaction.
    pub scope: String,
    /// The business transaction.
    pub correlation_id: String,
    /// Payload; decimals as strings.
    pub data: serde_json::Value,
}

/// Writes entries in the transaction of what they tell of.
///
/// # Errors
/// `TOO_LARGE` for a payload beyond [`MAX_PAYLOAD_BYTES`]; internal for a payload that has no
/// canonical form; those of the database.
pub async fn insert(tx: &impl ConnectionTrait, entries: &[Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    rows::insert(tx, entries).await
}

/// A service's outbox. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    producer: &'static str,
    db: Db,
    clock: Arc<dyn Clock>,
}

impl Outbox {
    /// The outbox in this database, of the service that produces into it.
    #[must_use]
    pub fn new(producer: &'static str, db: Db, clock: Arc<dyn Clock>) -> Self {
        Self {
            producer,
            db,
            clock,
        }
    }

    /// Writes entries that belong to no other change, such as refusals, in a transaction
    /// of their own.
    ///
    /// # Errors
    /// Those of [`insert`].
    pub async fn append(&self, entries: &[Entry]) -> Result<()> {
        self.db
            .write(|tx| async move { insert(&tx, entries).await })
            .await
    }

    /// Runs the relay until `shutdown`. Every replica runs one; the one that holds the
    /// database's lock works, and another takes over when it is gone.
    #[must_use]
    pub fn relay(
        &self,
        sink: Arc<dyn Sink>,
        bus: Arc<dyn Bus>,
        settings: &crate::settings::Bus,
        health: Health,
        shutdown: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        Box::pin(relay::run(relay::Relay {
            outbox: self.clone(),
            sink,
            bus,
            groups: settings.groups.clone(),
            window: settings.window,
            health,
            shutdown,
        }))
    }

    /// What waits to be delivered.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn lag(&self) -> Result<Lag> {
        lag::read(self.db.read(), self.clock.now()).await
    }
}

impl Outcome {
    fn to_proto(self) -> audit::Outcome {
        match self {
            Self::Done => audit::Outcome::Done,
            Self::Refused => audit::Outcome::Refused,
        }
    }
}
