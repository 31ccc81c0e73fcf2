//! Use cases: authorize, load, decide, store and record.

mod authorize;
mod bootstrap;
pub mod change;
pub mod council;
mod decide;
mod follow;
mod forget;
mod read;
mod record;
pub mod store;
pub mod waivers;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use chrono::TimeDelta;
use futures::future::BoxFuture;
use service_kit::{
    Context,
    clock::{Clock, Ids},
    error::{Error, Result},
    health::Health,
    identity::Revocations,
};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{
        receipt::{Jwks, Key},
        snapshot::Snapshot,
    },
    settings::Settings,
};
pub use authorize::{Action, Authorization, GivenApproval, INTERNAL_CALLERS, Requester};
pub(crate) use bootstrap::check;
use record::{Counts, Recorder};
use store::Store;

/// The permissions that use cases ask for.
pub mod permission {
    /// Ask for decisions.
    pub const DECIDE: &str = "policy.decision.decide";
    /// Read recorded decisions.
    pub const READ_DECISION: &str = "policy.decision.read";
    /// Have an action authorized.
    pub const AUTHORIZE: &str = "policy.action.authorize";
    /// Read scopes.
    pub const READ_SCOPE: &str = "policy.scope.read";
    /// Read policies.
    pub const READ_POLICY: &str = "policy.policy.read";
    /// Read the council's report.
    pub const READ_REPORT: &str = "policy.report.read";
    /// Read changes.
    pub const READ_CHANGE: &str = "policy.change.read";
    /// Propose, edit, check, test and withdraw changes.
    pub const PROPOSE_CHANGE: &str = "policy.change.propose";
    /// Approve and reject changes.
    pub const APPROVE_CHANGE: &str = "policy.change.approve";
    /// Schedule, activate and roll back changes.
    pub const ACTIVATE_CHANGE: &str = "policy.change.activate";
}

/// How receipts are signed.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The key.
    pub key: Key,
    /// The keys that are published.
    pub jwks: Jwks,
    /// `iss`.
    pub issuer: String,
    /// How long a receipt is valid.
    pub ttl: TimeDelta,
}

/// The policy service's use cases.
pub struct App {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    health: Health,
    current: ArcSwap<Snapshot>,
    /// The same, for who waits for the next.
    watched: watch::Sender<Arc<Snapshot>>,
    freshness: follow::Freshness,
    /// Held while a revision is loaded, so that it is loaded once.
    loading: Mutex<()>,
    recorder: Recorder,
    counts: Counts,
    metrics: Arc<decide::Metrics>,
    signer: Signer,
    /// Subjects and tokens that are no longer honoured.
    revocations: Revocations,
    follow_interval: Duration,
    /// How long a request id is remembered.
    retention: TimeDelta,
    /// How long an approval of a change counts.
    approval_validity: TimeDelta,
    /// Who must approve every change of who must approve.
    council_role: String,
}

impl App {
    /// Puts the use cases together, with the work beside calls: it must be run.
    ///
    /// # Errors
    /// If the files don't compile, or the store can't be reached.
    pub async fn start(
        store: Arc<dyn Store>,
        settings: &Settings,
        signer: Signer,
        context: &Context,
    ) -> Result<(Arc<Self>, Vec<BoxFuture<'static, ()>>)> {
        let (recorder, writer) = record::recorder(store.clone(), settings);
        let app = Arc::new(Self {
            store,
            clock: context.clock.clone(),
            ids: context.ids.clone(),
            health: context.health.clone(),
            current: ArcSwap::from_pointee(Snapshot::empty()),
            watched: watch::Sender::new(Arc::new(Snapshot::empty())),
            freshness: follow::Freshness::new(),
            loading: Mutex::new(()),
            recorder,
            counts: Counts::default(),
            metrics: decide::Metrics::new(),
            signer,
            revocations: context.guards.revocations().clone(),
            follow_interval: settings.follow_interval,
            retention: TimeDelta::from_std(settings.request_retention).map_err(Error::internal)?,
            approval_validity: TimeDelta::from_std(settings.change_approval_validity)
                .map_err(Error::internal)?,
            council_role: settings.council_role.clone(),
        });
        app.bootstrap(context).await?;
        app.refresh().await?;
        let shutdown: &CancellationToken = &context.shutdown;
        let tasks: Vec<BoxFuture<'static, ()>> = vec![
            Box::pin(writer.run(shutdown.clone())),
            Box::pin(app.clone().follow(shutdown.clone())),
            Box::pin(
                app.clone()
                    .write_counts(settings.count_interval, shutdown.clone()),
            ),
            Box::pin(
                app.clone()
                    .activate_due(settings.follow_interval, shutdown.clone()),
            ),
            Box::pin(
                app.clone()
                    .forget_until(settings.sweep_interval, shutdown.clone()),
            ),
        ];
        Ok((app, tasks))
    }

    /// The keys that receipts are checked with.
    #[must_use]
    pub fn jwks(&self) -> &Jwks {
        &self.signer.jwks
    }
}
