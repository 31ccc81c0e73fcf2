//! Approving and rejecting actions.

use std::time::Duration;

use chrono::TimeDelta;
use contracts::{
    exceptions::{
        Action, ActionState, ApproveActionRequest, ExceptionState, GetActionRequest,
        RejectActionRequest,
    },
    types::Effect,
};
use service_kit::error::Reason;
use tonic::{Code, Status};

use crate::{
    actions::{ask, wanted},
    policy::requirement,
    support::{Exceptions, MEDICAL, Suite, credit_exceeded, field, refusal, released},
};

pub const CREDIT: &str = "credit-manager@acme/europe/medical";
const COMPLIANCE: &str = "compliance-officer@acme/europe/medical";

pub async fn approve(client: &mut Exceptions, name: &str) -> Result<Action, Status> {
    let request = ApproveActionRequest {
        name: name.to_owned(),
        comment: "fine".to_owned(),
        ..ApproveActionRequest::default()
    };
    client
        .approve_action(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn reject(client: &mut Exceptions, name: &str) -> Result<Action, Status> {
    let request = RejectActionRequest {
        name: name.to_owned(),
        reason: "too large".to_owned(),
        ..RejectActionRequest::default()
    };
    client
        .reject_action(request)
        .await
        .map(tonic::Response::into_inner)
}

pub async fn get(suite: &Suite, name: &str) -> Action {
    let request = GetActionRequest {
        name: name.to_owned(),
    };
    suite
        .auditor()
        .get_action(request)
        .await
        .unwrap()
        .into_inner()
}

/// A hold on an order, and an action on it that waits for these approvals.
pub async fn waiting(suite: &Suite, order: &str, approvals: &[&str]) -> (String, Action) {
    suite.policy.answer(Effect::RequireApproval, approvals);
    let exception = suite.hold(order).await;
    let action = ask(&mut suite.desk(), wanted(&exception)).await.unwrap();
    assert_eq!(action.state(), ActionState::PendingApproval);
    (exception, action)
}

pub async fn until(suite: &Suite, name: &str, state: ActionState) -> Action {
    let wait = Duration::from_secs(20);
    testkit::eventually(wait, || async { get(suite, name).await.state() == state }).await;
    get(suite, name).await
}

testkit::backends! {
    async fn a_quorum_of_different_people_gets_the_receipt(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (exception, action) = waiting(&suite, "SO-1", &[CREDIT, COMPLIANCE]).await;
        assert_eq!(action.missing_approvals, [requirement(CREDIT), requirement(COMPLIANCE)]);
        assert_eq!(suite.get(&exception).await.state(), ExceptionState::PendingApproval);

        let first = approve(&mut suite.credit(), &action.name).await.unwrap();
        assert_eq!(first.state(), ActionState::PendingApproval);
        assert_eq!(first.missing_approvals, [requirement(COMPLIANCE)]);
        assert!(suite.policy.state().authorizations.is_empty());
        let done = approve(&mut suite.compliance(), &action.name).await.unwrap();
        assert_eq!(done.state(), ActionState::Authorized);
        assert!(done.receipt.is_some() && done.missing_approvals.is_empty());
        assert_eq!(done.approvals[0].comment, "fine");
        assert_eq!(suite.get(&exception).await.state(), ExceptionState::Open);
        let policy = suite.policy.state();
        let authorization = &policy.authorizations[0];
        assert_eq!(authorization.requester.as_ref().unwrap().subject, "desk");
        let approvers = authorization.approvals.iter().map(|given| given.approver.clone().unwrap());
        let approvers = approvers.map(|who| (who.subject, who.grants[0].role.clone())).collect::<Vec<_>>();
        assert_eq!(
            approvers,
            [
                ("credit".to_owned(), "credit-manager".to_owned()),
                ("compliance".to_owned(), "compliance-officer".to_owned()),
            ]
        );
        assert!(authorization.approvals.iter().all(|given| given.digest == action.digest));
        assert!(authorization.approvals.iter().all(|given| !given.token_id.is_empty()));
    }

    async fn who_asked_or_may_not_does_not_approve(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::RequireApproval, &[CREDIT]);
        let exception = suite.hold("SO-1").await;
        let own = ask(&mut suite.credit(), wanted(&exception)).await.unwrap();
        let refused = refusal(approve(&mut suite.credit(), &own.name).await);
        assert_eq!(refused, (Code::PermissionDenied, Reason::SodRequester));
        let refused = refusal(reject(&mut suite.credit(), &own.name).await);
        assert_eq!(refused, (Code::PermissionDenied, Reason::SodRequester));
        let refused = refusal(approve(&mut suite.compliance(), &own.name).await);
        assert_eq!(refused, (Code::PermissionDenied, Reason::NotAnApprover));
        // Another unit's credit manager doesn't even see it.
        let mut industrial = suite.person("credit-2", &["credit-manager@acme/europe/industrial"]);
        let hidden = refusal(approve(&mut industrial, &own.name).await);
        assert_eq!(hidden, (Code::NotFound, Reason::NotFound));
        // Roles that must not be held together approve nothing.
        let mut both = suite.person("both", &[CREDIT, "operator@acme/europe/medical"]);
        let conflict = refusal(approve(&mut both, &own.name).await);
        assert_eq!(conflict, (Code::PermissionDenied, Reason::SodConflictingRoles));
        assert_eq!(field(reject_without_reason(&suite, &own.name).await), "reason");

        let wait = Duration::from_secs(20);
        testkit::eventually(wait, || async {
            let records = suite.harness.log.records();
            records.iter().any(|r| r.outcome == i32::from(contracts::audit::Outcome::Refused)
                && String::from_utf8_lossy(&r.payload).contains("SOD_REQUESTER"))
        }).await;
    }

    async fn one_person_counts_once(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (_, action) = waiting(&suite, "SO-1", &[CREDIT, COMPLIANCE]).await;
        let mut both = suite.person("both", &[CREDIT, COMPLIANCE]);
        approve(&mut both, &action.name).await.unwrap();
        let again = refusal(approve(&mut both, &action.name).await);
        assert_eq!(again, (Code::PermissionDenied, Reason::SodAlreadyApproved));
        // Whoever fills the other place; whoever held both roles moves.
        let done = approve(&mut suite.credit(), &action.name).await.unwrap();
        assert_eq!(done.state(), ActionState::Authorized);
        let late = refusal(approve(&mut suite.compliance(), &action.name).await);
        assert_eq!(late, (Code::FailedPrecondition, Reason::IllegalState));
    }

    async fn of_approvers_who_race_all_that_are_needed_count(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (_, action) = waiting(&suite, "SO-1", &[CREDIT]).await;
        let mut racing = Vec::new();
        for index in 0..8 {
            let mut client = suite.person(&format!("credit-{index}"), &[CREDIT]);
            let name = action.name.clone();
            racing.push(tokio::spawn(async move { approve(&mut client, &name).await.is_ok() }));
        }
        let mut counted = 0;
        for task in racing {
            counted += i32::from(task.await.unwrap());
        }
        assert_eq!(counted, 1);
        let done = get(&suite, &action.name).await;
        assert_eq!((done.state(), done.approvals.len()), (ActionState::Authorized, 1));
        assert!(suite.policy.state().authorizations.len() <= 2);
    }

    async fn a_rejection_ends_it(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (exception, action) = waiting(&suite, "SO-1", &[CREDIT]).await;
        let rejected = reject(&mut suite.credit(), &action.name).await.unwrap();
        assert_eq!((rejected.state(), rejected.reason.as_str()), (ActionState::Rejected, "too large"));
        assert_eq!(suite.get(&exception).await.state(), ExceptionState::Open);
        let late = refusal(approve(&mut suite.credit(), &action.name).await);
        assert_eq!(late, (Code::FailedPrecondition, Reason::IllegalState));
        let etag = ApproveActionRequest {
            name: action.name.clone(),
            etag: action.etag,
            ..ApproveActionRequest::default()
        };
        let stale = refusal(suite.credit().approve_action(etag).await);
        assert_eq!(stale, (Code::Aborted, Reason::EtagMismatch));
    }

    async fn an_approval_lapses_when_what_it_is_bound_to_changes(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (exception, action) = waiting(&suite, "SO-1", &[CREDIT, COMPLIANCE]).await;
        approve(&mut suite.credit(), &action.name).await.unwrap();
        // The total is what approvals are bound to.
        suite.ingest(credit_exceeded("SO-1", MEDICAL, "99999.00")).await;
        let lapsed = refusal(approve(&mut suite.compliance(), &action.name).await);
        assert_eq!(lapsed, (Code::FailedPrecondition, Reason::ApprovalLapsed));
        assert_eq!(get(&suite, &action.name).await.state(), ActionState::Lapsed);
        assert_eq!(suite.get(&exception).await.state(), ExceptionState::Open);

        let (_, action) = waiting(&suite, "SO-2", &[CREDIT]).await;
        let other = ApproveActionRequest {
            name: action.name.clone(),
            digest: "sha256:00".to_owned(),
            ..ApproveActionRequest::default()
        };
        assert_eq!(field(suite.credit().approve_action(other).await), "digest");
    }

    async fn the_time_for_approvals_passes(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (exception, action) = waiting(&suite, "SO-1", &[CREDIT]).await;
        suite.clock.advance(TimeDelta::hours(72) + TimeDelta::seconds(1));
        let lapsed = until(&suite, &action.name, ActionState::Lapsed).await;
        assert_eq!(lapsed.reason, "the time for approvals has passed");
        assert_eq!(suite.get(&exception).await.state(), ExceptionState::Open);
    }

    async fn an_approval_outlives_a_policy_service_that_is_away(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (_, action) = waiting(&suite, "SO-1", &[CREDIT]).await;
        suite.policy.state().authorize_down = true;
        let away = refusal(approve(&mut suite.credit(), &action.name).await);
        assert_eq!(away, (Code::Unavailable, Reason::PeerUnavailable));
        let kept = get(&suite, &action.name).await;
        assert_eq!((kept.state(), kept.approvals.len()), (ActionState::PendingApproval, 1));
        assert!(kept.receipt.is_none());

        suite.policy.state().authorize_down = false;
        let done = until(&suite, &action.name, ActionState::Authorized).await;
        assert!(done.receipt.is_some());
    }

    async fn the_policy_of_now_has_the_last_word(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (_, denied) = waiting(&suite, "SO-1", &[CREDIT]).await;
        suite.policy.answer(Effect::Deny, &[]);
        let answer = approve(&mut suite.credit(), &denied.name).await.unwrap();
        assert_eq!(answer.state(), ActionState::Denied);

        let (_, more) = waiting(&suite, "SO-2", &[CREDIT]).await;
        suite.policy.answer(Effect::RequireApproval, &[CREDIT, COMPLIANCE]);
        suite.policy.state().missing = vec![requirement(COMPLIANCE)];
        let answer = approve(&mut suite.credit(), &more.name).await.unwrap();
        assert_eq!(answer.state(), ActionState::PendingApproval);
        assert_eq!(answer.missing_approvals, [requirement(COMPLIANCE)]);
        suite.policy.state().missing.clear();
        let done = approve(&mut suite.compliance(), &more.name).await.unwrap();
        assert_eq!(done.state(), ActionState::Authorized);

        // A refusal that stands isn't asked for again and again.
        let (_, refused) = waiting(&suite, "SO-4", &[CREDIT]).await;
        suite.policy.state().refuse = Some(Reason::SodRequester);
        let answer = approve(&mut suite.credit(), &refused.name).await.unwrap();
        assert_eq!(answer.state(), ActionState::Lapsed);
        suite.policy.state().refuse = None;

        // Somebody whom only the policy knows to be revoked.
        let (_, void) = waiting(&suite, "SO-3", &[CREDIT]).await;
        suite.policy.state().missing = vec![requirement(CREDIT)];
        let answer = approve(&mut suite.credit(), &void.name).await.unwrap();
        assert_eq!(answer.state(), ActionState::Lapsed);
    }

    async fn what_resolves_the_exception_ends_what_waits(backend: Backend) {
        let suite = Suite::start(backend).await;
        let (exception, action) = waiting(&suite, "SO-1", &[CREDIT]).await;
        suite.ingest(released("SO-1", "{}")).await;
        assert_eq!(suite.get(&exception).await.state(), ExceptionState::Resolved);
        let lapsed = get(&suite, &action.name).await;
        assert_eq!((lapsed.state(), lapsed.reason.as_str()), (ActionState::Lapsed, "the exception was resolved"));
    }
}

async fn reject_without_reason(suite: &Suite, name: &str) -> Result<Action, Status> {
    let request = RejectActionRequest {
        name: name.to_owned(),
        reason: " ".to_owned(),
        ..RejectActionRequest::default()
    };
    suite
        .credit()
        .reject_action(request)
        .await
        .map(tonic::Response::into_inner)
}
