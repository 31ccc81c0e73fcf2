//! What a service is to the kit, and the process around it.

mod run;

pub use run::main;

use std::{fmt::Debug, future::Future, sync::Arc};

use futures::future::BoxFuture;
use sea_orm_migration::MigrationTrait;
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::sync::CancellationToken;

use crate::{
    bootstrap::{self, Document, Files, Problem, Stamp},
    bus::{self, Bus},
    client::Peers,
    clock,
    db::Db,
    error::Result,
    health::Health,
    identity::Guards,
    outbox::Outbox,
    settings::{Settings, Validate},
};

/// One of the services, as a process or as a part of one.
pub trait Service: Send + 'static {
    /// Short name, such as `policy`; also that of its database and of its token.
    const NAME: &'static str;

    /// Services that this one calls; a process of its own needs their addresses.
    const PEERS: &'static [&'static str] = &["audit"];

    /// Kinds of the documents that its store begins with.
    const DOCUMENTS: &'static [&'static str] = &[];

    /// Section `[service]` of the settings.
    type Settings: Serialize + DeserializeOwned + Default + Clone + Debug + Send + Validate;

    /// Its own migrations, in order; the kit's come before them.
    fn migrations() -> Vec<Box<dyn MigrationTrait>>;

    /// Finds everything that is wrong with the documents that the store would begin with,
    /// all of [`Self::DOCUMENTS`]: each by itself, and all of them together. It stores
    /// nothing; what it lets pass can be stored whole.
    fn check(files: &Files, documents: &[Document]) -> Vec<Problem> {
        let _ = (files, documents);
        Vec::new()
    }

    /// Puts the service together. It serves once this has ended; tasks that must run
    /// meanwhile are the caller's to await in [`Part::tasks`].
    fn build(
        settings: Self::Settings,
        context: Context,
    ) -> impl Future<Output = Result<Part>> + Send;
}

/// What the kit gives a service.
#[derive(Clone)]
pub struct Context {
    /// The service's name.
    pub name: &'static str,
    /// Settings that all services share.
    pub settings: Arc<Settings>,
    /// The service's own database, migrated.
    pub db: Db,
    /// The event stream.
    pub bus: Arc<dyn Bus>,
    /// The time.
    pub clock: Arc<dyn clock::Clock>,
    /// New identifiers.
    pub ids: Arc<dyn clock::Ids>,
    /// The other services.
    pub peers: Peers,
    /// Who may call; the policy service keeps its revocations current.
    pub guards: Guards,
    /// Documents for an empty store; [`Context::offered`] reads them.
    pub files: Files,
    /// Records and events on their way out.
    pub outbox: Outbox,
    /// Cancelled when the process stops.
    pub shutdown: CancellationToken,
    /// Where the service reports how it is.
    pub health: Health,
}

impl Context {
    /// The documents that a service's empty store begins with, checked.
    ///
    /// # Errors
    /// With everything that is wrong with them, each with its place.
    pub fn offered<S: Service>(&self) -> Result<Vec<Document>> {
        let documents = bootstrap::of_kinds(&self.files.documents()?, S::DOCUMENTS);
        let problems = S::check(&self.files, &documents);
        if problems.is_empty() {
            Ok(documents)
        } else {
            Err(self.files.refuse(problems))
        }
    }

    /// The documents of a service's catalog: those that an empty store is given first,
    /// recorded as such; from then on what the store has, whatever the files say. `check`
    /// refuses what is well-formed and can't be in force with these settings. A migration
    /// of the service makes the table `declared (position, path, line, kind, text)`.
    ///
    /// # Errors
    /// With everything that is wrong with the files, where they are for an empty store.
    pub async fn catalog<S: Service>(
        &self,
        check: impl FnOnce(&[Document]) -> Result<()>,
    ) -> Result<Vec<Document>> {
        let kept = bootstrap::kept(&self.db).await?;
        if kept.is_empty() {
            let offered = self.offered::<S>()?;
            check(&offered)?;
            return bootstrap::keep(&self.db, S::NAME, &*self.clock, offered).await;
        }
        let begun: Vec<_> = kept.iter().map(Document::stamp).collect();
        self.warn_of_changes::<S>(&begun, Document::stamp);
        Ok(kept)
    }

    /// Takes events from the stream as a consumer group, until the process stops.
    pub fn consume(
        &self,
        group: &'static str,
        handler: impl bus::Handler + 'static,
    ) -> BoxFuture<'static, ()> {
        let consume = bus::consume(Arc::clone(&self.bus), group, Arc::new(handler));
        let stop = self.shutdown.clone();
        Box::pin(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = consume => {}
            }
        })
    }

    /// Warns of documents that are different in the files from what a service's store was
    /// begun with: they aren't used, and who changed them must hear it. `begun` are the
    /// stamps of what it was begun with; `stamp` gives that of a document of the files.
    pub fn warn_of_changes<S: Service>(&self, begun: &[Stamp], stamp: impl Fn(&Document) -> Stamp) {
        if self.files.is_empty() {
            return;
        }
        match self.files.documents() {
            Ok(documents) => {
                let own = bootstrap::of_kinds(&documents, S::DOCUMENTS);
                let offered: Vec<_> = own.iter().map(stamp).collect();
                bootstrap::warn(S::NAME, begun, &offered);
            }
            Err(error) => tracing::warn!(
                service = S::NAME,
                "the store has what it was begun with, and the files can't be read: {}",
                error.message()
            ),
        }
    }
}

/// What a service gives the kit.
pub struct Part {
    /// The service's name.
    pub name: &'static str,
    /// Its gRPC services, each within [`crate::limited!`].
    pub routes: tonic::service::Routes,
    /// Full names of the gRPC services, such as `bylaw.policy.v1.PolicyService`.
    pub grpc_services: Vec<&'static str>,
    /// Read-only pages for the HTTP listener.
    pub http: axum::Router,
    /// Work beside calls; each task ends soon after [`Context::shutdown`].
    pub tasks: Vec<BoxFuture<'static, ()>>,
}
