//! Asking for actions.

use contracts::{
    exceptions::{
        Action, ActionState, ExceptionState, ListActionsRequest, RequestActionRequest,
        ResolveExceptionRequest,
    },
    types::{self, Effect},
};
use service_kit::{
    error::Reason,
    identity::{DEVELOPMENT_ISSUER, PrincipalKind},
};
use tonic::{Code, Status};

use crate::support::{
    Exceptions, MEDICAL, Suite, credit_exceeded, field, fields, refusal, released,
};

pub fn argument(name: &str, value: &str) -> types::Fact {
    let value = types::value::Kind::StringValue(value.to_owned());
    types::Fact {
        name: name.to_owned(),
        value: Some(types::Value { kind: Some(value) }),
        ..types::Fact::default()
    }
}

pub fn wanted(parent: &str) -> RequestActionRequest {
    RequestActionRequest {
        parent: parent.to_owned(),
        operation: "release_credit_hold".to_owned(),
        ..RequestActionRequest::default()
    }
}

fn who(issuer: &str, subject: &str) -> types::Principal {
    types::Principal {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        ..types::Principal::default()
    }
}

pub async fn ask(client: &mut Exceptions, request: RequestActionRequest) -> Result<Action, Status> {
    client
        .request_action(request)
        .await
        .map(tonic::Response::into_inner)
}

testkit::backends! {
    async fn what_the_policy_allows_gets_a_receipt_and_is_executed(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        let name = suite.hold("SO-1").await;
        let action = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        assert_eq!(action.state(), ActionState::Authorized);
        let receipt = action.receipt.clone().unwrap();
        assert_eq!(receipt.audience, "erp");
        assert_eq!(action.requester.as_ref().unwrap().subject, "desk");
        assert_eq!(suite.get(&name).await.state(), ExceptionState::Open);
        {
            let policy = suite.policy.state();
            let question = &policy.questions[0];
            assert_eq!((question.workflow.as_str(), question.scope.as_str()), ("credit_hold_release", MEDICAL));
            assert_eq!(question.correlation_id, "SO-1");
            let total = question.facts.iter().find(|fact| fact.name == "order.total").unwrap();
            assert_eq!((total.provenance(), total.asserted_by.as_str()), (types::Provenance::Erp, "erp-adapter"));
            let authorization = &policy.authorizations[0];
            assert_eq!(authorization.action, action.name);
            assert_eq!(authorization.document, "order/SO-1");
            assert_eq!(authorization.approved_digest, action.digest);
            assert!(action.digest.starts_with("sha256:"));
        }
        // Another receipt means another action.
        suite.ingest(released("SO-2", &format!(r#"{{"receipt": "{}"}}"#, receipt.id))).await;
        suite.ingest(released("SO-1", &format!(r#"{{"receipt": "{}"}}"#, receipt.id))).await;
        let exception = suite.get(&name).await;
        assert_eq!((exception.state(), exception.resolution_code.as_str()), (ExceptionState::Resolved, "released"));
        let request = ListActionsRequest { parent: name, ..ListActionsRequest::default() };
        let actions = suite.auditor().list_actions(request).await.unwrap().into_inner().actions;
        assert_eq!(actions.len(), 1);
        assert_eq!(actions[0].state(), ActionState::Executed);
        let recorded = suite.recorded("SO-1", 7).await;
        for what in ["action.requested", "action.authorized", "action.executed", "exception.resolved"] {
            assert!(recorded.contains(&format!("bylaw.exceptions.{what}.v1")), "{what}: {recorded:?}");
        }
    }

    async fn a_system_that_was_away_gets_a_receipt_that_holds(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        let soon = crate::support::morning() + chrono::TimeDelta::minutes(5);
        suite.policy.state().receipts_expire = Some(soon);
        let name = suite.hold("SO-1").await;
        let action = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        let read = |mut client: Exceptions| {
            let request = contracts::exceptions::GetActionRequest { name: action.name.clone() };
            async move { client.get_action(request).await.unwrap().into_inner() }
        };
        let adapter = || Exceptions::new(suite.harness.program("erp-adapter", &["event-source@acme"]));
        assert_eq!(read(adapter()).await.etag, action.etag);
        suite.clock.advance(chrono::TimeDelta::minutes(6));
        // Somebody who only looks changes nothing.
        assert_eq!(read(suite.auditor()).await.etag, action.etag);
        suite.policy.state().authorize_down = true;
        assert_eq!(read(adapter()).await.etag, action.etag);
        suite.policy.state().authorize_down = false;
        let later = soon + chrono::TimeDelta::minutes(5);
        suite.policy.state().receipts_expire = Some(later);
        let renewed = read(adapter()).await;
        assert_eq!(renewed.state(), ActionState::Authorized);
        assert_eq!(renewed.receipt.unwrap().expire_time, Some(contracts::time::timestamp(later)));
        // What the policy no longer allows keeps the receipt that ran out.
        suite.clock.advance(chrono::TimeDelta::minutes(6));
        suite.policy.answer(Effect::Deny, &[]);
        let kept = read(adapter()).await;
        assert_eq!((kept.state(), kept.etag), (ActionState::Authorized, renewed.etag));
    }

    async fn a_receipt_of_another_action_keeps_it_waiting(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        suite.policy.state().refuse = Some(Reason::ReceiptStands);
        let name = suite.hold("SO-1").await;
        let action = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        assert_eq!(action.state(), ActionState::PendingApproval);
        assert_eq!(action.reason, "refused by the test");
        assert!(action.receipt.is_none());
        // Asked again and again, it is recorded once.
        suite.policy.state().refuse = None;
        let read = || async {
            let request = contracts::exceptions::GetActionRequest { name: action.name.clone() };
            suite.auditor().get_action(request).await.unwrap().into_inner()
        };
        let wait = std::time::Duration::from_secs(20);
        testkit::eventually(wait, || async { read().await.state() == ActionState::Authorized }).await;
        assert_eq!(read().await.reason, "");
        let recorded = suite.recorded("SO-1", 5).await;
        let held_up = recorded.iter().filter(|kind| kind.contains("held-up"));
        assert_eq!(held_up.count(), 1, "{recorded:?}");
    }

    async fn what_was_executed_is_told_to_the_policy(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        let name = suite.hold("SO-1").await;
        let first = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        assert!(suite.policy.state().authorizations[0].finished_actions.is_empty());
        suite.ingest(released("SO-1", "{}")).await;
        let again = suite.hold("SO-1").await;
        ask(&mut suite.desk(), wanted(&again)).await.unwrap();
        let last = suite.policy.state().authorizations.last().unwrap().clone();
        assert_eq!(last.finished_actions, [first.name]);
    }

    async fn the_report_of_a_receipt_of_others_is_told_to_the_policy_and_the_stream(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        let name = suite.hold("SO-1").await;
        // A recommendation that acted by itself has it; the event's type executes this, too.
        let used = "019abc4e-6f3e-7c11-9b1e-3f2f6f0a5d11";
        let report = |receipt: &str| released("SO-1", &format!(r#"{{"receipt": "{receipt}"}}"#));
        for receipt in [used, used, "no receipt"] {
            suite.ingest(report(receipt)).await;
        }
        assert_eq!(suite.get(&name).await.state(), ExceptionState::Resolved);
        suite.recorded("SO-1", 6).await;
        let told = suite.harness.log.records().into_iter();
        let told: Vec<_> = told.filter(|record| record.r#type == "bylaw.exceptions.receipt.used.v1").collect();
        assert_eq!(told.len(), 2);
        let payload: serde_json::Value = serde_json::from_slice(&told[0].payload).unwrap();
        assert_eq!((&payload["document"], &payload["receipt"]), (&"order/SO-1".into(), &used.into()));
        assert_eq!(payload["operations"][0], "release_credit_hold");

        let again = suite.hold("SO-1").await;
        let action = ask(&mut suite.desk(), wanted(&again)).await.unwrap();
        let asked = suite.policy.state().authorizations.pop().unwrap();
        assert_eq!(asked.used_receipts, [used]);
        // One of an action here is known by the action, and that of another order isn't told.
        suite.ingest(report(&action.receipt.unwrap().id)).await;
        let other = suite.hold("SO-2").await;
        ask(&mut suite.desk(), wanted(&other)).await.unwrap();
        let asked = suite.policy.state().authorizations.pop().unwrap();
        assert!(asked.used_receipts.is_empty());
    }

    async fn what_the_policy_denies_is_kept_with_the_reasons(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Deny, &[]);
        suite.policy.state().decision.reasons = vec!["UNKNOWN_FACTS".to_owned()];
        suite.policy.state().decision.unknown_facts = vec!["customer.licence_valid".to_owned()];
        let name = suite.hold("SO-1").await;
        let action = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        assert_eq!(action.state(), ActionState::Denied);
        assert_eq!(action.reason, "UNKNOWN_FACTS; unknown: customer.licence_valid");
        assert!(action.receipt.is_none());
        assert_eq!(suite.get(&name).await.state(), ExceptionState::Open);
        assert!(suite.policy.state().authorizations.is_empty());
    }

    async fn arguments_are_checked_and_are_the_requesters_word(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Deny, &[]);
        let name = suite.hold("SO-1").await;
        let partial = |arguments: Vec<types::Fact>| RequestActionRequest {
            operation: "release_partial".to_owned(),
            arguments,
            ..wanted(&name)
        };
        let mut desk = suite.desk();
        let (warehouse, quantity) = (argument("warehouse", "basel"), argument("quantity", "12"));
        for (request, wrong) in [
            (partial(vec![warehouse.clone()]), "arguments[quantity]"),
            (partial(vec![warehouse.clone(), argument("quantity", "much")]), "arguments[quantity]"),
            (partial(vec![warehouse.clone(), quantity.clone(), argument("more", "1")]), "arguments[more]"),
            (partial(vec![warehouse.clone(), argument("quantity", "0")]), "arguments[quantity]"),
            (partial(vec![warehouse.clone(), argument("quantity", "-4")]), "arguments[quantity]"),
            (partial(vec![argument("warehouse", "ba\u{0}sel"), quantity.clone()]), "arguments[warehouse]"),
            (partial(vec![quantity.clone(), quantity.clone()]), "arguments[1].name"),
            (RequestActionRequest { operation: "sell_the_shop".to_owned(), ..wanted(&name) }, "operation"),
            (RequestActionRequest { operation: "rebook_carrier".to_owned(), ..wanted(&name) }, "operation"),
            (RequestActionRequest { request_id: "1".to_owned(), ..wanted(&name) }, "request_id"),
            (wanted("exceptions/1"), "parent"),
        ] {
            assert_eq!(field(ask(&mut desk, request).await), wrong);
        }
        let request = partial(vec![argument("quantity", "-4"), argument("more", "1")]);
        let wrong = ["warehouse", "more", "quantity"].map(|name| format!("arguments[{name}]"));
        assert_eq!(fields(ask(&mut desk, request).await), wrong);
        // A claim to be the ERP is ignored.
        let claimed = types::Fact {
            provenance: types::Provenance::Erp.into(),
            asserted_by: "erp-adapter".to_owned(),
            ..quantity
        };
        let action = ask(&mut desk, partial(vec![warehouse, claimed])).await.unwrap();
        assert!(action.arguments.iter().all(|fact| fact.provenance() == types::Provenance::Person));
        let policy = suite.policy.state();
        let facts = &policy.questions[0].facts;
        let seen = facts.iter().find(|fact| fact.name == "argument.quantity").unwrap();
        assert_eq!((seen.provenance(), seen.asserted_by.as_str()), (types::Provenance::Person, "desk"));
    }

    async fn a_retry_gets_the_first_answer(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::RequireApproval, &["credit-manager@acme/europe/medical"]);
        let name = suite.hold("SO-1").await;
        let request = RequestActionRequest {
            request_id: uuid::Uuid::now_v7().to_string(),
            ..wanted(&name)
        };
        let mut racing = Vec::new();
        for _ in 0..6 {
            let (mut desk, request) = (suite.desk(), request.clone());
            racing.push(tokio::spawn(async move { ask(&mut desk, request).await.unwrap().name }));
        }
        let mut names = Vec::new();
        for task in racing {
            names.push(task.await.unwrap());
        }
        names.dedup();
        assert_eq!(names.len(), 1);
        let other = RequestActionRequest {
            operation: "release_partial".to_owned(),
            arguments: vec![argument("warehouse", "basel"), argument("quantity", "1")],
            ..request.clone()
        };
        let conflict = refusal(ask(&mut suite.desk(), other).await);
        assert_eq!(conflict, (Code::AlreadyExists, Reason::IdempotencyConflict));
        // The id is the requester's own; but one operation has one effect, whoever asks.
        let mut second = suite.person("desk-2", &["operator@acme/europe/medical"]);
        let again = refusal(ask(&mut second, request).await);
        assert_eq!(again, (Code::FailedPrecondition, Reason::IllegalState));
    }

    async fn without_the_policy_nothing_is_kept(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        suite.policy.state().decide_down = true;
        let name = suite.hold("SO-1").await;
        let before = suite.get(&name).await.etag;
        let away = refusal(ask(&mut suite.desk(), wanted(&name)).await);
        assert_eq!(away, (Code::Unavailable, Reason::PeerUnavailable));
        let request = ListActionsRequest { parent: name.clone(), ..ListActionsRequest::default() };
        assert!(suite.auditor().list_actions(request).await.unwrap().into_inner().actions.is_empty());
        assert_eq!(suite.get(&name).await.etag, before);

        suite.policy.state().decide_down = false;
        let action = ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        assert_eq!(action.state(), ActionState::Authorized);
    }

    async fn nobody_asks_for_what_is_resolved_or_without_a_name(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        let name = suite.hold("SO-1").await;
        let program = suite.harness.calls("robot", PrincipalKind::Service, &["operator@acme"]);
        let mut program = Exceptions::new(program);
        let unnamed = refusal(ask(&mut program, wanted(&name)).await);
        assert_eq!(unnamed, (Code::PermissionDenied, Reason::RequesterUnknown));

        suite.desk().resolve_exception(ResolveExceptionRequest {
            name: name.clone(),
            resolution_code: "paid".to_owned(),
            ..ResolveExceptionRequest::default()
        }).await.unwrap();
        let late = refusal(ask(&mut suite.desk(), wanted(&name)).await);
        assert_eq!(late, (Code::FailedPrecondition, Reason::IllegalState));
        assert!(suite.policy.state().questions.is_empty());
    }

    async fn only_aigate_says_who_else_counts_as_the_requester(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::RequireApproval, &["credit-manager@acme/europe/medical"]);
        let name = suite.hold("SO-1").await;
        let request = RequestActionRequest {
            recommendation: "recommendations/019abc4e-6f3e-7c11-9b1e-3f2f6f0a5d11".to_owned(),
            excluded_subjects: vec!["credit".to_owned()],
            excluded: vec![who("https://elsewhere.example", "second"), who(DEVELOPMENT_ISSUER, "third")],
            ..wanted(&name)
        };
        let refused = refusal(ask(&mut suite.desk(), request.clone()).await);
        assert_eq!(refused, (Code::PermissionDenied, Reason::PermissionDenied));
        let mut aigate = suite.aigate_for("reviewer", &["reviewer@acme/europe/medical"]);
        let action = ask(&mut aigate, request).await.unwrap();
        let requester = action.requester.unwrap();
        assert_eq!((requester.subject.as_str(), requester.via.as_str()), ("reviewer", "bylaw-aigate"));
        assert_eq!(action.excluded_subjects, ["credit", "second", "third"]);
        assert_eq!(
            action.excluded,
            [who("", "credit"), who("https://elsewhere.example", "second"), who(DEVELOPMENT_ISSUER, "third")]
        );
        let approve = contracts::exceptions::ApproveActionRequest {
            name: action.name,
            ..Default::default()
        };
        let grants = ["credit-manager@acme/europe/medical"];
        for owner in ["credit", "third"] {
            let refused = refusal(suite.person(owner, &grants).approve_action(approve.clone()).await);
            assert_eq!(refused, (Code::PermissionDenied, Reason::SodModelOwner), "{owner}");
        }
        // The policy is told the same of whom it must not count.
        suite.person("second", &grants).approve_action(approve).await.unwrap();
        let asked = suite.policy.state().authorizations.last().cloned().unwrap();
        assert!(asked.excluded_subjects.is_empty());
        assert_eq!(asked.excluded, action.excluded);
    }

    async fn an_approval_required_of_nobody_allows_nothing(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::RequireApproval, &[]);
        let name = suite.hold("SO-1").await;
        let refused = refusal(ask(&mut suite.desk(), wanted(&name)).await);
        assert_eq!(refused, (Code::Internal, Reason::Internal));
        assert!(suite.policy.state().authorizations.is_empty());
    }

    async fn facts_of_now_are_asked_about(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::Allow, &[]);
        let name = suite.hold("SO-1").await;
        suite.ingest(credit_exceeded("SO-1", MEDICAL, "77.00")).await;
        ask(&mut suite.desk(), wanted(&name)).await.unwrap();
        let policy = suite.policy.state();
        let total = policy.questions[0].facts.iter().find(|fact| fact.name == "order.total").unwrap();
        assert!(format!("{:?}", total.value).contains("77.00"));
    }
}
