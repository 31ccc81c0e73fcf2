//! The audit service through its gRPC API on both databases, and its files without it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails loudly"
)]

mod append;
mod common;
mod denied;
mod export;
mod files;
mod memory;
mod read;
mod replicas;
mod tamper;
