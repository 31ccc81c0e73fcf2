//! The command line as its users meet it: the built binary, its exit statuses and its JSON.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod audit;
mod bootstrap;
mod bylaw;
mod change;
mod decide;
mod decision;
mod dev;
mod masterdata;
mod policy;
mod queue;
mod readme;
mod replay;
mod review;
mod scopes;
mod usage;
mod versions;
