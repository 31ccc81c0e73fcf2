//! Events of other services, from the event stream.
//!
//! They take the same way as those that adapters send: the same declared types, facts
//! and detection tables. What no table knows isn't for this service.

use async_trait::async_trait;
use governance::{Provenance, Scope};
use serde_json::json;
use service_kit::{
    bus,
    error::{Error, Reason, Result},
    identity::Scopes,
    outbox::Outcome,
};

use super::{
    App,
    ingest::{Brought, refusal},
    ports::Asserter,
    records::{Author, Subject},
};
use crate::domain::{event::Event, source};

/// The group that this service reads the stream as.
pub const GROUP: &str = "exceptions";

/// Takes events from the stream.
pub struct Stream {
    app: App,
    types: Vec<&'static str>,
}

impl Stream {
    /// Takes those events whose types are declared.
    #[must_use]
    pub fn new(app: App) -> Self {
        // The stream wants names that live as long as the process, and there is one
        // stream a process.
        let types = app
            .catalog
            .events
            .keys()
            .map(|name| &*String::leak(name.clone()))
            .collect();
        Self { app, types }
    }
}

#[async_trait]
impl bus::Handler for Stream {
    fn types(&self) -> &[&str] {
        &self.types
    }

    async fn handle(&self, event: &bus::Event) -> Result<()> {
        let scope = Scope::parse(&event.scope)
            .map_err(|error| Error::invalid("scope", error.to_string()))?;
        let taken = Event {
            id: event.id.clone(),
            source: event.source.clone(),
            kind: event.r#type.clone(),
            subject: event.subject.clone(),
            time: Some(event.time),
            scope,
            correlation_id: event.correlation_id.clone(),
            trace_parent: event.trace_parent.clone(),
            data_schema: event.data_schema.clone(),
            data: event.data.to_vec(),
        };
        if let Some(malformed) = taken.attributes().problems().into_iter().next() {
            return Err(Error::invalid(malformed.attribute, malformed.problem));
        }
        let asserter = Asserter {
            issuer: super::own_principal().issuer,
            subject: producer(event),
            provenance: Provenance::Integration,
            asserts: Vec::new(),
        };
        let mut author = Author::own(self.app.now());
        author.actor.subject.clone_from(&asserter.subject);
        let by = Brought {
            author,
            asserter,
            scopes: Scopes::All,
        };
        let outcomes = self.app.take_in(by, vec![taken], None).await?;
        match outcomes.first().and_then(|outcome| outcome.refusal) {
            Some(reason) => Err(refusal(reason, &event.source, &event.id)),
            None => Ok(()),
        }
    }

    async fn refused(&self, event: &bus::Event, error: &Error) {
        if let Reason::IdempotencyConflict
        | Reason::EventSourceForeign
        | Reason::EventSourceUndeclared = error.reason()
        {
            // That is recorded where it is found.
            return;
        }
        let mut author = Author::own(self.app.now());
        author.actor.subject = producer(event);
        let subject = Subject {
            resource: format!("events/{}", event.id),
            scope: &event.scope,
            correlation_id: &event.correlation_id,
        };
        let payload = json!({
            "source": event.source, "id": event.id, "type": event.r#type,
            "reason": error.reason().code(), "message": error.message(),
        });
        let (what, verb) = ("event.refused", "exceptions.event.ingest");
        let entry = author.record(what, verb, &subject, Outcome::Refused, payload);
        if let Err(error) = self.app.store.record(&entry).await {
            tracing::error!(event = event.id, %error, "a refusal could not be recorded");
        }
    }
}

/// Who vouches for an event of the stream: the service that produced it, or else the
/// source that was let into it.
fn producer(event: &bus::Event) -> String {
    source::of_suite(&event.source).unwrap_or_else(|| event.source.clone())
}
