//! Growing a tree, and hashes of its parts from stored nodes.

use crate::{Hash, Node, Range};

/// Where hashes of perfect subtrees come from.
pub trait Nodes {
    /// Why a hash can't be had.
    type Error;

    /// The hash of a perfect subtree.
    ///
    /// # Errors
    /// If the store doesn't have it.
    fn node(&self, node: Node) -> Result<Hash, Self::Error>;
}

/// Hash of a range of leaves. The empty range has the hash of the empty tree.
///
/// # Errors
/// If a node can't be had.
pub fn hash_range<N: Nodes + ?Sized>(nodes: &N, range: Range) -> Result<Hash, N::Error> {
    let hashes = range
        .nodes()
        .map(|node| nodes.node(node))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(fold(&hashes))
}

/// Root of the tree of `size` leaves.
///
/// # Errors
/// If a node can't be had.
pub fn root<N: Nodes + ?Sized>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    hash_range(nodes, Range::tree(size))
}

/// Joins perfect subtrees of falling size, from the right.
fn fold(hashes: &[Hash]) -> Hash {
    hashes
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| Hash::node(&left, &right))
        .unwrap_or_else(Hash::empty)
}

/// The right edge of a growing tree: the perfect subtrees of its leaves, at most 64
/// hashes. Enough to append and to know the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The right edge of a stored tree.
    ///
    /// # Errors
    /// If a node can't be had.
    pub fn load<N: Nodes + ?Sized>(nodes: &N, size: u64) -> Result<Self, N::Error> {
        let hashes = Range::tree(size)
            .nodes()
            .map(|node| nodes.node(node))
            .collect::<Result<_, _>>()?;
        Ok(Self { size, hashes })
    }

    /// The right edge of a tree of `size` leaves from the hashes of its perfect
    /// subtrees, from left to right. None where there are more or fewer than it has.
    #[must_use]
    pub fn from_hashes(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (hashes.len() == expected).then_some(Self { size, hashes })
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_with(leaf, |_, _| {});
    }

    /// Appends a leaf and tells every perfect subtree that it completes, the leaf
    /// itself first.
    pub fn push_with(&mut self, leaf: Hash, mut completed: impl FnMut(Node, Hash)) {
        let mut node = Node {
            level: 0,
            index: self.size,
        };
        let mut hash = leaf;
        completed(node, hash);
        while node.index & 1 == 1 {
            let Some(left) = self.hashes.pop() else { break };
            hash = Hash::node(&left, &hash);
            node = Node {
                level: node.level + 1,
                index: node.index >> 1,
            };
            completed(node, hash);
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.hashes)
    }
}
