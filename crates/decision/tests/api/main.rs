//! Tables through the crate's public face.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod analysed_lists;
mod analysis;
mod calls;
mod columns;
mod compiled;
mod dmn;
mod dmn_names;
mod documents;
mod evaluation;
mod feel;
mod files;
mod hit_policies;
mod hostile;
mod kinds;
mod language;
mod made;
mod mixed;
mod recursion;
mod round_trips;
mod sfeel;
mod suites;
mod unknown;

use decision::{Facts, Outcome, Schema, Table, evaluate, json};
use proptest::prelude::ProptestConfig;

/// So many cases, or as many as PROPTEST_CASES asks for.
fn cases(usual: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if asked { config.cases } else { usual },
        ..config
    }
}

/// A table that stands by itself.
fn table(text: &str) -> Table {
    match read(text) {
        Ok(table) => table,
        Err(problems) => panic!("{problems}"),
    }
}

/// The table or its problems, one a line.
fn read(text: &str) -> Result<Table, String> {
    let nothing = |name: &str| Err(format!("no file {name} here"));
    Table::from_yaml(text, &Schema::open(), &nothing).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

/// Facts from a JSON object.
fn facts(text: &str) -> Facts {
    Facts::flatten(json::parse(text).expect("facts"))
}

/// The ids of the rows that answer, where it is settled.
fn hits(table: &Table, text: &str) -> Vec<String> {
    let evaluation = evaluate(table, &facts(text));
    match evaluation.outcomes.as_slice() {
        [outcome] => ids(table, outcome),
        more => panic!("not settled: {more:?}"),
    }
}

fn ids(table: &Table, outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::NoHit => Vec::new(),
        Outcome::Hits(rows) => rows
            .iter()
            .map(|&row| table.rows()[row].id().to_owned())
            .collect(),
        Outcome::Conflict(_) => vec!["CONFLICT".to_owned()],
        Outcome::Failed(failure) => vec![format!("FAILED {failure}")],
    }
}
