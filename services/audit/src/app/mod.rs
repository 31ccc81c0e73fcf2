//! Use cases of the log: append, sign, read, prove, export, scrub.

mod append;
mod check;
mod export;
mod lineage;
mod nodes;
mod proofs;
mod read;
mod recorded;
mod scrub;
mod sign;
mod state;
mod store;
mod visible;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use merkle::note::Signer;
use service_kit::{clock::Clock, error::Error, health::Health, outbox::Outbox};
use tokio_util::sync::CancellationToken;

pub use append::MAX_RECORDS;
pub use check::checked;
pub use lineage::{Lineage, LineageRequest};
pub use nodes::Tiles;
pub use recorded::conflict;
pub use store::{
    Appended, Bounds, By, Corruption, Found, Integrated, Pending, Query, Sign, Signed, Store,
    Visible,
};

use append::Queue;
use state::State;

/// Permission to append.
pub const APPEND: &str = "audit.record.append";
/// Permission to read records.
pub const READ: &str = "audit.record.read";
/// Permission to export the log.
pub const EXPORT: &str = "audit.record.export";
/// Permission to read checkpoints and proofs.
pub const CHECKPOINT: &str = "audit.checkpoint.read";

/// The log. Cheap to clone.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    key: Signer,
    clock: Arc<dyn Clock>,
    outbox: Outbox,
    state: State,
    queue: Queue,
    /// One signer at a time in this process; the store keeps the others away.
    signing: tokio::sync::Mutex<()>,
    appended: tokio::sync::Notify,
}

/// How the log's own tasks are timed.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long appends are gathered before a checkpoint is signed over them.
    pub checkpoint_delay: Duration,
    /// How often the whole log is checked.
    pub scrub_interval: Duration,
}

impl Log {
    /// The log in a store, and the tasks that it needs.
    pub fn start(
        store: Arc<dyn Store>,
        key: Signer,
        clock: Arc<dyn Clock>,
        outbox: Outbox,
        health: Health,
        timing: Timing,
        shutdown: CancellationToken,
    ) -> (Self, Vec<BoxFuture<'static, ()>>) {
        let (queue, requests) = append::queue();
        let log = Self(Arc::new(Inner {
            store,
            key,
            clock,
            outbox,
            state: State::new(health),
            queue,
            signing: tokio::sync::Mutex::new(()),
            appended: tokio::sync::Notify::new(),
        }));
        let tasks: Vec<BoxFuture<'static, ()>> = vec![
            Box::pin(log.clone().sequence(requests, shutdown.clone())),
            Box::pin(
                log.clone()
                    .sign_always(timing.checkpoint_delay, shutdown.clone()),
            ),
            Box::pin(log.clone().scrub_always(timing.scrub_interval, shutdown)),
        ];
        (log, tasks)
    }

    /// The newest signed checkpoint that this process knows of, for the HTTP page.
    pub async fn published(&self) -> Result<Option<Signed>, Error> {
        self.0.store.newest().await
    }
}
