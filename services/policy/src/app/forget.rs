//! Forgetting what is no longer needed: request ids after their time, and receipts that no
//! longer stand for anything. Any number of replicas may do it at once.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use service_kit::error::Result;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::App;

/// At most this much is forgotten in one transaction, so that none holds others up.
const BATCH: u64 = 500;

impl App {
    /// Request ids answered before are forgotten.
    pub(super) fn remembered(&self) -> DateTime<Utc> {
        self.clock.now() - self.retention
    }

    /// Forgets now and then, until the process stops.
    pub(super) async fn forget_until(
        self: Arc<Self>,
        every: Duration,
        shutdown: CancellationToken,
    ) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = shutdown.cancelled() => return,
            }
            if let Err(error) = self.forget(&shutdown).await {
                tracing::warn!(%error, "old request ids wait to be forgotten");
            }
        }
    }

    /// Forgets all there is to forget, in small steps.
    async fn forget(&self, shutdown: &CancellationToken) -> Result<()> {
        loop {
            let (answered, stood) = (self.remembered(), self.clock.now());
            let forgotten = self.store.forget(answered, stood, BATCH).await?;
            if forgotten < BATCH || shutdown.is_cancelled() {
                return Ok(());
            }
        }
    }
}
