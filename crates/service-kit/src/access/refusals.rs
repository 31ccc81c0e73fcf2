//! Refusals: every one counted, those of access and segregation of duties recorded in
//! the audit log.
//!
//! A flood must not fill the database, so repeated refusals become one record with a
//! count, records are limited in rate, and what the limit kept out is itself recorded
//! as a number.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use http::{Uri, uri::PathAndQuery};
use opentelemetry::{KeyValue, metrics::Counter};
use serde_json::json;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    error::Reason,
    identity::{Caller, Principal},
    outbox::{Audit, Entry, Outbox, Outcome},
    telemetry::{self, TraceContext},
};

/// Refusals that wait to be written.
const QUEUE: usize = 1_024;

/// Refusals are collected this long, so that repeated ones become one record.
const WINDOW: Duration = Duration::from_millis(200);

/// Records in a burst, and records a second in the long run.
const BURST: u32 = 200;
const PER_SECOND: u32 = 5;

/// How often the number of refusals without a record is recorded.
const SUPPRESSED_EVERY: Duration = Duration::from_secs(60);

/// What was refused to whom.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Who asked: the actor.
    pub actor: Principal,
    /// The service that asked for the actor.
    pub via: Option<String>,
    /// Permission that was asked for, where known.
    pub permission: String,
    /// Name of the resource, where known.
    pub resource: String,
    /// Scope it was asked for at, where known.
    pub scope: String,
    /// Documented reason.
    pub reason: Reason,
    /// What was found and what was wanted.
    pub message: String,
}

impl Refusal {
    /// A refusal of a caller.
    #[must_use]
    pub fn new(caller: &Caller, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            actor: caller.actor().clone(),
            via: caller.via().map(str::to_owned),
            permission: String::new(),
            resource: String::new(),
            scope: String::new(),
            reason,
            message: message.into(),
        }
    }
}

/// A refusal on its way to the outbox.
struct Queued {
    refusal: Refusal,
    method: PathAndQuery,
    occurred: DateTime<Utc>,
    trace: TraceContext,
}

/// Where the refusals of one request go. Cheap to clone; the default one goes nowhere.
#[derive(Clone, Default)]
pub struct Refusals(Option<Arc<Target>>);

struct Target {
    method: PathAndQuery,
    part: Option<Arc<Part>>,
    refused: Counter<u64>,
    clock: Arc<dyn Clock>,
}

/// The queue of one part of the suite.
struct Part {
    queue: mpsc::Sender<Queued>,
    suppressed: AtomicU64,
}

impl Refusals {
    /// Counts a refusal, and has it recorded if there is room.
    pub fn record(&self, refusal: Refusal) {
        let Some(target) = &self.0 else {
            return;
        };
        let labels = [
            KeyValue::new("method", target.method.path().to_owned()),
            KeyValue::new("reason", refusal.reason.code()),
        ];
        target.refused.add(1, &labels);
        let Some(part) = &target.part else {
            return;
        };
        let queued = Queued {
            refusal,
            method: target.method.clone(),
            occurred: target.clock.now(),
            trace: telemetry::current_trace(),
        };
        if part.queue.try_send(queued).is_err() {
            part.suppressed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The queues of all parts of a server.
pub struct RefusalRegistry {
    parts: RwLock<HashMap<&'static str, Arc<Part>>>,
    refused: Counter<u64>,
    clock: Arc<dyn Clock>,
}

impl RefusalRegistry {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            parts: RwLock::default(),
            refused: telemetry::meter()
                .u64_counter("bylaw.access.refusals")
                .with_description(
                    "Calls refused for want of a permission or by segregation of duties",
                )
                .build(),
            clock,
        }
    }

    /// Where the refusals of a call of this path go: `/bylaw.policy.v1.X/Y` to `policy`.
    pub(crate) fn of_path(&self, uri: &Uri) -> Refusals {
        let method = uri
            .path_and_query()
            .cloned()
            .unwrap_or_else(|| PathAndQuery::from_static("/"));
        let service = method
            .path()
            .strip_prefix("/bylaw.")
            .and_then(|p| p.split('.').next());
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        Refusals(Some(Arc::new(Target {
            part: service.and_then(|name| parts.get(name).cloned()),
            method,
            refused: self.refused.clone(),
            clock: self.clock.clone(),
        })))
    }

    pub(crate) fn audit(
        &self,
        service: &'static str,
        outbox: Outbox,
        shutdown: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        let (queue, queued) = mpsc::channel(QUEUE);
        let part = Arc::new(Part {
            queue,
            suppressed: AtomicU64::new(0),
        });
        let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
        parts.insert(service, part.clone());
        let writer = Writer {
            service,
            outbox,
            part,
            clock: self.clock.clone(),
            allowance: Allowance::new(Instant::now()),
            reported: Instant::now(),
        };
        Box::pin(writer.run(queued, shutdown))
    }
}

/// Writes the refusals of one part.
struct Writer {
    service: &'static str,
    outbox: Outbox,
    part: Arc<Part>,
    clock: Arc<dyn Clock>,
    allowance: Allowance,
    reported: Instant,
}

impl Writer {
    async fn run(mut self, mut queued: mpsc::Receiver<Queued>, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(SUPPRESSED_EVERY);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                first = queued.recv() => {
                    let Some(first) = first else { break };
                    tokio::time::sleep(WINDOW).await;
                    self.write(collect(Some(first), &mut queued), false).await;
                }
                _ = tick.tick() => self.write(Vec::new(), false).await,
            }
        }
        queued.close();
        self.write(collect(None, &mut queued), true).await;
    }

    async fn write(&mut self, groups: Vec<(Queued, u64)>, last: bool) {
        let mut entries = Vec::new();
        let mut kept_out = 0;
        for (queued, count) in groups {
            if self.allowance.take(Instant::now()) {
                entries.push(self.entry(queued, count));
            } else {
                kept_out += count;
            }
        }
        let kept_out = self.part.suppressed.fetch_add(kept_out, Ordering::Relaxed) + kept_out;
        if kept_out > 0 && (last || self.reported.elapsed() >= SUPPRESSED_EVERY) {
            self.reported = Instant::now();
            self.part.suppressed.fetch_sub(kept_out, Ordering::Relaxed);
            entries.push(self.suppressed(kept_out));
        }
        if entries.is_empty() {
            return;
        }
        let records = entries.len() as u64;
        if let Err(error) = self.outbox.append(&entries).await {
            tracing::error!(?error, records, "refusals can't be recorded");
            self.part.suppressed.fetch_add(records, Ordering::Relaxed);
        }
    }

    fn entry(&self, queued: Queued, count: u64) -> Entry {
        let Refusal {
            actor,
            via,
            permission,
            resource,
            scope,
            reason,
            message,
        } = queued.refusal;
        let method = queued.method.path().to_owned();
        Entry::new(Audit {
            r#type: format!("bylaw.{}.access.refused.v1", self.service),
            action: if permission.is_empty() {
                method.clone()
            } else {
                permission
            },
            resource: if resource.is_empty() {
                method.clone()
            } else {
                resource
            },
            scope,
            correlation_id: String::new(),
            outcome: Outcome::Refused,
            actor,
            via,
            payload: json!({
                "method": method, "reason": reason.code(), "message": message,
                "count": count.to_string(),
            }),
            occurred: queued.occurred,
        })
        .in_trace(queued.trace)
    }

    fn suppressed(&self, count: u64) -> Entry {
        let now = self.clock.now();
        Entry::new(Audit {
            r#type: format!("bylaw.{}.access.refusals-suppressed.v1", self.service),
            action: "access.refuse".into(),
            resource: format!("services/{}", self.service),
            scope: String::new(),
            correlation_id: String::new(),
            outcome: Outcome::Refused,
            actor: Principal::own(self.service),
            via: None,
            payload: json!({ "count": count.to_string() }),
            occurred: now,
        })
    }
}

/// What waits, equal refusals together with their number.
fn collect(first: Option<Queued>, queued: &mut mpsc::Receiver<Queued>) -> Vec<(Queued, u64)> {
    let mut groups: HashMap<String, (Queued, u64)> = HashMap::new();
    let waiting = std::iter::from_fn(|| queued.try_recv().ok()).take(QUEUE);
    for item in first.into_iter().chain(waiting) {
        let r = &item.refusal;
        let key = [
            r.actor.issuer.as_str(),
            &r.actor.subject,
            r.via.as_deref().unwrap_or_default(),
            item.method.path(),
            &r.resource,
            &r.scope,
            r.reason.code(),
        ]
        .join("\u{0}");
        groups.entry(key).or_insert((item, 0)).1 += 1;
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|(queued, _)| queued.occurred);
    groups
}

/// A token bucket.
struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    fn new(now: Instant) -> Self {
        Self {
            left: f64::from(BURST),
            at: now,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let earned = now.duration_since(self.at).as_secs_f64() * f64::from(PER_SECOND);
        self.left = (self.left + earned).min(f64::from(BURST));
        self.at = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::identity::PrincipalKind;

    fn queued(subject: &str, resource: &str) -> Queued {
        let actor = Principal {
            issuer: "i".into(),
            subject: subject.into(),
            kind: PrincipalKind::Person,
            grants: Vec::new(),
            token_id: None,
            expires: DateTime::UNIX_EPOCH,
            asserts: Vec::new(),
            owner: None,
        };
        Queued {
            refusal: Refusal {
                actor,
                via: None,
                permission: String::new(),
                resource: resource.into(),
                scope: String::new(),
                reason: Reason::PermissionDenied,
                message: String::new(),
            },
            method: PathAndQuery::from_static("/a/b"),
            occurred: DateTime::UNIX_EPOCH,
            trace: TraceContext::default(),
        }
    }

    #[test]
    fn equal_refusals_become_one_record() {
        let (queue, mut waiting) = mpsc::channel(QUEUE);
        for _ in 0..100 {
            queue.try_send(queued("ann", "x")).unwrap();
        }
        queue.try_send(queued("ann", "y")).unwrap();
        let groups = collect(Some(queued("bob", "x")), &mut waiting);
        let mut counts: Vec<_> = groups.iter().map(|(_, count)| *count).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 1, 100]);
    }

    #[test]
    fn records_are_limited_in_rate() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let burst = (0..BURST * 2).filter(|_| allowance.take(start)).count();
        assert_eq!(burst, BURST as usize);
        let later = start + Duration::from_secs(2);
        let more = (0..BURST).filter(|_| allowance.take(later)).count();
        assert_eq!(more, 2 * PER_SECOND as usize);
    }
}
