//! A load generator that checks every answer: `Decide` of a running suite beside a bare
//! tonic server that answers messages of the same size.
//!
//! `load compare --bylaw PATH` starts both as processes of their own and asks them in
//! turn, so that a machine whose speed drifts slows both.

mod backtest;
mod drive;
mod echo;
mod lean;
mod suite;

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use drive::{Figures, Question};
use suite::Helper;

#[derive(Debug, Parser)]
#[command(about = "Load on a suite on this machine, beside a bare baseline")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer every `Decide` and `BatchDecide` with the same: tonic and prost, nothing else
    Echo {
        /// File with the encoded answer of one
        one: PathBuf,
        /// File with the encoded answer of a batch
        batch: PathBuf,
    },
    /// Take spans and metrics, and forget them
    Sink,
    /// Measure the suite and the echo in turn
    Compare(Compare),
    /// Record decisions, and measure how fast a change is tried on them
    Backtest {
        /// The `bylaw` binary
        #[arg(long)]
        bylaw: PathBuf,
        /// Seconds of recording
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Backtests
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
}

#[derive(Debug, Args)]
struct Compare {
    /// The `bylaw` binary
    #[arg(long)]
    bylaw: PathBuf,
    /// Calls in flight on one connection
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    in_flight: Vec<usize>,
    /// Decisions of a batch
    #[arg(long, default_value_t = 100)]
    batch: usize,
    /// Batches in flight on one connection
    #[arg(long, value_delimiter = ',', default_value = "1,4")]
    batches_in_flight: Vec<usize>,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Rounds; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Echo { one, batch } => echo::serve(&one, &batch).await,
        Command::Sink => echo::sink().await,
        Command::Compare(args) => compare(&args).await,
        Command::Backtest {
            bylaw,
            seconds,
            rounds,
        } => backtest::run(&bylaw, seconds, rounds).await,
    }
}

/// A line of the result: what is asked of whom.
struct Target<'a> {
    what: &'static str,
    addr: &'a str,
    question: &'a Question,
}

async fn compare(args: &Compare) -> anyhow::Result<()> {
    let sink = Helper::start(&["sink".into()])?;
    let suite = suite::Suite::start(&args.bylaw, &sink.addr)?;
    let token = suite.token()?;
    let counted = Question::one("bench/counted/unit");
    let kept = Question::one("bench/kept/unit");
    let batch = Question::batch("bench/counted/unit", args.batch);
    let first = "the first answer";
    let answer = drive::ask_once(&suite.addr, &token, &counted).await;
    let answer = answer.context(first)?;
    let many = drive::ask_once(&suite.addr, &token, &batch).await;
    let many = many.context(first)?;
    let echo = suite::echo(&answer, &many)?;
    println!(
        "8 facts, 3 layers (64, 2 and 3 rows); request {} bytes, answer {}; of a batch of {}: {} and {}",
        counted.size(),
        answer.len(),
        args.batch,
        batch.size(),
        many.len(),
    );
    println!(
        "median of {} rounds of {} s each, asked in turn on one connection; 1 % of traces sampled",
        args.rounds, args.seconds
    );
    println!(
        "{:>9}  {:<26} {:>12} {:>8} {:>9} {:>9} {:>9} {:>7}",
        "in flight", "what", "decisions/s", "of echo", "p50 µs", "p99 µs", "max µs", "errors"
    );
    let target = |what, addr, question| Target {
        what,
        addr,
        question,
    };
    for &n in &args.in_flight {
        let targets = [
            target("bare tonic echo", &echo.addr, &counted),
            target("Decide, counted", &suite.addr, &counted),
            target("Decide, recorded durably", &suite.addr, &kept),
        ];
        measure(args, &token, n, &targets).await?;
    }
    for &n in &args.batches_in_flight {
        let targets = [
            target("bare tonic echo, batch", &echo.addr, &batch),
            target("BatchDecide, counted", &suite.addr, &batch),
        ];
        measure(args, &token, n, &targets).await?;
    }
    println!(
        "suite: {} KiB resident after the load",
        suite.resident_kib()?
    );
    Ok(())
}

/// Asks the targets in turn; the first is what the others are compared with.
async fn measure(
    args: &Compare,
    token: &str,
    in_flight: usize,
    targets: &[Target<'_>],
) -> anyhow::Result<()> {
    let time = Duration::from_secs(args.seconds);
    let mut figures: Vec<Vec<Figures>> = targets.iter().map(|_| Vec::new()).collect();
    for _ in 0..args.rounds {
        for (found, target) in figures.iter_mut().zip(targets) {
            let figure =
                drive::measure(target.addr, token, target.question, in_flight, time).await?;
            found.push(figure);
        }
    }
    let mut baseline = None;
    for (found, target) in figures.iter_mut().zip(targets) {
        found.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let f = &found[found.len() / 2];
        let base = *baseline.get_or_insert(f.rate);
        println!(
            "{in_flight:>9}  {:<26} {:>12.0} {:>7.0}% {:>9} {:>9} {:>9} {:>7}",
            target.what,
            f.rate,
            f.rate / base * 100.0,
            f.p50,
            f.p99,
            f.max,
            f.errors
        );
    }
    Ok(())
}
