//! What the use cases need of the database and of other services.

use std::collections::{BTreeMap, HashMap};

use approval::{Requirement, Somebody};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use decision::Value;
use governance::{Provenance, Scope};
use service_kit::{
    error::{Error, Result},
    identity::{Asserts, Caller, Found, PrincipalKind, Scopes},
    outbox::Entry,
};

use crate::domain::{
    action::{Action, Decision, Given, Party, Receipt},
    ageing,
    document::{Document, Fact, Key},
    event::Event,
    exception::{Evidence, Exception},
    state::State,
};

/// Who brought an event, kept with a dead letter for its replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asserter {
    /// `iss` of the token, or the kit's name for the event stream.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: String,
    /// What it says is worth.
    pub provenance: Provenance,
    /// What it may assert beyond that of some facts.
    pub asserts: Vec<Asserts>,
}

impl Asserter {
    /// Whoever brings an event. Where a service acts for a person, neither lends the other
    /// its word.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        let principal = caller.principal();
        let limited = principal.asserts.iter().filter(|a| !a.is_unlimited());
        let limited_counts =
            principal.kind != PrincipalKind::Model && caller.on_behalf_of().is_none();
        Self {
            issuer: principal.issuer.clone(),
            subject: principal.subject.clone(),
            provenance: caller.provenance(),
            asserts: limited.filter(|_| limited_counts).cloned().collect(),
        }
    }

    /// What this fact is worth.
    #[must_use]
    pub fn provenance_of(&self, fact: &str) -> Provenance {
        let held = self.asserts.iter().filter(|asserts| asserts.covers(fact));
        held.map(Asserts::provenance)
            .fold(self.provenance, Ord::min)
    }

    /// What an event with these facts is worth: as much as the weakest of them, and without
    /// any, what is said without a limit.
    #[must_use]
    pub fn provenance_of_all<'a>(&self, facts: impl Iterator<Item = &'a str>) -> Provenance {
        facts
            .map(|fact| self.provenance_of(fact))
            .reduce(Ord::max)
            .unwrap_or(self.provenance)
    }
}

/// Whom a source of events belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `iss` of the token, or the kit's name for the event stream.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: String,
}

/// A source that belongs to somebody from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// CloudEvents source.
    pub source: String,
    /// Whom it belongs to.
    pub owner: Owner,
    /// Since when.
    pub time: DateTime<Utc>,
}

/// What became of an event, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Digest of its content.
    pub digest: String,
    /// Whether it is a dead letter.
    pub dead_letter: Option<String>,
    /// Exception it raised, spoke for or resolved, with the exception's type.
    pub exception: Option<(String, String)>,
}

/// An event that was dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// CloudEvents source.
    pub source: String,
    /// CloudEvents id.
    pub id: String,
    /// What became of it.
    pub seen: Seen,
    /// CloudEvents type.
    pub kind: String,
    /// When it came.
    pub received: DateTime<Utc>,
}

/// An event that could not be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// UUID.
    pub id: String,
    /// The event as it came.
    pub event: Event,
    /// Who brought it.
    pub asserter: Asserter,
    /// Why, with the place.
    pub reason: String,
    /// When.
    pub created: DateTime<Utc>,
}

/// What an ingestion needs to know before it decides.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Sources and ids of the events.
    pub events: Vec<(String, String)>,
    /// Documents they are about.
    pub documents: Vec<Key>,
    /// Those documents on which an action could be touched.
    pub acting: Vec<Key>,
}

/// What is known of it.
#[derive(Debug, Default, Clone)]
pub struct Snapshot {
    /// Whom sources belong to that somebody brought events of before.
    pub owners: HashMap<String, Owner>,
    /// Events that came before, by source and id.
    pub seen: HashMap<(String, String), Seen>,
    /// Scopes of the documents there are.
    pub documents: HashMap<Key, Scope>,
    /// Open exceptions on the documents, oldest first.
    pub open: HashMap<Key, Vec<Exception>>,
    /// Actions on the documents that are pending or authorized, oldest first.
    pub actions: HashMap<Key, Vec<Action>>,
}

/// A document that events speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Which.
    pub key: Key,
    /// Its unit.
    pub scope: Scope,
    /// The business transaction.
    pub correlation_id: String,
    /// When.
    pub updated: DateTime<Utc>,
    /// Whether it wasn't there before.
    pub new: bool,
}

/// A receipt that an executing system reports used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The document acted on.
    pub document: Key,
    /// `jti`.
    pub receipt: String,
    /// What it may have been for: the operations that the event's type executes.
    pub operations: Vec<String>,
    /// When it was reported.
    pub time: DateTime<Utc>,
}

/// What an ingestion changes.
#[derive(Debug, Default, Clone)]
pub struct Plan {
    /// Sources that belong to whoever brings their first events.
    pub bound: Vec<Bound>,
    /// Events dealt with.
    pub handled: Vec<Handled>,
    /// Documents they speak of.
    pub documents: Vec<Touched>,
    /// Newest facts by document, name and provenance.
    pub facts: Vec<(Key, Fact)>,
    /// New exceptions.
    pub raised: Vec<Exception>,
    /// New evidence, by exception.
    pub evidence: Vec<(String, Evidence)>,
    /// How many new events speak for exceptions that were there and don't change else.
    pub supported: Vec<(String, i64)>,
    /// Receipts that were used, and that no action here has.
    pub used: Vec<Used>,
    /// Exceptions that were there and change, with the version that was read.
    pub changed: Vec<(Exception, i64)>,
    /// Actions that change, with the version that was read.
    pub actions: Vec<(Action, i64)>,
    /// New dead letters.
    pub dead_letters: Vec<DeadLetter>,
    /// A dead letter that was taken in after all.
    pub replayed: Option<String>,
    /// Records and events.
    pub entries: Vec<Entry>,
}

/// Decides an ingestion from what is known. It may run several times, and only its last
/// answer counts.
pub trait Planner: Send + Sync {
    /// The plan.
    ///
    /// # Errors
    /// If nothing is to be changed.
    fn plan(&self, snapshot: &Snapshot) -> Result<Plan>;
}

/// An exception with the actions asked for on it, oldest first.
#[derive(Debug, Clone)]
pub struct Case {
    /// The exception.
    pub exception: Exception,
    /// Its actions.
    pub actions: Vec<Action>,
}

/// What a use case changes of a [`Case`].
#[derive(Debug, Default)]
pub struct Change {
    /// Whether the exception changes.
    pub exception: bool,
    /// Ids of the actions that are new or change; approvals are only ever added.
    pub actions: Vec<String>,
    /// Records and events.
    pub entries: Vec<Entry>,
    /// What to answer although the change is kept, such as that an approval lapsed.
    pub refusal: Option<Error>,
}

/// Changes a case in place and says what changed. It may run several times, and only
/// its last answer counts.
pub type Decide<'a> = &'a (dyn Fn(&mut Case) -> Result<Change> + Send + Sync);

/// Which exceptions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Type, or empty.
    pub kind: String,
    /// States.
    pub states: Vec<State>,
    /// Queue, or empty.
    pub queue: String,
    /// Business transaction, or empty.
    pub correlation_id: String,
    /// Creation time in microseconds and id of the last one of the page before.
    pub after: Option<(i64, String)>,
    /// At most this many.
    pub limit: u64,
}

/// The database.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps a record that belongs to no change.
    async fn record(&self, entry: &Entry) -> Result<()>;
    /// Takes in events in one transaction.
    async fn ingest(&self, wanted: &Wanted, planner: &dyn Planner) -> Result<Plan>;
    /// Changes a case in one transaction in which nobody else changes it.
    async fn change(&self, exception: &str, decide: Decide<'_>) -> Result<Option<Case>>;
    /// An exception with its first evidence.
    async fn exception(
        &self,
        id: &str,
        scopes: &Scopes,
    ) -> Result<Found<(Exception, Vec<Evidence>)>>;
    /// Exceptions in scope, oldest first, and how many there are.
    async fn exceptions(&self, query: &Query, scopes: &Scopes) -> Result<(Vec<Exception>, i64)>;
    /// A document with its facts.
    async fn document(&self, key: &Key, scopes: &Scopes) -> Result<Found<Document>>;
    /// An action.
    async fn action(&self, exception: &str, id: &str, scopes: &Scopes) -> Result<Found<Action>>;
    /// Actions of an exception, oldest first.
    async fn actions(
        &self,
        exception: &str,
        after: Option<(i64, String)>,
        limit: u64,
    ) -> Result<Vec<Action>>;
    /// Names of actions on a document that were executed, the last first.
    async fn executed(&self, document: &Key, limit: u64) -> Result<Vec<String>>;
    /// Receipts for an operation on a document that were used and that no action here has,
    /// the last first.
    async fn used(&self, document: &Key, operation: &str, limit: u64) -> Result<Vec<String>>;
    /// The action of a request, where it is a retry.
    async fn requested(&self, requester: &Party, request_id: &str) -> Result<Option<Action>>;
    /// Exceptions and actions that wait for this service: overdue, or complete.
    async fn due(&self, now: DateTime<Utc>, limit: u64) -> Result<Vec<(String, String)>>;
    /// Dead letters in scope, newest first.
    async fn dead_letters(
        &self,
        before: Option<(i64, String)>,
        limit: u64,
        scopes: &Scopes,
    ) -> Result<Vec<DeadLetter>>;
    /// A dead letter.
    async fn dead_letter(&self, id: &str, scopes: &Scopes) -> Result<Found<DeadLetter>>;
    /// Open exceptions in scope by unit and type, by the instants that part the bands.
    async fn ageing(
        &self,
        scopes: &Scopes,
        since: &[DateTime<Utc>],
        now: DateTime<Utc>,
    ) -> Result<Vec<ageing::Row>>;
}

/// A question to the policy service.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Workflow.
    pub workflow: String,
    /// Scope of the transaction.
    pub scope: Scope,
    /// The business transaction.
    pub correlation_id: String,
    /// One fact a name.
    pub facts: Vec<Fact>,
}

/// An action to be authorized.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorization {
    /// Resource name of the action.
    pub action: String,
    /// What it does.
    pub operation: String,
    /// `type/id` of the document.
    pub document: String,
    /// Line of the document; empty: all of it.
    pub line: String,
    /// Actions that were executed: their receipts are used up.
    pub finished: Vec<String>,
    /// Receipts of others for the operation on the document that were used.
    pub used: Vec<String>,
    /// Arguments.
    pub arguments: Vec<Fact>,
    /// The executing system.
    pub audience: String,
    /// The question that is asked again, with fresh facts.
    pub question: Question,
    /// Who asked.
    pub requester: Party,
    /// Others who count as the requester.
    pub excluded: Vec<Somebody>,
    /// Approvals given.
    pub approvals: Vec<Given>,
    /// What they are bound to.
    pub digest: String,
}

/// What the policy service made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized {
    /// The decision in force now.
    pub decision: Decision,
    /// The receipt, where it is allowed.
    pub receipt: Option<Receipt>,
    /// Approvals that are still missing.
    pub missing: Vec<Requirement>,
}

/// The policy service. It is never asked inside a transaction.
#[async_trait]
pub trait Policy: Send + Sync {
    /// Asks whether a step may happen.
    async fn decide(&self, question: &Question) -> Result<Decision>;
    /// Has an action signed; idempotent by its name.
    async fn authorize(&self, authorization: &Authorization) -> Result<Authorized>;
}

/// Arguments by name.
pub type Arguments = BTreeMap<String, Value>;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::sync::Arc;

    use service_kit::{access::AccessTable, identity::Principal};

    use super::*;

    fn asserter(principal: &Principal, person: Option<PrincipalKind>) -> Asserter {
        let access = Arc::new(AccessTable::shipped().unwrap());
        let person = person.map(|kind| Principal {
            kind,
            ..Principal::own("person")
        });
        Asserter::of(&Caller::new(
            principal.clone(),
            person.map(Arc::new),
            access,
        ))
    }

    #[test]
    fn what_is_asserted_of_some_facts_is_worth_it_for_those_alone() {
        let orders = Asserts::of(Provenance::Erp, vec!["order.*".into()]).unwrap();
        let mut principal = Principal {
            asserts: vec![orders],
            ..Principal::own("test")
        };
        let adapter = asserter(&principal, None);
        assert_eq!(adapter.provenance, Provenance::Integration);
        assert_eq!(adapter.provenance_of("order.total"), Provenance::Erp);
        assert_eq!(
            adapter.provenance_of("customer.credit"),
            Provenance::Integration
        );
        for (facts, worth) in [
            (&["order.total", "order.lines"][..], Provenance::Erp),
            (&["order.total", "customer.credit"], Provenance::Integration),
            (&[], Provenance::Integration),
        ] {
            assert_eq!(adapter.provenance_of_all(facts.iter().copied()), worth);
        }
        let typed = asserter(&principal, Some(PrincipalKind::Person));
        assert_eq!(typed.provenance_of("order.total"), Provenance::Person);
        principal.asserts = vec![Provenance::Erp.into()];
        let adapter = asserter(&principal, None);
        assert!(adapter.asserts.is_empty());
        assert_eq!(adapter.provenance_of("order.total"), Provenance::Erp);
        principal.kind = PrincipalKind::Model;
        let model = asserter(&principal, None);
        assert_eq!(model.provenance_of("order.total"), Provenance::Model);
    }
}
