//! Master data: is a record fit to be used in a business unit, and what is wrong with it.
//!
//! Source systems' payloads become canonical records through mappings; records are judged
//! by checks that hold everywhere and by the rules of every unit above them. Each
//! validation is recorded, counted, and where the record isn't fit, told of.

mod app;
pub mod domain;
mod grpc;
mod settings;
mod store;
mod sweep;

use std::sync::Arc;

use sea_orm_migration::MigrationTrait;
use service_kit::{
    Context, Part,
    bootstrap::{Document, Files, Problem},
    error::Result,
};

pub use settings::Settings;

/// The masterdata service.
#[derive(Debug, Clone, Copy)]
pub struct Service;

impl service_kit::Service for Service {
    const NAME: &'static str = "masterdata";
    const DOCUMENTS: &'static [&'static str] = &domain::catalog::KINDS;
    type Settings = Settings;

    fn check(_: &Files, documents: &[Document]) -> Vec<Problem> {
        app::check(documents).err().unwrap_or_default()
    }

    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        store::migrations()
    }

    async fn build(settings: Settings, context: Context) -> Result<Part> {
        let store: Arc<dyn app::Store> = Arc::new(store::Database::new(context.db.clone()));
        let catalog = app::catalog(&*store, &context).await?;
        let sweep = sweep::run(
            Arc::clone(&store),
            settings,
            Arc::clone(&context.clock),
            context.shutdown.clone(),
        );
        let app = app::App::new(store, Arc::new(catalog), context.clock, context.ids);
        Ok(Part {
            name: context.name,
            routes: grpc::routes(app),
            grpc_services: grpc::SERVICES.to_vec(),
            http: axum::Router::new(),
            tasks: vec![Box::pin(sweep)],
        })
    }
}
