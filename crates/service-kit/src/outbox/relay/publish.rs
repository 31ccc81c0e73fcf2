//! The lane to the event stream, and the removal of rows that are through.

use std::{sync::Arc, time::Duration};

use contracts::types::CloudEvent;
use prost::Message as _;
use tracing::Instrument as _;

use super::{Office, PAUSES, deliver::send_span, in_time, rows};
use crate::{
    bus::{Event, Positioned, Progress, Published, Stream, backoff::Backoff},
    error::{Chain, Error, Result},
    outbox::rows::{Body, Numbered},
    telemetry,
};

/// Most events of one publication.
const EVENTS: usize = 500;

/// Most bytes of one publication.
const BYTES: usize = 2 * 1024 * 1024;

/// First and longest pause between looks at how far the readers are.
const LOOKS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

impl Office<'_> {
    /// Publishes numbered rows' events in order, and deletes rows that the log has and
    /// all groups have passed. What the stream knows counts, not what this relay
    /// remembers: a stream that lost events gets those again that not all have passed.
    pub(super) async fn publish(&self) -> Result<()> {
        let mut numbered = self.numbered.subscribe();
        let mut audited = self.audited.subscribe();
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        let mut looks = Backoff::new(LOOKS.0, LOOKS.1);
        let mut deleted = 0;
        loop {
            let upto = *numbered.borrow_and_update();
            let logged = *audited.borrow_and_update();
            if deleted < upto {
                match self.publish_some().await? {
                    Ok(Step::More) => continue,
                    Ok(Step::Passed(passed)) => {
                        let passed = passed.unwrap_or(upto).min(logged);
                        if passed > deleted {
                            in_time("database", self.delete(passed)).await?;
                            deleted = passed;
                            looks.reset();
                        }
                        self.troubles().stream = None;
                        backoff.reset();
                    }
                    Err(error) => {
                        let trouble = Chain(&error).to_string();
                        tracing::debug!(producer = self.producer(), error = trouble, "stream away");
                        self.troubles().stream = Some(trouble);
                        tokio::time::sleep(backoff.pause()).await;
                        continue;
                    }
                }
            }
            let look = async {
                if deleted < upto {
                    tokio::time::sleep(looks.pause()).await;
                } else {
                    std::future::pending().await
                }
            };
            tokio::select! {
                _ = numbered.changed() => looks.reset(),
                _ = audited.changed() => {}
                () = look => {}
            }
        }
    }

    /// The outer result is the database's, the inner one the stream's.
    async fn publish_some(&self) -> Result<Result<Step>> {
        let bus = &self.relay.bus;
        let stream = Stream {
            producer: self.producer(),
            incarnation: &self.incarnation,
        };
        let progress = bus.progress(stream, &self.relay.groups);
        let progress = match in_time("event stream", progress).await {
            Ok(progress) => progress,
            Err(error) => return Ok(Err(error)),
        };
        let window = self.relay.window;
        self.troubles().readers = readers(&progress, window);
        let waiting = usize::try_from(progress.waiting).unwrap_or(usize::MAX);
        let room = window.saturating_sub(waiting).min(EVENTS);
        if room == 0 {
            return Ok(Ok(Step::Passed(Some(signed(progress.passed)))));
        }
        let (conn, top) = (self.session.conn(), signed(progress.top));
        let batch = rows::after(conn, Body::Event, top, room, BYTES);
        let batch = in_time("database", batch).await?;
        if batch.is_empty() {
            return Ok(Ok(Step::Passed(all_but(&progress))));
        }
        let published = self.send(stream, progress.top, &batch);
        Ok(in_time("event stream", published).await.map(|published| {
            if let Published::Elsewhere { top } = published {
                tracing::warn!(
                    producer = self.producer(),
                    top,
                    "the stream isn't where it was"
                );
            }
            Step::More
        }))
    }

    async fn send(&self, stream: Stream<'_>, after: u64, batch: &[Numbered]) -> Result<Published> {
        let span = tracing::info_span!(
            parent: None,
            "relay",
            otel.name = "relay events",
            otel.kind = "producer",
            messaging.system = "bylaw",
            messaging.operation.type = "send",
            messaging.operation.name = "relay",
            messaging.destination.name = "events",
            messaging.batch.message_count = batch.len(),
            bylaw.service = stream.producer,
        );
        let mut sends = Vec::with_capacity(batch.len());
        let mut events = Vec::with_capacity(batch.len());
        for row in batch {
            let send = send_span(&span, row, "events", self.producer());
            events.push(self.event(row, &send)?);
            sends.push(send);
        }
        let published = self.relay.bus.publish(stream, after, &events);
        let published = published.instrument(span).await;
        drop(sends);
        published
    }

    /// The event as the stream takes it; its trace goes on from where it was sent.
    fn event(&self, row: &Numbered, send: &tracing::Span) -> Result<Positioned> {
        let event = CloudEvent::decode(row.body.as_slice()).map_err(Error::internal)?;
        let mut event = Event::from_proto(event);
        event.source = format!("/bylaw/{}", self.producer());
        let sent = send.in_scope(telemetry::current_trace).traceparent;
        if !sent.is_empty() {
            event.trace_parent = sent;
        }
        Ok(Positioned {
            position: row.sequence.unsigned_abs(),
            event: Arc::new(event),
        })
    }

    async fn delete(&self, up_to: i64) -> Result<()> {
        let tx = self.session.begin().await?;
        rows::delete(&tx, up_to).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What came of a look at the stream.
enum Step {
    /// Something was published; there may be more.
    More,
    /// Nothing more can be published now, and all groups have passed this; `None`: all
    /// that was numbered when it was looked for.
    Passed(Option<i64>),
}

/// Readers that need a person: one that holds up everything, and those that may lose
/// events.
fn readers(progress: &Progress, window: usize) -> Option<String> {
    let full = progress.waiting >= window as u64;
    let slowest = progress.slowest.as_ref().filter(|_| full);
    let slowest = slowest.map(|group| format!("{group} hasn't passed {} events", progress.waiting));
    let strangers = (!progress.strangers.is_empty()).then(|| {
        format!(
            "not in bus.groups, and not waited for: {}",
            progress.strangers.join(", ")
        )
    });
    let both: Vec<_> = slowest.into_iter().chain(strangers).collect();
    (!both.is_empty()).then(|| both.join("; "))
}

fn all_but(progress: &Progress) -> Option<i64> {
    (progress.passed < progress.top).then(|| signed(progress.passed))
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
