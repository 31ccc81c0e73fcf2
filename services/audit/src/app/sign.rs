//! Signing: new records are recomputed, put into the tree, and a checkpoint is signed.

use std::time::Duration;

use merkle::{Checkpoint, Hash};
use service_kit::error::{Error, Result};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Corruption, Log, Signed,
    state::{Finder, log_corrupt},
};

/// How often a process looks for records that others appended.
const POLL: Duration = Duration::from_millis(500);

/// Longest pause while nothing can be signed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often the log says again that nothing is signed, and for the same reason.
const REMIND: Duration = Duration::from_secs(600);

/// A time in which nothing can be signed: it is tried less often, and said when it begins,
/// when the reason changes, now and then, and when it ends.
#[derive(Default)]
struct Failing {
    said: Option<(String, Instant)>,
    pause: Duration,
}

impl Failing {
    /// How long to wait.
    fn again(&mut self, error: &Error) -> Duration {
        let reason = error.to_string();
        let new = self
            .said
            .as_ref()
            .is_none_or(|(said, at)| *said != reason || at.elapsed() >= REMIND);
        if new {
            tracing::error!(%error, "no checkpoint was signed");
            self.said = Some((reason, Instant::now()));
        }
        self.pause = (self.pause * 2).clamp(POLL, LONGEST_PAUSE);
        self.pause
    }

    fn ended(&mut self) {
        if self.said.take().is_some() {
            tracing::warn!("checkpoints are signed again");
        }
        self.pause = Duration::ZERO;
    }
}

impl Log {
    /// A checkpoint over every record that is committed now.
    ///
    /// # Errors
    /// `LOG_CORRUPT` if stored bytes don't match the log; those of the store.
    pub async fn sign(&self) -> Result<Signed> {
        if let Some(corrupt) = self.0.state.scrubbed() {
            return Err(log_corrupt(&corrupt));
        }
        let size = self.0.store.size().await?;
        if let Some(newest) = self.0.store.newest().await?
            && newest.size >= size
        {
            self.0.state.signed(newest.size);
            return Ok(newest);
        }
        let _alone = self.0.signing.lock().await;
        loop {
            let sign = |size: u64, root: Hash| self.sign_head(size, root);
            match self.0.store.integrate(&sign, self.0.clock.now()).await {
                Ok(step) => {
                    self.0.state.found(Finder::Signing, None);
                    self.0.state.signed(step.signed.size);
                    // a load that never ends must not keep this from ending
                    if !step.more || step.signed.size >= size {
                        return Ok(step.signed);
                    }
                }
                Err(Corruption::Corrupt(corrupt)) => {
                    self.0.state.found(Finder::Signing, Some(corrupt.clone()));
                    return Err(log_corrupt(&corrupt));
                }
                Err(Corruption::Failed(error)) => return Err(error),
            }
        }
    }

    fn sign_head(&self, size: u64, root: Hash) -> Result<String> {
        Checkpoint::new(self.0.key.name(), size, root)
            .sign(&self.0.key)
            .map_err(Error::internal)
    }

    /// Signs soon after appends, until shutdown.
    pub(super) async fn sign_always(self, delay: Duration, shutdown: CancellationToken) {
        let mut failing = Failing::default();
        loop {
            let pause = match self.sign().await {
                Ok(_) => {
                    failing.ended();
                    None
                }
                Err(error) => Some(failing.again(&error)),
            };
            let woken = async {
                if let Some(pause) = pause {
                    return tokio::time::sleep(pause).await;
                }
                // appends of other replicas don't wake this one
                let _ = tokio::time::timeout(POLL, self.0.appended.notified()).await;
                tokio::time::sleep(delay).await;
            };
            tokio::select! {
                () = woken => {}
                () = shutdown.cancelled() => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_lasts_is_tried_and_said_less_often() {
        let mut failing = Failing::default();
        let (corrupt, away) = (Error::broken("corrupt"), Error::not_found("database"));
        assert_eq!(failing.again(&corrupt), POLL);
        let said = failing.said.clone();
        let pauses: Vec<_> = (0..6).map(|_| failing.again(&corrupt)).collect();
        assert!(
            pauses.is_sorted() && pauses[5] == LONGEST_PAUSE,
            "{pauses:?}"
        );
        assert_eq!(failing.said, said, "the same isn't said again");
        tokio::time::advance(REMIND).await;
        failing.again(&corrupt);
        assert_ne!(failing.said, said, "but now and then");
        failing.again(&away);
        assert!(
            failing
                .said
                .as_ref()
                .is_some_and(|(said, _)| said.contains("database"))
        );
        failing.ended();
        assert_eq!(
            (failing.said.is_none(), failing.pause),
            (true, Duration::ZERO)
        );
        assert_eq!(failing.again(&away), POLL);
    }
}
