//! One module a command; each asks the suite and prints what came back.

mod audit;
pub mod change;
pub mod council;
mod decide;
mod demo;
mod dev;
mod exception;
mod input;
mod masterdata;
pub mod policy;
mod replay;
mod review;
mod token;

use std::process::ExitCode;

use policy::PolicyCommand;

use crate::{
    args::{Cli, Command, Output},
    failure::{Exit, Failure},
    output,
};

/// Runs the command and turns its end into an exit status.
pub fn run(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no threads can be started: {error}");
            return Exit::Failed.into();
        }
    };
    match runtime.block_on(dispatch(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { exit, message }) => {
            for line in message.lines() {
                eprintln!("error: {}", output::escape::text(line));
            }
            exit.into()
        }
    }
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let common = &cli.common;
    if common.output == Output::Junit
        && !matches!(cli.command, Command::Policy(PolicyCommand::Test(_)))
    {
        return Err(Failure::usage(
            "--output junit is for `bylaw policy test`; here text or json is",
        ));
    }
    match cli.command {
        Command::Dev(args) => dev::run(common, &args).await,
        Command::Demo(args) => demo::run(common, &args).await,
        Command::Replay(args) => replay::run(common, &args).await,
        Command::Token(args) => token::run(common, &args),
        Command::Decide(args) => decide::run(common, &args).await,
        Command::Change(args) => change::run(common, args).await,
        Command::Council(args) => council::run(common, &args).await,
        Command::Exception(args) => exception::run(common, args).await,
        Command::Review(args) => review::run(common, args).await,
        Command::Masterdata(args) => masterdata::run(common, args).await,
        Command::Policy(args) => policy::run(common, &args),
        Command::Audit(args) => audit::run(common, args).await,
    }
}
