//! Deletes validations that are older than they are kept.

use std::sync::Arc;

use chrono::TimeDelta;
use service_kit::clock::Clock;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{Settings, app::Store};

/// Runs until the process stops. Any number of replicas may.
pub(crate) async fn run(
    store: Arc<dyn Store>,
    settings: Settings,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) {
    let kept = TimeDelta::from_std(settings.keep_validations).unwrap_or(TimeDelta::MAX);
    let mut ticks = interval(settings.sweep_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let Some(before) = clock.now().checked_sub_signed(kept) else {
            continue;
        };
        loop {
            match store.forget(before).await {
                Ok(0) => break,
                Ok(count) => tracing::debug!(count, "deleted old validations"),
                Err(error) => {
                    tracing::warn!(%error, "old validations can't be deleted, trying again later");
                    break;
                }
            }
            if shutdown.is_cancelled() {
                return;
            }
        }
    }
}
