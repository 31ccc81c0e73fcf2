use merkle::{Frontier, Hash, chain, consistency, inclusion};
use proptest::prelude::*;

use crate::naive::{self, Naive, leaves, mth};

fn small(n: u64) -> usize {
    usize::try_from(n).unwrap()
}

/// Every proof that differs in one bit.
fn bit_flips(proof: &[Hash]) -> impl Iterator<Item = Vec<Hash>> {
    (0..proof.len() * 256).map(move |bit| {
        let mut changed = proof.to_vec();
        changed[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
        changed
    })
}

#[test]
fn inclusion_agrees_with_the_naive_tree() {
    for size in 1..=130_u64 {
        let all = leaves(size);
        let root = mth(&all);
        let nodes = Naive(all.clone());
        for index in 0..size {
            let proof = inclusion::prove(&nodes, index, size).unwrap().unwrap();
            assert_eq!(proof, naive::path(small(index), &all));
            inclusion::verify(index, size, all[small(index)], &proof, &root).unwrap();
        }
        assert_eq!(inclusion::prove(&nodes, size, size).unwrap(), None);
    }
}

#[test]
fn consistency_agrees_with_the_naive_tree() {
    let all = leaves(100);
    for to in 0..=100_u64 {
        let newer = &all[..small(to)];
        let nodes = Naive(newer.to_vec());
        for from in 0..=to {
            let older = mth(&all[..small(from)]);
            let proof = consistency::prove(&nodes, from, to).unwrap().unwrap();
            assert_eq!(proof, naive::proof(small(from), newer), "{from} to {to}");
            consistency::verify(from, to, &proof, &older, &mth(newer)).unwrap();
        }
        assert_eq!(consistency::prove(&nodes, to + 1, to).unwrap(), None);
    }
}

#[test]
fn inclusion_with_any_bit_changed_is_refused() {
    for size in [2_u64, 3, 7, 8, 21] {
        let all = leaves(size);
        let root = mth(&all);
        for index in 0..size {
            let leaf = all[small(index)];
            let proof = naive::path(small(index), &all);
            for changed in bit_flips(&proof) {
                assert_eq!(
                    inclusion::verify(index, size, leaf, &changed, &root),
                    Err(inclusion::Error::Root)
                );
            }
            for one in bit_flips(&[leaf]) {
                assert!(inclusion::verify(index, size, one[0], &proof, &root).is_err());
            }
            for one in bit_flips(&[root]) {
                assert!(inclusion::verify(index, size, leaf, &proof, &one[0]).is_err());
            }
        }
    }
}

#[test]
fn consistency_with_any_bit_changed_is_refused() {
    let all = leaves(21);
    for (from, to) in [
        (1_u64, 2_u64),
        (3, 7),
        (4, 7),
        (6, 8),
        (8, 21),
        (13, 21),
        (20, 21),
    ] {
        let (old, new) = (mth(&all[..small(from)]), mth(&all[..small(to)]));
        let proof = naive::proof(small(from), &all[..small(to)]);
        for changed in bit_flips(&proof) {
            assert!(consistency::verify(from, to, &changed, &old, &new).is_err());
        }
        for one in bit_flips(&[old]) {
            assert!(consistency::verify(from, to, &proof, &one[0], &new).is_err());
        }
        for one in bit_flips(&[new]) {
            assert!(consistency::verify(from, to, &proof, &old, &one[0]).is_err());
        }
    }
}

#[test]
fn the_wrong_place_size_or_length_is_refused() {
    let all = leaves(11);
    let root = mth(&all);
    let proof = naive::path(4, &all);
    for index in (0..11).filter(|i| *i != 4) {
        assert!(inclusion::verify(index, 11, all[4], &proof, &root).is_err());
    }
    assert_eq!(
        inclusion::verify(11, 11, all[4], &proof, &root),
        Err(inclusion::Error::OutOfRange {
            index: 11,
            size: 11
        })
    );
    let mut longer = proof.clone();
    longer.push(root);
    for wrong in [&proof[1..], &proof[..2], &longer, &[]] {
        assert!(inclusion::verify(4, 11, all[4], wrong, &root).is_err());
    }
    let old = mth(&all[..6]);
    let proof = naive::proof(6, &all);
    for wrong in [&proof[1..], &proof[..1], &[]] {
        assert!(consistency::verify(6, 11, wrong, &old, &root).is_err());
    }
    assert_eq!(
        consistency::verify(12, 11, &[], &old, &root),
        Err(consistency::Error::Sizes { from: 12, to: 11 })
    );
    assert!(consistency::verify(0, 11, &[], &old, &root).is_err());
    assert!(consistency::verify(0, 11, &[], &Hash::empty(), &root).is_ok());
    assert!(consistency::verify(11, 11, &[], &old, &root).is_err());
}

fn follow(first: u64, size: u64, all: &[Hash]) -> chain::Follower {
    let nodes = Naive(all.to_vec());
    let mut follower = if first == 0 {
        chain::Follower::from_start(size)
    } else {
        let (left, right) = chain::opening(first, size).unwrap();
        let left = chain::hashes(&nodes, &left).unwrap();
        let right = chain::hashes(&nodes, &right).unwrap();
        chain::Follower::from_opening(first, size, &left, &right).unwrap()
    };
    for index in first..size {
        assert_eq!(follower.next(), index);
        let proof = chain::hashes(&nodes, &chain::siblings(index, size).unwrap()).unwrap();
        for changed in bit_flips(&proof).step_by(37) {
            // the first leaf of a stream from 0 has nothing to be held against but the root
            let mut other = follower.clone();
            if index > 0 {
                assert_eq!(
                    other.push(all[small(index)], &changed),
                    Err(chain::Error::Leaf)
                );
            } else {
                other.push(all[small(index)], &changed).unwrap();
                assert_ne!(other.root(), Some(mth(all)));
            }
        }
        if index > 0 {
            let mut other = follower.clone();
            assert_eq!(
                other.push(Hash::leaf(b"else"), &proof),
                Err(chain::Error::Leaf)
            );
        }
        follower.push(all[small(index)], &proof).unwrap();
    }
    follower
}

#[test]
fn a_stream_is_followed_from_any_leaf() {
    for size in 1..=34_u64 {
        let all = leaves(size);
        let mut brought = 0;
        for first in 0..=size {
            let mut follower = follow(first, size, &all);
            assert!(follower.is_complete());
            assert_eq!(follower.root(), Some(mth(&all)), "{first} of {size}");
            assert_eq!(follower.push(all[0], &[]), Err(chain::Error::Surplus));
        }
        for index in 0..size {
            brought += chain::siblings(index, size).unwrap().len();
        }
        assert_eq!(brought, small(size) - 1, "one hash a leaf");
        assert_eq!(chain::siblings(size, size), None);
    }
    assert_eq!(chain::Follower::from_start(0).root(), Some(Hash::empty()));
}

proptest! {
    #[test]
    fn large_trees_hold(size in 1_u64..3_000, a: u64, b: u64) {
        let all = leaves(size);
        let nodes = Naive(all.clone());
        let mut tree = Frontier::new();
        all.iter().for_each(|leaf| tree.push(*leaf));
        let root = tree.root();
        let index = a % size;
        let proof = inclusion::prove(&nodes, index, size).unwrap().unwrap();
        prop_assert_eq!(inclusion::verify(index, size, all[small(index)], &proof, &root), Ok(()));
        let from = b % (size + 1);
        let old = mth(&all[..small(from)]);
        let proof = consistency::prove(&nodes, from, size).unwrap().unwrap();
        prop_assert_eq!(consistency::verify(from, size, &proof, &old, &root), Ok(()));
    }

    #[test]
    fn sizes_without_bounds_dont_break_the_verifiers(
        a: u64, b: u64, bytes in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<_> = bytes.into_iter().map(Hash).collect();
        let hash = Hash::empty();
        prop_assert!(inclusion::verify(a, b, hash, &proof, &Hash([1; 32])).is_err());
        prop_assert!(consistency::verify(a, b, &proof, &Hash([2; 32]), &Hash([1; 32])).is_err());
        let _ = chain::siblings(a, b);
        let _ = chain::opening(a, b);
    }
}
