//! Placing a batch of records in the log: what is new gets the next index, what is
//! there already keeps its own, and other content under a known id is refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Record,
    gaps::Sequence,
    leaf,
    record::MAX_ENTRY,
    stored::{Corrupt, Stored},
};

/// What the log has that matters to a batch.
#[derive(Debug, Default)]
pub struct Tail {
    /// The next index.
    pub next: u64,
    /// Records under the batch's producers and event ids.
    pub known: HashMap<(String, Uuid), Known>,
    /// What came of the batch's producers so far.
    pub sequences: BTreeMap<String, Sequence>,
}

/// A record that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its place.
    pub index: u64,
    /// When it was appended.
    pub recorded: DateTime<Utc>,
    /// Its leaf entry.
    pub entry: Vec<u8>,
}

/// A record that is to be placed.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'r> {
    /// The record; its leaf [`fits`].
    pub record: &'r Record,
    /// SHA-256 of its payload.
    pub data_hash: &'r [u8; 32],
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It is new, at this index.
    New(u64),
    /// It was there already, at this index.
    Duplicate(u64),
    /// Another record is there under the same id, at this index.
    Conflict(u64),
}

/// What a batch does to the log.
#[derive(Debug, Default)]
pub struct Plan {
    /// For each record, in order.
    pub placed: Vec<Placed>,
    /// New records, in order.
    pub stored: Vec<Stored>,
    /// Sequences of producers that have new records.
    pub sequences: BTreeMap<String, Sequence>,
    /// Scopes of new records with the first index of each.
    pub scopes: BTreeMap<String, u64>,
}

/// Places records.
pub fn place<'r>(
    records: impl IntoIterator<Item = Candidate<'r>>,
    mut tail: Tail,
    now: DateTime<Utc>,
) -> Plan {
    let mut plan = Plan::default();
    let mut touched = BTreeSet::new();
    for Candidate { record, data_hash } in records {
        let id = (record.producer.clone(), record.event_id);
        if let Some(known) = tail.known.get(&id) {
            let again = leaf::entry(known.index, known.recorded, record, data_hash);
            plan.placed.push(if again == known.entry {
                Placed::Duplicate(known.index)
            } else {
                Placed::Conflict(known.index)
            });
            continue;
        }
        let stored = Stored::new(tail.next, now, record, data_hash);
        tail.sequences
            .entry(record.producer.clone())
            .or_default()
            .note(record.producer_sequence);
        touched.insert(record.producer.clone());
        plan.scopes.entry(record.scope.clone()).or_insert(tail.next);
        plan.placed.push(Placed::New(tail.next));
        let known = Known {
            index: tail.next,
            recorded: now,
            entry: stored.entry.clone(),
        };
        tail.known.insert(id, known);
        tail.next += 1;
        plan.stored.push(stored);
    }
    plan.sequences = tail
        .sequences
        .into_iter()
        .filter(|(producer, _)| touched.contains(producer))
        .collect();
    plan
}

/// Whether a record's leaf fits a log at any index and time.
#[must_use]
pub fn fits(record: &Record) -> bool {
    leaf::entry(u64::MAX, DateTime::<Utc>::MAX_UTC, record, &[0; 32]).len() <= MAX_ENTRY
}

/// The next index from the last stored record and the signed tree: a record that was
/// signed for must still be there.
///
/// # Errors
/// If it isn't.
pub fn next_index(last: Option<u64>, signed: u64) -> Result<u64, Corrupt> {
    let next = last.map_or(0, |last| last + 1);
    if next < signed {
        return Err(Corrupt::new(
            next,
            "the record is gone, though it was signed for",
        ));
    }
    Ok(next)
}
