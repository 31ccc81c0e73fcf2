//! The kit's database, outbox and event stream, on real servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod bus;
mod db;
mod outbox;
mod records;
