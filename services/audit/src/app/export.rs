//! Export: the whole log, or its end, as canonical lines up to a checkpoint.

use futures::stream::{self, BoxStream};
use merkle::{Range, chain};
use serde_json::json;
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::Caller,
};

use super::{Bounds, EXPORT, Log, Signed, Visible, check::checked, nodes::Tiles};
use crate::domain::{
    line::{self, Proof, ProofKind},
    stored::{Corrupt, Stored},
};

/// Records that are read at a time.
const CHUNK: u64 = 128;
/// Bytes of records after which a part is sent.
const PART_BYTES: usize = 256 * 1024;
/// What a record adds to a part beside its entry and payload, or so.
const PROOF_BYTES: u64 = 1024;

/// Parts of an export, each of whole lines.
pub type Lines = BoxStream<'static, Result<Vec<u8>>>;

/// Where an export is.
struct Progress {
    first: u64,
    next: u64,
    ended: bool,
}

impl Log {
    /// Exports the records from an index to the end of a signed tree. The export is
    /// recorded.
    ///
    /// # Errors
    /// If the range is malformed, no checkpoint of the size was signed, or the log holds
    /// records outside the caller's scopes. `LOG_CORRUPT`, at the start or in the
    /// stream, where the stored bytes don't match the log.
    pub async fn export(&self, caller: &Caller, first: u64, size: u64) -> Result<Lines> {
        let visible = Visible::to(caller, EXPORT)?;
        let checkpoint = match size {
            0 => self.sign().await?,
            size => self.signed_at(size).await?,
        };
        if first > checkpoint.size {
            let problem = format!("is {first}, the checkpoint has {} records", checkpoint.size);
            return Err(Error::invalid("start_index", problem));
        }
        self.require_all(&visible, checkpoint.size).await?;
        self.hold_root_against(&checkpoint).await?;
        self.record_reading(
            caller,
            "log.export",
            "log".to_owned(),
            json!({
                "start_index": first.to_string(),
                "tree_size": checkpoint.size.to_string(),
            }),
        )
        .await?;
        Ok(self.clone().stream(first, checkpoint))
    }

    /// An export leaves nothing out, so that the caller must be allowed to see all.
    async fn require_all(&self, visible: &Visible, size: u64) -> Result<()> {
        let scopes = self.0.store.scopes(size).await?;
        if scopes.iter().all(|scope| visible.contains(scope)) {
            return Ok(());
        }
        Err(Error::new(
            Kind::PermissionDenied,
            Reason::PermissionDenied,
            "an export holds the whole log, and the caller may not see all of its scopes; \
             grant the permission at the root scope",
        )
        .with_metadata("permission", EXPORT))
    }

    /// Holds the stored tree against a signed root.
    pub(super) async fn hold_root_against(&self, checkpoint: &Signed) -> Result<()> {
        let tree = Range::tree(checkpoint.size);
        let tiles = Tiles::load(&*self.0.store, [tree]).await?;
        if merkle::hash_range(&tiles, tree)? == checkpoint.root {
            return Ok(());
        }
        // the stored tree can't say where; the scrub looks at each record
        Err(match self.scrub().await? {
            Some(corrupt) => super::state::log_corrupt(&corrupt),
            None => self.alarm(Corrupt::new(0, "the tree doesn't have the signed root")),
        })
    }

    fn stream(self, first: u64, checkpoint: Signed) -> Lines {
        let start = Progress {
            first,
            next: first,
            ended: false,
        };
        Box::pin(stream::try_unfold(start, move |progress| {
            let (log, checkpoint) = (self.clone(), checkpoint.clone());
            async move { log.part(progress, &checkpoint).await }
        }))
    }

    /// The next part, and where the one after it begins.
    async fn part(
        &self,
        mut progress: Progress,
        checkpoint: &Signed,
    ) -> Result<Option<(Vec<u8>, Progress)>> {
        if progress.ended {
            return Ok(None);
        }
        let (size, mut part) = (checkpoint.size, Vec::new());
        if progress.first > 0 && progress.next == progress.first {
            part = self.opening(progress.first, size).await?;
        }
        while part.len() < PART_BYTES && progress.next < size {
            let bounds = Bounds {
                records: CHUNK.min(size - progress.next),
                bytes: u64::try_from(PART_BYTES - part.len()).unwrap_or(0),
                each: PROOF_BYTES,
            };
            let found = self.0.store.records(progress.next, bounds).await?;
            for line in self.chunk(progress.next, size, found.records).await? {
                part.extend_from_slice(&line);
                progress.next += 1;
            }
        }
        if progress.next == size {
            part.extend_from_slice(&line::checkpoint(size, &checkpoint.note));
            progress.ended = true;
        }
        Ok(Some((part, progress)))
    }

    /// The line that makes an export from a later index verifiable by itself.
    async fn opening(&self, first: u64, size: u64) -> Result<Vec<u8>> {
        let (left, right) = chain::opening(first, size)
            .ok_or_else(|| Error::broken("an export that begins beyond its end"))?;
        let ranges = left.iter().chain(&right).copied();
        let tiles = Tiles::load(&*self.0.store, ranges).await?;
        let left = chain::hashes(&tiles, &left)?;
        let right = chain::hashes(&tiles, &right)?;
        Ok(line::range(first, size, &left, &right))
    }

    /// The lines of consecutive records.
    async fn chunk(&self, first: u64, size: u64, records: Vec<Stored>) -> Result<Vec<Vec<u8>>> {
        if records.is_empty() {
            return Err(self.alarm(Corrupt::new(first, "the record is gone")));
        }
        let (records, corrupt) = checked(records, first).await?;
        if let Some(corrupt) = corrupt {
            return Err(self.alarm(corrupt));
        }
        self.hold_against_tree(&records).await?;
        let siblings: Vec<_> = (first..)
            .zip(&records)
            .filter_map(|(index, _)| chain::siblings(index, size))
            .collect();
        let ranges = siblings.iter().flatten().copied();
        let tiles = Tiles::load(&*self.0.store, ranges).await?;
        records
            .iter()
            .zip(&siblings)
            .map(|(stored, siblings)| {
                let hashes = chain::hashes(&tiles, siblings)?;
                let proof = Proof { size, hashes };
                let kind = ProofKind::Tree;
                Ok(line::record(&stored.entry, &stored.payload, kind, &proof))
            })
            .collect()
    }
}
