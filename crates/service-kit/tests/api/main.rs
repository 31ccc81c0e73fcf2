//! The kit from outside: a process with a service that does as its caller says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod deadlines;
mod drain;
mod errors;
mod health;
mod limits;
mod logs;
mod order;
mod raw;
mod settings;
mod stub;
mod tls;
mod trace;
