//! Every target over its corpus: the seeds, and what fuzzing has found before.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use fuzz_targets::TARGETS;

fn fuzz() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"))
}

#[test]
fn every_input_of_the_corpus_is_taken_or_refused() {
    for (name, target) in TARGETS {
        let folder = fuzz().join("corpus").join(name);
        let mut inputs: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name} has no seed");
        for input in inputs {
            println!("{}", input.display());
            target(&fs::read(input).unwrap());
        }
        // What no file holds.
        for bytes in [&b""[..], b"\0", b"\xff\xfe", b"\n\n\n"] {
            target(bytes);
        }
    }
}

#[test]
fn every_target_has_a_fuzzer_and_a_corpus() {
    let known: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let names = |folder: &str| -> BTreeSet<String> {
        fs::read_dir(fuzz().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("corpus"), known);
    assert_eq!(names("fuzz_targets"), known);
}
