//! The AI gate as a process of its own.

fn main() -> std::process::ExitCode {
    service_kit::main::<aigate::Service>()
}
