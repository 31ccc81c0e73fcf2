//! The masterdata service through its gRPC API, on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails loudly"
)]

mod access;
mod documents;
mod hostile;
mod input;
mod mappings;
mod northwind;
mod quality;
mod retry;
mod support;
mod validate;
