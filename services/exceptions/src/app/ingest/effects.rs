//! Exceptions and actions as a batch of events leaves them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use governance::Scope;
use service_kit::outbox::Entry;

use super::read::{Item, Meaning, Raise};
use crate::{
    app::{
        App,
        ports::{Plan, Snapshot},
        records::{Author, told},
    },
    domain::{
        action::{self, Action},
        catalog::{EventType, Reading},
        document::Key,
        exception::Exception,
        state::{State, Step},
    },
};

/// Exceptions and actions on the documents of a batch.
pub(super) struct Standing {
    exceptions: HashMap<Key, Vec<Tracked>>,
    actions: HashMap<Key, Vec<(Action, i64)>>,
}

struct Tracked {
    exception: Exception,
    /// The version that was read; none for one that is new.
    read: Option<i64>,
    /// How many events of this batch speak for it.
    supported: i64,
    /// Whether anything else changed.
    changed: bool,
}

/// What an event ended.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) entries: Vec<Entry>,
    /// The exceptions it resolved, with their types.
    pub(super) resolved: Vec<(String, String)>,
    /// Whether it names a receipt that no action here has.
    pub(super) foreign_receipt: bool,
}

impl Standing {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let track = |exception: &Exception| Tracked {
            read: Some(exception.version),
            exception: exception.clone(),
            supported: 0,
            changed: false,
        };
        let exceptions = snapshot.open.iter();
        let actions = snapshot.actions.iter();
        Self {
            exceptions: exceptions
                .map(|(key, open)| (key.clone(), open.iter().map(track).collect()))
                .collect(),
            actions: actions
                .map(|(key, actions)| {
                    let read = |action: &Action| (action.clone(), action.version);
                    (key.clone(), actions.iter().map(read).collect())
                })
                .collect(),
        }
    }

    /// Counts an event as evidence for the open exception of this type on the document's
    /// line, if there is one.
    pub(super) fn support(
        &mut self,
        reading: &Reading,
        kind: &str,
        now: DateTime<Utc>,
    ) -> Option<String> {
        let tracked = self
            .exceptions
            .get_mut(&reading.document)?
            .iter_mut()
            .find(|tracked| {
                let exception = &tracked.exception;
                exception.state.is_open()
                    && exception.kind == kind
                    && exception.line == reading.line
            })?;
        tracked.supported += 1;
        tracked.exception.evidence_count += 1;
        tracked.exception.touch(now);
        Some(tracked.exception.id.clone())
    }

    pub(super) fn raise(
        &mut self,
        app: &App,
        item: &Item,
        meaning: &Meaning,
        scope: &Scope,
        raise: &Raise,
        now: DateTime<Utc>,
    ) -> &Exception {
        let document = &meaning.reading.document;
        let exception = Exception {
            id: app.id(),
            kind: raise.kind.clone(),
            scope: scope.clone(),
            severity: raise.route.severity,
            blocking: raise.route.blocking,
            document: document.clone(),
            line: meaning.reading.line.clone(),
            hold_source: meaning.reading.hold_source.clone(),
            hold_until: None,
            owner: None,
            queue: raise.route.queue.clone(),
            state: State::Open,
            root_cause_code: String::new(),
            resolution_code: String::new(),
            response_by: raise.response_by,
            resolution_by: raise.resolution_by,
            responded: None,
            first_action: raise.route.first_action.clone(),
            evidence_count: 1,
            correlation_id: item.event.correlation().to_owned(),
            created: now,
            updated: now,
            resolved: None,
            reopen_count: 0,
            version: 1,
        };
        let all = self.exceptions.entry(document.clone()).or_default();
        let index = all.len();
        all.push(Tracked {
            exception,
            read: None,
            supported: 0,
            changed: true,
        });
        &all[index].exception
    }

    /// Marks actions as executed and resolves exceptions, as the event's type declares.
    pub(super) fn end(
        &mut self,
        app: &App,
        author: &Author,
        declared: &EventType,
        reading: &Reading,
    ) -> Ended {
        let mut ended = Ended::default();
        if let Some(executes) = &declared.executes {
            self.execute(app, author, &executes.operations, reading, &mut ended);
        }
        if let Some(resolves) = &declared.resolves {
            let wanted = |exception: &Exception| {
                resolves.exceptions.contains(&exception.kind)
                    // An event on the header speaks of all lines.
                    && (reading.line.is_empty() || exception.line == reading.line)
            };
            self.resolve(
                author,
                &reading.document,
                &wanted,
                &resolves.code,
                &mut ended,
            );
        }
        ended
    }

    /// The action that the receipt names, or one it renewed, be it that it has lapsed
    /// meanwhile; where the event names none, the only one that is authorized. A receipt
    /// that isn't one of these is that of something that acts without an exception's action.
    fn execute(
        &mut self,
        app: &App,
        author: &Author,
        operations: &[String],
        reading: &Reading,
        ended: &mut Ended,
    ) {
        let meant = |action: &Action| {
            let by_receipt = |id: &String| {
                let held = action.receipt.as_ref();
                let waits = matches!(
                    action.state,
                    action::State::Authorized | action::State::Lapsed
                );
                waits && held.is_some_and(|held| held.is_called(id))
            };
            let authorized = action.state == action::State::Authorized;
            operations.contains(&action.operation)
                && reading.receipt.as_ref().map_or(authorized, by_receipt)
        };
        let actions = self.actions.get_mut(&reading.document);
        let mut all: Vec<_> = actions
            .into_iter()
            .flatten()
            .map(|(action, _)| action)
            .filter(|action| meant(action))
            .collect();
        let (Some(action), true) = (all.pop(), all.is_empty()) else {
            ended.foreign_receipt = reading.receipt.is_some();
            return;
        };
        if action.step(action::Step::Execute, "", author.now).is_err() {
            return;
        }
        let verb = "exceptions.action.execute";
        ended
            .entries
            .push(told(author.on_action("action.executed", verb, action)));
        let definition = app.catalog.actions.get(&action.operation);
        if let Some(code) = definition.and_then(|definition| definition.resolves.clone()) {
            let id = action.exception.clone();
            let wanted = |exception: &Exception| exception.id == id;
            self.resolve(author, &reading.document, &wanted, &code, ended);
        }
    }

    fn resolve(
        &mut self,
        author: &Author,
        document: &Key,
        wanted: &dyn Fn(&Exception) -> bool,
        code: &str,
        ended: &mut Ended,
    ) {
        let mut resolved = Vec::new();
        for tracked in self.exceptions.get_mut(document).into_iter().flatten() {
            let exception = &mut tracked.exception;
            if !wanted(exception) || exception.step(Step::Resolve, author.now).is_err() {
                continue;
            }
            code.clone_into(&mut exception.resolution_code);
            tracked.changed = true;
            let verb = "exceptions.exception.resolve";
            let entry = author.on_exception("exception.resolved", verb, exception);
            ended.entries.push(told(entry));
            let kind = exception.kind.clone();
            ended.resolved.push((exception.id.clone(), kind));
            resolved.push(exception.id.clone());
        }
        for (action, _) in self.actions.get_mut(document).into_iter().flatten() {
            let reason = "the exception was resolved";
            if resolved.contains(&action.exception)
                && action.state == action::State::PendingApproval
                && action.step(action::Step::Lapse, reason, author.now).is_ok()
            {
                let verb = "exceptions.action.lapse";
                let entry = author.on_action("action.lapsed", verb, action);
                ended.entries.push(told(entry));
            }
        }
    }

    pub(super) fn into_plan(self, plan: &mut Plan) {
        for tracked in self.exceptions.into_values().flatten() {
            match tracked.read {
                None => plan.raised.push(tracked.exception),
                Some(read) if tracked.changed => plan.changed.push((tracked.exception, read)),
                Some(_) if tracked.supported > 0 => {
                    plan.supported
                        .push((tracked.exception.id, tracked.supported));
                }
                Some(_) => {}
            }
        }
        let changed = |(action, read): &(Action, i64)| action.version != *read;
        let actions = self.actions.into_values().flatten();
        plan.actions.extend(actions.filter(changed));
        plan.raised.sort_by(|a, b| a.id.cmp(&b.id));
        plan.supported.sort();
        plan.changed.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        plan.actions.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
    }
}
