//! The `bylaw` command: the suite in one process, and what people do by hand.

use std::process::ExitCode;

mod args;
mod channels;
mod commands;
mod connect;
mod example;
mod failure;
mod log;
mod mapping;
mod output;

fn main() -> ExitCode {
    commands::run(args::parse())
}
