//! Consistency proofs (RFC 6962 section 2.1.2, verified as RFC 9162 section 2.1.4.2
//! says).

use crate::{Hash, Nodes, Range, hash_range};

/// Why a consistency proof doesn't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The older tree is larger.
    #[error("the older tree has {from} leaves, the newer one only {to}")]
    Sizes {
        /// Size of the older tree.
        from: u64,
        /// Size of the newer tree.
        to: u64,
    },
    /// Too many or too few hashes.
    #[error("consistency proof has {found} hashes, expected {expected}")]
    Length {
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// The hashes don't lead to the older root: another history.
    #[error("the older tree isn't the beginning of the newer one")]
    Older,
    /// The hashes don't lead to the newer root.
    #[error("the newer root doesn't continue the older tree")]
    Newer,
}

/// The subtrees whose hashes are the proof that the tree of `from` leaves is the
/// beginning of the tree of `to`, in order. None where `from` is larger than `to`.
/// Empty where the sizes are equal or the older tree is empty.
#[must_use]
pub fn path(from: u64, to: u64) -> Option<Vec<Range>> {
    if from > to {
        return None;
    }
    let mut siblings = Vec::new();
    if from == 0 || from == to {
        return Some(siblings);
    }
    let mut range = Range::tree(to);
    while range.end != from {
        let Some((left, right)) = range.split() else {
            break;
        };
        if from <= left.end {
            siblings.push(right);
            range = left;
        } else {
            siblings.push(left);
            range = right;
        }
    }
    // the older root itself is known where the remaining subtree is the whole of it
    if range.start != 0 {
        siblings.push(range);
    }
    siblings.reverse();
    Some(siblings)
}

/// Makes the proof that the tree of `from` leaves is the beginning of the tree of
/// `to`. None where `from` is larger.
///
/// # Errors
/// If a node can't be had.
pub fn prove<N: Nodes + ?Sized>(
    nodes: &N,
    from: u64,
    to: u64,
) -> Result<Option<Vec<Hash>>, N::Error> {
    path(from, to)
        .map(|path| path.into_iter().map(|r| hash_range(nodes, r)).collect())
        .transpose()
}

/// Verifies that the tree of `to` leaves continues the tree of `from`.
///
/// # Errors
/// If it isn't shown to.
pub fn verify(
    from: u64,
    to: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), Error> {
    let expected = path(from, to).ok_or(Error::Sizes { from, to })?;
    if expected.len() != proof.len() {
        return Err(Error::Length {
            found: proof.len(),
            expected: expected.len(),
        });
    }
    if from == to {
        return (old_root == new_root).then_some(()).ok_or(Error::Newer);
    }
    if from == 0 {
        // any tree continues the empty one, whose root is fixed
        return (*old_root == Hash::empty())
            .then_some(())
            .ok_or(Error::Older);
    }
    let mut siblings = expected.iter().zip(proof);
    // where the older tree is a perfect subtree its root starts the path
    let seed = if from.is_power_of_two() {
        *old_root
    } else {
        match siblings.next() {
            Some((_, first)) => *first,
            None => return Err(Error::Older),
        }
    };
    let (mut old, mut new) = (seed, seed);
    for (range, sibling) in siblings {
        if range.start >= from {
            new = Hash::node(&new, sibling);
        } else {
            old = Hash::node(sibling, &old);
            new = Hash::node(sibling, &new);
        }
    }
    if old != *old_root {
        Err(Error::Older)
    } else if new != *new_root {
        Err(Error::Newer)
    } else {
        Ok(())
    }
}
