//! The store on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use futures::future::join_all;

use super::*;
use crate::domain::{
    gate::GateResult,
    recommendation::{Arguments, Confidence, Proposal},
};

fn recommendation() -> Recommendation {
    let now = DateTime::from_timestamp(1_000, 0).unwrap();
    Recommendation {
        id: uuid::Uuid::new_v4().to_string(),
        proposal: Proposal {
            scope: "acme".parse().unwrap(),
            model_version: "models/m/versions/1".into(),
            use_case: "u".into(),
            exception: "exceptions/1".into(),
            operation: "release".into(),
            arguments: Arguments::default(),
            confidence: Confidence::parse("0.5").unwrap(),
            alternatives: Vec::new(),
            rationale: String::new(),
            input_digest: String::new(),
        },
        document: "documents/order/1".into(),
        correlation_id: "C".into(),
        state: State::InReview,
        result: GateResult::default(),
        submitter: Party {
            issuer: "i".into(),
            subject: "agent".into(),
            kind: "model".into(),
            grants: Vec::new(),
            via: None,
        },
        excluded: Vec::new(),
        reviewer: None,
        claimed: None,
        intent: None,
        modified: None,
        comment: String::new(),
        action: String::new(),
        outcome: String::new(),
        created: now,
        updated: now,
        expires: now,
        version: 1,
    }
}

fn request() -> Request {
    Request {
        id: String::new(),
        digest: String::new(),
    }
}

fn with_action(of: &Recommendation, action: &str) -> Recommendation {
    Recommendation {
        action: action.into(),
        state: State::Accepted,
        version: of.version + 1,
        ..of.clone()
    }
}

testkit::backends! {
    async fn one_action_comes_of_a_recommendation(backend: Backend) {
        let db = backend.store();
        let store = Sql::new(db.migrated(migrations()).await);
        let found = recommendation();
        store.insert(&found, &request(), &[]).await.unwrap();
        // However many finish it at once.
        let tries: Vec<_> = (0..8)
            .map(|index| with_action(&found, &format!("exceptions/1/actions/{index}")))
            .collect();
        let kept = join_all(tries.iter().map(|one| store.update(one, 1, &[]))).await;
        let won: Vec<_> = kept.into_iter().map(Result::unwrap).collect();
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let winner = &tries[won.iter().position(|won| *won).unwrap()];
        // Nor does another one later, though nobody changed it in between.
        let late = Recommendation {
            action: "exceptions/1/actions/late".into(),
            version: 3,
            ..winner.clone()
        };
        assert!(!store.update(&late, 2, &[]).await.unwrap());
        let told = Recommendation { outcome: "EXECUTED".into(), version: 3, ..winner.clone() };
        assert!(store.update(&told, 2, &[]).await.unwrap());
        // And an action comes of one recommendation.
        let other = recommendation();
        store.insert(&other, &request(), &[]).await.unwrap();
        let theirs = with_action(&other, &winner.action);
        let refused = store.update(&theirs, 1, &[]).await.unwrap_err();
        assert!(refused.message().contains("another recommendation"), "{refused:?}");
        assert_eq!(store.find(&other.id, &Scopes::All).await.unwrap(), Found::Here(other));
    }
}
