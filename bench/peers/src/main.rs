//! The decision engine beside its peers, in one run: zen-engine, compiled, without and with
//! trace, and a plain scan of the rows. All must give the same row for the same facts.
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
    println!(
        "{:<10} {:>7} {:>10} {:>10} {:>12} {:>12} {:>8} {:>8}",
        "table", "rows", "this", "scan", "zen", "zen+trace", "zen/", "zen+t/"
    );
    for (name, shape) in shapes {
        for rows in [10, 100, 1_000, 10_000] {
            let row = compare(&Made::new(rows, shape));
            let [this, scan, zen, traced] = row;
            println!(
                "{name:<10} {rows:>7} {this:>10.0} {scan:>10.0} {zen:>12.0} {traced:>12.0} {:>8.0} {:>8.0}",
                zen / this,
                traced / this
            );
        }
        let made = Made::new(100_000, shape);
        let table = made.table();
        let this = median(made.facts.len(), |at| evaluate(&table, &made.facts[at]));
        println!("{name:<10} {:>7} {this:>10.0}", 100_000);
    }
}

/// Nanoseconds of this engine, a scan, and zen-engine without and with trace.
fn compare(made: &Made) -> [f64; 4] {
    let table = made.table();
    table.compile();
    let peer = zen::Peer::new(made);
    for facts in made.facts.iter().take(100) {
        let found = made.scan(facts);
        assert_eq!(row_of(&evaluate(&table, facts)), found);
        assert_eq!(peer.evaluate(&peer.input(facts), false), found);
        assert_eq!(peer.evaluate(&peer.input(facts), true), found);
    }
    let inputs: Vec<_> = made.facts.iter().map(|facts| peer.input(facts)).collect();
    [
        median(made.facts.len(), |at| evaluate(&table, &made.facts[at])),
        median(made.facts.len(), |at| made.scan(&made.facts[at])),
        peer.median(&inputs, false),
        peer.median(&inputs, true),
    ]
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
