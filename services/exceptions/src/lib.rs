//! Exceptions: what is stuck, who has it, and what releases it.
//!
//! The service takes in events of connected systems, keeps what they say of documents,
//! raises and routes exceptions by each unit's tables, and carries the actions that people
//! ask for through the policy's decision and its approvals to a signed receipt.

pub mod app;
pub mod domain;
mod grpc;
mod peers;
pub mod settings;
mod store;

use std::sync::Arc;

use sea_orm_migration::MigrationTrait;
use service_kit::{
    Context, Part,
    bootstrap::{Document, Files, Problem},
    error::{Error, Kind, Reason, Result},
};

use app::{
    App,
    stream::{GROUP, Stream},
};
use domain::{
    ageing::Bands,
    catalog::{Catalog, KINDS, Source},
};

/// The exceptions service.
pub struct Service;

impl service_kit::Service for Service {
    const NAME: &'static str = "exceptions";
    const PEERS: &'static [&'static str] = &["audit", "policy"];
    const DOCUMENTS: &'static [&'static str] = &KINDS;
    type Settings = settings::Settings;

    fn check(_: &Files, documents: &[Document]) -> Vec<Problem> {
        problems(documents)
    }

    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        store::migrations()
    }

    async fn build(settings: Self::Settings, context: Context) -> Result<Part> {
        let bands = Bands::new(&settings.ageing_bands)
            .map_err(|error| Error::invalid("service.ageing_bands", error.to_string()))?;
        let catalog = Arc::new(catalog(&context).await?);
        let app = App::new(
            Arc::new(store::Sql::new(context.db.clone())),
            Arc::new(peers::PolicyPeer::new(&context.peers)),
            catalog,
            Arc::clone(&context.clock),
            Arc::clone(&context.ids),
            bands,
            settings.whose(context.settings.development),
        );
        let consume = context.consume(GROUP, Stream::new(app.clone()));
        let shutdown = context.shutdown.clone();
        let sweep = app
            .clone()
            .sweep_until(settings.sweep_interval, async move {
                shutdown.cancelled().await;
            });
        Ok(Part {
            name: context.name,
            routes: grpc::routes(app),
            grpc_services: grpc::SERVICES.to_vec(),
            http: axum::Router::new(),
            tasks: vec![Box::pin(sweep), consume],
        })
    }
}

/// The catalog that is in force.
async fn catalog(context: &Context) -> Result<Catalog> {
    let kept = context.catalog::<Service>(|_| Ok(())).await?;
    Catalog::compile(&sources(&kept)).map_err(|problems| {
        let message = format!("the store's catalog doesn't compile any more: {problems}");
        Error::new(Kind::FailedPrecondition, Reason::IllegalState, message)
    })
}

fn sources(documents: &[Document]) -> Vec<Source<'_>> {
    let sources = documents.iter().map(|document| Source {
        path: &document.path,
        line: document.line,
        kind: &document.kind,
        text: &document.text,
    });
    sources.collect()
}

fn problems(documents: &[Document]) -> Vec<Problem> {
    let Err(found) = Catalog::compile(&sources(documents)) else {
        return Vec::new();
    };
    let found = found.0.into_iter().map(|found| Problem {
        path: found.path,
        line: found.line,
        column: found.column,
        message: found.message,
    });
    found.collect()
}
