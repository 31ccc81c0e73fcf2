//! The policy service through its APIs, on SQLite and on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod authorize;
mod bootstrap;
mod changes;
mod decide;
mod denial;
mod example;
mod fixture;
mod guarded;
mod read;
mod replicas;
mod waivers;
