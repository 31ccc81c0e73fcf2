//! The service through its gRPC API, on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod access;
mod actions;
mod approvals;
mod ingest;
mod lapses;
mod order_log;
mod policy;
mod queue;
mod sources;
mod stream;
mod support;
mod units;
