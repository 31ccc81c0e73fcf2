//! A record as it is stored, and whether that is still what was recorded.

use chrono::{DateTime, Utc};
use merkle::Hash;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Leaf, Record, leaf};

/// A stored record: the leaf entry, the payload, and copies of members to search by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Place in the log.
    pub index: u64,
    /// Copy of the producer.
    pub producer: String,
    /// Copy of the event id.
    pub event_id: Uuid,
    /// Copy of the time of occurrence, in microseconds since 1970.
    pub occurred: i64,
    /// Copy of the scope.
    pub scope: String,
    /// Copy of the correlation id.
    pub correlation_id: String,
    /// Leaf entry.
    pub entry: Vec<u8>,
    /// Payload.
    pub payload: Vec<u8>,
    /// Hash of the leaf.
    pub leaf_hash: Hash,
}

/// A stored record that isn't what was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {index}: {problem}")]
pub struct Corrupt {
    /// Place in the log.
    pub index: u64,
    /// What is wrong.
    pub problem: String,
}

impl Corrupt {
    /// Something wrong with a record.
    pub fn new(index: u64, problem: impl Into<String>) -> Self {
        Self {
            index,
            problem: problem.into(),
        }
    }
}

impl Stored {
    /// What is stored of a record in its place in the log.
    #[must_use]
    pub fn new(index: u64, recorded: DateTime<Utc>, record: &Record, data_hash: &[u8; 32]) -> Self {
        let entry = leaf::entry(index, recorded, record, data_hash);
        Self {
            index,
            producer: record.producer.clone(),
            event_id: record.event_id,
            occurred: micros(record.occurred),
            scope: record.scope.clone(),
            correlation_id: record.correlation_id.clone(),
            leaf_hash: leaf::hash(&entry),
            entry,
            payload: record.payload.clone(),
        }
    }

    /// The same, for a record that must stand at an index.
    ///
    /// # Errors
    /// What doesn't fit.
    pub fn check_at(&self, due: u64) -> Result<Leaf, Corrupt> {
        if self.index != due {
            return Err(Corrupt::new(due, "the record is gone"));
        }
        self.check()
    }

    /// Reads the leaf and holds everything stored against it.
    ///
    /// # Errors
    /// What doesn't fit.
    pub fn check(&self) -> Result<Leaf, Corrupt> {
        let wrong = |problem: String| Err(Corrupt::new(self.index, problem));
        if leaf::hash(&self.entry) != self.leaf_hash {
            return wrong("the leaf doesn't have its hash".to_owned());
        }
        let leaf = match Leaf::parse(&self.entry) {
            Ok(leaf) => leaf,
            Err(error) => return wrong(format!("the leaf can't be read: {error}")),
        };
        if <[u8; 32]>::from(Sha256::digest(&self.payload)) != leaf.data_hash {
            return wrong("the payload doesn't have the hash that the leaf holds".to_owned());
        }
        let record = &leaf.record;
        for (column, fits) in [
            ("index", leaf.index == self.index),
            ("producer", record.producer == self.producer),
            ("event_id", record.event_id == self.event_id),
            ("occurred", micros(record.occurred) == self.occurred),
            ("scope", record.scope == self.scope),
            (
                "correlation_id",
                record.correlation_id == self.correlation_id,
            ),
        ] {
            if !fits {
                return wrong(format!("column {column} isn't what the leaf holds"));
            }
        }
        Ok(leaf)
    }
}

/// Microseconds since 1970.
#[must_use]
pub fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}
