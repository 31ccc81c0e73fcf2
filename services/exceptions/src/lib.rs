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
use serde_json::json;
use service_kit::{
    Context, Part, bus,
    error::{Error, Kind, Reason, Result},
    outbox::{Audit, Entry, Outcome},
};

use app::{
    App, own_principal,
    ports::{Declared, Store as _},
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
    type Settings = settings::Settings;

    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        store::migrations()
    }

    async fn build(settings: Self::Settings, context: Context) -> Result<Part> {
        let bands = Bands::new(&settings.ageing_bands)
            .map_err(|error| Error::invalid("service.ageing_bands", error.to_string()))?;
        let store = Arc::new(store::Sql::new(context.db.clone()));
        let catalog = Arc::new(catalog(&store, &context).await?);
        let app = App::new(
            store,
            Arc::new(peers::PolicyPeer::new(&context.peers)),
            catalog,
            Arc::clone(&context.clock),
            Arc::clone(&context.ids),
            bands,
            settings.declared_sources(),
        );
        let stream = Arc::new(Stream::new(app.clone()));
        let shutdown = context.shutdown.clone();
        let sweep = app
            .clone()
            .sweep_until(settings.sweep_interval, async move {
                shutdown.cancelled().await;
            });
        let consume = bus::consume(Arc::clone(&context.bus), GROUP, stream);
        let stop = context.shutdown.clone();
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

/// The catalog that is in force: what an empty store is given first, recorded as such;
/// from then on what the store has, whatever the files say.
async fn catalog(store: &store::Sql, context: &Context) -> Result<Catalog> {
    let offered = context
        .files
        .documents()?
        .into_iter()
        .filter(|document| KINDS.contains(&document.kind.as_str()))
        .map(|document| Declared {
            path: document.path,
            line: document.line,
            kind: document.kind,
            text: document.text,
        })
        .collect::<Vec<_>>();
    // What is kept can be compiled, so that a mistake in a file keeps nothing.
    compile(&offered)?;
    let kept = store
        .declared(&offered, &bootstrap(&offered, context))
        .await?;
    let text = |declared: &Declared| (declared.kind.clone(), declared.text.clone());
    if !offered.is_empty() && !kept.iter().map(text).eq(offered.iter().map(text)) {
        tracing::warn!("the store has a catalog already; that of the files is not used");
    }
    compile(&kept)
}

fn compile(declared: &[Declared]) -> Result<Catalog> {
    let sources = declared
        .iter()
        .map(|declared| Source {
            path: &declared.path,
            line: declared.line,
            kind: &declared.kind,
            text: &declared.text,
        })
        .collect::<Vec<_>>();
    Catalog::compile(&sources).map_err(|problems| {
        let message = problems.to_string();
        Error::new(Kind::InvalidArgument, Reason::InvalidArgument, message)
    })
}

/// The record of a catalog that an empty store is given.
fn bootstrap(offered: &[Declared], context: &Context) -> Entry {
    let documents = offered.iter().map(|declared| {
        json!({
            "path": declared.path,
            "line": declared.line,
            "kind": declared.kind,
            "digest": governance::canonical::sha256(declared.text.as_bytes()),
        })
    });
    Entry::new(Audit {
        r#type: "bylaw.exceptions.catalog.bootstrapped.v1".to_owned(),
        action: "exceptions.catalog.bootstrap".to_owned(),
        resource: "catalog".to_owned(),
        scope: String::new(),
        correlation_id: String::new(),
        outcome: Outcome::Done,
        actor: own_principal(),
        via: None,
        payload: json!({"documents": documents.collect::<Vec<_>>()}),
        occurred: context.clock.now(),
    })
}
