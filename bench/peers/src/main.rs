//! The decision engine beside its peers, in one run: a plain scan of the rows, and zen-engine,
//! compiled, with the table in a policy and in a decision graph, each without and with trace
//! (`+t`). All must give the same row for the same facts.
//!
//! `cargo run --release` in this folder. Times are the median of several rounds over facts
//! in random order, in nanoseconds an evaluation; what a peer's input takes to prepare isn't
//! counted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that can't be made has failed"
)]

#[path = "../../../crates/decision/benches/made/mod.rs"]
mod made;
mod zen;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use decision::{Evaluation, Outcome, evaluate};
use made::{Made, Shape};
use zen::WAYS;

/// Rounds that each figure is the median of.
const ROUNDS: usize = 9;
/// How long a round lasts at most, beside its first evaluation.
const ROUND: Duration = Duration::from_millis(250);

fn main() {
    let shapes = [
        ("partition", Shape::Partition),
        ("scattered", Shape::Scattered),
        ("overlap", Shape::Overlap),
    ];
    print!("{:<10} {:>7} {:>6} {:>8}", "table", "rows", "this", "scan");
    WAYS.iter().for_each(|way| print!(" {:>10}", way.name));
    WAYS.iter()
        .for_each(|way| print!(" {:>9}", format!("{}/", way.name)));
    println!();
    for (name, shape) in shapes {
        for rows in [10, 100, 1_000, 10_000] {
            let (this, scan, zen) = compare(&Made::new(rows, shape));
            print!("{name:<10} {rows:>7} {this:>6.0} {scan:>8.0}");
            zen.iter().for_each(|zen| print!(" {zen:>10.0}"));
            zen.iter().for_each(|zen| print!(" {:>9.0}", zen / this));
            println!();
        }
        let made = Made::new(100_000, shape);
        let table = made.table();
        let this = median(made.facts.len(), |at| evaluate(&table, &made.facts[at]));
        println!("{name:<10} {:>7} {this:>6.0}", 100_000);
    }
}

/// Nanoseconds of this engine, a scan, and each way of zen-engine.
fn compare(made: &Made) -> (f64, f64, [f64; 4]) {
    let table = made.table();
    table.compile();
    let peer = zen::Peer::new(made);
    for facts in made.facts.iter().take(100) {
        let found = made.scan(facts);
        assert_eq!(row_of(&evaluate(&table, facts)), found);
        for way in WAYS {
            let answered = peer.evaluate(way, &peer.input(facts));
            assert_eq!(answered, found, "{}", way.name);
        }
    }
    let inputs: Vec<_> = made.facts.iter().map(|facts| peer.input(facts)).collect();
    (
        median(made.facts.len(), |at| evaluate(&table, &made.facts[at])),
        median(made.facts.len(), |at| made.scan(&made.facts[at])),
        WAYS.map(|way| peer.median(way, &inputs)),
    )
}

/// The row that answers, where one does.
fn row_of(evaluation: &Evaluation) -> Option<usize> {
    match evaluation.outcomes.as_slice() {
        [Outcome::Hits(rows)] => rows.first().copied(),
        _ => None,
    }
}

/// The median of rounds over all of so many cases.
fn median<T>(cases: usize, run: impl Fn(usize) -> T) -> f64 {
    let round = |_| {
        let (start, mut done) = (Instant::now(), 0);
        while done == 0 || start.elapsed() < ROUND {
            for at in 0..cases {
                black_box(run(at));
            }
            done += cases;
        }
        start.elapsed().as_nanos() as f64 / done as f64
    };
    middle((0..ROUNDS).map(round).collect())
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
