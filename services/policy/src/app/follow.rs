//! Following the store: a new revision is compiled beside the one in force and swapped
//! in whole.

use std::sync::Arc;

use service_kit::{
    error::{Error, Kind, Reason, Result},
    health::Status,
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::App;
use crate::domain::snapshot::Snapshot;

/// Health component of the policies.
const COMPONENT: &str = "policies";

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
                self.current.store(Arc::new(snapshot));
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

    fn report(&self) {
        let detail = match self.snapshot().number() {
            0 => "the store is empty: every step is denied".to_owned(),
            number => format!("revision {number}"),
        };
        self.health.set(COMPONENT, Status::Serving, detail);
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
                tracing::warn!(%error, "can't look for a new revision of the policies");
            }
        }
    }
}
