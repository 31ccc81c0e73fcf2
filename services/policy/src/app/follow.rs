//! Following the store: a new revision is compiled beside the one in force and swapped
//! in whole.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use opentelemetry::metrics::Gauge;
use service_kit::{
    error::{Error, Kind, Reason, Result},
    health::Status,
    telemetry,
};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::App;
use crate::domain::snapshot::Snapshot;

/// Health component of the policies.
const COMPONENT: &str = "policies";

/// Since when the store hasn't been asked which revision is the newest.
pub(super) struct Freshness {
    confirmed: Mutex<Option<DateTime<Utc>>>,
    revision: Gauge<u64>,
    stale: Gauge<f64>,
}

impl Freshness {
    pub(super) fn new() -> Self {
        let meter = telemetry::meter();
        Self {
            confirmed: Mutex::default(),
            revision: meter
                .u64_gauge("bylaw.policy.revision")
                .with_description("Revision of the policies in force on this replica")
                .build(),
            stale: meter
                .f64_gauge("bylaw.policy.stale")
                .with_unit("s")
                .with_description("How long the revision in force hasn't been confirmed")
                .build(),
        }
    }

    fn confirmed(&self, now: DateTime<Utc>, revision: u64) {
        *self
            .confirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(now);
        self.revision.record(revision, &[]);
        self.stale.record(0.0, &[]);
    }

    fn stale(&self, now: DateTime<Utc>) -> TimeDelta {
        let mut confirmed = self
            .confirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let since = now - *confirmed.get_or_insert(now);
        self.stale.record(since.as_seconds_f64(), &[]);
        since
    }
}

impl App {
    /// The policies in force on this replica.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// The policies in force, at least at a revision.
    ///
    /// # Errors
    /// `REVISION_NOT_REACHED` if the store has no such revision.
    pub(super) async fn snapshot_at(&self, least: u64) -> Result<Arc<Snapshot>> {
        let snapshot = self.snapshot();
        if snapshot.number() >= least {
            return Ok(snapshot);
        }
        self.refresh().await?;
        let snapshot = self.snapshot();
        if snapshot.number() >= least {
            return Ok(snapshot);
        }
        let message = format!(
            "revision {least} isn't in force here yet, the newest is {}",
            snapshot.number()
        );
        Err(Error::unavailable(Reason::RevisionNotReached, message))
    }

    /// Loads the newest revision, where it isn't in force yet.
    ///
    /// # Errors
    /// If the store can't be reached or its newest revision doesn't compile; the one
    /// before then stays in force.
    pub async fn refresh(&self) -> Result<()> {
        let _one_at_a_time = self.loading.lock().await;
        if self.store.latest().await? <= self.snapshot().number() {
            self.report();
            return Ok(());
        }
        let Some((revision, documents)) = self.store.load().await? else {
            return Ok(());
        };
        let number = revision.number;
        let compiled =
            tokio::task::spawn_blocking(move || Snapshot::compile(revision, documents)).await;
        match compiled.map_err(Error::internal)? {
            Ok(snapshot) => {
                let snapshot = Arc::new(snapshot);
                self.current.store(snapshot.clone());
                self.watched.send_replace(snapshot);
                tracing::info!(revision = number, "policies in force");
                self.report();
                Ok(())
            }
            Err(diagnostics) => {
                let first = diagnostics
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let message = format!("revision {number} doesn't compile: {first}");
                self.health
                    .set(COMPONENT, Status::NotServing, message.clone());
                Err(Error::new(
                    Kind::Internal,
                    Reason::Internal,
                    "the policies can't be loaded",
                )
                .with_source(message))
            }
        }
    }

    /// The newest revision here is the store's.
    fn report(&self) {
        let number = self.snapshot().number();
        let detail = match number {
            0 => "the store is empty: every step is denied".to_owned(),
            number => format!("revision {number}"),
        };
        self.freshness.confirmed(self.clock.now(), number);
        self.health.set(COMPONENT, Status::Serving, detail);
    }

    /// The store can't be asked: what is in force here may have been replaced.
    fn report_stale(&self) {
        let number = self.snapshot().number();
        let since = self.freshness.stale(self.clock.now());
        let detail = format!(
            "revision {number}, not confirmed for {} s: it may be stale",
            since.num_seconds()
        );
        self.health.set(COMPONENT, Status::Serving, detail);
    }

    /// Sees the policies in force, and each that comes after them.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.watched.subscribe()
    }

    /// Looks for new revisions until the process stops.
    pub(super) async fn follow(self: Arc<Self>, shutdown: CancellationToken) {
        let mut ticks = interval(self.follow_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = shutdown.cancelled() => return,
            }
            if let Err(error) = self.refresh().await {
                self.report_stale();
                tracing::warn!(%error, "can't look for a new revision of the policies");
            }
        }
    }
}
