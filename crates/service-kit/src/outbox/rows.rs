//! Rows of the outbox: written with what they tell of, numbered, read in order, deleted.

use chrono::Utc;
use contracts::{audit::Record, time::timestamp, types::CloudEvent};
use prost::Message as _;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult, QueryFilter as _,
    Statement,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{
    Entry, MAX_PAYLOAD_BYTES, canonical,
    schema::{refused, row, state},
};
use crate::{
    error::{Error, Kind, Reason, Result},
    identity::Principal,
    telemetry::{TraceContext, current_trace},
};

/// Rows of one INSERT: six parameters each, of the 32,766 that SQLite takes.
const INSERT_ROWS: usize = 1000;

/// A row that is to be delivered to the log.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Numbered {
    pub sequence: i64,
    pub body: Vec<u8>,
    pub trace_parent: String,
}

/// Writes entries as rows without numbers.
pub(super) async fn insert(tx: &impl ConnectionTrait, entries: &[Entry]) -> Result<()> {
    let current = current_trace();
    let now = Utc::now().timestamp_micros();
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| encode(entry, entry.trace.as_ref().unwrap_or(&current), now))
        .collect::<Result<_>>()?;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<_> = rows.by_ref().take(INSERT_ROWS).collect();
        row::Entity::insert_many(chunk)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn encode(entry: &Entry, trace: &TraceContext, now: i64) -> Result<row::ActiveModel> {
    let (audit, id) = (&entry.audit, Uuid::now_v7().to_string());
    let mut actor = audit.actor.to_proto();
    actor.via = audit.via.clone().unwrap_or_default();
    let record = Record {
        event_id: id.clone(),
        r#type: audit.r#type.clone(),
        occur_time: Some(timestamp(audit.occurred)),
        actor: Some(actor),
        action: audit.action.clone(),
        resource: audit.resource.clone(),
        scope: audit.scope.clone(),
        correlation_id: audit.correlation_id.clone(),
        trace_id: trace.trace_id.clone(),
        span_id: trace.span_id.clone(),
        outcome: audit.outcome.to_proto().into(),
        payload: bounded("payload", &audit.payload)?,
        ..Record::default()
    };
    let event = entry.event.as_ref().map(|event| {
        let event = CloudEvent {
            id,
            r#type: event.r#type.clone(),
            subject: event.subject.clone(),
            time: Some(timestamp(audit.occurred)),
            scope: event.scope.clone(),
            correlation_id: event.correlation_id.clone(),
            trace_parent: trace.traceparent.clone(),
            data: bounded("data", &event.data)?,
            ..CloudEvent::default()
        };
        Ok::<_, Error>(event.encode_to_vec())
    });
    Ok(row::ActiveModel {
        position: NotSet,
        sequence: Set(None),
        record: Set(record.encode_to_vec()),
        event: Set(event.transpose()?),
        trace_parent: Set(trace.traceparent.clone()),
        create_time: Set(now),
    })
}

/// The canonical form, within its limit.
fn bounded(what: &str, value: &serde_json::Value) -> Result<bytes::Bytes> {
    let bytes = canonical(value)?;
    if bytes.len() > MAX_PAYLOAD_BYTES {
        let message = format!(
            "{what} of a record has {} bytes, at most {MAX_PAYLOAD_BYTES} are allowed",
            bytes.len()
        );
        return Err(Error::new(Kind::InvalidArgument, Reason::TooLarge, message));
    }
    Ok(bytes.into())
}

/// How far the relay is.
pub(super) async fn state(db: &impl ConnectionTrait) -> Result<state::Model> {
    state::Entity::find_by_id(1)
        .one(db)
        .await?
        .ok_or_else(|| Error::internal(DbErr::RecordNotFound("outbox_state".to_owned())))
}

/// Numbers at most `limit` committed rows, in order of insertion, and answers the last
/// number and how many there were. Only the holder of the relay's lock may call it.
pub(super) async fn number(tx: &impl ConnectionTrait, limit: u64) -> Result<(i64, u64)> {
    let numbered = state(tx).await?.numbered;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = Statement::from_sql_and_values(
        tx.get_database_backend(),
        "UPDATE outbox SET sequence = $1 + n.place FROM \
         (SELECT position, row_number() OVER (ORDER BY position) AS place FROM outbox \
          WHERE sequence IS NULL ORDER BY position LIMIT $2) AS n \
         WHERE outbox.position = n.position",
        [numbered.into(), limit.into()],
    );
    let count = tx.execute_raw(statement).await?.rows_affected();
    if count == 0 {
        return Ok((numbered, 0));
    }
    let last = numbered + i64::try_from(count).map_err(Error::internal)?;
    state::Entity::update_many()
        .col_expr(state::Column::Numbered, Expr::value(last))
        .exec(tx)
        .await?;
    Ok((last, count))
}

/// What a column of rows is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Record,
    Event,
}

/// The next rows after a number that have this body, in order: as many as are within
/// `limit` and within `bytes`, but at least one.
pub(super) async fn after(
    db: &impl ConnectionTrait,
    body: Body,
    sequence: i64,
    limit: usize,
    bytes: usize,
) -> Result<Vec<Numbered>> {
    let column = match body {
        Body::Record => "record",
        Body::Event => "event",
    };
    let sql = format!(
        "SELECT sequence, body, trace_parent FROM \
         (SELECT sequence, {column} AS body, trace_parent, \
          SUM(length({column}) + 256) OVER (ORDER BY sequence) AS total, \
          row_number() OVER (ORDER BY sequence) AS place FROM \
          (SELECT sequence, {column}, trace_parent FROM outbox \
           WHERE sequence > $1 AND {column} IS NOT NULL ORDER BY sequence LIMIT $2) AS picked) AS sums \
         WHERE total <= $3 OR place = 1 ORDER BY sequence"
    );
    let signed = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let values = [sequence.into(), signed(limit).into(), signed(bytes).into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(Numbered::find_by_statement(statement).all(db).await?)
}

/// Notes that the log has all up to a number.
pub(super) async fn set_audited(tx: &impl ConnectionTrait, sequence: i64) -> Result<()> {
    state::Entity::update_many()
        .col_expr(state::Column::Audited, Expr::value(sequence))
        .exec(tx)
        .await?;
    Ok(())
}

/// Deletes rows up to a number that the log has and all groups have passed.
pub(super) async fn delete(tx: &impl ConnectionTrait, up_to: i64) -> Result<u64> {
    let deleted = row::Entity::delete_many()
        .filter(row::Column::Sequence.lte(up_to))
        .exec(tx)
        .await?;
    Ok(deleted.rows_affected)
}

/// Sets a refused record aside and puts another one in its place.
pub(super) async fn replace(
    tx: &impl ConnectionTrait,
    refused: &Numbered,
    reason: &str,
    replacement: Vec<u8>,
) -> Result<()> {
    refused::Entity::insert(refused::ActiveModel {
        sequence: Set(refused.sequence),
        record: Set(refused.body.clone()),
        reason: Set(reason.to_owned()),
        create_time: Set(Utc::now().timestamp_micros()),
    })
    .exec_without_returning(tx)
    .await?;
    row::Entity::update_many()
        .col_expr(row::Column::Record, Expr::value(replacement))
        .filter(row::Column::Sequence.eq(refused.sequence))
        .exec(tx)
        .await?;
    Ok(())
}

/// A row as the log takes it.
pub(super) fn record(row: &Numbered, producer: &str) -> Result<Record> {
    let mut record = Record::decode(row.body.as_slice()).map_err(Error::internal)?;
    producer.clone_into(&mut record.producer);
    record.producer_sequence = row.sequence;
    Ok(record)
}

/// The record that takes a refused one's place.
pub(super) fn replacement(refused: &Record, body: &[u8], error: &Error) -> Result<Vec<u8>> {
    use sha2::Digest as _;
    let digest = format!("sha256:{}", hex(&sha2::Sha256::digest(body)));
    let payload = serde_json::json!({
        "event_id": refused.event_id,
        "type": refused.r#type,
        "digest": digest,
        "reason": error.reason().code(),
        "message": error.message(),
    });
    let record = Record {
        event_id: Uuid::now_v7().to_string(),
        r#type: format!("bylaw.{}.outbox.record-refused.v1", refused.producer),
        occur_time: refused.occur_time,
        actor: Some(Principal::own(&refused.producer).to_proto()),
        action: format!("{}.outbox.deliver", refused.producer),
        resource: format!("outbox/{}", refused.event_id),
        scope: refused.scope.clone(),
        correlation_id: refused.correlation_id.clone(),
        trace_id: refused.trace_id.clone(),
        span_id: refused.span_id.clone(),
        outcome: contracts::audit::Outcome::Refused.into(),
        payload: canonical(&payload)?.into(),
        ..Record::default()
    };
    Ok(record.encode_to_vec())
}

/// Whether the log will never take a record that it refused so.
pub(super) fn is_poison(error: &Error) -> bool {
    matches!(error.kind(), Kind::InvalidArgument | Kind::OutOfRange)
        || (error.kind() == Kind::ResourceExhausted && error.reason() == Reason::TooLarge)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
