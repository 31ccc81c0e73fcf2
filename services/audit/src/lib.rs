//! The audit service: an append-only log of what happened in all services, as an RFC
//! 6962 Merkle tree with signed checkpoints and proofs, so that anyone can verify that
//! nothing in it was altered, left out or put in later.
//!
//! [`verify`] is the other side: it verifies what the service hands out, without it.

mod app;
pub mod domain;
mod grpc;
mod http;
mod key;
pub mod settings;
mod store;
pub mod verify;

use std::sync::Arc;

use service_kit::{Context, Part, Result};

pub use settings::Settings;

/// The audit service.
pub struct Service;

impl service_kit::Service for Service {
    const NAME: &'static str = "audit";
    type Settings = Settings;

    fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
        store::migrations()
    }

    async fn build(settings: Settings, context: Context) -> Result<Part> {
        let key = key::open(&settings, &context.settings)?;
        let timing = app::Timing {
            checkpoint_delay: settings.checkpoint_delay,
            scrub_interval: settings.scrub_interval,
        };
        let (log, tasks) = app::Log::start(
            Arc::new(store::Database::new(context.db)),
            key,
            context.clock,
            context.outbox,
            context.health,
            timing,
            context.shutdown,
        );
        Ok(Part {
            name: Self::NAME,
            routes: grpc::routes(log.clone()),
            grpc_services: grpc::SERVICES.to_vec(),
            http: http::pages(log),
            tasks,
        })
    }
}
