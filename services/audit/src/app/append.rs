//! Appending: calls are checked, queued and committed in groups by one sequencer.

use std::sync::Arc;

use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::Caller,
    telemetry::{self, current_trace},
};
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    APPEND, By, Corruption, Log, Pending,
    state::{Finder, log_corrupt},
};
use crate::domain::{
    Record,
    batch::{self, Placed},
    record::canonical_payload,
};

/// Most records in a call.
pub const MAX_RECORDS: usize = 1_000;
/// Records that one transaction takes.
const MAX_GROUP: usize = 4_000;
/// Bytes of payload that one transaction takes.
const MAX_GROUP_BYTES: usize = 16 * 1024 * 1024;
/// Calls that wait; more are told to come back.
const MAX_QUEUE: usize = 256;

/// Where calls wait.
pub(super) type Queue = mpsc::Sender<Request>;

/// A call that waits.
pub(super) struct Request {
    pending: Vec<Pending>,
    trace: telemetry::TraceContext,
    answer: oneshot::Sender<Result<Vec<Placed>>>,
}

/// Number of records of a call, its place in its trace, and where its answer goes.
type Waiting = (
    usize,
    telemetry::TraceContext,
    oneshot::Sender<Result<Vec<Placed>>>,
);

pub(super) fn queue() -> (Queue, mpsc::Receiver<Request>) {
    mpsc::channel(MAX_QUEUE)
}

impl Log {
    /// Appends records, all or none, in order. The answer means that they are durable.
    ///
    /// # Errors
    /// If there are none or too many, one is malformed or too large, or another
    /// producer's; or the store can't be reached, and nothing was changed.
    pub async fn append(&self, caller: &Caller, records: Vec<Record>) -> Result<Vec<Placed>> {
        caller.require_somewhere(APPEND)?;
        if records.is_empty() || records.len() > MAX_RECORDS {
            let found = records.len();
            let problem = format!("has {found} records, expected 1 to {MAX_RECORDS}");
            return Err(Error::invalid("records", problem));
        }
        let trace = current_trace();
        let by = Arc::new(By {
            principal: caller.principal().clone(),
            trace: trace.clone(),
        });
        let mut pending = Vec::with_capacity(records.len());
        for (i, record) in records.into_iter().enumerate() {
            let record = check(i, caller, record)?;
            pending.push(Pending {
                data_hash: Sha256::digest(&record.payload).into(),
                record,
                by: Arc::clone(&by),
            });
        }
        let (answer, answered) = oneshot::channel();
        let request = Request {
            pending,
            trace,
            answer,
        };
        // waits for room in the queue; the deadline of the call bounds it
        let gone = || Error::unavailable(Reason::Draining, "the log is about to stop");
        self.0.queue.send(request).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Commits what waits, in groups, until shutdown; what was queued is still answered.
    pub(super) async fn sequence(
        self,
        mut requests: mpsc::Receiver<Request>,
        shutdown: CancellationToken,
    ) {
        match self.0.store.producers().await {
            Ok(sequences) => self.0.state.producers(sequences),
            Err(error) => tracing::warn!(%error, "can't read the producers' sequences"),
        }
        loop {
            let next = tokio::select! {
                biased;
                next = requests.recv() => next,
                () = shutdown.cancelled() => {
                    requests.close();
                    requests.recv().await
                }
            };
            let Some(first) = next else { return };
            let group = gather(first, &mut requests);
            self.commit(group).await;
        }
    }

    async fn commit(&self, group: Vec<Request>) {
        let span = tracing::info_span!(
            "commit audit records",
            otel.kind = "internal",
            messaging.batch.message_count = group.iter().map(|r| r.pending.len()).sum::<usize>(),
        );
        for request in &group {
            telemetry::link(&span, &request.trace.traceparent);
        }
        self.commit_group(group).instrument(span).await;
    }

    async fn commit_group(&self, group: Vec<Request>) {
        // only who sends a record again that isn't any more what was recorded is refused
        for request in self.commit_together(group).await {
            self.commit_together(vec![request]).await;
        }
    }

    /// Commits a group, and answers. Gives back the requests of a group, if it has
    /// several, that a corrupt record keeps from being committed together.
    async fn commit_together(&self, group: Vec<Request>) -> Vec<Request> {
        let (mut pending, mut answers) = (Vec::new(), Vec::new());
        for request in group {
            answers.push((request.pending.len(), request.trace, request.answer));
            pending.extend(request.pending);
        }
        match self.0.store.append(&pending, self.0.clock.now()).await {
            Ok(appended) => {
                self.0.appended.notify_one();
                trace_records(&pending, &appended.placed);
                self.count(&pending, &appended.placed);
                self.0.state.producers(appended.sequences);
                let mut placed = appended.placed.into_iter();
                for (count, _, answer) in answers {
                    // a caller that is gone will ask again, and find duplicates
                    let _ = answer.send(Ok(placed.by_ref().take(count).collect()));
                }
            }
            Err(Corruption::Corrupt(corrupt)) => {
                self.0.state.found(Finder::Scrub, Some(corrupt.clone()));
                if answers.len() > 1 {
                    return apart(pending, answers);
                }
                for (_, _, answer) in answers {
                    let _ = answer.send(Err(log_corrupt(&corrupt)));
                }
            }
            Err(Corruption::Failed(error)) => {
                tracing::warn!(%error, records = pending.len(), "append failed");
                for (_, _, answer) in answers {
                    let _ = answer.send(Err(again(&error)));
                }
            }
        }
        Vec::new()
    }

    /// Counts by producer, over runs of records of the same one.
    fn count(&self, pending: &[Pending], placed: &[Placed]) {
        let mut rest = placed;
        for run in pending.chunk_by(|a, b| a.record.producer == b.record.producer) {
            let (these, after) = rest.split_at(run.len().min(rest.len()));
            rest = after;
            if let Some(first) = run.first() {
                self.0.state.appended(&first.record.producer, these);
            }
        }
    }
}

/// The requests that a group was made of.
fn apart(pending: Vec<Pending>, answers: Vec<Waiting>) -> Vec<Request> {
    let mut pending = pending.into_iter();
    answers
        .into_iter()
        .map(|(count, trace, answer)| Request {
            pending: pending.by_ref().take(count).collect(),
            trace,
            answer,
        })
        .collect()
}

/// Takes what waits already, up to the limits of a transaction. While one transaction
/// commits the next group grows, so that groups grow with the load.
fn gather(first: Request, requests: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let bytes = |request: &Request| -> usize {
        request.pending.iter().map(|p| p.record.payload.len()).sum()
    };
    let (mut records, mut size) = (first.pending.len(), bytes(&first));
    let mut group = vec![first];
    while records + MAX_RECORDS <= MAX_GROUP && size < MAX_GROUP_BYTES {
        let Ok(request) = requests.try_recv() else {
            break;
        };
        records += request.pending.len();
        size += bytes(&request);
        group.push(request);
    }
    group
}

/// Checks a record and gives its payload the canonical form.
fn check(i: usize, caller: &Caller, mut record: Record) -> Result<Record> {
    let invalid = |violation: crate::domain::record::Violation| {
        Error::invalid(
            format!("records[{i}].{}", violation.field),
            violation.problem,
        )
    };
    record.check().map_err(invalid)?;
    if !caller.is_service(&format!("bylaw-{}", record.producer)) {
        return Err(Error::new(
            Kind::PermissionDenied,
            Reason::PermissionDenied,
            format!(
                "records[{i}].producer is {}, which the caller isn't",
                record.producer
            ),
        ));
    }
    record.payload = canonical_payload(&record.payload).map_err(invalid)?;
    if !batch::fits(&record) {
        return Err(Error::too_large(
            format!("records[{i}]"),
            "is larger without its payload than a log entry can be (65,535 bytes)",
        ));
    }
    Ok(record)
}

/// A span for each new record, in the record's own trace, so that the trace of a
/// transaction shows that it was recorded.
fn trace_records(pending: &[Pending], placed: &[Placed]) {
    let batch = current_trace();
    for (pending, placed) in pending.iter().zip(placed) {
        let (Placed::New(index), record) = (placed, &pending.record) else {
            continue;
        };
        if record.trace_id.is_empty() || record.span_id.is_empty() {
            continue;
        }
        let span = tracing::info_span!(
            parent: None,
            "process audit record",
            otel.kind = "consumer",
            messaging.operation.name = "process",
            messaging.message.id = %record.event_id,
            bylaw.audit.index = index,
            bylaw.correlation_id = record.correlation_id,
        );
        if span.is_disabled() {
            return;
        }
        let parent = format!("00-{}-{}-01", record.trace_id, record.span_id);
        telemetry::set_parent(&span, &parent);
        telemetry::link(&span, &batch.traceparent);
        span.in_scope(|| ());
    }
}

/// The same error once more, for another caller; its cause is in the log.
fn again(error: &Error) -> Error {
    match error.kind() {
        Kind::Unavailable => Error::unavailable(error.reason(), error.message()),
        kind => Error::new(kind, error.reason(), error.message()),
    }
}
