//! What an auditor is handed: notes, keys, proofs and exports.

use merkle::{
    Hash,
    checkpoint::Checkpoint,
    consistency, inclusion,
    note::{Note, Signer, Verifier},
};

use crate::text;

/// The key that signed the exports of the corpus.
const KEY: &str = include_str!("../audit-log.pub");

/// A signed note, a checkpoint and a key, each of which is written as it was read.
pub fn notes(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let key = Verifier::parse(KEY.trim_end());
    if let (Ok(note), Ok(key)) = (Note::parse(text), &key) {
        let _verified = note.verify(key);
        let _opened = Checkpoint::open(text, key);
    }
    let _checkpoint = Checkpoint::parse(text);
    let _signer = Signer::parse(text);
    if let Ok(key) = Verifier::parse(text) {
        assert_eq!(key.to_string(), text);
    }
}

/// Proofs over hashes that anybody may send: sizes in the first bytes, then hashes.
pub fn proofs(data: &[u8]) {
    let Some((head, rest)) = data.split_at_checked(16) else {
        return;
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |n, b| (n << 8) | u64::from(*b));
    let (first, second) = (number(&head[..8]), number(&head[8..]));
    let hashes: Vec<_> = rest.chunks_exact(32).filter_map(Hash::from_slice).collect();
    let Some((root, proof)) = hashes.split_first() else {
        return;
    };
    let leaf = Hash::leaf(b"");
    let proved = inclusion::verify(first, second, leaf, proof, root);
    assert!(proved.is_err() || first < second);
    let other = Hash::node(root, &leaf);
    let _grown = consistency::verify(first, second, proof, root, &other);
}

/// An export or a lineage.
pub fn export(data: &[u8]) {
    let _verified = audit::verify::verify(data, KEY, None, &mut |_| {});
}
