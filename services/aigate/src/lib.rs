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
    bootstrap::{Document, Files, Problem, Stamp},
    bus,
    error::{Error, Kind, Reason, Result},
};

use app::{
    App, Times,
    outcomes::{GROUP, Outcomes},
    ports::Store as _,
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
        let store = Arc::new(store::Sql::new(context.db.clone()));
        let catalog = Arc::new(catalog(&store, &context).await?);
        let times = Times {
            claim: TimeDelta::from_std(settings.claim_timeout).map_err(Error::internal)?,
            settle: TimeDelta::from_std(settings.settle_after).map_err(Error::internal)?,
        };
        let app = App::new(
            store,
            Arc::new(peers::PolicyPeer::new(&context.peers)),
            Arc::new(peers::ExceptionsPeer::new(&context.peers)),
            catalog,
            Arc::clone(&context.clock),
            Arc::clone(&context.ids),
            times,
        );
        let outcomes = Arc::new(Outcomes::new(app.clone()));
        let consume = bus::consume(Arc::clone(&context.bus), GROUP, outcomes);
        let (stop, shutdown) = (context.shutdown.clone(), context.shutdown.clone());
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
            tasks: vec![
                Box::pin(sweep),
                Box::pin(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = consume => {}
                    }
                }),
            ],
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

/// The catalog that is in force: what an empty store is given first, recorded as such;
/// from then on what the store has, whatever the files say.
async fn catalog(store: &store::Sql, context: &Context) -> Result<Catalog> {
    let mut kept = store.declared().await?;
    if kept.is_empty() {
        let offered = sources(&context.offered::<Service>()?);
        // What is kept can be in force with these settings.
        read(&offered, context)?;
        let record = app::bootstrapped(&offered, context.clock.now());
        kept = store.declare(&offered, &record).await?;
    } else {
        let begun: Vec<_> = kept.iter().map(|kept| Stamp::of(&kept.text, [])).collect();
        context.warn_of_changes::<Service>(&begun, Document::stamp);
    }
    read(&kept, context)
}

fn read(kept: &[Source], context: &Context) -> Result<Catalog> {
    let mut catalog = Catalog::read(kept).map_err(|problems| {
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
