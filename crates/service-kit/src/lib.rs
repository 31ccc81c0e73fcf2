//! What every service process needs, and nothing a service's own rules need: settings,
//! telemetry, identity and access, the server stack, clients of other services, the
//! database, the event bus, the outbox, health and drain.
//!
//! A service implements [`Service`] and hands it to [`main`]; the rest is the same for
//! all five.

pub mod access;
mod around;
mod body;
pub mod bootstrap;
pub mod bus;
pub mod client;
pub mod clock;
pub mod db;
mod deadline;
pub mod error;
pub mod facts;
pub mod health;
pub mod identity;
pub mod limits;
mod methods;
pub mod outbox;
pub mod page;
pub mod server;
pub mod service;
pub mod settings;
pub mod suite;
pub mod telemetry;
mod tls;
pub mod violations;

/// The allocator of every process of the suite; why is said in the workspace's Cargo.toml.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use error::{Error, Kind, Reason, Result};
pub use service::{Context, Part, Service, main};
pub use settings::{Settings, Validate};
