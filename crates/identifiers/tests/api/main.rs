//! Known numbers, code lists, and properties against naive twins.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod known;
mod lists;
mod properties;
