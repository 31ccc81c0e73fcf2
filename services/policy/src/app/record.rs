//! Keeping decisions: those in full in groups, the others as counts.
//!
//! Decisions that wait while a transaction commits share the next one, so that many
//! concurrent calls cost one commit, and a single one waits for nobody.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use service_kit::{
    error::{Error, Kind, Reason, Result},
    telemetry,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    App,
    store::{CountKey, Record, Recorded, Store},
};
use crate::settings::Settings;

/// A decision that waits to be kept.
struct Job {
    record: Record,
    reply: oneshot::Sender<Result<Recorded>>,
}

/// Where decisions are handed in to be kept.
pub(super) struct Recorder(mpsc::Sender<Job>);

/// The task that keeps them.
pub(super) struct Writer {
    jobs: mpsc::Receiver<Job>,
    store: Arc<dyn Store>,
    batch: usize,
}

pub(super) fn recorder(store: Arc<dyn Store>, settings: &Settings) -> (Recorder, Writer) {
    let (sender, jobs) = mpsc::channel(settings.commit_queue);
    let writer = Writer {
        jobs,
        store,
        batch: settings.commit_batch,
    };
    (Recorder(sender), writer)
}

impl Recorder {
    /// Keeps a decision; it is durable when this returns. It may be kept though the
    /// caller has gone meanwhile.
    pub(super) async fn record(&self, record: Record) -> Result<Recorded> {
        let (reply, answer) = oneshot::channel();
        let job = Job { record, reply };
        self.0.send(job).await.map_err(|_| draining())?;
        answer.await.map_err(|_| draining())?
    }
}

fn draining() -> Error {
    Error::unavailable(Reason::Draining, "the process is about to stop; call again")
}

impl Writer {
    /// Keeps what is handed in, until nothing more can come.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut jobs = Vec::with_capacity(self.batch);
        loop {
            tokio::select! {
                biased;
                count = self.jobs.recv_many(&mut jobs, self.batch) => {
                    if count == 0 {
                        return;
                    }
                }
                // Calls in flight end before the process does; what they handed in is
                // in the channel by now or refused.
                () = shutdown.cancelled(), if !self.jobs.is_closed() => {
                    self.jobs.close();
                    continue;
                }
            }
            let span = tracing::info_span!("commit decisions", decisions = jobs.len());
            // Of many calls none is the parent.
            for entry in jobs.iter().flat_map(|job| job.record.entries.first()) {
                if let Some(trace) = &entry.trace {
                    telemetry::link(&span, &trace.traceparent);
                }
            }
            self.commit(std::mem::take(&mut jobs))
                .instrument(span)
                .await;
        }
    }

    async fn commit(&self, jobs: Vec<Job>) {
        let (records, replies): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.record, job.reply)).unzip();
        match self.store.record(&records).await {
            Ok(results) => {
                for (reply, result) in replies.into_iter().zip(results) {
                    // A caller that has gone needs no answer.
                    let _ = reply.send(Ok(result));
                }
            }
            Err(error) if records.len() > 1 && blames_one(&error) => {
                for (record, reply) in records.iter().zip(replies) {
                    let result = self.store.record(std::slice::from_ref(record)).await;
                    let _ = reply.send(result.map(|mut one| one.pop().unwrap_or(Recorded::New)));
                }
            }
            Err(error) => {
                let (kind, reason) = (error.kind(), error.reason());
                let message = error.message().to_owned();
                let mut first = Some(error);
                for reply in replies {
                    // The first carries the internal cause.
                    let error = first.take().unwrap_or_else(|| {
                        Error::new(kind, reason, message.clone()).with_retry(Duration::from_secs(1))
                    });
                    let _ = reply.send(Err(error));
                }
            }
        }
    }
}

/// Whether one record may be at fault for all: then each is tried for itself. An error of
/// the store itself isn't repeated, since the transaction may have taken effect.
fn blames_one(error: &Error) -> bool {
    matches!(error.kind(), Kind::InvalidArgument | Kind::Internal)
}

/// Counts of decisions that aren't kept in full, until they are written.
#[derive(Default)]
pub(super) struct Counts(Mutex<BTreeMap<CountKey, u64>>);

impl Counts {
    pub(super) fn add(&self, key: CountKey, more: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(key).or_default() += more;
    }

    fn take(&self) -> BTreeMap<CountKey, u64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// Writes counts now and then, and a last time at the end.
    pub(super) async fn write_counts(
        self: Arc<Self>,
        every: Duration,
        shutdown: CancellationToken,
    ) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let last = tokio::select! {
                _ = ticks.tick() => false,
                () = shutdown.cancelled() => true,
            };
            let counts = self.counts.take();
            if !counts.is_empty()
                && let Err(error) = self.store.count(&counts).await
            {
                tracing::warn!(%error, "counts of decisions wait to be written");
                for (key, count) in counts {
                    self.counts.add(key, count);
                }
            }
            if last {
                return;
            }
        }
    }
}
