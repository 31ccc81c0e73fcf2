//! What happens without being asked: reviews that lapse, and acceptances whose end isn't
//! known. Any number of replicas may do it at once; each change is kept once.

use std::{future::Future, time::Duration};

use service_kit::error::{Error, Kind, Result};

use super::{App, records::Author};
use crate::domain::recommendation::Recommendation;

/// Most recommendations of one look.
const BATCH: u64 = 100;

impl App {
    /// Looks again and again until `stop`.
    pub async fn sweep_until(self, every: Duration, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(every) => {}
            }
            if let Err(error) = self.sweep().await {
                tracing::warn!(?error, "reviews can't be looked after, will try again");
            }
        }
    }

    /// Looks once. One that can't be seen to doesn't keep the others waiting.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn sweep(&self) -> Result<()> {
        let now = self.now();
        for mut lapsed in self.store.overdue(now, BATCH).await? {
            let version = lapsed.version;
            lapsed.expire(now);
            let entry = Author::own(now).changed("expired", "expire", &lapsed);
            // Where another change came first, that one counts.
            if let Err(error) = self.store.update(&lapsed, version, &[entry]).await {
                passed_over(&lapsed.name(), &error);
            }
        }
        let before = now - self.times.settle;
        for underway in self.store.unsettled(before, BATCH).await? {
            let name = underway.name();
            if let Err(error) = self.settle(underway).await {
                passed_over(&name, &error);
            }
        }
        Ok(())
    }

    /// Finds out what became of an acceptance that was cut short.
    async fn settle(&self, mut recommendation: Recommendation) -> Result<()> {
        let exception = &recommendation.proposal.exception;
        let action = self
            .exceptions
            .action_of(exception, &recommendation.name())
            .await;
        let now = self.now();
        match action {
            Ok(Some(action)) => {
                let done = self
                    .accepted(&Author::own(now), recommendation, Some(action))
                    .await;
                match done {
                    Err(error) if error.kind() != Kind::Aborted => Err(error),
                    _ => Ok(()),
                }
            }
            Ok(None) => {
                let version = recommendation.version;
                recommendation.abandon(now);
                let reasons = ["nothing came of the acceptance"];
                let entry = Author::own(now).refused("accept", &recommendation, &reasons);
                self.store
                    .update(&recommendation, version, &[entry])
                    .await?;
                Ok(())
            }
            Err(error) => {
                tracing::warn!(?error, "what became of an acceptance isn't known yet");
                Ok(())
            }
        }
    }
}

fn passed_over(recommendation: &str, error: &Error) {
    tracing::warn!(
        ?error,
        recommendation,
        "can't be looked after, will try again"
    );
}
