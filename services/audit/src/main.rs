//! The audit service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    service_kit::main::<audit::Service>()
}
