//! What can only be seen with another catalog over the same store: nothing that a caller
//! can reach changes one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use async_trait::async_trait;
use service_kit::{
    access,
    clock::{Manual, Uuid7},
    error::{Reason, Result},
    identity::{Caller, Found, Principal, PrincipalKind, Scopes},
};

use super::{
    App,
    ingest::{Effect, Status},
    ports::{Authorization, Authorized, Policy, Question, Store as _},
};
use crate::{
    domain::{
        action::Decision,
        ageing::Bands,
        catalog::{Catalog, Source},
        document::Key,
        event::Event,
        source::Sources,
    },
    store::{Sql, migrations},
};

const SCOPES: &str = "
kind: ScopeTree
scopes:
  acme: {level: ENTERPRISE}
  acme/cellar: {level: BUSINESS_UNIT}
";
const TAXONOMY: &str = "
kind: Taxonomy
exceptions:
  leak: {title: Leak, severity: LOW, queue: plumbers, resolutions: {fixed: Fixed}}
";
const EVENT_TYPE: &str = "
kind: EventType
type: org.example.dripped
document: {type: pipe, prefix: pipes/}
data: {drops: {type: number, required: true}}
";
const DETECTION: &str = "
kind: Detection
name: d
scope: acme
inputs: [event.type]
hit_policy: COLLECT
rows: [{id: a, then: {exception: leak}}]
";

struct NoPolicy;

#[async_trait]
impl Policy for NoPolicy {
    async fn decide(&self, _: &Question) -> Result<Decision> {
        panic!("nobody asks")
    }
    async fn authorize(&self, _: &Authorization) -> Result<Authorized> {
        panic!("nobody asks")
    }
}

fn catalog(texts: &[(&str, &str)]) -> Arc<Catalog> {
    let sources = texts
        .iter()
        .map(|(kind, text)| Source {
            path: "test.yaml",
            line: 1,
            kind,
            text,
        })
        .collect::<Vec<_>>();
    Arc::new(Catalog::compile(&sources).unwrap())
}

fn caller(subject: &str, kind: PrincipalKind, grant: &str) -> Caller {
    let principal = Principal {
        issuer: "test".to_owned(),
        subject: subject.to_owned(),
        kind,
        grants: vec![grant.parse().unwrap()],
        token_id: None,
        expires: chrono::DateTime::<chrono::Utc>::MAX_UTC,
        asserts: Vec::new(),
        owner: None,
    };
    Caller::new(
        principal,
        None,
        Arc::new(access::AccessTable::shipped().unwrap()),
    )
}

testkit::backends! {
    async fn a_dead_letter_is_taken_in_once_its_type_is_declared(backend: Backend) {
        let store = backend.store();
        let sql = Arc::new(Sql::new(store.migrated(migrations()).await));
        let app = |catalog| App::new(
            sql.clone(),
            Arc::new(NoPolicy),
            catalog,
            Arc::new(Manual::new("2026-11-24T08:00:00Z".parse().unwrap())),
            Arc::new(Uuid7),
            Bands::new(&[60]).unwrap(),
            Sources { first_use: true, ..Sources::default() },
        );
        let before = app(catalog(&[("ScopeTree", SCOPES), ("Taxonomy", TAXONOMY)]));
        let after = app(catalog(&[
            ("ScopeTree", SCOPES),
            ("Taxonomy", TAXONOMY),
            ("EventType", EVENT_TYPE),
            ("Detection", DETECTION),
        ]));
        let source = caller("meter", PrincipalKind::Service, "event-source@acme");
        let architect = caller("architect", PrincipalKind::Person, "integration-architect@acme");
        let event = Event {
            id: "1".to_owned(),
            source: "/meters".to_owned(),
            kind: "org.example.dripped".to_owned(),
            subject: "pipes/7".to_owned(),
            time: None,
            scope: "acme/cellar".parse().unwrap(),
            correlation_id: String::new(),
            trace_parent: String::new(),
            data_schema: String::new(),
            data: br#"{"drops": 12}"#.to_vec(),
        };
        let outcome = before.ingest(&source, event.clone()).await.unwrap();
        assert_eq!(outcome.status, Status::DeadLettered);
        let name = format!("deadLetters/{}", outcome.dead_letter.unwrap().0);
        let still = before.replay(&architect, &name).await.unwrap();
        assert_eq!(still.status, Status::DeadLettered);

        let (one, two) = tokio::join!(after.replay(&architect, &name), after.replay(&architect, &name));
        // Of two replays at once one takes it in; the other finds it gone or done.
        let outcomes = [one, two];
        let accepted = outcomes.iter().flatten().filter(|outcome| outcome.effect() == Some(Effect::Raised));
        assert_eq!(accepted.count(), 1, "{outcomes:?}");
        let gone = after.replay(&architect, &name).await.unwrap_err();
        assert_eq!(gone.reason(), Reason::NotFound);
        let again = after.ingest(&source, event).await.unwrap();
        assert_eq!(again.status, Status::Duplicate);

        // The facts are the word of whoever brought the event, not of who replayed it.
        let key = Key { kind: "pipe".to_owned(), id: "7".to_owned() };
        let Found::Here(document) = sql.document(&key, &Scopes::All).await.unwrap() else {
            panic!("the document is there");
        };
        assert_eq!(document.facts[0].asserted_by, "meter");
        assert_eq!(document.open_exceptions.len(), 1);
    }
}
