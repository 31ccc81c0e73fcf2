//! Analysis of tables: `cargo bench -p decision --bench analysis`.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench fails by panicking, and divan's macros make the items"
)]

#[allow(dead_code, reason = "the other bench has facts too")]
mod made;

use decision::{
    Schema, Table,
    analyse::{self, Options},
};
use divan::{Bencher, black_box};
use made::{Made, Shape};

fn main() {
    divan::main();
}

/// A fixed sequence of numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

const POLICIES: [&str; 5] = ["FIRST", "UNIQUE", "ANY", "PRIORITY", "COLLECT"];

/// Enumerations of 20 and 5 values, three ranges with up to 50 bounds, a boolean; 30% of
/// the cells ask nothing.
fn random(seed: u64, rows: usize, policy: &str) -> Table {
    let mut random = Random(seed);
    let listed = |count: usize| {
        (0..count)
            .map(|v| format!("v{v}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let yaml = format!(
        "name: random
inputs:
  - {{expression: a, type: string, values: [{}]}}
  - {{expression: b, type: string, values: [{}]}}
  - {{expression: x, type: number}}
  - {{expression: y, type: number}}
  - {{expression: z, type: number}}
  - {{expression: t, type: boolean}}
outputs: [{{name: effect, values: [DENY, REQUIRE_APPROVAL, ALLOW]}}]
hit_policy: {policy}
rows_csv: rows.csv
",
        listed(20),
        listed(5)
    );
    let mut csv = String::from("id,a,b,x,y,z,t,effect\n");
    for row in 0..rows {
        let cell = |text: String, random: &mut Random| {
            if random.below(10) < 3 {
                "-".to_owned()
            } else {
                text
            }
        };
        let a = format!("\"\"v{}\"\"", random.below(20));
        let b = format!("\"\"v{}\"\"", random.below(5));
        let mut cells = vec![
            format!("\"{}\"", cell(a, &mut random)),
            format!("\"{}\"", cell(b, &mut random)),
        ];
        for _ in 0..3 {
            let (low, high) = (random.below(50), random.below(50));
            let (low, high) = (low.min(high), low.max(high) + 1);
            cells.push(cell(format!("[{low}..{high}["), &mut random));
        }
        let truth = if random.below(2) == 0 {
            "true"
        } else {
            "false"
        };
        cells.push(cell(truth.to_owned(), &mut random));
        let effect = ["ALLOW", "REQUIRE_APPROVAL", "DENY"][random.below(3) as usize];
        csv += &format!("r{row},{},{effect}\n", cells.join(","));
    }
    Table::from_yaml(&yaml, &Schema::open(), &|_| Ok(csv.clone())).unwrap()
}

const LARGE: [usize; 3] = [10_000, 100_000, 200_000];

fn said(name: &str, found: usize, undecided: &[analyse::Undecided]) {
    let undecided: Vec<_> = undecided
        .iter()
        .map(|u| (u.message.as_str(), u.count))
        .collect();
    eprintln!("{name}: {found} found, undecided {undecided:?}");
}

fn checked(bencher: Bencher<'_, '_>, rows: usize, shape: Shape) {
    let table = Made::new(rows, shape).table();
    let report = analyse::check(&table, Options::default());
    said(
        &format!("{shape:?} {rows}"),
        report.findings.len(),
        &report.undecided,
    );
    bencher.bench(|| analyse::check(black_box(&table), Options::default()));
}

#[divan::bench(args = LARGE, sample_count = 1)]
fn check_partition(bencher: Bencher<'_, '_>, rows: usize) {
    checked(bencher, rows, Shape::Scattered);
}

#[divan::bench(args = LARGE, sample_count = 1)]
fn check_overlap(bencher: Bencher<'_, '_>, rows: usize) {
    checked(bencher, rows, Shape::Overlap);
}

/// One in a thousand rows is another one.
fn differ(bencher: Bencher<'_, '_>, rows: usize, shape: Shape) {
    let old = Made::new(rows, shape);
    let mut new = Made::new(rows, shape);
    for row in new.rows.iter_mut().step_by(1_000) {
        row.flag = row.flag.map(|flag| !flag);
    }
    let (old, new) = (old.table(), new.table());
    let found = analyse::difference(&old, &new);
    said(
        &format!("{shape:?} {rows}"),
        found.changes.len(),
        &found.undecided,
    );
    bencher.bench(|| analyse::difference(black_box(&old), black_box(&new)));
}

#[divan::bench(args = LARGE, sample_count = 1)]
fn difference_partition(bencher: Bencher<'_, '_>, rows: usize) {
    differ(bencher, rows, Shape::Scattered);
}

#[divan::bench(args = LARGE, sample_count = 1)]
fn difference_overlap(bencher: Bencher<'_, '_>, rows: usize) {
    differ(bencher, rows, Shape::Overlap);
}

#[divan::bench(args = POLICIES, sample_count = 5)]
fn check(bencher: Bencher<'_, '_>, policy: &str) {
    let table = random(1, 1_000, policy);
    let report = analyse::check(&table, Options::default());
    said(policy, report.findings.len(), &report.undecided);
    bencher.bench(|| analyse::check(black_box(&table), Options::default()));
}

#[divan::bench(args = POLICIES, sample_count = 5)]
fn difference(bencher: Bencher<'_, '_>, policy: &str) {
    let (old, new) = (random(1, 1_000, policy), random(2, 1_000, policy));
    let report = analyse::difference(&old, &new);
    said(policy, report.changes.len(), &report.undecided);
    bencher.bench(|| analyse::difference(black_box(&old), black_box(&new)));
}
