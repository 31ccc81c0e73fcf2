//! Handling of events, at least once.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::Utc;
use futures::{FutureExt as _, future::BoxFuture};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{Bus, Delivery, Event, Subscription, Undecodable, backoff::Backoff};
use crate::{
    error::{Chain, Error, Kind, Result},
    telemetry::{self, KeyValue},
};

/// First and longest pause between attempts at an event.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));

/// Attempts at an event that fails by a defect of ours.
const DEFECT_ATTEMPTS: u32 = 8;

/// While an event is tried again, and while those taken with it wait, the stream is told
/// this often that they are still in hand.
const KEEP: Duration = Duration::from_millis(500);

/// Handles the events of a consumer group.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Types of events that are handled; one that ends with `*` stands for all that
    /// begin so.
    fn types(&self) -> &[&str];

    /// Handles an event. It may come more than once, also after others that followed it.
    ///
    /// # Errors
    /// What may pass by itself (unavailable, too late, aborted, exhausted) is tried again
    /// until it does, and holds up what follows; a defect (internal) some times; anything
    /// else means that the event can't be handled.
    async fn handle(&self, event: &Event) -> Result<()>;

    /// Told of an event that can't be handled, for a record of it. It is counted and
    /// logged in any case, and doesn't come again.
    async fn refused(&self, event: &Event, error: &Error) {
        let _ = (event, error);
    }
}

/// Handles events as a member of `group`, until dropped. The group counts from the call,
/// not from the first poll.
#[must_use]
pub fn consume(
    bus: Arc<dyn Bus>,
    group: &'static str,
    handler: Arc<dyn Handler>,
) -> BoxFuture<'static, ()> {
    let consumer = Consumer {
        subscription: bus.subscribe(group),
        group,
        handler,
    };
    Box::pin(consumer.run())
}

struct Consumer {
    subscription: Box<dyn Subscription>,
    group: &'static str,
    handler: Arc<dyn Handler>,
}

impl Consumer {
    async fn run(mut self) {
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            let error = match self.subscription.next().await {
                Ok(deliveries) => match self.batch(&deliveries).await {
                    Ok(()) => {
                        backoff.reset();
                        continue;
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            tracing::warn!(group = self.group, error = %Chain(&error), "event stream away");
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    /// What isn't acknowledged here comes again.
    async fn batch(&mut self, deliveries: &[Delivery]) -> Result<()> {
        let mut kept = Instant::now();
        for (place, delivery) in deliveries.iter().enumerate() {
            if kept.elapsed() > KEEP {
                self.subscription.keep(&deliveries[place..]).await?;
                kept = Instant::now();
            }
            match &delivery.event {
                Ok(event) if !self.wants(&event.r#type) => {}
                Ok(event) => {
                    let event = Arc::clone(event);
                    self.event(&event, delivery, &deliveries[place..]).await?;
                }
                Err(undecodable) => self.undecodable(delivery, undecodable).await,
            }
            self.subscription.acknowledge(delivery).await?;
        }
        Ok(())
    }

    fn wants(&self, r#type: &str) -> bool {
        self.handler.types().iter().any(|wanted| {
            wanted
                .strip_suffix('*')
                .map_or(*wanted == r#type, |start| r#type.starts_with(start))
        })
    }

    async fn event(
        &mut self,
        event: &Event,
        delivery: &Delivery,
        in_hand: &[Delivery],
    ) -> Result<()> {
        let span = tracing::info_span!(
            "process",
            otel.name = format!("process {}", event.r#type),
            otel.kind = "consumer",
            messaging.system = "bylaw",
            messaging.operation.type = "process",
            messaging.operation.name = "process",
            messaging.destination.name = &*delivery.producer,
            messaging.consumer.group.name = self.group,
            messaging.message.id = event.id,
            cloudevents.event_type = event.r#type,
            bylaw.correlation_id = event.correlation_id,
        );
        telemetry::set_parent(&span, &event.trace_parent);
        self.attempts(event, in_hand).instrument(span).await
    }

    async fn attempts(&mut self, event: &Event, in_hand: &[Delivery]) -> Result<()> {
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        for attempt in 1_u32.. {
            let handled = AssertUnwindSafe(self.handler.handle(event)).catch_unwind();
            let error = match handled.await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => Error::internal(Panicked),
            };
            if !passes(&error, attempt) {
                self.refuse(event, &error).await;
                return Ok(());
            }
            tracing::warn!(
                group = self.group, event_id = event.id, event_type = event.r#type, attempt,
                error = %Chain(&error), "event not handled yet",
            );
            let resume = Instant::now() + backoff.pause();
            while Instant::now() < resume {
                tokio::time::sleep_until(resume.min(Instant::now() + KEEP)).await;
                self.subscription.keep(in_hand).await?;
            }
        }
        Ok(())
    }

    async fn undecodable(&self, delivery: &Delivery, undecodable: &Undecodable) {
        let data = serde_json::to_vec(&undecodable.raw).unwrap_or_default();
        let event = Event {
            id: format!("{}/{}", delivery.producer, delivery.id),
            source: format!("/streams/{}", delivery.producer),
            r#type: "bylaw.bus.undecodable.v1".to_owned(),
            subject: String::new(),
            time: Utc::now(),
            scope: String::new(),
            correlation_id: String::new(),
            trace_parent: String::new(),
            data_schema: String::new(),
            data: Bytes::from(data),
        };
        let error = Error::invalid("event", undecodable.problem.clone());
        self.refuse(&event, &error).await;
    }

    async fn refuse(&self, event: &Event, error: &Error) {
        tracing::error!(
            group = self.group, event_id = event.id, event_source = event.source,
            event_type = event.r#type, error = %Chain(error), "event can't be handled",
        );
        telemetry::meter()
            .u64_counter("bylaw.bus.refused")
            .with_description("events that a consumer group couldn't handle")
            .build()
            .add(
                1,
                &[KeyValue::new("messaging.consumer.group.name", self.group)],
            );
        self.handler.refused(event, error).await;
    }
}

/// Whether the failure may pass by itself.
fn passes(error: &Error, attempt: u32) -> bool {
    match error.kind() {
        Kind::Unavailable | Kind::DeadlineExceeded | Kind::Aborted | Kind::ResourceExhausted => {
            true
        }
        Kind::Internal => attempt < DEFECT_ATTEMPTS,
        Kind::InvalidArgument
        | Kind::Unauthenticated
        | Kind::PermissionDenied
        | Kind::NotFound
        | Kind::AlreadyExists
        | Kind::FailedPrecondition
        | Kind::OutOfRange => false,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;
