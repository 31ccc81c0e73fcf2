//! Reading, compiling and evaluating tables: `cargo bench -p decision`.
//!
//! Four columns: two of few texts, a range of amounts, a boolean. `partition` covers every
//! case once, rows in order; `scattered` is the same with the rows shuffled; `bands` has
//! but one column, with as many bounds as rows; `overlap` has rows of any width, with 30%
//! of the cells left open. The facts come in random order out of 10,000 prepared sets.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench fails by panicking, and divan's macros make the items"
)]

mod made;

use decision::{Facts, Model, Outcome, Value, evaluate, model::Options};
use divan::{Bencher, black_box};
use made::{Made, Shape};

fn main() {
    divan::main();
}

const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

fn bench<T>(bencher: Bencher<'_, '_>, facts: &[Facts], run: impl Fn(&Facts) -> T) {
    let mut next = 0;
    bencher.bench_local(|| {
        next = (next + 1) % facts.len();
        black_box(run(&facts[next]))
    });
}

/// Evaluates, after seeing that a scan of all rows agrees.
fn indexed(bencher: Bencher<'_, '_>, rows: usize, shape: Shape) {
    let made = Made::new(rows, shape);
    let table = made.table();
    for facts in made.facts.iter().take(20) {
        let found = made
            .scan(facts)
            .map_or(Outcome::NoHit, |row| Outcome::Hits(vec![row]));
        assert_eq!(evaluate(&table, facts).outcomes, [found]);
    }
    bench(bencher, &made.facts, |facts| evaluate(&table, facts));
}

#[divan::bench(args = SIZES)]
fn partition(bencher: Bencher<'_, '_>, rows: usize) {
    indexed(bencher, rows, Shape::Partition);
}

#[divan::bench(args = SIZES)]
fn scattered(bencher: Bencher<'_, '_>, rows: usize) {
    indexed(bencher, rows, Shape::Scattered);
}

#[divan::bench(args = SIZES)]
fn bands(bencher: Bencher<'_, '_>, rows: usize) {
    indexed(bencher, rows, Shape::Bands);
}

#[divan::bench(args = SIZES)]
fn overlap(bencher: Bencher<'_, '_>, rows: usize) {
    indexed(bencher, rows, Shape::Overlap);
}

/// What the index saves: each row's cells compared, the text of a fact found once.
#[divan::bench(args = SIZES)]
fn linear_scan(bencher: Bencher<'_, '_>, rows: usize) {
    let made = Made::new(rows, Shape::Partition);
    bench(bencher, &made.facts, |facts| made.scan(facts));
}

/// The table as the one decision of a model, which finds its inputs and settles its result.
#[divan::bench(args = [100, 10_000])]
fn model(bencher: Bencher<'_, '_>, rows: usize) {
    let made = Made::new(rows, Shape::Partition);
    let table = made.table();
    let model = Model::of_table(&table);
    let name = model.decisions()[0].name();
    let given: Vec<Value> = made
        .facts
        .iter()
        .map(|facts| {
            let facts = facts.iter();
            Value::Context(facts.map(|(n, v)| (n.to_owned(), v.clone())).collect())
        })
        .collect();
    let mut next = 0;
    bencher.bench_local(|| {
        next = (next + 1) % given.len();
        black_box(model.evaluate(name, &given[next], &Options::dmn()))
    });
}

/// An unknown amount leaves some rows open, whose combinations are tried.
#[divan::bench(args = SIZES)]
fn unknown(bencher: Bencher<'_, '_>, rows: usize) {
    let made = Made::new(rows, Shape::Partition);
    let table = made.table();
    let open: Vec<Facts> = made
        .facts
        .iter()
        .take(100)
        .map(|facts| {
            let mut facts = facts.clone();
            facts.remove(made::FLAG);
            facts
        })
        .collect();
    bench(bencher, &open, |facts| evaluate(&table, facts));
}

#[divan::bench(args = [1_000, 100_000], sample_count = 10)]
fn read(bencher: Bencher<'_, '_>, rows: usize) {
    let made = Made::new(rows, Shape::Partition);
    bencher.bench(|| made.table());
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
fn compile(bencher: Bencher<'_, '_>, rows: usize) {
    compiled(bencher, rows, Shape::Partition);
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
fn compile_overlap(bencher: Bencher<'_, '_>, rows: usize) {
    compiled(bencher, rows, Shape::Overlap);
}

fn compiled(bencher: Bencher<'_, '_>, rows: usize, shape: Shape) {
    let table = Made::new(rows, shape).table();
    bencher
        .with_inputs(|| table.clone())
        .bench_local_values(|table| {
            table.compile();
            table
        });
}
