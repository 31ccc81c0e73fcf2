//! The tree against a naive twin, proofs with every bit changed, and notes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails loudly"
)]

mod naive;
mod notes;
mod proofs;
mod tree;
