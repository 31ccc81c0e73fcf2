//! Lineage: everything recorded for one transaction, with what verifies it offline.

use merkle::{Hash, Range, consistency, inclusion};
use serde_json::json;
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::Caller,
    page,
};
use sha2::{Digest as _, Sha256};

use super::{Bounds, Found, Log, Query, READ, Signed, Visible, nodes::Tiles};
use crate::domain::{
    Leaf,
    line::{self, Proof, ProofKind},
    record::MAX_ID,
    statement::Statement,
    stored::Stored,
};

/// Most records in a page.
pub const MAX_PAGE: u32 = 1_000;
/// Bytes after which a page ends: records and lines both go into one message.
const MAX_PAGE_BYTES: u64 = 1_500 * 1024;
/// What a record adds to a page beside its entry and payload, at most.
const PROOF_BYTES: u64 = 3 * 1024;

/// What is asked for.
#[derive(Debug)]
pub struct LineageRequest {
    /// The transaction.
    pub correlation_id: String,
    /// At most this many; 0: the most there can be.
    pub page_size: i32,
    /// From the page before.
    pub page_token: String,
    /// Size of a checkpoint that the caller holds; 0: none.
    pub held: u64,
}

/// A page of a lineage.
#[derive(Debug)]
pub struct Lineage {
    /// The records by time of occurrence, with the hashes of their leaves.
    pub records: Vec<(Leaf, Hash)>,
    /// The checkpoint that the lines verify against.
    pub checkpoint: Signed,
    /// In order of first occurrence.
    pub trace_ids: Vec<String>,
    /// A line for each record, then the checkpoint's.
    pub lines: Vec<Vec<u8>>,
    /// Empty on the last page.
    pub next_page_token: String,
}

/// Where a page goes on.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Cursor {
    /// Checkpoint of the first page.
    size: u64,
    /// Records on the pages before.
    first: u64,
    /// The last record.
    occurred: i64,
    index: u64,
}

impl Log {
    /// A page of a transaction's records, as far as the caller may see them. The reading
    /// is recorded.
    ///
    /// # Errors
    /// If the request is malformed; `LOG_CORRUPT` if a record isn't what was recorded.
    pub async fn lineage(&self, caller: &Caller, request: &LineageRequest) -> Result<Lineage> {
        let visible = Visible::to(caller, READ)?;
        let id = request.correlation_id.as_str();
        if id.is_empty() || id.len() > MAX_ID || id.chars().any(char::is_control) {
            let problem = "is empty, too long or has control characters";
            return Err(Error::invalid("correlation_id", problem));
        }
        let limit = page::size(request.page_size, MAX_PAGE, MAX_PAGE)?;
        let scopes = format!("{visible:?}");
        let bound: [&[u8]; 3] = [b"GetLineage", id.as_bytes(), scopes.as_bytes()];
        let cursor: Option<Cursor> = page::decode(&request.page_token, &bound)?;
        let checkpoint = match cursor {
            None => self.sign().await?,
            Some(cursor) => self.signed_at(cursor.size).await?,
        };
        let consistency = self.consistency_from(request.held, checkpoint.size).await?;
        let query = Query {
            correlation_id: id,
            visible: &visible,
            below: checkpoint.size,
            after: cursor.map(|c| (c.occurred, c.index)),
            bounds: Bounds {
                records: limit,
                bytes: MAX_PAGE_BYTES,
                each: PROOF_BYTES,
            },
        };
        let Found {
            records: stored,
            more,
        } = self.0.store.lineage(&query).await?;
        self.record_reading(
            caller,
            "lineage.read",
            "lineages".to_owned(),
            json!({
                "correlation_id": id,
                "records": stored.len(),
                "tree_size": checkpoint.size.to_string(),
            }),
        )
        .await?;
        let first = cursor.map_or(0, |c| c.first);
        let count = u64::try_from(stored.len()).unwrap_or(u64::MAX);
        let next_page_token = match (more, stored.last()) {
            (true, Some(last)) => {
                let next = Cursor {
                    size: checkpoint.size,
                    first: first + count,
                    occurred: last.occurred,
                    index: last.index,
                };
                page::encode(&next, &bound)
            }
            _ => String::new(),
        };
        let mut statement = Statement {
            origin: self.0.key.name().to_owned(),
            correlation_id: id.to_owned(),
            size: checkpoint.size,
            scopes: visible
                .scopes
                .as_ref()
                .map(|scopes| scopes.iter().map(ToString::to_string).collect()),
            first,
            count,
            more,
            digest: Hash::empty(),
        };
        let mut lines = self.lines(&stored, checkpoint.size).await?;
        statement.digest = Hash(Sha256::digest(lines.concat()).into());
        let signed = statement.sign(&self.0.key).map_err(Error::internal)?;
        lines.push(line::lineage(
            &checkpoint.note,
            consistency.as_ref(),
            &signed,
        ));
        let records = self.leaves(stored)?;
        Ok(Lineage {
            trace_ids: trace_ids(&records),
            records,
            checkpoint,
            lines,
            next_page_token,
        })
    }

    /// A checkpoint that was signed before.
    pub(super) async fn signed_at(&self, size: u64) -> Result<Signed> {
        self.0.store.signed(size).await?.ok_or_else(|| {
            Error::invalid(
                "tree_size",
                format!("no checkpoint of {size} records was signed"),
            )
        })
    }

    async fn consistency_from(&self, held: u64, size: u64) -> Result<Option<Proof>> {
        if held == 0 {
            return Ok(None);
        }
        let Some(path) = consistency::path(held, size) else {
            return Err(Error::new(
                Kind::OutOfRange,
                Reason::InvalidArgument,
                format!("held_tree_size is {held}, the log has {size} records"),
            )
            .with_violation("held_tree_size", "is beyond the newest checkpoint"));
        };
        let tiles = Tiles::load(&*self.0.store, path.iter().copied()).await?;
        Ok(Some(Proof {
            size: held,
            hashes: merkle::chain::hashes(&tiles, &path)?,
        }))
    }

    /// The lines of records, each with its audit path.
    async fn lines(&self, stored: &[Stored], size: u64) -> Result<Vec<Vec<u8>>> {
        self.hold_against_tree(stored).await?;
        let paths: Vec<_> = stored
            .iter()
            .filter_map(|stored| inclusion::path(stored.index, size))
            .collect();
        let ranges = paths.iter().flatten().copied();
        let tiles = Tiles::load(&*self.0.store, ranges).await?;
        stored
            .iter()
            .zip(&paths)
            .map(|(stored, path): (&Stored, &Vec<Range>)| {
                let hashes = merkle::chain::hashes(&tiles, path)?;
                let proof = Proof { size, hashes };
                let kind = ProofKind::Inclusion;
                Ok(line::record(&stored.entry, &stored.payload, kind, &proof))
            })
            .collect()
    }

    fn leaves(&self, stored: Vec<Stored>) -> Result<Vec<(Leaf, Hash)>> {
        stored
            .into_iter()
            .map(|stored| {
                let leaf = self.checked(&stored)?;
                let leaf = leaf
                    .with_payload(stored.payload)
                    .map_err(|e| Error::broken(e.to_string()))?;
                Ok((leaf, stored.leaf_hash))
            })
            .collect()
    }
}

fn trace_ids(records: &[(Leaf, Hash)]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for (leaf, _) in records {
        let id = &leaf.record.trace_id;
        if !id.is_empty() && !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}
