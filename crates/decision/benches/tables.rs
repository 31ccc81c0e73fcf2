//! Reading and evaluating tables: `cargo bench -p decision`.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench fails by panicking, and divan's macros make the items"
)]

use decision::{Facts, Schema, Table, evaluate, json};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const YAML: &str = "
name: prices
facts:
  order.total: {type: money, currency: EUR}
  customer.group: {type: number}
inputs: [order.total, customer.group]
hit_policy: UNIQUE
rows_csv: rows.csv
";

/// A matrix of bands of the total for each of ten customer groups.
fn csv(rows: usize) -> String {
    let mut text = String::from("id,order.total,customer.group,effect\n");
    for row in 0..rows {
        let (band, group) = (row / 10, row % 10);
        text += &format!("r{row},]{}..{}],{group},ALLOW\n", band * 10, band * 10 + 10);
    }
    text
}

fn table(csv: &str) -> Table {
    Table::from_yaml(YAML, &Schema::open(), &|_| Ok(csv.to_owned())).unwrap()
}

fn facts(text: &str) -> Facts {
    Facts::flatten(json::parse(text).unwrap())
}

#[divan::bench(args = [10, 1_000, 20_000], sample_count = 20)]
fn read(bencher: Bencher<'_, '_>, rows: usize) {
    let csv = csv(rows);
    bencher.bench(|| table(black_box(&csv)));
}

#[divan::bench(args = [10, 1_000, 20_000])]
fn evaluate_known(bencher: Bencher<'_, '_>, rows: usize) {
    let table = table(&csv(rows));
    let facts = facts(r#"{"order.total": "7.50 EUR", "customer.group": 5}"#);
    bencher.bench(|| evaluate(&table, black_box(&facts)));
}

#[divan::bench(args = [10, 1_000])]
fn evaluate_unknown(bencher: Bencher<'_, '_>, rows: usize) {
    let table = table(&csv(rows));
    let facts = facts(r#"{"customer.group": 5}"#);
    bencher.bench(|| evaluate(&table, black_box(&facts)));
}
