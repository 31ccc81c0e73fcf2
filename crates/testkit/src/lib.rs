//! What tests of the services need: real PostgreSQL and Redis, a service in process,
//! services as processes, tokens, clocks, a log and a collector that remember.
//!
//! Everything that is started ends with the test process, however that ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't be set up has failed; a panic says where"
)]

pub mod backend;
pub mod guard;
pub mod harness;
pub mod identity;
pub mod otlp;
pub mod postgres;
pub mod process;
pub mod redis;
pub mod settings;
pub mod sink;
mod wait;

pub use backend::{Backend, Store};
pub use harness::Harness;
pub use postgres::Postgres;
pub use redis::Redis;
pub use wait::{eventually, eventually_ok};

/// A port that was free a moment ago.
#[must_use]
pub fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
    socket
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// Makes a test of an `async fn` for each database:
///
/// ```ignore
/// testkit::backends! {
///     async fn stored_things_are_found(backend: Backend) { … }
/// }
/// ```
#[macro_export]
macro_rules! backends {
    ($($(#[$meta:meta])* async fn $name:ident($backend:ident: Backend) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "not every test needs all of its surroundings")]
            use super::*;

            async fn check($backend: $crate::Backend) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                check($crate::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                check($crate::Backend::Postgres).await;
            }
        }
    )+};
}
