//! The process around a service: flags, settings, telemetry, signals, exit status.

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use tokio::signal::unix::{SignalKind, signal};

use super::Service;
use crate::{
    error::{Chain, Error, Kind, Result},
    settings::{self, Loaded, Overrides},
    suite::Suite,
    telemetry,
};

/// Something failed, or the process was cut short.
const FAILED: u8 = 1;
/// Usage, settings or documents are wrong.
const USAGE: u8 = 2;

/// What a service process takes.
#[derive(Debug, Parser)]
#[command(version, about = "A service of the Bylaw suite.")]
struct Flags {
    /// TOML file with settings
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the effective settings, secrets hidden, and end
    #[arg(long)]
    dump_config: bool,
    /// Print the documented defaults and end
    #[arg(long)]
    default_config: bool,
    /// Address of the gRPC listener (grpc.addr)
    #[arg(long, value_name = "ADDR")]
    grpc_addr: Option<String>,
    /// Address of the HTTP listener (http.addr)
    #[arg(long, value_name = "ADDR")]
    http_addr: Option<String>,
    /// Folder of embedded stores and development keys (data_dir)
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Allow what a deployment must not have (development)
    #[arg(long)]
    development: bool,
}

impl Flags {
    fn overrides(&self) -> Overrides {
        Overrides {
            grpc_addr: self.grpc_addr.clone(),
            http_addr: self.http_addr.clone(),
            data_dir: self.data_dir.clone(),
            development: self.development.then_some(true),
        }
    }
}

/// Runs a service as a process until a signal ends it. The exit status is 0 after a
/// drain, 1 after a failure, 2 for wrong usage, settings or documents.
#[must_use]
pub fn main<S: Service>() -> ExitCode {
    let name = format!("bylaw-{}", S::NAME);
    let command = Flags::command().display_name(&name).bin_name(&name);
    let matches = match command.try_get_matches() {
        Ok(matches) => matches,
        Err(e) => {
            // Nobody is left to tell where standard error is closed.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { 0 });
        }
    };
    let flags = match Flags::from_arg_matches(&matches) {
        Ok(flags) => flags,
        Err(e) => return failed(USAGE, &e),
    };
    if flags.default_config {
        return print(Ok(settings::defaults::<S::Settings>()));
    }
    let loaded = match settings::load::<S::Settings>(flags.config.as_deref(), &flags.overrides()) {
        Ok(loaded) => loaded,
        Err(e) => return failed(USAGE, &e),
    };
    if flags.dump_config {
        return print(settings::dump(&loaded.settings, &loaded.service));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => return failed(FAILED, &e),
    };
    match runtime.block_on(run::<S>(loaded)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if e.kind() == Kind::InvalidArgument => failed(USAGE, &e),
        Err(e) => failed(FAILED, &e),
    }
}

async fn run<S: Service>(loaded: Loaded<S::Settings>) -> Result<()> {
    let guard = telemetry::init(&loaded.settings.telemetry, &format!("bylaw-{}", S::NAME))?;
    telemetry::log_panics();
    let ended = serve::<S>(loaded).await;
    if let Err(e) = &ended {
        tracing::error!(cause = %Chain(e), "the process stops");
    }
    guard.shutdown().await;
    ended
}

async fn serve<S: Service>(loaded: Loaded<S::Settings>) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::internal)?;
    let suite = Suite::new(loaded.settings).service::<S>(loaded.service);
    let mut running = tokio::select! {
        started = suite.start() => started?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    let (grpc, http) = (running.grpc_addr(), running.http_addr());
    tracing::info!(service = S::NAME, %grpc, %http, "serving");
    let stop = running.stop();
    let signals = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
        // Who asks twice doesn't want to wait.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::select! {
        ended = running.wait() => ended,
        () = signals => {
            tracing::warn!("stopped without draining");
            Ok(())
        }
    }
}

fn print(text: Result<String>) -> ExitCode {
    use std::io::Write as _;
    let text = match text {
        Ok(text) => text,
        Err(e) => return failed(FAILED, &e),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => failed(FAILED, &e),
    }
}

fn failed(status: u8, error: &(dyn std::error::Error + 'static)) -> ExitCode {
    use std::io::Write as _;
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(std::io::stderr(), "error: {}", Chain(error));
    ExitCode::from(status)
}
