//! Taking in events.

mod admit;
mod effects;
mod plan;
mod read;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::{Caller, Scopes},
    telemetry,
};
use tracing::Span;

use super::{
    App, id_in, permission,
    ports::{Asserter, Wanted},
    records::Author,
};
use crate::domain::event::Event;
use plan::Batch;
use read::Item;

/// Most events in a batch.
pub const MAX_BATCH: usize = 500;

/// What became of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What became of it.
    pub status: Status,
    /// Id and type of the first exception it raised, spoke for or resolved, be it when
    /// it came before.
    pub exception: Option<(String, String)>,
    /// What it meant now: what it raised first, then what it spoke for, then what it
    /// resolved.
    pub meanings: Vec<Meant>,
    /// Why it was refused.
    pub refusal: Option<Reason>,
    /// Id of the dead letter, and the reason.
    pub dead_letter: Option<(String, String)>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Taken in.
    #[default]
    Accepted,
    /// Was taken in, or dead-lettered, before.
    Duplicate,
    /// Kept with the reason why it can't be taken in.
    DeadLettered,
    /// Came before with other content, or of a source that isn't known to be the caller's.
    Refused,
}

/// What an event meant for one exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// Id of the exception.
    pub exception: String,
    /// Its type.
    pub kind: String,
    /// What the event meant for it.
    pub effect: Effect,
}

/// What an event means for an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It raised the exception.
    Raised,
    /// It speaks for one that is open.
    Evidence,
    /// It resolved the exception.
    Resolved,
}

impl Effect {
    fn name(self) -> &'static str {
        match self {
            Self::Raised => "RAISED",
            Self::Evidence => "EVIDENCE",
            Self::Resolved => "RESOLVED",
        }
    }
}

impl Meant {
    fn name(&self) -> String {
        format!("exceptions/{}", self.exception)
    }
}

impl Outcome {
    /// What the event meant for the first exception, if it meant anything now.
    #[must_use]
    pub fn effect(&self) -> Option<Effect> {
        self.meanings.first().map(|meant| meant.effect)
    }

    /// Notes what the event meant for exceptions, given by id and type.
    fn meant(&mut self, on: impl IntoIterator<Item = (String, String)>, effect: Effect) {
        let meanings = on.into_iter().map(|(exception, kind)| Meant {
            exception,
            kind,
            effect,
        });
        self.meanings.extend(meanings);
    }

    /// Brings the meanings into their order, and names the first.
    fn settle(&mut self) {
        self.meanings.sort_by_key(|meant| meant.effect);
        let first = self.meanings.first();
        self.exception = first.map(|meant| (meant.exception.clone(), meant.kind.clone()));
    }
}

/// Who brings events.
pub(crate) struct Brought {
    /// Whose act it is.
    pub(crate) author: Author,
    /// Who vouches for the facts.
    pub(crate) asserter: Asserter,
    /// The units whose documents may be spoken of.
    pub(crate) scopes: Scopes,
}

impl App {
    /// Takes in one event.
    ///
    /// # Errors
    /// For a scope the caller may not bring events for, a source that is another's, and an
    /// id that came with other content before.
    pub async fn ingest(&self, caller: &Caller, event: Event) -> Result<Outcome> {
        caller.require(permission::INGEST, &event.scope)?;
        let (source, id) = (event.source.clone(), event.id.clone());
        // The event may belong to another trace than the call that brings it.
        telemetry::link(&Span::current(), &event.trace_parent);
        let brought = Brought::by(caller, self.now());
        let mut outcomes = self.take_in(brought, vec![event], None).await?;
        let outcome = outcomes
            .pop()
            .ok_or_else(|| Error::broken("an ingestion without an outcome"))?;
        match outcome.refusal {
            None => Ok(outcome),
            Some(reason) => Err(refusal(reason, &source, &id)),
        }
    }

    /// Takes in several events in order, in one transaction, each with its own outcome.
    ///
    /// # Errors
    /// For too many events, or a scope the caller may not bring events for, of any; then
    /// none is taken in.
    pub async fn ingest_all(&self, caller: &Caller, events: Vec<Event>) -> Result<Vec<Outcome>> {
        if !(1..=MAX_BATCH).contains(&events.len()) {
            let problem = format!("{} events, expected 1 to {MAX_BATCH}", events.len());
            return Err(Error::invalid("events", problem));
        }
        let scopes = events
            .iter()
            .map(|event| &event.scope)
            .collect::<BTreeSet<_>>();
        for scope in scopes {
            caller.require(permission::INGEST, scope)?;
        }
        self.take_in(Brought::by(caller, self.now()), events, None)
            .await
    }

    /// Takes in a dead letter again, as from whoever brought it first.
    ///
    /// # Errors
    /// If there is none in the caller's scopes.
    pub async fn replay(&self, caller: &Caller, name: &str) -> Result<Outcome> {
        let id = id_in("name", "deadLetters", name)?;
        let scopes = caller.scopes(permission::REPLAY);
        let letter = self
            .store
            .dead_letter(id, &scopes)
            .await?
            .for_caller(caller, name)?;
        caller.require_no_conflict()?;
        let by = Brought {
            author: Author::of(caller, self.now()),
            asserter: letter.asserter,
            scopes,
        };
        let outcomes = self
            .take_in(by, vec![letter.event], Some(letter.id))
            .await?;
        outcomes
            .into_iter()
            .next()
            .ok_or_else(|| Error::broken("a replay without an outcome"))
    }

    /// The part that every way in shares.
    pub(crate) async fn take_in(
        &self,
        by: Brought,
        events: Vec<Event>,
        replayed: Option<String>,
    ) -> Result<Vec<Outcome>> {
        let now = by.author.now;
        let items = events
            .into_iter()
            .map(|event| Item::read(&self.catalog, event, now))
            .collect::<Vec<_>>();
        let wanted = wanted(&items);
        let batch = Batch::new(self, by, items, replayed);
        self.store.ingest(&wanted, &batch).await?;
        Ok(batch.into_outcomes())
    }
}

impl Brought {
    fn by(caller: &Caller, now: DateTime<Utc>) -> Self {
        Self {
            author: Author::of(caller, now),
            asserter: Asserter::of(caller),
            scopes: caller.scopes(permission::INGEST),
        }
    }
}

/// The error of an event that was refused.
pub(crate) fn refusal(reason: Reason, source: &str, id: &str) -> Error {
    match reason {
        Reason::EventSourceForeign => Error::new(
            Kind::PermissionDenied,
            reason,
            format!("events of the source {source} are not the caller's to bring"),
        )
        .with_metadata("source", source),
        Reason::EventSourceUndeclared => Error::new(
            Kind::PermissionDenied,
            reason,
            format!("no setting says whose the source {source} is: name it in service.sources"),
        )
        .with_metadata("source", source),
        _ => Error::new(
            Kind::AlreadyExists,
            reason,
            format!("event {source} {id} came before with other content"),
        ),
    }
}

fn wanted(items: &[Item]) -> Wanted {
    let mut documents = BTreeSet::new();
    let mut acting = BTreeSet::new();
    for meaning in items.iter().filter_map(|item| item.meaning.as_ref().ok()) {
        documents.insert(meaning.reading.document.clone());
        if meaning.ends {
            acting.insert(meaning.reading.document.clone());
        }
    }
    Wanted {
        events: items
            .iter()
            .map(|item| (item.event.source.clone(), item.event.id.clone()))
            .collect(),
        documents: documents.into_iter().collect(),
        acting: acting.into_iter().collect(),
    }
}
