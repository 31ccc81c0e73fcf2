//! Signing: new records are recomputed, put into the tree, and a checkpoint is signed.

use std::time::Duration;

use merkle::{Checkpoint, Hash};
use service_kit::error::{Error, Result};
use tokio_util::sync::CancellationToken;

use super::{
    Corruption, Log, Signed,
    state::{Finder, log_corrupt},
};

/// How often a process looks for records that others appended.
const POLL: Duration = Duration::from_millis(500);

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
        loop {
            if let Err(error) = self.sign().await {
                tracing::error!(%error, "no checkpoint was signed");
            }
            let woken = async {
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
