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
    Context, Part, bus,
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
    type Settings = settings::Settings;

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
    let offered: Vec<Source> = context
        .files
        .documents()?
        .into_iter()
        .filter(|document| KINDS.contains(&document.kind.as_str()))
        .map(|document| Source {
            path: document.path,
            line: document.line,
            text: document.text,
        })
        .collect();
    // What is kept can be read, so that a mistake in a file keeps nothing.
    read(&offered)?;
    let record = app::bootstrapped(&offered, context.clock.now());
    let kept = store.declared(&offered, &record).await?;
    let text = |source: &Source| source.text.clone();
    if !offered.is_empty() && !kept.iter().map(text).eq(offered.iter().map(text)) {
        tracing::warn!("the store has a catalog already; that of the files is not used");
    }
    let mut catalog = read(&kept)?;
    name_issuer(&mut catalog, context)?;
    Ok(catalog)
}

fn read(sources: &[Source]) -> Result<Catalog> {
    Catalog::read(sources).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Error::new(
            Kind::InvalidArgument,
            Reason::InvalidArgument,
            lines.join("\n"),
        )
    })
}
