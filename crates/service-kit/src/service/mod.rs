//! What a service is to the kit, and the process around it.

mod run;

pub use run::main;

use std::{fmt::Debug, future::Future, sync::Arc};

use futures::future::BoxFuture;
use sea_orm_migration::MigrationTrait;
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::sync::CancellationToken;

use crate::{
    bootstrap::Files,
    bus::Bus,
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

    /// Section `[service]` of the settings.
    type Settings: Serialize + DeserializeOwned + Default + Clone + Debug + Send + Validate;

    /// Its own migrations, in order; the kit's come before them.
    fn migrations() -> Vec<Box<dyn MigrationTrait>>;

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
    /// Documents for an empty store.
    pub files: Files,
    /// Records and events on their way out.
    pub outbox: Outbox,
    /// Cancelled when the process stops.
    pub shutdown: CancellationToken,
    /// Where the service reports how it is.
    pub health: Health,
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
