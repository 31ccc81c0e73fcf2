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
    Context, Part,
    bootstrap::{Document, Files, Problem, Stamp},
    bus,
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
        let store = Arc::new(store::Sql::new(context.db.clone()));
        let catalog = Arc::new(catalog(&store, &context).await?);
        let app = App::new(
            store,
            Arc::new(peers::PolicyPeer::new(&context.peers)),
            catalog,
            Arc::clone(&context.clock),
            Arc::clone(&context.ids),
            bands,
            settings.whose(context.settings.development),
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
    let mut kept = store.declared().await?;
    if kept.is_empty() {
        let offered: Vec<_> = context
            .offered::<Service>()?
            .into_iter()
            .map(|document| Declared {
                path: document.path,
                line: document.line,
                kind: document.kind,
                text: document.text,
            })
            .collect();
        kept = store
            .declare(&offered, &bootstrap(&offered, context))
            .await?;
    } else {
        let begun: Vec<_> = kept.iter().map(|kept| Stamp::of(&kept.text, [])).collect();
        context.warn_of_changes::<Service>(&begun, Document::stamp);
    }
    let sources: Vec<_> = kept
        .iter()
        .map(|declared| Source {
            path: &declared.path,
            line: declared.line,
            kind: &declared.kind,
            text: &declared.text,
        })
        .collect();
    Catalog::compile(&sources).map_err(|problems| {
        let message = format!("the store's catalog doesn't compile any more: {problems}");
        Error::new(Kind::FailedPrecondition, Reason::IllegalState, message)
    })
}

fn problems(documents: &[Document]) -> Vec<Problem> {
    let sources: Vec<_> = documents
        .iter()
        .map(|document| Source {
            path: &document.path,
            line: document.line,
            kind: &document.kind,
            text: &document.text,
        })
        .collect();
    let Err(found) = Catalog::compile(&sources) else {
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
