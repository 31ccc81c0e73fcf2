//! The store on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use governance::{AuditLevel, Effect, Provenance};
use sea_orm::EntityTrait as _;
use serde_json::json;
use service_kit::{
    identity::{Principal, PrincipalKind},
    outbox::{Audit, Entry, Outcome},
};
use uuid::Uuid;

use super::*;
use crate::app::store::{Standing, Target};
use crate::domain::{
    decision::{Answer, Decision},
    question::{Asker, Question, SentFact},
    receipt::Receipt,
};

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 123_456_000).unwrap()
}

fn entry() -> Entry {
    Entry::new(Audit {
        r#type: "bylaw.policy.test.v1".into(),
        action: "policy.test.test".into(),
        resource: "tests/1".into(),
        scope: "acme".into(),
        correlation_id: "C".into(),
        outcome: Outcome::Done,
        actor: Principal {
            issuer: "i".into(),
            subject: "s".into(),
            kind: PrincipalKind::Service,
            grants: Vec::new(),
            token_id: None,
            expires: time(0),
            asserts: Vec::new(),
            owner: None,
        },
        via: None,
        payload: json!({}),
        occurred: time(1),
    })
}

fn answer() -> Answer {
    Answer {
        decision: Decision {
            id: Uuid::now_v7(),
            workflow: "w".into(),
            scope: "acme".parse().unwrap(),
            correlation_id: "C".into(),
            effect: Effect::Deny,
            settled: true,
            reasons: vec!["NO_ROW".into()],
            approvals: Vec::new(),
            obligations: Vec::new(),
            required_facts: Vec::new(),
            unknown_facts: Vec::new(),
            layers: Vec::new(),
            waivers: Vec::new(),
            revision: 1,
            audit_level: AuditLevel::Full,
            decide_time: time(1),
            binding_facts: Vec::new(),
        },
        notes: Vec::new(),
        explanation: Vec::new(),
    }
}

fn record(request_id: Option<Uuid>) -> Record {
    let question = Question {
        workflow: "w".into(),
        scope: "acme".parse().unwrap(),
        correlation_id: "C".into(),
        facts: vec![SentFact {
            name: "total".into(),
            value: ::decision::Value::Number("12345678901234567890.1230".parse().unwrap()),
            provenance: Provenance::Erp,
            asserted_by: "erp".into(),
            observed: Some(time(0)),
        }],
        min_revision: 0,
        request_id,
        explain: false,
    };
    Record {
        asker: Asker {
            issuer: "i".into(),
            subject: "s".into(),
            kind: "service".into(),
            grants: vec!["operator@acme".into()],
            via: None,
        },
        digest: question.digest(),
        question,
        answer: answer(),
        since: time(0),
        entries: vec![entry()],
    }
}

async fn kept(database: &Database, record: &Record) -> Option<Kept> {
    let id = record.answer.decision.id;
    match database.decision(id, &Scopes::All).await.unwrap() {
        Found::Here(kept) => Some(kept),
        Found::Elsewhere(_) | Found::Missing => None,
    }
}

async fn receipt_of(database: &Database, action: &str) -> Option<Authorized> {
    match database.receipt(action, &Scopes::All).await.unwrap() {
        Found::Here(authorized) => Some(authorized),
        Found::Elsewhere(_) | Found::Missing => None,
    }
}

fn authorized(action: &str, jws: &str) -> Authorized {
    Authorized {
        action: action.into(),
        digest: "sha256:0".into(),
        receipt: Receipt {
            id: Uuid::new_v4(),
            jws: jws.into(),
            expires: time(300),
            audience: "erp".into(),
        },
        answer: answer(),
    }
}

/// A receipt for a line of an order, from `now` to `until`.
fn claim(line: &str, now: i64, until: i64) -> Claim {
    Claim {
        target: Target {
            audience: "erp".into(),
            document: "order/1".into(),
            line: line.into(),
            operation: "release_order".into(),
        },
        finished: Vec::new(),
        used: Vec::new(),
        now: time(now),
        until: time(until),
    }
}

fn earlier(authorized: &Authorized) -> Signed {
    Signed::Earlier(Box::new(authorized.clone()))
}

fn document(name: &str) -> Document {
    Document {
        kind: "Workflow".into(),
        name: name.into(),
        version: 1,
        path: format!("{name}.yaml"),
        text: format!("kind: Workflow\nname: {name}\n").into(),
        attachments: BTreeMap::from([("a.csv".into(), "x,y\n".into())]),
        activated: time(1),
    }
}

fn revision(digest: &str) -> Revision {
    Revision {
        number: 1,
        digest: digest.into(),
        activated: time(1),
    }
}

async fn database(store: &testkit::Store) -> Database {
    Database::new(store.migrated(migrations()).await)
}

testkit::backends! {
    async fn a_bootstrap_happens_once_though_many_try(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        assert_eq!(database.latest().await.unwrap(), 0);
        assert_eq!(database.load().await.unwrap(), None);
        let tries = (0..8).map(|index| {
            let database = database.clone();
            async move {
                let revision = revision(&format!("sha256:{index}"));
                let documents = [document("a"), document("b")];
                database.bootstrap(&revision, &documents, &entry()).await.unwrap()
            }
        });
        let won: Vec<_> = join_all(tries).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let winner = won.iter().position(|won| *won).unwrap();
        let (revision, documents) = database.load().await.unwrap().unwrap();
        assert_eq!(revision.digest, format!("sha256:{winner}"));
        assert_eq!(documents, [document("a"), document("b")]);
        assert_eq!(database.latest().await.unwrap(), 1);
    }

    async fn decisions_are_kept_exactly_and_request_ids_once(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        let id = Uuid::new_v4();
        let (first, second, other) = (record(Some(id)), record(Some(id)), record(None));
        // In one commit, two of which have one request id.
        let results = database
            .record(&[first.clone(), second.clone(), other.clone()])
            .await
            .unwrap();
        let earlier = Recorded::Earlier(Box::new(Earlier {
            digest: first.digest.clone(),
            answer: first.answer.clone(),
        }));
        assert_eq!(results, [Recorded::New, earlier.clone(), Recorded::New]);
        // And in a later one.
        assert_eq!(database.record(std::slice::from_ref(&second)).await.unwrap(), [earlier]);
        let found = kept(&database, &first).await.unwrap();
        assert_eq!((found.asker, found.question), (first.asker.clone(), first.question.clone()));
        assert_eq!(found.answer, first.answer);
        assert_eq!(kept(&database, &second).await, None);
        let found = database.answered(&first.asker.key(), id, time(0)).await.unwrap().unwrap();
        assert_eq!(found.answer, first.answer);
        assert_eq!(database.answered("somebody else", id, time(0)).await.unwrap(), None);
    }

    async fn a_decision_is_found_within_its_scope_alone(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        let record = record(None);
        database.record(std::slice::from_ref(&record)).await.unwrap();
        let id = record.answer.decision.id;
        let at = |scope: &str| Scopes::Under(vec![scope.parse().unwrap()]);
        assert!(matches!(database.decision(id, &at("acme")).await.unwrap(), Found::Here(_)));
        for scopes in [at("acme/west"), at("other"), Scopes::Under(Vec::new())] {
            let found = database.decision(id, &scopes).await.unwrap();
            assert_eq!(found, Found::Elsewhere("acme".parse().unwrap()));
        }
        let missing = database.decision(Uuid::new_v4(), &Scopes::All).await.unwrap();
        assert_eq!(missing, Found::Missing);
    }

    async fn request_ids_of_two_issuers_have_nothing_to_do_with_each_other(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        let one = record(Some(Uuid::new_v4()));
        let mut other = record(one.question.request_id);
        other.asker.issuer = "another".into();
        let results = database.record(&[one, other]).await.unwrap();
        assert_eq!(results, [Recorded::New, Recorded::New]);
    }

    async fn old_request_ids_are_forgotten_in_steps(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        let (full, mut small, fresh) = (
            record(Some(Uuid::new_v4())),
            record(Some(Uuid::new_v4())),
            record(Some(Uuid::new_v4())),
        );
        small.entries.clear();
        let mut late = fresh.clone();
        late.answer.decision.decide_time = time(100);
        database.record(&[full.clone(), small.clone(), late.clone()]).await.unwrap();
        let answered = async |record: &Record| {
            let id = record.question.request_id.unwrap();
            let found = database.answered(&record.asker.key(), id, time(0)).await;
            found.unwrap().is_some()
        };
        assert_eq!(database.forget(time(50), time(50), 1).await.unwrap(), 1);
        assert_eq!(database.forget(time(50), time(50), 10).await.unwrap(), 1);
        assert_eq!(database.forget(time(50), time(50), 10).await.unwrap(), 0);
        assert!(!answered(&full).await && !answered(&small).await && answered(&late).await);
        // What was kept for retries alone goes with its request id.
        assert!(kept(&database, &full).await.is_some());
        assert_eq!(kept(&database, &small).await, None);
    }

    async fn a_request_id_is_free_again_after_its_time(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        let id = Uuid::new_v4();
        let first = record(Some(id));
        database.record(std::slice::from_ref(&first)).await.unwrap();
        let mut again = record(Some(id));
        again.answer.decision.decide_time = time(100);
        again.since = time(50);
        let results = database.record(std::slice::from_ref(&again)).await.unwrap();
        assert_eq!(results, [Recorded::New]);
        let found = database.answered(&again.asker.key(), id, time(50)).await.unwrap();
        assert_eq!(found.unwrap().answer.decision.id, again.answer.decision.id);
    }

    async fn counts_add_up(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        let key = CountKey::of(&answer());
        for more in [2, 3] {
            let counts = BTreeMap::from([(key.clone(), more)]);
            database.count(&counts).await.unwrap();
        }
        let rows = count::Entity::find().all(database.0.read()).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].decisions, rows[0].day.as_str()), (5, "1970-01-01"));
    }

    async fn an_action_has_one_receipt_until_it_is_replaced(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        let line = claim("", 0, 360);
        let tries: Vec<_> = (0..8)
            .map(|index| (authorized("actions/1", &index.to_string()), record(None)))
            .collect();
        let results = join_all(tries.iter().map(|(authorized, record)| {
            let (database, line) = (database.clone(), line.clone());
            async move { database.authorize(authorized, &line, None, record).await.unwrap() }
        }))
        .await;
        let winner = results.iter().position(|result| *result == Signed::New).unwrap();
        let won = tries[winner].0.clone();
        for (index, (result, (_, record))) in results.iter().zip(&tries).enumerate() {
            assert_eq!(kept(&database, record).await.is_some(), index == winner);
            if index != winner {
                assert_eq!(*result, earlier(&won));
            }
        }
        assert_eq!(receipt_of(&database, "actions/1").await, Some(won.clone()));
        assert_eq!(receipt_of(&database, "actions/2").await, None);
        // Replaced by whoever has seen the last one.
        let next = authorized("actions/1", "next");
        let replace = async |seen| {
            database.authorize(&next, &line, Some(seen), &record(None)).await.unwrap()
        };
        assert_eq!(replace(Uuid::new_v4()).await, earlier(&won));
        assert_eq!(replace(won.receipt.id).await, Signed::New);
        assert_eq!(receipt_of(&database, "actions/1").await, Some(next));
    }

    async fn one_receipt_at_a_time_stands_for_an_operation_on_a_document(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        let whole = claim("", 0, 360);
        let tries: Vec<_> = (0..8)
            .map(|index| (authorized(&format!("actions/{index}"), "a.b.c"), record(None)))
            .collect();
        let results = join_all(tries.iter().map(|(authorized, record)| {
            let (database, whole) = (database.clone(), whole.clone());
            async move { database.authorize(authorized, &whole, None, record).await.unwrap() }
        }))
        .await;
        let winner = results.iter().position(|result| *result == Signed::New).unwrap();
        let won = &tries[winner].0;
        let standing = Signed::Standing(Standing {
            action: won.action.clone(),
            receipt: won.receipt.id,
            expires: time(300),
            until: time(360),
        });
        for (index, (result, (authorized, record))) in results.iter().zip(&tries).enumerate() {
            // Of those refused, nothing is kept.
            assert_eq!(kept(&database, record).await.is_some(), index == winner);
            let receipt = receipt_of(&database, &authorized.action).await;
            assert_eq!(receipt.is_some(), index == winner);
            if index != winner {
                assert_eq!(*result, standing);
            }
        }
        let ask = async |action: &str, claim: Claim| {
            let new = authorized(action, "d.e.f");
            database.authorize(&new, &claim, None, &record(None)).await.unwrap()
        };
        // Another line, system or operation is another effect.
        assert_eq!(ask("others/1", claim("10", 0, 360)).await, Signed::New);
        let mut other = claim("", 0, 360);
        other.target.operation = "cancel_order".into();
        assert_eq!(ask("others/2", other).await, Signed::New);
        // What was executed stands in nobody's way, and neither does what lapsed.
        let mut finished = claim("", 0, 360);
        finished.finished = vec!["actions/none".into()];
        assert_eq!(ask("others/3", finished.clone()).await, standing);
        finished.finished.push(won.action.clone());
        assert_eq!(ask("others/4", finished).await, Signed::New);
        assert!(matches!(ask("others/5", claim("", 359, 720)).await, Signed::Standing(_)));
        assert_eq!(ask("others/6", claim("", 360, 720)).await, Signed::New);
        // Only what no longer stands is forgotten.
        assert_eq!(database.forget(time(0), time(361), 10).await.unwrap(), 2);
        assert!(matches!(ask("others/7", claim("", 361, 720)).await, Signed::Standing(_)));
    }
}
