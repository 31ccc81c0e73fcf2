//! Actions that nobody executes, and those that wait for facts.

use chrono::TimeDelta;
use contracts::{
    exceptions::{ActionState, ExceptionState, RequestActionRequest},
    types::Effect,
};
use service_kit::error::Reason;
use tonic::Code;

use crate::{
    actions::{ask, wanted},
    approvals::{CREDIT, approve, get, until, waiting},
    support::{MEDICAL, Suite, event, morning, refusal, released},
};

/// The policy can't decide without these facts, from now on.
fn undecided(suite: &Suite, facts: &[&str]) {
    suite.policy.answer(Effect::Deny, &[]);
    let decision = &mut suite.policy.state().decision;
    decision.settled = false;
    decision.reasons = vec!["FACTS_MISSING".to_owned()];
    decision.unknown_facts = facts.iter().map(|&name| name.to_owned()).collect();
}

fn licence(order: &str) -> contracts::types::CloudEvent {
    let data = r#"{"customer": {"licence_valid": true}}"#;
    event(
        "com.example.erp.licence-supplied",
        &format!("orders/{order}"),
        MEDICAL,
        data,
    )
}

testkit::backends! {
    async fn what_nobody_executed_lapses_and_can_be_asked_for_again(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        suite.policy.state().receipts_expire = Some(morning() + TimeDelta::minutes(5));
        let name = suite.hold("SO-1").await;
        let first = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        assert_eq!(first.state(), ActionState::Authorized);
        suite.clock.advance(TimeDelta::hours(1));
        let early = refusal(ask(&mut suite.desk(), wanted(&name)).await);
        assert_eq!(early, (Code::FailedPrecondition, Reason::IllegalState));

        suite.clock.advance(TimeDelta::hours(72));
        let lapsed = until(&suite, &first.name, ActionState::Lapsed).await;
        assert_eq!(lapsed.reason, "the receipt expired before anybody reported its use");
        assert_eq!(suite.get(&name).await.state(), ExceptionState::Open);
        let again = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        assert_eq!(again.state(), ActionState::Authorized);
        assert_ne!(again.name, first.name);

        // The report of what was done in time comes late, and counts.
        let receipt = lapsed.receipt.unwrap().id;
        suite.ingest(released("SO-1", &format!(r#"{{"receipt": "{receipt}"}}"#))).await;
        assert_eq!(get(&suite, &first.name).await.state(), ActionState::Executed);
        assert_eq!(suite.get(&name).await.resolution_code, "released");
        let recorded = suite.recorded("SO-1", 9).await;
        assert!(recorded.contains(&"bylaw.exceptions.action.lapsed.v1".to_owned()), "{recorded:?}");
    }

    async fn a_receipt_that_can_still_be_used_keeps_its_action(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        let end = morning() + TimeDelta::hours(72);
        suite.policy.state().receipts_expire = Some(end + TimeDelta::minutes(5));
        let name = suite.hold("SO-1").await;
        let kept = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        suite.policy.state().receipts_expire = Some(end);
        let other = suite.hold("SO-2").await;
        let other = ask(&mut suite.desk(), wanted(&other)).await.unwrap();
        suite.clock.advance(TimeDelta::hours(72) + TimeDelta::minutes(1));
        // One sweep looks at both.
        until(&suite, &other.name, ActionState::Lapsed).await;
        assert_eq!(get(&suite, &kept.name).await.state(), ActionState::Authorized);
    }

    async fn at_the_quorum_facts_that_are_missing_are_waited_for(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (exception, action) = waiting(&suite, "SO-1", &[CREDIT]).await;
        undecided(&suite, &["customer.licence_valid"]);
        let held = approve(&mut suite.credit(), &action.name).await.unwrap();
        assert_eq!(held.state(), ActionState::PendingApproval);
        assert_eq!(held.missing_facts, ["customer.licence_valid"]);
        assert_eq!(held.reason, "FACTS_MISSING; unknown: customer.licence_valid");
        assert_eq!((held.approvals.len(), held.missing_approvals.len()), (1, 0));
        assert_eq!(held.decision.as_ref().unwrap().effect(), Effect::RequireApproval);
        let recorded = suite.recorded("SO-1", 5).await;
        assert!(recorded.contains(&"bylaw.exceptions.action.waiting.v1".to_owned()), "{recorded:?}");

        // A fact comes that doesn't help, then one that does.
        suite.ingest(licence("SO-1")).await;
        testkit::eventually(std::time::Duration::from_secs(20), || async {
            suite.policy.state().authorizations.len() >= 2
        }).await;
        assert_eq!(get(&suite, &action.name).await.state(), ActionState::PendingApproval);
        suite.policy.answer(Effect::RequireApproval, &[CREDIT]);
        suite.ingest(licence("SO-1")).await;
        let done = until(&suite, &action.name, ActionState::Authorized).await;
        assert!(done.missing_facts.is_empty() && done.receipt.is_some());
        assert_eq!(suite.get(&exception).await.state(), ExceptionState::Open);
    }

    async fn what_waits_for_facts_is_asked_about_again_on_request(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::RequireApproval, &[CREDIT]);
        let exception = suite.hold("SO-1").await;
        let request = RequestActionRequest {
            request_id: uuid::Uuid::now_v7().to_string(),
            ..wanted(&exception)
        };
        let action = ask(&mut suite.desk(), request.clone()).await.unwrap();
        undecided(&suite, &["order.margin_pct"]);
        approve(&mut suite.credit(), &action.name).await.unwrap();
        let still = ask(&mut suite.desk(), request.clone()).await.unwrap();
        assert_eq!((still.name.as_str(), still.state()), (action.name.as_str(), ActionState::PendingApproval));
        suite.policy.answer(Effect::RequireApproval, &[CREDIT]);
        let done = ask(&mut suite.desk(), request).await.unwrap();
        assert_eq!(done.state(), ActionState::Authorized);
    }

    async fn an_event_that_ends_the_exception_ends_the_wait_for_facts(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (exception, action) = waiting(&suite, "SO-1", &[CREDIT]).await;
        undecided(&suite, &["customer.licence_valid"]);
        approve(&mut suite.credit(), &action.name).await.unwrap();
        suite.ingest(released("SO-1", r#"{"order": {"released": true}}"#)).await;
        assert_eq!(suite.get(&exception).await.state(), ExceptionState::Resolved);
        let lapsed = get(&suite, &action.name).await;
        assert_eq!((lapsed.state(), lapsed.missing_facts.len()), (ActionState::Lapsed, 0));
        // And what the policy denies whatever the facts are ends it.
        let (_, action) = waiting(&suite, "SO-2", &[CREDIT]).await;
        suite.policy.answer(Effect::Deny, &[]);
        let denied = approve(&mut suite.credit(), &action.name).await.unwrap();
        assert_eq!(denied.state(), ActionState::Denied);
    }
}
