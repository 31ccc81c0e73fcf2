//! The exceptions service as a process of its own.

fn main() -> std::process::ExitCode {
    service_kit::main::<exceptions::Service>()
}
