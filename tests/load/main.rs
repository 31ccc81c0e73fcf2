//! A load generator that checks every answer: `Decide` of a running suite beside a bare
//! tonic server that answers messages of the same size.
//!
//! `load compare --bylaw PATH` starts both as processes of their own and asks them in
//! turn, so that a machine whose speed drifts slows both.

mod drive;
mod echo;
mod suite;

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use drive::{Figures, Question};

#[derive(Debug, Parser)]
#[command(about = "Load on a suite on this machine, beside a bare baseline")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer every `Decide` with the same bytes: tonic and prost, and nothing else
    Echo {
        /// File with the encoded answer
        answer: PathBuf,
    },
    /// Measure the suite and the echo in turn
    Compare {
        /// The `bylaw` binary
        #[arg(long)]
        bylaw: PathBuf,
        /// Calls in flight on one connection
        #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
        in_flight: Vec<usize>,
        /// Seconds of each measurement
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Rounds; the median counts
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Echo { answer } => echo::serve(&answer).await,
        Command::Compare {
            bylaw,
            in_flight,
            seconds,
            rounds,
        } => compare(&bylaw, &in_flight, Duration::from_secs(seconds), rounds).await,
    }
}

async fn compare(
    bylaw: &std::path::Path,
    in_flight: &[usize],
    time: Duration,
    rounds: usize,
) -> anyhow::Result<()> {
    let suite = suite::Suite::start(bylaw)?;
    let token = suite.token()?;
    let counted = Question::new("bench/counted");
    let kept = Question::new("bench/kept");
    let answer = drive::ask_once(&suite.addr, &token, &counted)
        .await
        .context("the first answer")?;
    println!(
        "request {} bytes, answer {} bytes, {} rows; {} s each, median of {rounds} rounds",
        counted.size(),
        answer.len(),
        64,
        time.as_secs()
    );
    let echo = suite::Echo::start(&answer)?;
    println!(
        "{:>9}  {:<28} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "in flight", "what", "calls/s", "p50 µs", "p99 µs", "max µs", "errors"
    );
    for &n in in_flight {
        let targets = [
            ("bare tonic echo", &echo.addr, &counted),
            ("Decide, counted", &suite.addr, &counted),
            ("Decide, recorded durably", &suite.addr, &kept),
        ];
        let mut figures: [Vec<Figures>; 3] = Default::default();
        for _ in 0..rounds {
            for (found, (_, addr, question)) in figures.iter_mut().zip(&targets) {
                found.push(drive::measure(addr, &token, question, n, time).await?);
            }
        }
        for (found, (what, ..)) in figures.iter_mut().zip(&targets) {
            found.sort_by(|a, b| a.rate.total_cmp(&b.rate));
            let f = &found[found.len() / 2];
            println!(
                "{n:>9}  {what:<28} {:>9.0} {:>9} {:>9} {:>9} {:>7}",
                f.rate, f.p50, f.p99, f.max, f.errors
            );
        }
    }
    println!(
        "suite: {} KiB resident after the load",
        suite.resident_kib()?
    );
    Ok(())
}
