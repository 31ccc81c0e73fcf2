//! The suite from outside: its structure, its scenarios, its faults.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod directions;
mod documents;
mod kill;
mod outage;
mod renamed;
mod story;
mod suite;
mod trace;
