//! Exports and lineages without a service: what verifies, and that nothing else does.

use std::sync::LazyLock;

use audit::{
    domain::{
        Leaf,
        line::{self, Proof, ProofKind},
        record::canonical_payload,
    },
    verify::{What, verify},
};
use merkle::{Hash, note::Signer};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::memory::{Log, record, start};

#[test]
fn every_export_and_every_part_of_it_verifies() {
    let log = Log::new(20);
    for size in 0..=20 {
        for first in 0..=size {
            let verified = log.check(&log.export(first, size)).unwrap();
            assert_eq!(verified.records, size - first, "{first} to {size}");
            assert_eq!(verified.tree_size, size);
        }
    }
}

#[test]
fn a_continued_export_is_the_same_byte_for_byte() {
    let log = Log::new(37);
    let whole = log.export(0, 37);
    let mut joined = whole[..11].to_vec();
    joined.extend_from_slice(&log.export(11, 37)[1..]);
    assert_eq!(joined, whole);
}

#[test]
fn a_line_is_a_cloud_event_whose_leaf_anyone_can_compute() {
    let log = Log::new(3);
    let mut line: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&log.export(0, 3)[1]).unwrap();
    assert_eq!(line["specversion"], "1.0");
    assert_eq!(line["source"], "/bylaw/exceptions");
    assert_eq!(
        line["actorgrants"],
        "credit-manager@acme/europe/medical odd%20role%401@*"
    );
    let names_fit = |name: &String| {
        name.len() <= 20
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    assert!(line.keys().all(names_fit), "{line:?}");
    let data = line.remove("data").unwrap();
    line.remove("treeproof");
    // serde_json sorts members too, and ASCII names sort alike
    let entry = serde_json::to_vec(&line).unwrap();
    assert_eq!(Hash::leaf(&entry), log.hashes[1]);
    let leaf = Leaf::parse(&entry).unwrap();
    let payload = log.entries[1].1.clone();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&payload).unwrap(),
        data
    );
    assert_eq!(leaf.with_payload(payload).unwrap().record, record(1));
}

#[test]
fn what_is_done_to_an_export_is_found_at_its_index() {
    let log = Log::new(13);
    let whole = log.export(0, 13);
    let found = |lines: &[Vec<u8>]| log.check(lines).unwrap_err();
    for k in 0..13_usize {
        let index = Some(u64::try_from(k).unwrap());
        let mut edited = whole.clone();
        let text = String::from_utf8(edited[k].clone()).unwrap();
        edited[k] = text.replace("18450.00", "18450.01").into_bytes();
        assert_eq!(found(&edited).index, index, "edited");
        let mut deleted = whole.clone();
        deleted.remove(k);
        assert_eq!(found(&deleted).index, index, "deleted");
        let mut inserted = whole.clone();
        inserted.insert(k, whole[(k + 1) % 13].clone());
        assert_eq!(found(&inserted).index, index, "inserted");
        let cut = found(&whole[..k]);
        assert_eq!((cut.index, cut.what), (index, What::Truncated));
        if k > 0 {
            let mut swapped = whole.clone();
            swapped.swap(k - 1, k);
            assert_eq!(found(&swapped).index, index.map(|i| i - 1), "swapped");
        }
    }
    // an edit that covers its own traces, but can't change what was vouched for
    let other = Log::of((0..13).map(|i| {
        let mut record = record(i);
        if i == 6 {
            record.action = "else".into();
        }
        record
    }));
    let mut forged = whole.clone();
    forged[6] = other.export(0, 13)[6].clone();
    assert_eq!(found(&forged).what, What::Record);
    assert_eq!(found(&forged).index, Some(6));
    // a whole other log under the true checkpoint: its first line already says otherwise
    let mut replaced = other.export(0, 13);
    replaced[13] = whole[13].clone();
    assert_eq!(
        (found(&replaced).index, found(&replaced).line),
        (Some(0), 1)
    );
    assert_eq!(found(&[]).what, What::Truncated);
    let mut longer = whole.clone();
    longer.push(whole[13].clone());
    assert!(matches!(found(&longer).what, What::Line(_)));
}

#[test]
fn another_key_or_origin_is_refused() {
    let log = Log::new(4);
    let lines = log.export(0, 4);
    for (name, seed) in [("example.com/audit", 8), ("example.com/other", 7)] {
        let key = Signer::from_seed(name, &[seed; 32])
            .unwrap()
            .verifier()
            .to_string();
        let problem = verify(lines.concat().as_slice(), &key, None, &mut |_| {}).unwrap_err();
        assert!(matches!(problem.what, What::Signature(_)), "{problem}");
    }
    let problem = verify(lines.concat().as_slice(), "no key", None, &mut |_| {}).unwrap_err();
    assert!(matches!(problem.what, What::Key(_)));
}

#[test]
fn an_export_is_held_against_an_older_checkpoint() {
    let log = Log::new(13);
    for held in 0..=13 {
        let note = log.checkpoint(held);
        for first in 0..=13 {
            let result = log.check_held(&log.export(first, 13), Some(&note));
            if held == 13 || held >= first {
                assert_eq!(result.unwrap().continues, Some(held), "{first}, {held}");
            } else {
                assert!(matches!(result.unwrap_err().what, What::Unlinked { .. }));
            }
        }
    }
    let mut fork = (0..9).map(record).collect::<Vec<_>>();
    fork[4].action = "else".into();
    let fork = Log::of(fork);
    for held in 5..=9 {
        let problem = log.check_held(&log.export(0, 13), Some(&fork.checkpoint(held)));
        assert_eq!(problem.unwrap_err().what, What::Forked(held));
    }
    let problem = log
        .check_held(&log.export(0, 7), Some(&log.checkpoint(8)))
        .unwrap_err();
    assert_eq!(problem.what, What::Shrunk { size: 7, held: 8 });
    assert!(matches!(
        log.check_held(&log.export(0, 7), Some("nonsense"))
            .unwrap_err()
            .what,
        What::HeldForm(_)
    ));
    let stranger = Signer::from_seed("example.com/audit", &[8; 32]).unwrap();
    let foreign = merkle::Checkpoint::parse(
        merkle::note::Note::parse(&log.checkpoint(5))
            .unwrap()
            .text(),
    )
    .unwrap()
    .sign(&stranger)
    .unwrap();
    assert!(matches!(
        log.check_held(&log.export(0, 7), Some(&foreign))
            .unwrap_err()
            .what,
        What::Held(_)
    ));
}

const INDICES: [u64; 7] = [0, 2, 3, 7, 8, 11, 12];

#[test]
fn a_lineage_verifies_in_any_number_of_pages() {
    let log = Log::new(13);
    for pages in 1..=7 {
        let verified = log.check(&log.lineage(&INDICES, pages, None)).unwrap();
        assert_eq!(verified.records, 7);
    }
    assert_eq!(log.check(&log.lineage(&[], 1, None)).unwrap().records, 0);
    for held in 0..=13 {
        let lines = log.lineage(&INDICES, 2, Some(held));
        let note = log.checkpoint(held);
        assert_eq!(
            log.check_held(&lines, Some(&note)).unwrap().continues,
            Some(held)
        );
        assert!(
            log.check(&lines).is_err(),
            "hashes that nothing is held against"
        );
        if held > 0 && held < 13 {
            let other = log.lineage(&INDICES, 2, None);
            let problem = log.check_held(&other, Some(&note)).unwrap_err();
            assert!(matches!(problem.what, What::Unlinked { .. }));
            let fork = Log::of((0..13).map(|i| {
                let mut record = record(i);
                record.action = "else".into();
                record
            }));
            let problem = log
                .check_held(&lines, Some(&fork.checkpoint(held)))
                .unwrap_err();
            assert_eq!(problem.what, What::Forked(held));
        }
    }
}

#[test]
fn what_is_done_to_a_lineage_is_found() {
    let log = Log::new(13);
    let whole = log.lineage(&INDICES, 2, None);
    for k in 0..whole.len() {
        let mut deleted = whole.clone();
        deleted.remove(k);
        assert!(log.check(&deleted).is_err(), "line {k} deleted");
        assert!(log.check(&whole[..k]).is_err(), "cut before {k}");
        let mut doubled = whole.clone();
        doubled.insert(k, whole[k].clone());
        assert!(log.check(&doubled).is_err(), "line {k} doubled");
        if k > 0 {
            let mut swapped = whole.clone();
            swapped.swap(k - 1, k);
            assert!(log.check(&swapped).is_err(), "lines around {k} swapped");
        }
    }
    let mut edited = whole.clone();
    let text = String::from_utf8(edited[3].clone()).unwrap();
    edited[3] = text.replace("18450.00", "18450.01").into_bytes();
    assert_eq!(log.check(&edited).unwrap_err().line, 4);
    let other = log.lineage(&[0, 2, 3, 7], 1, None);
    assert!(log.check(&[&whole[..5], &other[4..]].concat()).is_err());
}

/// Equality where 1.0 is 1.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => a.as_f64() == b.as_f64(),
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}

/// One change to a file.
#[derive(Debug, Clone)]
enum Change {
    Bit(usize, u8),
    Byte(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Cut(usize),
    DropLine(usize),
    Swap(usize, usize),
    Copy(usize, usize),
}

fn changes() -> impl Strategy<Value = Change> {
    let at = any::<usize>;
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(a, b)| Change::Bit(a, b)),
        (at(), any::<u8>()).prop_map(|(a, b)| Change::Byte(a, b)),
        (at(), any::<u8>()).prop_map(|(a, b)| Change::Insert(a, b)),
        at().prop_map(Change::Remove),
        at().prop_map(Change::Cut),
        at().prop_map(Change::DropLine),
        (at(), at()).prop_map(|(a, b)| Change::Swap(a, b)),
        (at(), at()).prop_map(|(a, b)| Change::Copy(a, b)),
    ]
}

fn apply(lines: &[Vec<u8>], change: &Change) -> Vec<u8> {
    let mut lines = lines.to_vec();
    let count = lines.len();
    match change {
        Change::DropLine(a) => drop(lines.remove(a % count)),
        Change::Swap(a, b) => lines.swap(a % count, b % count),
        Change::Copy(a, b) => {
            let line = lines[a % count].clone();
            lines.insert(b % (count + 1), line);
        }
        _ => {}
    }
    let mut bytes = lines.concat();
    let len = bytes.len();
    match change {
        Change::Bit(a, bit) => bytes[a % len] ^= 1 << bit,
        Change::Byte(a, byte) => bytes[a % len] = *byte,
        Change::Insert(a, byte) => bytes.insert(a % (len + 1), *byte),
        Change::Remove(a) => drop(bytes.remove(a % len)),
        Change::Cut(a) => bytes.truncate(a % len),
        _ => {}
    }
    bytes
}

/// The log that is changed below.
static LOG: LazyLock<Log> = LazyLock::new(|| Log::new(14));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_changed_export_verifies(change in changes(), first in 0_u64..12, size in 12_u64..=14) {
        let log = &*LOG;
        let lines = log.export(first, size);
        let changed = apply(&lines, &change);
        prop_assume!(changed != lines.concat());
        let result = verify(changed.as_slice(), &log.key(), None, &mut |_| ());
        prop_assert!(result.is_err());
    }

    #[test]
    fn no_changed_lineage_verifies(change in changes(), pages in 1_usize..4) {
        let log = &*LOG;
        let lines = log.lineage(&INDICES, pages, None);
        let changed = apply(&lines, &change);
        prop_assume!(changed != lines.concat());
        let result = verify(changed.as_slice(), &log.key(), None, &mut |_| ());
        prop_assert!(result.is_err());
    }

    #[test]
    fn no_bytes_break_the_parsers(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
        let _ = canonical_payload(&bytes);
        let _ = canonical_payload(text.as_bytes());
        let _ = Leaf::parse(&bytes);
        let _ = line::parse(text.as_bytes());
    }

    #[test]
    fn a_number_keeps_its_value(number in any::<f64>().prop_filter("JSON has no others", |n| n.is_finite())) {
        for text in [format!("{{\"n\":{number}}}"), format!("{{\"n\":{number:e}}}")] {
            let canonical = String::from_utf8(canonical_payload(text.as_bytes()).unwrap()).unwrap();
            let back = canonical.strip_prefix("{\"n\":").and_then(|t| t.strip_suffix('}')).unwrap();
            prop_assert_eq!(back.parse(), Ok(number));
        }
    }

    #[test]
    fn a_canonical_payload_stays_as_it_is(
        names in proptest::collection::btree_set("\\PC{0,8}", 0..6), eighths: i32, text in ".{0,30}",
    ) {
        // serde_json reads such numbers exactly, and others only nearly
        let number = f64::from(eighths) / 8.0;
        let mut object = serde_json::Map::new();
        for (i, name) in names.into_iter().enumerate() {
            let value = match i % 3 {
                0 => serde_json::Value::from(number),
                1 => serde_json::Value::from(text.clone()),
                _ => serde_json::json!({"b": [i, null], "a": number}),
            };
            object.insert(name, value);
        }
        let written = serde_json::to_vec(&object).unwrap();
        let canonical = canonical_payload(&written).unwrap();
        prop_assert_eq!(canonical_payload(&canonical).unwrap(), canonical.clone());
        let back: serde_json::Map<_, _> = serde_json::from_slice(&canonical).unwrap();
        prop_assert!(same(&back.into(), &object.into()));
    }
}

#[test]
fn committed_fields_are_checked_where_the_line_brings_them() {
    use audit::domain::leaf::Commitment;
    let (salt, value) = ([9_u8; 32], "\"credit-manager.medical\"");
    let hash = |salt: &[u8]| -> [u8; 32] {
        Sha256::new()
            .chain_update(salt)
            .chain_update(value)
            .finalize()
            .into()
    };
    let mut committed = Leaf::new(0, start(), record(0));
    committed.record.actor.subject.clear();
    committed.commitments = vec![Commitment {
        pointer: "/actorsubject".into(),
        hash: hash(&salt),
    }];
    let entry = committed.entry();
    let read = Leaf::parse(&entry).unwrap();
    assert_eq!(read.commitments, committed.commitments);
    let proof = Proof {
        size: 1,
        hashes: Vec::new(),
    };
    let line = line::record(&entry, &record(0).payload, ProofKind::Tree, &proof);
    assert!(line::parse(&line).is_ok(), "an erased field");
    let salt_text: String = salt.iter().map(|b| format!("{b:02x}")).collect();
    let opened = |value: &str| {
        let text = String::from_utf8(line.clone()).unwrap();
        text.replace(
            ",\"producersequence\"",
            &format!(",\"personal\":\"/actorsubject={salt_text}={value}\",\"producersequence\""),
        )
    };
    assert!(line::parse(opened("%22credit-manager.medical%22").as_bytes()).is_ok());
    for wrong in [
        "%22credit-manager.industrial%22",
        // the right value, spelt as no export spells it
        "%22credit%2Dmanager.medical%22",
        "\\\"credit-manager.medical%22",
    ] {
        let wrong = line::parse(opened(wrong).as_bytes());
        assert!(matches!(wrong, Err(line::Error::Personal(_))), "{wrong:?}");
    }
    // without the commitment, the subject must be there
    let text = String::from_utf8(Leaf::new(0, start(), record(0)).entry()).unwrap();
    let without = text.replace("\"actorsubject\":\"credit-manager.medical\",", "");
    assert!(Leaf::parse(without.as_bytes()).is_err());
}
