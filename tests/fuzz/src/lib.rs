//! What fuzzing runs: one function for each parser of what comes from outside. The fuzzers
//! of `fuzz/` call them with what they make up, the tests of this crate with the files of
//! `fuzz/corpus/`, among them whatever was found before.
//!
//! A target panics where a parser panics, takes what it should refuse, or gives back
//! something else than it took.

mod documents;
mod identity;
mod log;
mod models;
mod records;
mod tables;

use std::path::Path;

use service_kit::{
    Service,
    bootstrap::{Document, Files},
};

/// Tries a parser with an input.
pub type Target = fn(&[u8]);

/// Every target with its name, which is that of its corpus.
pub const TARGETS: [(&str, Target); 16] = [
    ("cells", tables::cells),
    ("dmn", models::dmn),
    ("documents", documents::documents),
    ("events", records::events),
    ("export", log::export),
    ("facts", tables::facts),
    ("identifiers", records::identifiers),
    ("models", models::models),
    ("notes", log::notes),
    ("pages", identity::pages),
    ("principals", documents::principals),
    ("proofs", log::proofs),
    ("records", records::records),
    ("table_csv", tables::csv),
    ("tables", tables::tables),
    ("tokens", identity::tokens),
];

/// Runs a target.
///
/// # Panics
/// If there is none of this name, and as the target does.
pub fn run(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    assert!(found.is_some(), "there is no target {name}");
    if let Some((_, target)) = found {
        target(data);
    }
}

/// The input as text; most parsers are given only that.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The example's documents of a service, which give what is read its surroundings.
fn example<S: Service>() -> Vec<Document> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/distributor");
    let files = Files::from_dir(Path::new(root)).unwrap_or_default();
    let mut documents = files.documents().unwrap_or_default();
    documents.retain(|document| S::DOCUMENTS.contains(&document.kind.as_str()));
    documents
}
