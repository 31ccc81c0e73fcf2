//! Rows to and from what the use cases know.

use merkle::{Hash, tile};
use sea_orm::{DbBackend, DbErr, FromQueryResult, QueryResult, Statement, Value};
use service_kit::error::{Error, Result};
use uuid::Uuid;

use crate::{
    app::Signed,
    domain::{gaps::Sequence, stored::Stored},
};

/// Columns of a record, in the order that [`Row`] reads them.
pub const RECORD: &str =
    "idx, producer, event_id, occurred, scope, correlation_id, entry, payload, leaf_hash";

/// A statement for either database; placeholders are `$1` on both.
pub fn sql(
    backend: DbBackend,
    text: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(backend, text, values)
}

/// An index as a column.
pub fn column(index: u64) -> Result<i64> {
    i64::try_from(index)
        .map_err(|_| Error::invalid("index", format!("is {index}, beyond what a log can hold")))
}

/// A row of `log_records`. Its bytes are hostile: somebody may have edited them.
#[derive(Debug, FromQueryResult)]
pub struct Row {
    idx: i64,
    producer: String,
    event_id: Uuid,
    occurred: i64,
    scope: String,
    correlation_id: String,
    entry: Vec<u8>,
    payload: Vec<u8>,
    leaf_hash: Vec<u8>,
}

impl Row {
    /// What is stored. An index below zero or a hash of another length can't have been
    /// written by the service: zeros in their place match no leaf.
    pub fn stored(self) -> Stored {
        Stored {
            index: u64::try_from(self.idx).unwrap_or(u64::MAX),
            producer: self.producer,
            event_id: self.event_id,
            occurred: self.occurred,
            scope: self.scope,
            correlation_id: self.correlation_id,
            entry: self.entry,
            payload: self.payload,
            leaf_hash: Hash::from_slice(&self.leaf_hash).unwrap_or(Hash([0; 32])),
        }
    }
}

/// A row of `log_checkpoints`.
pub fn signed(row: &QueryResult) -> Result<Signed, DbErr> {
    let root: Vec<u8> = row.try_get("", "root")?;
    let size: i64 = row.try_get("", "size")?;
    Ok(Signed {
        size: u64::try_from(size).map_err(|_| damaged("log_checkpoints.size"))?,
        root: Hash::from_slice(&root).ok_or_else(|| damaged("log_checkpoints.root"))?,
        note: row.try_get("", "note")?,
    })
}

/// A row of `log_tiles`.
pub fn tile(row: &QueryResult) -> Result<(tile::Id, Vec<Hash>), DbErr> {
    let level: i16 = row.try_get("", "level")?;
    let index: i64 = row.try_get("", "idx")?;
    let bytes: Vec<u8> = row.try_get("", "hashes")?;
    let id = tile::Id {
        level: u8::try_from(level).map_err(|_| damaged("log_tiles.level"))?,
        index: u64::try_from(index).map_err(|_| damaged("log_tiles.idx"))?,
    };
    let hashes = bytes.chunks(32).filter_map(Hash::from_slice).collect();
    Ok((id, hashes))
}

/// The bytes of a tile.
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// A row of `log_producers`.
pub fn producer(row: &QueryResult) -> Result<(String, Sequence), DbErr> {
    let last: i64 = row.try_get("", "last")?;
    let repeated: i64 = row.try_get("", "repeated")?;
    let missing: String = row.try_get("", "missing")?;
    let missing: Vec<(u64, u64)> =
        serde_json::from_str(&missing).map_err(|_| damaged("log_producers.missing"))?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok((
        row.try_get("", "producer")?,
        Sequence::new(count(last), count(repeated), missing),
    ))
}

/// A value that the service can't have written.
fn damaged(column: &str) -> DbErr {
    DbErr::Type(format!("{column} holds what the service never writes"))
}
