//! The AI gate through its gRPC API, on SQLite and on PostgreSQL, with policy and
//! exceptions services that answer what a test tells them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod access;
mod catalog;
mod gate;
mod malformed;
mod outcomes;
mod peers;
mod review;
mod world;
