//! What the log records of itself: who read what, and what was refused. Through the
//! outbox, like everybody's records.

use serde_json::{Value, json};
use service_kit::{
    error::Result,
    identity::Caller,
    outbox::{Audit, Entry, Outcome},
};

use super::{Log, Pending};
use crate::domain::leaf;

impl Log {
    /// Records that something is read, before it is answered: what can't be recorded
    /// isn't read.
    pub(super) async fn record_reading(
        &self,
        caller: &Caller,
        what: &'static str,
        resource: String,
        payload: Value,
    ) -> Result<()> {
        let entry = Entry::new(Audit {
            r#type: format!("bylaw.audit.{what}.v1"),
            action: format!("audit.{what}"),
            resource,
            // readings belong to no transaction: they would grow what they read
            scope: String::new(),
            correlation_id: String::new(),
            outcome: Outcome::Done,
            actor: caller.actor().clone(),
            via: caller.via().map(str::to_owned),
            payload,
            occurred: self.0.clock.now(),
        });
        self.0.outbox.append(&[entry]).await
    }
}

/// The record of a refused record: another one is in the log under its id.
#[must_use]
pub fn conflict(pending: &Pending, index: u64, now: chrono::DateTime<chrono::Utc>) -> Entry {
    let record = &pending.record;
    Entry::new(Audit {
        r#type: "bylaw.audit.record.conflict.v1".to_owned(),
        action: "audit.record.append".to_owned(),
        resource: format!("records/{index}"),
        scope: record.scope.clone(),
        correlation_id: record.correlation_id.clone(),
        outcome: Outcome::Refused,
        actor: pending.by.principal.clone(),
        via: None,
        payload: json!({
            "reason": "IDEMPOTENCY_CONFLICT",
            "index": index.to_string(),
            "producer": record.producer,
            "producer_sequence": record.producer_sequence.to_string(),
            "event_id": record.event_id.to_string(),
            "type": record.r#type,
            "payload_sha256": leaf::hex(&pending.data_hash),
        }),
        occurred: now,
    })
    .in_trace(pending.by.trace.clone())
}
