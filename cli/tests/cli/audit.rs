//! `bylaw audit`: what is read of a running suite, and what is verified without one.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bylaw::{Home, Ran, Suite, arg};

/// A log, with what an auditor holds of it.
struct Held {
    home: Home,
    log: String,
    /// The order of the second story.
    order: String,
}

impl Held {
    /// Plays the story twice and exports the log; a checkpoint is taken in between.
    fn new() -> Self {
        let suite = Suite::start();
        suite.run(&["demo"]).exits(0);
        let checkpoint = suite.run(&["audit", "checkpoint"]).exits(0).stdout;
        let held = suite.home.file("held.checkpoint", checkpoint);
        suite.run(&["demo"]).exits(0);
        let exceptions = suite.json(&["exception", "list", "--all", "--type", "credit_hold"]);
        let order = exceptions["exceptions"][1]["correlation_id"]
            .as_str()
            .unwrap()
            .to_owned();
        lineages(&suite, &order, arg(&held));
        let log = suite.run(&["audit", "export"]).exits(0).stdout;
        checkpoints(&suite, &log);
        ranges(&suite, &log);
        Self {
            home: suite.stop(),
            log,
            order,
        }
    }

    fn key(&self) -> PathBuf {
        self.home.data_dir().join("audit-log.pub")
    }

    fn verify(&self, content: &str, more: &[&str]) -> Ran {
        let file = self.home.file("given.jsonl", content);
        let key = self.key();
        let args = [&["audit", "verify", arg(&file), "--key", arg(&key)], more].concat();
        self.home.run(&args)
    }

    /// The content doesn't verify; the message names the index where one can be named.
    #[track_caller]
    fn refuses(&self, content: &str, index: Option<usize>) {
        let ran = self.verify(content, &[]).exits(6).says(&["given.jsonl"]);
        if let Some(index) = index {
            let named = ran.stderr.contains(&format!("index {index}"))
                || ran.stderr.contains(&format!("record {index}"));
            assert!(named, "index {index}: {ran:?}");
        }
    }
}

/// The records of a log; its last line is the checkpoint.
fn records(log: &str) -> usize {
    log.lines().count() - 1
}

fn lineages(suite: &Suite, order: &str, held: &str) {
    let lineage = suite.json(&["audit", "lineage", order]);
    let records = lineage["records"].as_array().unwrap();
    assert!(
        records
            .iter()
            .all(|record| record["correlation_id"] == order)
    );
    let producers: std::collections::BTreeSet<_> = records
        .iter()
        .map(|r| r["producer"].as_str().unwrap())
        .collect();
    for service in ["policy", "exceptions", "masterdata", "aigate"] {
        assert!(producers.contains(service), "{service}: {producers:?}");
    }
    assert_eq!(lineage["trace_ids"].as_array().unwrap().len(), 1);
    let text = suite.run(&["audit", "lineage", order]).exits(0).stdout;
    assert!(
        text.contains(&format!("{} records of {order}", records.len())),
        "{text}"
    );
    let lines = suite
        .run(&["audit", "lineage", order, "--lines", "--checkpoint", held])
        .exits(0)
        .stdout;
    suite.home.file("continued.jsonl", lines);
    let lines = suite
        .run(&["audit", "lineage", order, "--lines"])
        .exits(0)
        .stdout;
    suite.home.file("lineage.jsonl", lines);
    suite
        .run(&["audit", "lineage", "no-such-order"])
        .exits(1)
        .says(&["no-such-order"]);
    suite
        .run(&["audit", "lineage", order, "--as", "order-desk.medical"])
        .exits(1)
        .says(&["audit.record.read"]);
    suite
        .run(&[
            "audit",
            "lineage",
            order,
            "--lines",
            "--checkpoint",
            "missing",
        ])
        .exits(2)
        .says(&["missing"]);
}

fn checkpoints(suite: &Suite, log: &str) {
    let text = suite.run(&["audit", "checkpoint"]).exits(0).stdout;
    assert_eq!(text.lines().count(), 5, "{text}");
    let json = suite.json(&["audit", "checkpoint"]);
    assert!(json["tree_size"].as_u64().unwrap() >= records(log) as u64);
    assert_eq!(json["root_hash"].as_str().unwrap().len(), 64);
    assert_eq!(
        json["note"].as_str().unwrap().lines().next(),
        json["origin"].as_str()
    );
}

/// The same checkpoint gives the same bytes, and a part can be had and verified by itself.
fn ranges(suite: &Suite, log: &str) {
    let size = records(log).to_string();
    let again = suite
        .run(&["audit", "export", "--tree-size", &size])
        .exits(0)
        .stdout;
    assert!(again == log, "two exports at size {size} differ");
    let part = suite
        .run(&["audit", "export", "--start", "7", "--tree-size", &size])
        .exits(0)
        .stdout;
    let tail: Vec<_> = part.lines().skip(1).collect();
    assert_eq!(tail, log.lines().skip(7).collect::<Vec<_>>());
    suite.home.file("part.jsonl", part);
    let beyond = suite.run(&["audit", "export", "--tree-size", "99999999"]);
    assert_ne!(beyond.status, 0, "{beyond:?}");
}

#[test]
fn a_log_verifies_offline_until_anything_is_altered() {
    let held = Held::new();
    it_verifies(&held);
    altered_bytes(&held);
    altered_lines(&held);
    wrong_keys_and_checkpoints(&held);
}

fn it_verifies(held: &Held) {
    let ran = held.verify(&held.log, &[]).exits(0);
    assert!(ran.stdout.starts_with("verified: "), "{ran:?}");
    let report: Value = held
        .verify(&held.log, &["--output", "json"])
        .exits(0)
        .json();
    assert_eq!(report["records"], records(&held.log));
    assert_eq!(report["tree_size"], records(&held.log));
    // It continues the checkpoint that was taken before.
    let older = held.home.path("held.checkpoint");
    let report = held
        .verify(
            &held.log,
            &["--checkpoint", arg(&older), "--output", "json"],
        )
        .exits(0)
        .json();
    assert!(!report["continues"].is_null(), "{report}");
    for name in ["lineage.jsonl", "part.jsonl"] {
        let content = std::fs::read_to_string(held.home.path(name)).unwrap();
        held.verify(&content, &[]).exits(0);
    }
    // A lineage that was fetched for a checkpoint is verified with it.
    let lineage = std::fs::read_to_string(held.home.path("continued.jsonl")).unwrap();
    assert!(lineage.contains(&held.order));
    held.verify(&lineage, &[]).exits(6).says(&["checkpoint"]);
    held.verify(&lineage, &["--checkpoint", arg(&older)])
        .exits(0);
    // Standard input reads the same.
    let key = held.key();
    held.home
        .feed(&["audit", "verify", "-", "--key", arg(&key)], &held.log)
        .exits(0);
}

/// One byte is changed, in many places over the whole file.
fn altered_bytes(held: &Held) {
    let bytes = held.log.as_bytes();
    let step = bytes.len() / 40;
    let ends: Vec<usize> = bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'\n')
        .map(|(at, _)| at)
        .collect();
    for at in (0..bytes.len()).step_by(step).chain([bytes.len() - 3]) {
        let mut altered = bytes.to_vec();
        // Stays text, and never becomes the byte that it was.
        altered[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        let line = ends.iter().position(|end| at <= *end).unwrap();
        // A line feed that goes joins two records.
        let index = (line < records(&held.log) && bytes[at] != b'\n').then_some(line);
        held.refuses(&String::from_utf8_lossy(&altered), index);
    }
}

fn altered_lines(held: &Held) {
    let lines: Vec<&str> = held.log.lines().collect();
    let last = lines.len() - 1;
    let text = |lines: &[&str]| lines.join("\n") + "\n";
    for at in [0, 5, last / 2, last - 1] {
        let mut dropped = lines.clone();
        dropped.remove(at);
        held.refuses(&text(&dropped), None);
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        held.refuses(&text(&doubled), None);
    }
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    held.refuses(&text(&swapped), Some(3));
    held.refuses(&text(&lines[..last]), None);
    held.refuses("", None);
    held.refuses(&held.log[..held.log.len() / 2], None);
    held.refuses(&held.log.replacen('\n', "\n\n", 1), None);
    held.refuses(&held.log.replace('\n', "\r\n"), None);
    held.refuses(&(held.log.clone() + "{}\n"), None);
    // Without the line feed at its end it is not what was exported.
    held.refuses(held.log.trim_end(), None);
}

fn wrong_keys_and_checkpoints(held: &Held) {
    let stranger = Suite::start();
    let other_key = stranger.home.data_dir().join("audit-log.pub");
    let file = held.home.file("given.jsonl", &held.log);
    held.home
        .run(&["audit", "verify", arg(&file), "--key", arg(&other_key)])
        .exits(6)
        .says(&["given.jsonl"]);
    let other = stranger.run(&["audit", "checkpoint"]).exits(0).stdout;
    let other = held.home.file("other.checkpoint", other);
    held.verify(&held.log, &["--checkpoint", arg(&other)])
        .exits(6)
        .says(&["other.checkpoint", "checkpoint"]);
    let note = std::fs::read_to_string(held.home.path("held.checkpoint")).unwrap();
    let size = note.lines().nth(1).unwrap();
    let forged = held
        .home
        .file("forged.checkpoint", note.replacen(size, "3", 1));
    held.verify(&held.log, &["--checkpoint", arg(&forged)])
        .exits(6)
        .says(&["checkpoint"]);
    unreadable_keys_and_checkpoints(held, &file, note.as_bytes());
}

/// A file that is no key or no checkpoint is a mistake in the call, and says nothing of the log.
fn unreadable_keys_and_checkpoints(held: &Held, log: &Path, note: &[u8]) {
    let key = held.key();
    for (at, content) in [&b""[..], b"nonsense\n", note].into_iter().enumerate() {
        let wrong = held.home.file(&format!("wrong-{at}.pub"), content);
        let name = format!("wrong-{at}.pub: ");
        held.home
            .run(&["audit", "verify", arg(log), "--key", arg(&wrong)])
            .exits(2)
            .says(&[&name, "key"]);
    }
    let verifier = std::fs::read(&key).unwrap();
    for (at, content) in [&b""[..], b"nonsense\n", &note[..20], &verifier]
        .into_iter()
        .enumerate()
    {
        let wrong = held.home.file(&format!("wrong-{at}.checkpoint"), content);
        let name = format!("wrong-{at}.checkpoint: ");
        held.verify(&held.log, &["--checkpoint", arg(&wrong)])
            .exits(2)
            .says(&[&name]);
    }
}
