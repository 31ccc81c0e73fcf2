//! Node hashes from stored tiles.

use std::collections::{BTreeMap, BTreeSet};

use merkle::{Hash, Node, Nodes, Range, tile};
use service_kit::error::{Error, Result};

use super::Store;

/// Tiles that were loaded for some subtrees.
#[derive(Debug, Default)]
pub struct Tiles(BTreeMap<tile::Id, Vec<Hash>>);

impl Tiles {
    /// Loads the tiles that the hashes of some subtrees need.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load(store: &dyn Store, ranges: impl IntoIterator<Item = Range>) -> Result<Self> {
        let ids: BTreeSet<_> = ranges
            .into_iter()
            .flat_map(Range::nodes)
            .map(tile::Id::of)
            .collect();
        let ids: Vec<_> = ids.into_iter().collect();
        Ok(Self(store.tiles(&ids).await?))
    }

    /// Wraps tiles.
    #[must_use]
    pub fn new(tiles: BTreeMap<tile::Id, Vec<Hash>>) -> Self {
        Self(tiles)
    }

    /// The stored hash of a leaf.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        self.node(Node { level: 0, index }).ok()
    }
}

impl Nodes for Tiles {
    type Error = Error;

    fn node(&self, node: Node) -> Result<Hash> {
        self.0
            .get(&tile::Id::of(node))
            .and_then(|hashes| tile::node(hashes, node))
            .ok_or_else(|| {
                let Node { level, index } = node;
                Error::broken(format!(
                    "no hash of node {index} at level {level} is stored"
                ))
            })
    }
}
