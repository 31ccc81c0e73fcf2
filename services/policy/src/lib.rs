//! The policy service: may this step happen, and who must approve it.
//!
//! It owns scopes, the workflow inventory and the policies in force, changes them under
//! control, decides questions, keeps decisions, and signs receipts for actions that were approved. [`receipt`] is what
//! an executing system checks a receipt with.

mod app;
mod domain;
mod grpc;
mod keys;
pub mod settings;
mod store;

use std::sync::Arc;

use service_kit::{
    Context, Part,
    bootstrap::{Document, Files, Problem},
    error::Result,
};

pub use domain::receipt;
pub use settings::Settings;

/// The policy service.
pub struct Service;

impl service_kit::Service for Service {
    const NAME: &'static str = "policy";
    const DOCUMENTS: &'static [&'static str] = &governance::files::GOVERNED;
    type Settings = Settings;

    fn check(files: &Files, documents: &[Document]) -> Vec<Problem> {
        app::check(files, documents)
    }

    fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
        store::migrations()
    }

    async fn build(settings: Settings, context: Context) -> Result<Part> {
        let signer = keys::signer(&settings.receipts, &context.settings)?;
        let store = Arc::new(store::Database::new(context.db.clone()));
        let (app, tasks) = app::App::start(store, &settings, signer, &context).await?;
        Ok(Part {
            name: Self::NAME,
            http: keys::published(app.jwks())?,
            routes: grpc::routes(app),
            grpc_services: grpc::SERVICES.to_vec(),
            tasks,
        })
    }
}
