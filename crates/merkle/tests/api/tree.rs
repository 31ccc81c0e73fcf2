use std::collections::HashMap;

use merkle::{Frontier, Hash, Node, Nodes, Range, tile};
use proptest::prelude::*;

use crate::naive::{Naive, leaves, mth};

/// The test data of certificate transparency's reference implementations.
const ENTRIES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

#[test]
fn published_roots_come_out() {
    let mut tree = Frontier::new();
    assert_eq!(format!("{:?}", tree.root()), ROOTS[0]);
    for (entry, root) in ENTRIES.iter().zip(&ROOTS[1..]) {
        tree.push(Hash::leaf(&unhex(entry)));
        assert_eq!(format!("{:?}", tree.root()), *root);
    }
}

#[test]
fn a_frontier_agrees_with_the_naive_tree_at_every_size() {
    let all = leaves(300);
    let mut tree = Frontier::new();
    for n in 0..all.len() {
        assert_eq!(tree.root(), mth(&all[..n]), "{n} leaves");
        let size = u64::try_from(n).unwrap();
        let nodes = Naive(all[..n].to_vec());
        assert_eq!(merkle::root(&nodes, size).unwrap(), tree.root());
        assert_eq!(Frontier::load(&nodes, size).unwrap(), tree);
        tree.push(all[n]);
    }
}

/// Keeps the tiles' hashes alone.
#[derive(Default)]
struct Tiles(HashMap<tile::Id, Vec<Hash>>);

impl Nodes for Tiles {
    type Error = Node;
    fn node(&self, node: Node) -> Result<Hash, Node> {
        let hashes = self.0.get(&tile::Id::of(node)).ok_or(node)?;
        tile::node(hashes, node).ok_or(node)
    }
}

#[test]
fn tiles_give_every_node() {
    let all = leaves(70_000);
    let (mut tree, mut tiles) = (Frontier::new(), Tiles::default());
    let mut completed = Vec::new();
    for leaf in &all {
        tree.push_with(*leaf, |node, hash| {
            completed.push((node, hash));
            if node.level % tile::HEIGHT == 0 {
                tiles.0.entry(tile::Id::of(node)).or_default().push(hash);
            }
        });
    }
    for (node, hash) in completed.iter().step_by(7) {
        assert_eq!(tiles.node(*node), Ok(*hash), "{node:?}");
    }
    assert_eq!(merkle::root(&tiles, 70_000), Ok(tree.root()));
    for (id, hashes) in &tiles.0 {
        assert_eq!(id.width(70_000), u64::try_from(hashes.len()).unwrap());
    }
}

proptest! {
    #[test]
    fn a_range_is_its_nodes(size in 1_u64..5_000) {
        let mut next = 0;
        for node in Range::tree(size).nodes() {
            prop_assert_eq!(node.index << node.level, next);
            next += 1 << node.level;
        }
        prop_assert_eq!(next, size);
    }

    #[test]
    fn hashes_read_back(bytes: [u8; 32]) {
        let hash = Hash(bytes);
        prop_assert_eq!(hash.to_string().parse::<Hash>(), Ok(hash));
    }

    #[test]
    fn no_text_breaks_the_parser_of_hashes(text in ".{0,60}") {
        if let Ok(hash) = text.parse::<Hash>() {
            prop_assert_eq!(hash.to_string(), text);
        }
    }
}

#[test]
fn hashes_with_stray_bits_or_without_padding_are_refused() {
    let text = Hash([0; 32]).to_string();
    assert_eq!(text, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    for bad in [
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "",
        " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ] {
        assert!(bad.parse::<Hash>().is_err(), "{bad}");
    }
}
