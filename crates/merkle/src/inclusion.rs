//! Audit paths (RFC 6962 section 2.1.1, verified as RFC 9162 section 2.1.3.2 says).

use crate::{Hash, Nodes, Range, hash_range};

/// Why an inclusion proof doesn't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The leaf isn't in a tree of this size.
    #[error("index {index} is outside a tree of {size} leaves")]
    OutOfRange {
        /// The leaf.
        index: u64,
        /// The tree.
        size: u64,
    },
    /// Too many or too few hashes.
    #[error("inclusion proof has {found} hashes, expected {expected}")]
    Length {
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// The hashes lead to another root.
    #[error("inclusion proof leads to another root")]
    Root,
}

/// The subtrees whose hashes are the audit path of a leaf, from the leaf up. None
/// where the leaf isn't in the tree.
#[must_use]
pub fn path(index: u64, size: u64) -> Option<Vec<Range>> {
    if index >= size {
        return None;
    }
    let mut siblings = Vec::new();
    let mut range = Range::tree(size);
    while let Some((left, right)) = range.split() {
        if index < right.start {
            siblings.push(right);
            range = left;
        } else {
            siblings.push(left);
            range = right;
        }
    }
    siblings.reverse();
    Some(siblings)
}

/// Makes the audit path of a leaf. None where the leaf isn't in the tree.
///
/// # Errors
/// If a node can't be had.
pub fn prove<N: Nodes + ?Sized>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Option<Vec<Hash>>, N::Error> {
    path(index, size)
        .map(|path| path.into_iter().map(|r| hash_range(nodes, r)).collect())
        .transpose()
}

/// The root that an audit path leads to.
///
/// # Errors
/// If the leaf isn't in the tree or the path has another length than it must have.
pub fn implied_root(index: u64, size: u64, leaf: Hash, proof: &[Hash]) -> Result<Hash, Error> {
    let path = path(index, size).ok_or(Error::OutOfRange { index, size })?;
    if path.len() != proof.len() {
        return Err(Error::Length {
            found: proof.len(),
            expected: path.len(),
        });
    }
    Ok(path.iter().zip(proof).fold(leaf, |hash, (range, sibling)| {
        if range.start > index {
            Hash::node(&hash, sibling)
        } else {
            Hash::node(sibling, &hash)
        }
    }))
}

/// Verifies that a leaf is in the tree of this size and root.
///
/// # Errors
/// If it isn't shown to be.
pub fn verify(index: u64, size: u64, leaf: Hash, proof: &[Hash], root: &Hash) -> Result<(), Error> {
    if implied_root(index, size, leaf, proof)? == *root {
        Ok(())
    } else {
        Err(Error::Root)
    }
}
