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
        entries: vec![entry()],
    }
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
        let kept = database.decision(first.answer.decision.id).await.unwrap().unwrap();
        assert_eq!((kept.asker, kept.question), (first.asker.clone(), first.question.clone()));
        assert_eq!(kept.answer, first.answer);
        assert_eq!(database.decision(second.answer.decision.id).await.unwrap(), None);
        let found = database.answered(&first.asker.key(), id).await.unwrap().unwrap();
        assert_eq!(found.answer, first.answer);
        assert_eq!(database.answered("somebody else", id).await.unwrap(), None);
    }

    async fn counts_add_up(backend: Backend) {
        let store = backend.store();
        let database = database(&store).await;
        let key = CountKey::of(&answer(), time(1));
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
        let authorized = |jws: &str| Authorized {
            action: "actions/1".into(),
            digest: "sha256:0".into(),
            receipt: Receipt {
                id: Uuid::new_v4(),
                jws: jws.into(),
                expires: time(300),
                audience: "erp".into(),
            },
            answer: answer(),
        };
        let tries: Vec<_> = (0..8).map(|index| (authorized(&index.to_string()), record(None))).collect();
        let results = join_all(tries.iter().map(|(authorized, record)| {
            let database = database.clone();
            async move { database.authorize(authorized, None, record).await.unwrap() }
        }))
        .await;
        let winner = results.iter().position(Option::is_none).unwrap();
        let won = tries[winner].0.clone();
        for (index, (result, (_, record))) in results.iter().zip(&tries).enumerate() {
            let decision = database.decision(record.answer.decision.id).await.unwrap();
            assert_eq!(decision.is_some(), index == winner);
            if index != winner {
                assert_eq!(result.as_ref(), Some(&won));
            }
        }
        assert_eq!(database.receipt("actions/1").await.unwrap(), Some(won.clone()));
        assert_eq!(database.receipt("actions/2").await.unwrap(), None);
        // Replaced by whoever has seen the last one.
        let next = authorized("next");
        let stale = database.authorize(&next, Some(Uuid::new_v4()), &record(None)).await.unwrap();
        assert_eq!(stale, Some(won.clone()));
        let replaced = database.authorize(&next, Some(won.receipt.id), &record(None)).await.unwrap();
        assert_eq!(replaced, None);
        assert_eq!(database.receipt("actions/1").await.unwrap(), Some(next));
    }
}
