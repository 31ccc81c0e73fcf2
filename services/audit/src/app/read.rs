//! Reading a record.

use serde_json::json;
use service_kit::{
    error::{Error, Result},
    identity::Caller,
};

use super::{
    Bounds, Log, READ, Visible,
    nodes::Tiles,
    state::{Finder, log_corrupt},
};
use crate::domain::{
    Leaf,
    stored::{Corrupt, Stored},
};
use merkle::{Hash, Range};

impl Log {
    /// A record with the hash of its leaf. The reading is recorded.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such record or it is outside the caller's scopes;
    /// `LOG_CORRUPT` if it isn't what was recorded.
    pub async fn record(&self, caller: &Caller, index: u64) -> Result<(Leaf, Hash)> {
        let visible = Visible::to(caller, READ)?;
        let name = format!("records/{index}");
        let one = Bounds {
            records: 1,
            bytes: 0,
            each: 0,
        };
        let found = self.0.store.records(index, one).await?;
        let stored = found.records.into_iter().next();
        let Some(stored) = stored.filter(|stored| stored.index == index) else {
            return Err(Error::not_found(name));
        };
        let leaf = self.checked(&stored)?;
        let scope = &leaf.record.scope;
        if !visible.contains(scope) {
            return Err(match governance::Scope::parse(scope) {
                Ok(scope) => caller.out_of_scope(&name, &scope),
                Err(_) => Error::not_found(name),
            });
        }
        self.hold_against_tree(std::slice::from_ref(&stored))
            .await?;
        self.record_reading(
            caller,
            "record.read",
            name,
            json!({"index": index.to_string()}),
        )
        .await?;
        let hash = stored.leaf_hash;
        let leaf = leaf
            .with_payload(stored.payload)
            .map_err(|e| Error::broken(e.to_string()))?;
        Ok((leaf, hash))
    }

    /// The leaf of a stored record, if it is what was recorded.
    pub(super) fn checked(&self, stored: &Stored) -> Result<Leaf> {
        stored.check().map_err(|corrupt| self.alarm(corrupt))
    }

    /// Holds stored records against the tree, as far as they are in it.
    pub(super) async fn hold_against_tree(&self, records: &[Stored]) -> Result<()> {
        let leaves = records.iter().map(|stored| Range {
            start: stored.index,
            end: stored.index + 1,
        });
        let tiles = Tiles::load(&*self.0.store, leaves).await?;
        for stored in records {
            if tiles
                .leaf(stored.index)
                .is_some_and(|hash| hash != stored.leaf_hash)
            {
                let corrupt = Corrupt::new(stored.index, "the leaf isn't the one in the tree");
                return Err(self.alarm(corrupt));
            }
        }
        Ok(())
    }

    /// Takes note of a corrupt record: nothing is signed until a scrub finds all well.
    pub(super) fn alarm(&self, corrupt: Corrupt) -> Error {
        let error = log_corrupt(&corrupt);
        self.0.state.found(Finder::Scrub, Some(corrupt));
        error
    }
}
