//! Ranges of leaves and the perfect subtrees that make them up.

/// A perfect subtree: leaves `index << level` to `(index + 1) << level`, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Height above the leaves; a leaf has level 0.
    pub level: u8,
    /// Place among the nodes of the level, from 0.
    pub index: u64,
}

/// Leaves `start` to `end`, exclusive, that are a subtree of RFC 6962: `start` is a
/// multiple of the smallest power of two that is not less than the length, or the
/// range is a whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range {
    /// First leaf.
    pub start: u64,
    /// One after the last leaf.
    pub end: u64,
}

impl Range {
    /// All leaves of a tree.
    #[must_use]
    pub fn tree(size: u64) -> Self {
        Self {
            start: 0,
            end: size,
        }
    }

    /// Number of leaves.
    #[must_use]
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it holds no leaf.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Left and right child: the left one is the largest power of two smaller than
    /// the length. None for a leaf or nothing.
    #[must_use]
    pub fn split(self) -> Option<(Self, Self)> {
        let len = self.len();
        if len < 2 {
            return None;
        }
        let left = 1_u64 << (63 - (len - 1).leading_zeros());
        let middle = self.start + left;
        Some((
            Self {
                start: self.start,
                end: middle,
            },
            Self {
                start: middle,
                end: self.end,
            },
        ))
    }

    /// The perfect subtrees that make it up, from left to right, in falling size.
    pub fn nodes(self) -> impl Iterator<Item = Node> {
        let mut next = self.start;
        std::iter::from_fn(move || {
            if next >= self.end {
                return None;
            }
            let left = self.end - next;
            // a range is aligned to its size, so that only its length limits a node
            let level = 63 - left.leading_zeros();
            let node = Node {
                level: u8::try_from(level).unwrap_or(u8::MAX),
                index: next >> level,
            };
            next += 1 << level;
            Some(node)
        })
    }
}
