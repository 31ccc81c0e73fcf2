//! The AI gate: may a recommendation of a model act by itself, must a person look, or is
//! it refused.
//!
//! The service keeps the registry of models and the use cases with their gate tables, puts
//! each recommendation through registry, autonomy, gate table, facts of the document and
//! the policy of the action, and carries what a person must look at through a review. Who
//! accepts becomes the requester of the action.

pub mod app;
pub mod domain;
mod grpc;
mod peers;
pub mod settings;
mod store;

use std::sync::Arc;

use chrono::TimeDelta;
use sea_orm_migration::MigrationTrait;
use service_kit::{
    Context, Part,
    bootstrap::{Document, Files, Problem},
    error::{Error, Kind, Reason, Result},
};

use app::{
    App, Times,
    outcomes::{GROUP, Outcomes},
};
use domain::catalog::{Catalog, KINDS, Source};

/// The AI gate.
pub struct Service;

impl service_kit::Service for Service {
    const NAME: &'static str = "aigate";
    const PEERS: &'static [&'static str] = &["audit", "policy", "exceptions"];
    const DOCUMENTS: &'static [&'static str] = &KINDS;
    type Settings = settings::Settings;

    fn check(_: &Files, documents: &[Document]) -> Vec<Problem> {
        problems(documents)
    }

    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        store::migrations()
    }

    async fn build(settings: Self::Settings, context: Context) -> Result<Part> {
        let catalog = Arc::new(catalog(&context).await?);
        let times = Times {
            claim: TimeDelta::from_std(settings.claim_timeout).map_err(Error::internal)?,
            settle: TimeDelta::from_std(settings.settle_after).map_err(Error::internal)?,
        };
        let app = App::new(
            Arc::new(store::Sql::new(context.db.clone())),
            Arc::new(peers::PolicyPeer::new(&context.peers)),
            Arc::new(peers::ExceptionsPeer::new(&context.peers)),
            catalog,
            Arc::clone(&context.clock),
            Arc::clone(&context.ids),
            times,
        );
        let consume = context.consume(GROUP, Outcomes::new(app.clone()));
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

fn name_issuer(catalog: &mut Catalog, context: &Context) -> Result<()> {
    let settings = &context.settings;
    let issuer = settings.identity.subjects_issuer(settings.development);
    catalog
        .name_issuer(issuer)
        .map_err(|problem| Error::new(Kind::InvalidArgument, Reason::InvalidArgument, problem))
}

/// The catalog that is in force.
async fn catalog(context: &Context) -> Result<Catalog> {
    let kept = context
        .catalog::<Service>(|offered| read(offered, context).map(|_| ()))
        .await?;
    read(&kept, context)
}

fn read(documents: &[Document], context: &Context) -> Result<Catalog> {
    let mut catalog = Catalog::read(&sources(documents)).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let message = format!(
            "the store's catalog can't be read any more: {}",
            lines.join("\n")
        );
        Error::new(Kind::FailedPrecondition, Reason::IllegalState, message)
    })?;
    name_issuer(&mut catalog, context)?;
    Ok(catalog)
}

fn sources(documents: &[Document]) -> Vec<Source> {
    let source = |document: &Document| Source {
        path: document.path.clone(),
        line: document.line,
        text: document.text.clone(),
    };
    documents.iter().map(source).collect()
}

fn problems(documents: &[Document]) -> Vec<Problem> {
    let found = Catalog::read(&sources(documents)).err().unwrap_or_default();
    let found = found.into_iter().map(|found| Problem {
        path: found.path,
        line: found.line,
        column: found.column,
        message: found.message,
    });
    found.collect()
}
