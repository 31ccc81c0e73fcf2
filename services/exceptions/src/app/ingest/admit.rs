//! Whether an event is taken in at all: whose source it is, whether it came before, and
//! which unit its document belongs to.

use governance::Scope;
use serde_json::{Value as Json, json};
use service_kit::{error::Reason, outbox};

use super::{
    Outcome, Status,
    plan::Draft,
    read::{Item, Meaning},
};
use crate::{
    app::ports::{Bound, Owner},
    domain::{document::Key, source},
};

/// The unit that an event's document belongs to.
pub(super) enum Place {
    /// Where the event says.
    Named,
    /// Another one, that the caller may bring events for too.
    Documents(Scope),
    /// Another one, or none; with what to tell the caller.
    Elsewhere(String),
}

/// Whether somebody may bring the events of a source.
enum Standing {
    /// They may.
    Theirs,
    /// Nobody has brought any yet.
    Free,
    /// Nobody is known whose it is.
    Undeclared,
    /// They may not; with whose it is, for the record.
    Foreign(Json),
}

impl<'b> Draft<'b> {
    /// What to answer if the event's source isn't the caller's. A source that nobody has
    /// is the caller's from now on where first use may claim one, and refused elsewhere:
    /// either way nobody but its owner uses up its ids.
    pub(super) fn foreign(&mut self, item: &'b Item) -> Option<Outcome> {
        let source = &item.event.source;
        match self.standing_of(source) {
            Standing::Theirs => None,
            Standing::Free => {
                self.bind(item);
                None
            }
            Standing::Undeclared => {
                Some(self.refuse(item, Reason::EventSourceUndeclared, json!({})))
            }
            Standing::Foreign(owner) => {
                let more = json!({ "owner": owner });
                Some(self.refuse(item, Reason::EventSourceForeign, more))
            }
        }
    }

    fn standing_of(&self, source: &str) -> Standing {
        let asserter = &self.batch.asserter;
        let own = crate::app::own_principal().issuer;
        let theirs = |issuer: &str, subject: &str| {
            if asserter.issuer == issuer && asserter.subject == subject {
                Standing::Theirs
            } else {
                Standing::Foreign(json!({"issuer": issuer, "subject": subject}))
            }
        };
        if let Some(service) = source::of_suite(source) {
            return theirs(&own, &service);
        }
        let sources = &self.batch.app.sources;
        if let Some(declared) = sources.declared.get(source) {
            return if declared.include(&asserter.issuer, &asserter.subject) {
                Standing::Theirs
            } else {
                Standing::Foreign(json!({
                    "issuer": declared.issuer, "subjects": declared.subjects,
                }))
            };
        }
        if !sources.first_use {
            return Standing::Undeclared;
        }
        let bound = self.plan.bound.iter().find(|bound| bound.source == source);
        let owner = bound
            .map(|bound| &bound.owner)
            .or_else(|| self.snapshot.owners.get(source));
        owner.map_or(Standing::Free, |owner| {
            theirs(&owner.issuer, &owner.subject)
        })
    }

    fn bind(&mut self, item: &Item) {
        let asserter = &self.batch.asserter;
        let owner = Owner {
            issuer: asserter.issuer.clone(),
            subject: asserter.subject.clone(),
        };
        let payload = json!({
            "source": item.event.source, "issuer": owner.issuer, "subject": owner.subject,
        });
        let subject = crate::app::records::Subject {
            resource: "sources".to_owned(),
            scope: item.event.scope.as_str(),
            correlation_id: "",
        };
        let author = &self.batch.author;
        let (what, verb) = ("source.bound", "exceptions.event.ingest");
        let entry = author.record(what, verb, &subject, outbox::Outcome::Done, payload);
        self.plan.entries.push(entry);
        self.plan.bound.push(Bound {
            source: item.event.source.clone(),
            owner,
            time: author.now,
        });
    }

    /// What to answer if the event came before. A dead letter that is replayed has come
    /// before, and is taken as new all the same.
    pub(super) fn repeated(&mut self, item: &'b Item) -> Option<Outcome> {
        let event = &item.event;
        let key = (event.source.as_str(), event.id.as_str());
        let (digest, exception, dead_letter) = if let Some((digest, outcome)) = self.seen.get(&key)
        {
            (
                digest.clone(),
                outcome.exception.clone(),
                outcome.dead_letter.clone(),
            )
        } else {
            // The map's key owns its texts, so a lookup needs such a pair.
            let owned = (event.source.clone(), event.id.clone());
            let seen = self.snapshot.seen.get(&owned)?;
            if self.batch.replayed.is_some() && seen.dead_letter == self.batch.replayed {
                return None;
            }
            let dead_letter = seen.dead_letter.clone().map(|id| (id, String::new()));
            (seen.digest.clone(), seen.exception.clone(), dead_letter)
        };
        if digest == item.digest {
            return Some(Outcome {
                status: Status::Duplicate,
                exception,
                dead_letter,
                ..Outcome::default()
            });
        }
        let more = json!({ "known_digest": digest });
        Some(self.refuse(item, Reason::IdempotencyConflict, more))
    }

    /// Refuses an event, of which nothing is kept but the record.
    fn refuse(&mut self, item: &'b Item, reason: Reason, more: Json) -> Outcome {
        let event = &item.event;
        let mut payload = json!({
            "source": event.source, "id": event.id, "type": event.kind,
            "digest": item.digest, "reason": reason.code(),
        });
        if let (Json::Object(payload), Json::Object(more)) = (&mut payload, more) {
            payload.extend(more);
        }
        self.record(
            item,
            &event.scope,
            "event.refused",
            outbox::Outcome::Refused,
            payload,
        );
        Outcome {
            status: Status::Refused,
            refusal: Some(reason),
            ..Outcome::default()
        }
    }

    /// A document belongs to one unit, whatever an event names. An event may name a site
    /// of the unit, or what is above it; but nobody puts facts on the documents of a unit
    /// that they bring no events for, by guessing ids.
    pub(super) fn place(&self, item: &Item, meaning: &Meaning) -> Place {
        let document = &meaning.reading.document;
        let (named, at) = (&item.event.scope, &item.at);
        let may = |unit: &Scope| self.batch.scopes.contains(unit);
        match self.scope_of(document) {
            // What units share has a place above them too.
            None if item.above && !meaning.reading.shared => Place::Elsewhere(format!(
                "scope: {named} is no business unit, and none is known to have {document}"
            )),
            None if may(at) => Place::Named,
            None => Place::Elsewhere(format!(
                "scope: {document} would be a document of {at}, not of {named} alone"
            )),
            Some(own) if own == at && may(own) => Place::Named,
            Some(own) if (own.contains(named) || named.contains(own)) && may(own) => {
                Place::Documents(own.clone())
            }
            Some(_) => Place::Elsewhere(format!("scope: document {document} isn't one of {named}")),
        }
    }

    fn scope_of(&self, key: &Key) -> Option<&Scope> {
        let touched = self.documents.get(key).map(|touched| &touched.scope);
        touched.or_else(|| self.snapshot.documents.get(key))
    }
}
