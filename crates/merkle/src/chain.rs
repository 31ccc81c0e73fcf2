//! Proof material for a stream of consecutive leaves up to the end of the tree.
//!
//! An audit path for every leaf costs `log n` hashes each, nearly all of them the same
//! as its neighbour's. Here a leaf brings only what the leaves before it didn't: the
//! roots of the subtrees to its right that begin with it. What a leaf brings depends
//! on its index and the tree size alone, so that a stream taken up later continues
//! byte for byte. Over a whole tree that is one hash a leaf, and each leaf is verified
//! when it is read: the subtree it begins was vouched for by a leaf before it.
//!
//! A stream that starts later than at leaf 0 needs an [`opening`]: the hashes of what
//! lies to the left, and of the subtrees that it will fill.

use crate::{Hash, Nodes, Range, hash_range};

/// The subtrees whose hashes a leaf brings, from the top down. None where the leaf
/// isn't in the tree.
#[must_use]
pub fn siblings(index: u64, size: u64) -> Option<Vec<Range>> {
    let mut range = top(index, size)?;
    let mut siblings = Vec::new();
    while let Some((left, right)) = range.split() {
        siblings.push(right);
        range = left;
    }
    Some(siblings)
}

/// The largest subtree that begins with the leaf.
fn top(index: u64, size: u64) -> Option<Range> {
    if index >= size {
        return None;
    }
    let mut range = Range::tree(size);
    while range.start != index {
        let (left, right) = range.split()?;
        range = if index < right.start { left } else { right };
    }
    Some(range)
}

/// The subtrees of a stream's opening: those left of the first leaf, then those that
/// it fills, both from left to right. A stream from 0 has none to its left and fills
/// the whole tree. None where `first` is beyond the tree.
#[must_use]
pub fn opening(first: u64, size: u64) -> Option<(Vec<Range>, Vec<Range>)> {
    if first > size {
        return None;
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    if first == size {
        if size > 0 {
            left.push(Range::tree(size));
        }
        return Some((left, right));
    }
    let mut range = Range::tree(size);
    while range.start != first {
        let Some((below, above)) = range.split() else {
            break;
        };
        if first < above.start {
            right.push(above);
            range = below;
        } else {
            left.push(below);
            range = above;
        }
    }
    right.push(range);
    right.reverse();
    Some((left, right))
}

/// Makes the hashes of some subtrees.
///
/// # Errors
/// If a node can't be had.
pub fn hashes<N: Nodes + ?Sized>(nodes: &N, ranges: &[Range]) -> Result<Vec<Hash>, N::Error> {
    ranges.iter().map(|r| hash_range(nodes, *r)).collect()
}

/// Why a stream doesn't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many or too few hashes.
    #[error("proof has {found} hashes, expected {expected}")]
    Length {
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// The leaf isn't what an earlier one vouched for.
    #[error("the leaf isn't the one in the tree")]
    Leaf,
    /// A leaf after the last.
    #[error("a leaf after the end of the tree")]
    Surplus,
}

/// Follows a stream of consecutive leaves, in `O(log n)` memory.
#[derive(Debug, Clone)]
pub struct Follower {
    size: u64,
    next: u64,
    /// Subtrees yet to come with the hashes they must have, the next one last. None
    /// for the whole tree of a stream from 0 before its first leaf.
    ahead: Vec<(Range, Option<Hash>)>,
    root: Option<Hash>,
}

impl Follower {
    /// A stream from leaf 0.
    #[must_use]
    pub fn from_start(size: u64) -> Self {
        let ahead = if size == 0 {
            Vec::new()
        } else {
            vec![(Range::tree(size), None)]
        };
        Self {
            size,
            next: 0,
            ahead,
            root: (size == 0).then(Hash::empty),
        }
    }

    /// A stream from a later leaf, with the hashes of its [`opening`].
    ///
    /// # Errors
    /// If there are more or fewer hashes than the opening has subtrees.
    pub fn from_opening(
        first: u64,
        size: u64,
        left: &[Hash],
        right: &[Hash],
    ) -> Result<Self, Error> {
        let (left_ranges, right_ranges) = opening(first, size).ok_or(Error::Surplus)?;
        let (found, expected) = (
            left.len() + right.len(),
            left_ranges.len() + right_ranges.len(),
        );
        if left.len() != left_ranges.len() || right.len() != right_ranges.len() {
            return Err(Error::Length { found, expected });
        }
        let known: Vec<_> = left_ranges
            .iter()
            .zip(left)
            .chain(right_ranges.iter().zip(right))
            .map(|(range, hash)| (*range, *hash))
            .collect();
        let ahead = right_ranges
            .iter()
            .zip(right)
            .rev()
            .map(|(range, hash)| (*range, Some(*hash)))
            .collect();
        Ok(Self {
            size,
            next: first,
            ahead,
            root: Some(join(Range::tree(size), &known)),
        })
    }

    /// Index of the leaf that must come next.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Whether the stream has reached the end of the tree.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.ahead.is_empty()
    }

    /// The root that the stream leads to: known after its first leaf, or from its
    /// opening.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        self.root
    }

    /// Takes the next leaf with the hashes it brings.
    ///
    /// # Errors
    /// If it isn't the leaf that the tree has there.
    pub fn push(&mut self, leaf: Hash, proof: &[Hash]) -> Result<(), Error> {
        let Some((top, expected)) = self.ahead.last().copied() else {
            return Err(Error::Surplus);
        };
        let siblings = siblings(self.next, self.size).ok_or(Error::Surplus)?;
        if siblings.len() != proof.len() {
            return Err(Error::Length {
                found: proof.len(),
                expected: siblings.len(),
            });
        }
        debug_assert_eq!(top.start, self.next, "the next subtree begins at the leaf");
        let hash = proof
            .iter()
            .rev()
            .fold(leaf, |hash, sibling| Hash::node(&hash, sibling));
        match expected {
            Some(expected) if expected != hash => return Err(Error::Leaf),
            Some(_) => {}
            None => self.root = Some(hash),
        }
        self.ahead.pop();
        for (range, hash) in siblings.iter().zip(proof) {
            self.ahead.push((*range, Some(*hash)));
        }
        self.next += 1;
        Ok(())
    }
}

/// Joins known subtrees to the hash of the range that they make up.
fn join(range: Range, known: &[(Range, Hash)]) -> Hash {
    if range.is_empty() {
        return Hash::empty();
    }
    if let Some((_, hash)) = known.iter().find(|(r, _)| *r == range) {
        return *hash;
    }
    match range.split() {
        Some((left, right)) => Hash::node(&join(left, known), &join(right, known)),
        // an opening covers every leaf, so that a leaf is found above
        None => Hash::empty(),
    }
}
