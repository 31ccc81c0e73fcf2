//! Placing a batch of records in the log: what is new gets the next index, what is
//! there already keeps its own, and other content under a known id is refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Leaf, Record, gaps::Sequence, record::MAX_ENTRY, stored::Corrupt};

/// What the log has that matters to a batch.
#[derive(Debug, Default)]
pub struct Tail {
    /// The next index.
    pub next: u64,
    /// Leaves under the batch's producers and event ids.
    pub known: HashMap<(String, Uuid), Leaf>,
    /// What came of the batch's producers so far.
    pub sequences: BTreeMap<String, Sequence>,
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
    /// New leaves, in order.
    pub leaves: Vec<Leaf>,
    /// Sequences of producers that have new leaves.
    pub sequences: BTreeMap<String, Sequence>,
    /// Scopes of new leaves with the first index of each.
    pub scopes: BTreeMap<String, u64>,
}

/// Places records whose leaves [`fits`].
pub fn place<'r>(
    records: impl IntoIterator<Item = &'r Record>,
    mut tail: Tail,
    now: DateTime<Utc>,
) -> Plan {
    let mut plan = Plan::default();
    let mut touched = BTreeSet::new();
    for record in records {
        let id = (record.producer.clone(), record.event_id);
        if let Some(known) = tail.known.get(&id) {
            let again = Leaf::new(known.index, known.recorded, record.clone());
            plan.placed.push(if again.entry() == known.entry() {
                Placed::Duplicate(known.index)
            } else {
                Placed::Conflict(known.index)
            });
            continue;
        }
        let leaf = Leaf::new(tail.next, now, record.clone());
        tail.sequences
            .entry(record.producer.clone())
            .or_default()
            .note(record.producer_sequence);
        touched.insert(record.producer.clone());
        plan.scopes.entry(record.scope.clone()).or_insert(tail.next);
        plan.placed.push(Placed::New(tail.next));
        tail.next += 1;
        tail.known.insert(id, leaf.clone());
        plan.leaves.push(leaf);
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
    Leaf::new(u64::MAX, DateTime::<Utc>::MAX_UTC, record.clone())
        .entry()
        .len()
        <= MAX_ENTRY
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
