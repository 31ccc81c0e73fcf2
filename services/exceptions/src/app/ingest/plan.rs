//! What a batch of events changes, given what is known.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde_json::json;
use service_kit::{error::Result, identity::Scopes, outbox};

use super::{
    Brought, Effect, Outcome, Status,
    admit::Place,
    effects::Standing,
    read::{self, Item, Meaning},
};
use crate::{
    app::{
        App, is_uuid,
        ports::{Asserter, DeadLetter, Handled, Plan, Planner, Seen, Snapshot, Touched, Used},
        records::{Author, Subject, told},
    },
    domain::{
        catalog::EventType,
        document::{Fact, Key},
        exception::Evidence,
        text,
    },
};
use governance::{Provenance, Scope};

/// Events that are taken in together.
pub(super) struct Batch<'a> {
    pub(super) app: &'a App,
    pub(super) author: Author,
    pub(super) asserter: Asserter,
    /// Where the caller may bring events for.
    pub(super) scopes: Scopes,
    items: Vec<Item>,
    /// The dead letter whose only event this is.
    pub(super) replayed: Option<String>,
    /// The outcomes of the last plan.
    outcomes: Mutex<Vec<Outcome>>,
}

/// A batch on its way to a plan.
pub(super) struct Draft<'b> {
    pub(super) batch: &'b Batch<'b>,
    pub(super) snapshot: &'b Snapshot,
    /// Events of this batch that were dealt with.
    pub(super) seen: HashMap<(&'b str, &'b str), (String, Outcome)>,
    pub(super) documents: HashMap<Key, Touched>,
    facts: HashMap<(Key, String, Provenance), Fact>,
    standing: Standing,
    pub(super) plan: Plan,
}

impl Planner for Batch<'_> {
    fn plan(&self, snapshot: &Snapshot) -> Result<Plan> {
        let mut draft = Draft {
            batch: self,
            snapshot,
            seen: HashMap::new(),
            documents: HashMap::new(),
            facts: HashMap::new(),
            standing: Standing::new(snapshot),
            plan: Plan::default(),
        };
        let mut outcomes = Vec::with_capacity(self.items.len());
        for item in &self.items {
            outcomes.push(draft.handle(item));
        }
        *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner) = outcomes;
        Ok(draft.finish())
    }
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        app: &'a App,
        by: Brought,
        items: Vec<Item>,
        replayed: Option<String>,
    ) -> Self {
        Self {
            app,
            author: by.author,
            asserter: by.asserter,
            scopes: by.scopes,
            items,
            replayed,
            outcomes: Mutex::default(),
        }
    }

    pub(super) fn into_outcomes(self) -> Vec<Outcome> {
        self.outcomes
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'b> Draft<'b> {
    fn handle(&mut self, item: &'b Item) -> Outcome {
        let refused = self.foreign(item).or_else(|| self.repeated(item));
        if let Some(outcome) = refused {
            return outcome;
        }
        let declared = self.batch.app.catalog.events.get(&item.event.kind);
        let trusted = declared.map_or(Ok(()), |declared| {
            let facts = item.meaning.iter().flat_map(|m| &m.reading.facts);
            let asserter = &self.batch.asserter;
            declared.check_provenance(asserter.provenance_of_all(facts.map(|(name, _)| &**name)))
        });
        if let Err(problem) = trusted {
            return self.dead_letter(item, problem);
        }
        let problem = match &item.meaning {
            Ok(meaning) => match self.place(item, meaning) {
                Place::Named => return self.accept(item, meaning, &item.at),
                Place::Documents(scope) => {
                    let now = self.batch.author.now;
                    match read::meaning(&self.batch.app.catalog, &item.event, &scope, now) {
                        Ok(meaning) => return self.accept(item, &meaning, &scope),
                        Err(problem) => problem,
                    }
                }
                Place::Elsewhere(problem) => problem,
            },
            Err(problem) => problem.clone(),
        };
        self.dead_letter(item, problem)
    }

    fn accept(&mut self, item: &'b Item, meaning: &Meaning, scope: &Scope) -> Outcome {
        self.touch(item, meaning, scope);
        self.keep_facts(item, meaning);
        let mut outcome = self.raise(item, meaning, scope);
        if meaning.ends
            && let Some(declared) = self.batch.app.catalog.events.get(&item.event.kind)
        {
            let author = &self.batch.author;
            let ended = self
                .standing
                .end(self.batch.app, author, declared, &meaning.reading);
            self.plan.entries.extend(ended.entries);
            outcome.meant(ended.resolved, Effect::Resolved);
            if ended.foreign_receipt {
                self.used(item, meaning, scope, declared);
            }
        }
        outcome.settle();
        let meanings = outcome
            .meanings
            .iter()
            .map(|meant| json!({"exception": meant.name(), "effect": meant.effect.name()}));
        let payload = json!({
            "source": item.event.source, "id": item.event.id, "type": item.event.kind,
            "digest": item.digest,
            "document": meaning.reading.document.to_string(),
            "facts": meaning.reading.facts.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "provenance": self.batch.asserter.provenance.as_str(),
            "asserted_by": self.batch.asserter.subject,
            "exception": outcome.exception.as_ref().map(|(id, _)| format!("exceptions/{id}")),
            "effect": outcome.effect().map(Effect::name),
            "meanings": meanings.collect::<Vec<_>>(),
            "replayed": self.batch.replayed.as_ref().map(|id| format!("deadLetters/{id}")),
        });
        self.record(
            item,
            scope,
            "event.accepted",
            outbox::Outcome::Done,
            payload,
        );
        self.handled(item, &outcome);
        if self.batch.replayed.is_some() {
            self.plan.replayed.clone_from(&self.batch.replayed);
        }
        outcome
    }

    /// Notes that a receipt was used that isn't one of an action here, such as that of a
    /// recommendation that acts by itself, and tells whoever it is of.
    fn used(&mut self, item: &Item, meaning: &Meaning, scope: &Scope, declared: &EventType) {
        let (Some(receipt), Some(executes)) = (&meaning.reading.receipt, &declared.executes) else {
            return;
        };
        let document = &meaning.reading.document;
        if !is_uuid(receipt) {
            let document = document.to_string();
            tracing::warn!(document, "an execution names what is no receipt");
            return;
        }
        let subject = Subject {
            resource: document.name(),
            scope: scope.as_str(),
            correlation_id: item.event.correlation(),
        };
        let payload = json!({
            "document": document.to_string(),
            "receipt": receipt,
            "operations": executes.operations,
            "source": item.event.source, "id": item.event.id,
        });
        let author = &self.batch.author;
        let (what, verb) = ("receipt.used", "exceptions.action.execute");
        let entry = author.record(what, verb, &subject, outbox::Outcome::Done, payload);
        self.plan.entries.push(told(entry));
        self.plan.used.push(Used {
            document: document.clone(),
            receipt: receipt.clone(),
            operations: executes.operations.clone(),
            time: author.now,
        });
    }

    fn touch(&mut self, item: &Item, meaning: &Meaning, scope: &Scope) {
        let key = &meaning.reading.document;
        let now = self.batch.author.now;
        let new = !self.snapshot.documents.contains_key(key);
        self.documents
            .entry(key.clone())
            .or_insert_with(|| Touched {
                key: key.clone(),
                scope: scope.clone(),
                correlation_id: item.event.correlation().to_owned(),
                updated: now,
                new,
            });
    }

    /// Keeps the newest observation of each fact; of equally old ones the later to come.
    fn keep_facts(&mut self, item: &Item, meaning: &Meaning) {
        let asserter = &self.batch.asserter;
        for (name, value) in &meaning.reading.facts {
            let provenance = asserter.provenance_of(name);
            let key = (meaning.reading.document.clone(), name.clone(), provenance);
            let fact = Fact {
                name: name.clone(),
                value: value.clone(),
                provenance,
                asserted_by: asserter.subject.clone(),
                // Nothing is observed before it happens: a clock ahead would keep a fact
                // fresh beyond its age.
                observed: item.occurred.min(self.batch.author.now),
            };
            match self.facts.entry(key) {
                std::collections::hash_map::Entry::Occupied(mut held) => {
                    if fact.observed >= held.get().observed {
                        held.insert(fact);
                    }
                }
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(fact);
                }
            }
        }
    }

    fn raise(&mut self, item: &Item, meaning: &Meaning, scope: &Scope) -> Outcome {
        let mut outcome = Outcome::default();
        for raise in &meaning.raises {
            let evidence = Evidence {
                source: item.event.source.clone(),
                event: item.event.id.clone(),
                kind: item.event.kind.clone(),
                occurred: item.occurred,
                asserted_by: self.batch.asserter.subject.clone(),
            };
            let now = self.batch.author.now;
            let (id, effect) = match self.standing.support(&meaning.reading, &raise.kind, now) {
                Some(id) => (id, Effect::Evidence),
                None => {
                    let exception =
                        self.standing
                            .raise(self.batch.app, item, meaning, scope, raise, now);
                    let author = &self.batch.author;
                    let what = "exception.raised";
                    let entry = author.on_exception(what, "exceptions.exception.raise", exception);
                    self.plan.entries.push(told(entry));
                    (exception.id.clone(), Effect::Raised)
                }
            };
            self.plan.evidence.push((id.clone(), evidence));
            outcome.meant([(id, raise.kind.clone())], effect);
        }
        outcome
    }

    fn dead_letter(&mut self, item: &'b Item, reason: String) -> Outcome {
        // It may quote what came.
        let reason = text::spelt(&reason);
        if let Some(id) = &self.batch.replayed {
            // It stays where it is.
            return Outcome {
                status: Status::DeadLettered,
                dead_letter: Some((id.clone(), reason)),
                ..Outcome::default()
            };
        }
        let id = self.batch.app.id();
        let payload = json!({
            "source": item.event.source, "id": item.event.id, "type": item.event.kind,
            "digest": item.digest, "reason": reason, "dead_letter": format!("deadLetters/{id}"),
        });
        let scope = &item.event.scope;
        self.record(
            item,
            scope,
            "event.dead-lettered",
            outbox::Outcome::Done,
            payload,
        );
        self.plan.dead_letters.push(DeadLetter {
            id: id.clone(),
            event: item.event.clone(),
            asserter: self.batch.asserter.clone(),
            reason: reason.clone(),
            created: self.batch.author.now,
        });
        let outcome = Outcome {
            status: Status::DeadLettered,
            dead_letter: Some((id, reason)),
            ..Outcome::default()
        };
        self.handled(item, &outcome);
        outcome
    }

    fn handled(&mut self, item: &'b Item, outcome: &Outcome) {
        self.plan.handled.push(Handled {
            source: item.event.source.clone(),
            id: item.event.id.clone(),
            seen: Seen {
                digest: item.digest.clone(),
                dead_letter: outcome.dead_letter.as_ref().map(|(id, _)| id.clone()),
                exception: outcome.exception.clone(),
            },
            kind: item.event.kind.clone(),
            received: self.batch.author.now,
        });
        let key = (item.event.source.as_str(), item.event.id.as_str());
        self.seen
            .insert(key, (item.digest.clone(), outcome.clone()));
    }

    pub(super) fn record(
        &mut self,
        item: &Item,
        scope: &Scope,
        what: &str,
        outcome: outbox::Outcome,
        payload: serde_json::Value,
    ) {
        let resource = match &item.meaning {
            Ok(meaning) => meaning.reading.document.name(),
            Err(_) => format!("events/{}", item.event.id),
        };
        let subject = Subject {
            resource,
            scope: scope.as_str(),
            correlation_id: item.event.correlation(),
        };
        let author = &self.batch.author;
        let entry = author.record(what, "exceptions.event.ingest", &subject, outcome, payload);
        self.plan.entries.push(entry);
    }

    fn finish(mut self) -> Plan {
        self.standing.into_plan(&mut self.plan);
        self.plan.documents = self.documents.into_values().collect();
        self.plan.facts = self
            .facts
            .into_iter()
            .map(|((key, _, _), fact)| (key, fact))
            .collect();
        // One order for everybody keeps two transactions from waiting for each other.
        self.plan.documents.sort_by(|a, b| a.key.cmp(&b.key));
        self.plan
            .facts
            .sort_by(|(a, x), (b, y)| (a, &x.name, x.provenance).cmp(&(b, &y.name, y.provenance)));
        self.plan.bound.sort_by(|a, b| a.source.cmp(&b.source));
        self.plan
            .handled
            .sort_by(|a, b| (&a.source, &a.id).cmp(&(&b.source, &b.id)));
        self.plan
    }
}
