//! Proofs in the signed tree.

use merkle::{Hash, Range, consistency, inclusion};
use service_kit::{
    error::{Error, Reason, Result},
    identity::Caller,
};

use super::{CHECKPOINT, Log, Signed, nodes::Tiles};

/// An audit path.
#[derive(Debug)]
pub struct InclusionProof {
    /// The leaf.
    pub index: u64,
    /// The tree.
    pub size: u64,
    /// Hash of the leaf.
    pub leaf_hash: Hash,
    /// From the leaf up.
    pub path: Vec<Hash>,
}

/// A consistency proof.
#[derive(Debug)]
pub struct ConsistencyProof {
    /// The older tree.
    pub from: u64,
    /// The newer tree.
    pub to: u64,
    /// The hashes.
    pub path: Vec<Hash>,
}

impl Log {
    /// The newest checkpoint. Where the stored bytes don't match the log it is the last that
    /// was signed before, with what was found: whoever holds it proves what happened since.
    ///
    /// # Errors
    /// Those of [`Self::sign`]; `LOG_CORRUPT` only where none was signed before.
    pub async fn checkpoint(&self, caller: &Caller) -> Result<(Signed, Option<String>)> {
        caller.require_somewhere(CHECKPOINT)?;
        match self.sign().await {
            Ok(signed) => Ok((signed, None)),
            Err(error) if error.reason() == Reason::LogCorrupt => match self.published().await? {
                Some(signed) => Ok((signed, Some(error.message().to_owned()))),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The audit path of a record.
    ///
    /// # Errors
    /// If the record isn't in a tree of that size, or the tree isn't signed yet.
    pub async fn inclusion_proof(
        &self,
        caller: &Caller,
        index: u64,
        size: u64,
    ) -> Result<InclusionProof> {
        caller.require_somewhere(CHECKPOINT)?;
        let size = self.tree_size("tree_size", size).await?;
        let path = inclusion::path(index, size).ok_or_else(|| {
            Error::invalid("index", format!("is {index}, the tree has {size} records"))
        })?;
        let leaf = Range {
            start: index,
            end: index + 1,
        };
        let ranges = path.iter().copied().chain([leaf]);
        let tiles = Tiles::load(&*self.0.store, ranges).await?;
        Ok(InclusionProof {
            index,
            size,
            leaf_hash: merkle::hash_range(&tiles, leaf)?,
            path: merkle::chain::hashes(&tiles, &path)?,
        })
    }

    /// The proof that a tree continues an older one.
    ///
    /// # Errors
    /// If the older size is the larger one, or the newer tree isn't signed yet.
    pub async fn consistency_proof(
        &self,
        caller: &Caller,
        from: u64,
        to: u64,
    ) -> Result<ConsistencyProof> {
        caller.require_somewhere(CHECKPOINT)?;
        let to = self.tree_size("to_size", to).await?;
        let path = consistency::path(from, to).ok_or_else(|| {
            Error::invalid(
                "from_size",
                format!("is {from}, beyond the newer tree's {to}"),
            )
        })?;
        let tiles = Tiles::load(&*self.0.store, path.iter().copied()).await?;
        Ok(ConsistencyProof {
            from,
            to,
            path: merkle::chain::hashes(&tiles, &path)?,
        })
    }

    /// A tree size that is under a checkpoint; 0 stands for the newest.
    async fn tree_size(&self, field: &'static str, size: u64) -> Result<u64> {
        let newest = self.sign().await?.size;
        match size {
            0 => Ok(newest),
            size if size <= newest => Ok(size),
            size => Err(Error::invalid(
                field,
                format!("is {size}, the newest checkpoint has {newest} records"),
            )),
        }
    }
}
