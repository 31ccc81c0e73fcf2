//! The scrub: every stored record, the stored tree and every checkpoint against each
//! other.

use std::time::Duration;

use merkle::{Checkpoint, Frontier, Range};
use service_kit::error::Result;
use tokio_util::sync::CancellationToken;

use super::{Bounds, Log, Signed, check::checked, nodes::Tiles, state::Finder};
use crate::domain::stored::{Corrupt, Stored};

/// Records that are read at a time, and their bytes.
const CHUNK: u64 = 512;
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;
/// Checkpoints that are read at a time.
const CHECKPOINTS: u64 = 256;

/// How soon the log is scrubbed again while something is wrong.
const AGAIN: Duration = Duration::from_secs(30);

/// How far a scrub is.
struct Scrub {
    tree: Frontier,
    /// Checkpoints to come, the nearest last.
    ahead: Vec<Signed>,
    /// Size of the last checkpoint that was right.
    right: u64,
}

impl Log {
    /// Checks the whole log up to the newest checkpoint. Gives the first record that
    /// isn't as it was recorded, as far as that can be told: where a record and the tree
    /// were changed alike, the first record after the last checkpoint that is right.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn scrub(&self) -> Result<Option<Corrupt>> {
        let corrupt = self.scrub_all().await?.err();
        self.0.state.found(Finder::Scrub, corrupt.clone());
        Ok(corrupt)
    }

    async fn scrub_all(&self) -> Result<Result<(), Corrupt>> {
        let Some(newest) = self.0.store.newest().await? else {
            return Ok(Ok(()));
        };
        let mut scrub = Scrub {
            tree: Frontier::new(),
            ahead: Vec::new(),
            right: 0,
        };
        while scrub.tree.size() < newest.size {
            let first = scrub.tree.size();
            let limit = CHUNK.min(newest.size - first);
            let bounds = Bounds {
                records: limit,
                bytes: CHUNK_BYTES,
                each: 0,
            };
            let found = self.0.store.records(first, bounds).await?;
            let leaves = Range {
                start: first,
                end: first + limit,
            };
            let singles = (leaves.start..leaves.end).map(|index| Range {
                start: index,
                end: index + 1,
            });
            let tiles = Tiles::load(&*self.0.store, singles).await?;
            if found.records.is_empty() {
                return Ok(Err(Corrupt::new(first, "the record is gone")));
            }
            let (records, corrupt) = checked(found.records, first).await?;
            for stored in &records {
                if scrub.ahead.is_empty() {
                    let size = scrub.tree.size();
                    scrub.ahead = self.0.store.signed_above(size, CHECKPOINTS).await?;
                    scrub.ahead.reverse();
                }
                if let Err(corrupt) = self.scrub_one(&mut scrub, stored, &tiles) {
                    return Ok(Err(corrupt));
                }
            }
            if let Some(corrupt) = corrupt {
                return Ok(Err(corrupt));
            }
        }
        Ok(Ok(()))
    }

    /// Holds a record, which is in itself what was recorded, against tree and checkpoints.
    fn scrub_one(&self, scrub: &mut Scrub, stored: &Stored, tiles: &Tiles) -> Result<(), Corrupt> {
        let due = scrub.tree.size();
        if tiles.leaf(due) != Some(stored.leaf_hash) {
            return Err(Corrupt::new(due, "the leaf isn't the one in the tree"));
        }
        scrub.tree.push(stored.leaf_hash);
        let size = scrub.tree.size();
        while let Some(signed) = scrub.ahead.pop_if(|signed| signed.size <= size) {
            let trusted = Checkpoint::open(&signed.note, &self.0.key.verifier());
            let right = trusted.is_ok_and(|checkpoint| {
                checkpoint.size == signed.size
                    && checkpoint.root == signed.root
                    && checkpoint.size == size
                    && checkpoint.root == scrub.tree.root()
            });
            if !right {
                let problem = format!(
                    "a record from here to {} isn't the one that the checkpoint at {} was \
                     signed over",
                    size - 1,
                    signed.size
                );
                return Err(Corrupt::new(scrub.right, problem));
            }
            scrub.right = size;
        }
        Ok(())
    }

    /// Scrubs at the start and now and then, until shutdown; sooner again while something
    /// is wrong, since it may have been put right.
    pub(super) async fn scrub_always(self, interval: Duration, shutdown: CancellationToken) {
        let mut since = interval;
        loop {
            if since >= interval || self.0.state.scrubbed().is_some() {
                since = Duration::ZERO;
                tokio::select! {
                    result = self.scrub() => if let Err(error) = result {
                        tracing::warn!(%error, "the log couldn't be scrubbed");
                    },
                    () = shutdown.cancelled() => return,
                }
            }
            let pause = interval.min(AGAIN);
            since += pause;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }
}
