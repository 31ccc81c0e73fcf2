//! Appending, proving and following a stream.
#![allow(missing_docs, reason = "a benchmark")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails loudly")]

use divan::{Bencher, black_box, counter::ItemsCount};
use merkle::{Frontier, Hash, Node, Nodes, chain, consistency, inclusion, tile};

const SIZE: u64 = 100_000;

/// Node hashes in tiles, as a store keeps them.
struct Tiles(std::collections::HashMap<tile::Id, Vec<Hash>>);

impl Nodes for Tiles {
    type Error = ();
    fn node(&self, node: Node) -> Result<Hash, ()> {
        let hashes = self.0.get(&tile::Id::of(node)).ok_or(())?;
        tile::node(hashes, node).ok_or(())
    }
}

fn tiles() -> Tiles {
    let mut tiles = Tiles(std::collections::HashMap::new());
    let mut tree = Frontier::new();
    for i in 0..SIZE {
        tree.push_with(Hash::leaf(&i.to_be_bytes()), |node, hash| {
            if node.level % tile::HEIGHT == 0 {
                tiles.0.entry(tile::Id::of(node)).or_default().push(hash);
            }
        });
    }
    tiles
}

fn main() {
    divan::main();
}

#[divan::bench]
fn append_1_kib_leaves(bencher: Bencher) {
    let entry = [7_u8; 1024];
    bencher.counter(ItemsCount::new(1_000_u64)).bench(|| {
        let mut tree = Frontier::new();
        for _ in 0..1_000 {
            tree.push(Hash::leaf(black_box(&entry)));
        }
        tree.root()
    });
}

#[divan::bench]
fn prove_inclusion(bencher: Bencher) {
    let tiles = tiles();
    bencher.bench(|| inclusion::prove(&tiles, black_box(54_321), SIZE).unwrap());
}

#[divan::bench]
fn verify_inclusion(bencher: Bencher) {
    let tiles = tiles();
    let path = inclusion::prove(&tiles, 54_321, SIZE).unwrap().unwrap();
    let root = merkle::root(&tiles, SIZE).unwrap();
    let leaf = Hash::leaf(&54_321_u64.to_be_bytes());
    bencher.bench(|| inclusion::verify(54_321, SIZE, leaf, black_box(&path), &root).unwrap());
}

#[divan::bench]
fn prove_consistency(bencher: Bencher) {
    let tiles = tiles();
    bencher.bench(|| consistency::prove(&tiles, black_box(54_321), SIZE).unwrap());
}

#[divan::bench]
fn follow_a_stream(bencher: Bencher) {
    let tiles = tiles();
    let proofs: Vec<_> = (0..SIZE)
        .map(|i| chain::hashes(&tiles, &chain::siblings(i, SIZE).unwrap()).unwrap())
        .collect();
    bencher.counter(ItemsCount::new(SIZE)).bench(|| {
        let mut follower = chain::Follower::from_start(SIZE);
        for (i, proof) in (0..SIZE).zip(&proofs) {
            follower.push(Hash::leaf(&i.to_be_bytes()), proof).unwrap();
        }
        follower.root()
    });
}
