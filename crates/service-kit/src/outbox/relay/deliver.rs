//! The lane to the audit log.

use super::{Office, PAUSES, in_time, rows};
use crate::{
    bus::backoff::Backoff,
    error::{Chain, Result},
    outbox::rows::{Body, Numbered},
    telemetry::{self, KeyValue},
};
use tracing::{Instrument as _, Span};

/// Most records of one call.
const RECORDS: usize = 1_000;

/// Most bytes of one call: below the limit of a message with room for what the relay and
/// the encoding add.
const BYTES: usize = 3 * 1024 * 1024;

impl Office<'_> {
    /// Appends numbered rows to the log, in order.
    pub(super) async fn deliver(&self) -> Result<()> {
        let mut numbered = self.numbered.subscribe();
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        let mut audited = *self.audited.borrow();
        loop {
            if *numbered.borrow_and_update() <= audited {
                // The sender lives in self, so this can't fail.
                let _ = numbered.changed().await;
                continue;
            }
            let conn = self.session.conn();
            let batch = rows::after(conn, Body::Record, audited, RECORDS, BYTES);
            let batch = in_time("database", batch).await?;
            match self.deliver_some(&batch).await? {
                Ok(last) => {
                    in_time("database", self.set_audited(last)).await?;
                    audited = last;
                    self.audited.send_replace(last);
                    self.troubles().log = None;
                    backoff.reset();
                }
                Err(error) => {
                    let trouble = Chain(&error).to_string();
                    tracing::debug!(producer = self.producer(), error = trouble, "log away");
                    self.troubles().log = Some(trouble);
                    tokio::time::sleep(backoff.pause()).await;
                }
            }
        }
    }

    /// Appends the batch or the beginning of it and answers the last number that the log
    /// has. The outer result is the database's, the inner one the log's.
    async fn deliver_some(&self, batch: &[Numbered]) -> Result<Result<i64>> {
        let mut batch = batch;
        while let [first, rest @ ..] = batch {
            let last = rest.last().unwrap_or(first).sequence;
            match self.append(batch).await {
                Ok(()) => return Ok(Ok(last)),
                Err(error) if !rows::is_poison(&error) => return Ok(Err(error)),
                // One of them is refused for what it is: halve until it stands alone.
                Err(_) if !rest.is_empty() => batch = &batch[..batch.len().div_ceil(2)],
                Err(error) => {
                    return match self.set_aside(first, &error).await? {
                        true => Ok(Ok(first.sequence - 1)),
                        false => Ok(Err(error)),
                    };
                }
            }
        }
        Ok(Ok(*self.audited.borrow()))
    }

    async fn append(&self, batch: &[Numbered]) -> Result<()> {
        let producer = self.producer();
        let records: Vec<_> = batch
            .iter()
            .map(|row| rows::record(row, producer))
            .collect::<Result<_>>()?;
        let span = tracing::info_span!(
            parent: None,
            "relay",
            otel.name = "relay audit",
            otel.kind = "producer",
            messaging.system = "bylaw",
            messaging.operation.type = "send",
            messaging.operation.name = "relay",
            messaging.destination.name = "audit",
            messaging.batch.message_count = batch.len(),
            bylaw.service = producer,
        );
        let sends: Vec<_> = batch
            .iter()
            .map(|row| send_span(&span, row, "audit", producer))
            .collect();
        let appended = self.relay.sink.append(records).instrument(span);
        let appended = in_time("audit log", appended).await?;
        drop(sends);
        for (row, result) in batch.iter().zip(&appended) {
            if result.conflict {
                tracing::error!(
                    producer,
                    sequence = row.sequence,
                    index = result.index,
                    "the log holds another record under this id"
                );
                count_refused(producer);
            }
        }
        Ok(())
    }

    async fn set_audited(&self, last: i64) -> Result<()> {
        let tx = self.session.begin().await?;
        rows::set_audited(&tx, last).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sets a refused record aside and puts one in its place that says so: the sequence
    /// keeps no hole, and what follows goes on. False where it is such a one already.
    async fn set_aside(&self, row: &Numbered, error: &crate::Error) -> Result<bool> {
        let record = rows::record(row, self.producer())?;
        let replaced = record.r#type.ends_with(".outbox.record-refused.v1");
        tracing::error!(
            producer = self.producer(), sequence = row.sequence, event_id = record.event_id,
            event_type = record.r#type, replaced, error = %Chain(error), "the log refuses a record",
        );
        count_refused(self.producer());
        if replaced {
            return Ok(false);
        }
        let replacement = rows::replacement(&record, &row.body, error)?;
        let reason = Chain(error).to_string();
        let tx = self.session.begin().await?;
        rows::replace(&tx, row, &reason, replacement).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// A span of the row's own trace for its delivery; the batch links to it.
pub(super) fn send_span(
    batch: &Span,
    row: &Numbered,
    destination: &'static str,
    producer: &'static str,
) -> Span {
    if row.trace_parent.is_empty() {
        return Span::none();
    }
    let span = tracing::info_span!(
        parent: None,
        "send",
        otel.name = format!("send {destination}"),
        otel.kind = "producer",
        messaging.system = "bylaw",
        messaging.operation.type = "send",
        messaging.operation.name = "send",
        messaging.destination.name = destination,
        bylaw.service = producer,
        bylaw.outbox.sequence = row.sequence,
    );
    telemetry::set_parent(&span, &row.trace_parent);
    let context = span.in_scope(telemetry::current_trace);
    telemetry::link(batch, &context.traceparent);
    span
}

fn count_refused(producer: &'static str) {
    telemetry::meter()
        .u64_counter("bylaw.outbox.refused")
        .with_description("records that the audit log refused")
        .build()
        .add(1, &[KeyValue::new(telemetry::names::SERVICE, producer)]);
}
