//! Between the contracts and the log's own types.

use bytes::Bytes;
use contracts::{
    audit::{self, Checkpoint},
    time::{instant, timestamp},
    types,
};
use merkle::Hash;
use service_kit::error::{Error, Result};
use uuid::Uuid;

use crate::{
    app::{Lineage, MAX_RECORDS, Signed},
    domain::{Actor, ActorKind, Grant, Leaf, Outcome, Record},
};

/// A size or index of a request.
pub fn count(field: &'static str, value: i64) -> Result<u64> {
    u64::try_from(value)
        .map_err(|_| Error::invalid(field, format!("is {value}, expected 0 or more")))
}

/// A size or index of an answer. Columns are as wide, so that it always fits.
pub fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The index in `records/{index}`.
pub fn record_name(name: &str) -> Result<u64> {
    let index = name.strip_prefix("records/").and_then(|index| {
        let number: i64 = index.parse().ok()?;
        (number.to_string() == index).then_some(number)
    });
    index
        .and_then(|index| u64::try_from(index).ok())
        .ok_or_else(|| Error::invalid("name", "isn't records/ and an index, such as records/17"))
}

/// Records to append.
pub fn records(records: Vec<audit::Record>) -> Result<Vec<Record>> {
    if records.len() > MAX_RECORDS {
        let problem = format!(
            "has {} records, at most {MAX_RECORDS} are allowed",
            records.len()
        );
        return Err(Error::too_large("records", problem));
    }
    records
        .into_iter()
        .enumerate()
        .map(|(i, record)| read_record(i, record))
        .collect()
}

fn read_record(i: usize, record: audit::Record) -> Result<Record> {
    let invalid =
        |field: &str, problem: &str| Error::invalid(format!("records[{i}].{field}"), problem);
    let outcome = match record.outcome() {
        audit::Outcome::Done => Outcome::Done,
        audit::Outcome::Refused => Outcome::Refused,
        audit::Outcome::Unspecified => return Err(invalid("outcome", "is missing")),
    };
    let occurred = record
        .occur_time
        .as_ref()
        .and_then(instant)
        .ok_or_else(|| invalid("occur_time", "is missing or out of range"))?;
    let actor = record.actor.ok_or_else(|| invalid("actor", "is missing"))?;
    // one spelling of an id, so that an id is one id
    let event_id = Uuid::try_parse(&record.event_id)
        .ok()
        .filter(|id| id.to_string() == record.event_id)
        .ok_or_else(|| invalid("event_id", "isn't a UUID in lower case with hyphens"))?;
    Ok(Record {
        producer: record.producer,
        producer_sequence: u64::try_from(record.producer_sequence)
            .map_err(|_| invalid("producer_sequence", "is negative"))?,
        event_id,
        r#type: record.r#type,
        occurred,
        actor: read_actor(actor).ok_or_else(|| invalid("actor.kind", "is missing"))?,
        action: record.action,
        resource: record.resource,
        scope: record.scope,
        correlation_id: record.correlation_id,
        trace_id: record.trace_id,
        span_id: record.span_id,
        outcome,
        payload: record.payload.into(),
    })
}

fn read_actor(actor: types::Principal) -> Option<Actor> {
    let kind = match actor.kind() {
        types::PrincipalKind::Person => ActorKind::Person,
        types::PrincipalKind::Service => ActorKind::Service,
        types::PrincipalKind::Model => ActorKind::Model,
        types::PrincipalKind::Unspecified => return None,
    };
    let grants = actor.grants.into_iter().map(|grant| Grant {
        role: grant.role,
        scope: grant.scope,
    });
    Some(Actor {
        issuer: actor.issuer,
        subject: actor.subject,
        kind,
        grants: grants.collect(),
        via: actor.via,
    })
}

/// A record of the log.
pub fn record(leaf: Leaf, hash: Hash) -> audit::Record {
    let outcome = match leaf.record.outcome {
        Outcome::Done => audit::Outcome::Done,
        Outcome::Refused => audit::Outcome::Refused,
    };
    let record = leaf.record;
    audit::Record {
        name: format!("records/{}", leaf.index),
        index: int(leaf.index),
        producer: record.producer,
        producer_sequence: int(record.producer_sequence),
        event_id: record.event_id.to_string(),
        r#type: record.r#type,
        occur_time: Some(timestamp(record.occurred)),
        record_time: Some(timestamp(leaf.recorded)),
        actor: Some(actor(record.actor)),
        action: record.action,
        resource: record.resource,
        scope: record.scope,
        correlation_id: record.correlation_id,
        trace_id: record.trace_id,
        span_id: record.span_id,
        outcome: outcome.into(),
        payload: record.payload.into(),
        leaf_hash: hash_bytes(&hash),
    }
}

fn actor(actor: Actor) -> types::Principal {
    let kind = match actor.kind {
        ActorKind::Person => types::PrincipalKind::Person,
        ActorKind::Service => types::PrincipalKind::Service,
        ActorKind::Model => types::PrincipalKind::Model,
    };
    let grants = actor.grants.into_iter().map(|grant| types::Grant {
        role: grant.role,
        scope: grant.scope,
    });
    types::Principal {
        issuer: actor.issuer,
        subject: actor.subject,
        kind: kind.into(),
        grants: grants.collect(),
        via: actor.via,
    }
}

/// A page of a lineage.
pub fn lineage(lineage: Lineage) -> audit::Lineage {
    audit::Lineage {
        records: lineage
            .records
            .into_iter()
            .map(|(leaf, hash)| record(leaf, hash))
            .collect(),
        checkpoint: Some(checkpoint(&lineage.checkpoint)),
        trace_ids: lineage.trace_ids,
        lines: lineage.lines.into_iter().map(Bytes::from).collect(),
        next_page_token: lineage.next_page_token,
    }
}

/// A signed checkpoint.
pub fn checkpoint(signed: &Signed) -> Checkpoint {
    Checkpoint {
        note: signed.note.clone(),
        origin: signed.note.lines().next().unwrap_or_default().to_owned(),
        tree_size: int(signed.size),
        root_hash: hash_bytes(&signed.root),
        log_corrupt: String::new(),
    }
}

/// Hashes as bytes.
pub fn hashes(hashes: &[Hash]) -> Vec<Bytes> {
    hashes.iter().map(hash_bytes).collect()
}

/// A hash as bytes.
pub fn hash_bytes(hash: &Hash) -> Bytes {
    Bytes::copy_from_slice(&hash.0)
}
