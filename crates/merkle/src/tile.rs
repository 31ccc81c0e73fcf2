//! Tiles: node hashes in rows of 256, as C2SP tlog-tiles cuts the tree. Tile level
//! `L` holds the hashes of tree level `8 L`; what lies between is computed.

use crate::{Hash, Node};

/// Tree levels that a tile spans.
pub const HEIGHT: u8 = 8;
/// Hashes in a full tile.
pub const WIDTH: u64 = 1 << HEIGHT;

/// Names a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Tile level: its hashes have tree level `8 * level`.
    pub level: u8,
    /// Place among the tiles of the level, from 0.
    pub index: u64,
}

impl Id {
    /// The tile that a node's hash is in, or is computed from.
    #[must_use]
    pub fn of(node: Node) -> Self {
        let level = node.level / HEIGHT;
        let within = node.level % HEIGHT;
        Self {
            level,
            index: (node.index << within) / WIDTH,
        }
    }

    /// How many hashes it holds in a tree of `size` leaves.
    #[must_use]
    pub fn width(self, size: u64) -> u64 {
        let nodes = size
            .checked_shr(u32::from(self.level) * u32::from(HEIGHT))
            .unwrap_or(0);
        nodes
            .saturating_sub(self.index.saturating_mul(WIDTH))
            .min(WIDTH)
    }
}

/// The hash of a node from the hashes of its tile. None where the tile doesn't hold
/// enough of them.
#[must_use]
pub fn node(hashes: &[Hash], node: Node) -> Option<Hash> {
    let within = node.level % HEIGHT;
    let count = 1_usize << within;
    let first = usize::try_from((node.index << within) % WIDTH).ok()?;
    let mut row = hashes.get(first..first + count)?.to_vec();
    while row.len() > 1 {
        row = row
            .chunks_exact(2)
            .map(|pair| Hash::node(&pair[0], &pair[1]))
            .collect();
    }
    row.first().copied()
}
