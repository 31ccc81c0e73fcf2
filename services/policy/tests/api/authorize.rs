//! Authorizing actions.

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use contracts::{
    policy::{ApprovalRecord, AuthorizeActionRequest, AuthorizeActionResponse, DecideRequest},
    time::timestamp,
    types::{Decimal, Effect, Grant, Principal, PrincipalKind, value::Kind},
};
use decision::Value;
use futures::future::join_all;
use governance::binding::{Binding, digest};
use policy::receipt::{self, Invalid, Jwks};
use service_kit::clock::Clock as _;
use testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::fixture::{Fixture, MEDICAL, TOOLS, fact, fields, flag, forwarded, question, refusal};

const ISSUER: &str = "https://id.example";

fn principal(subject: &str, roles: &[&str]) -> Principal {
    let grants = roles.iter().map(|role| {
        let (role, scope) = role.split_once('@').unwrap();
        Grant {
            role: role.into(),
            scope: scope.into(),
        }
    });
    Principal {
        issuer: ISSUER.into(),
        subject: subject.into(),
        kind: PrincipalKind::Person.into(),
        grants: grants.collect(),
        via: String::new(),
    }
}

/// What approvals of this order's release are bound to.
fn bound(scope: &str, total: &str) -> String {
    digest(&Binding {
        workflow: "hold_release",
        scope: &scope.parse().unwrap(),
        document: "order/SO-1",
        operation: "release_order",
        audience: "erp",
        arguments: &BTreeMap::from([("quantity".into(), Value::Number("12".parse().unwrap()))]),
        facts: &BTreeMap::from([("order.total".into(), Value::String(total.into()))]),
    })
}

fn action(name: &str, scope: &str, total: &str) -> AuthorizeActionRequest {
    let quantity = Decimal {
        value: "12.00".into(),
    };
    AuthorizeActionRequest {
        action: name.into(),
        operation: "release_order".into(),
        document: "order/SO-1".into(),
        arguments: vec![fact("quantity", Kind::NumberValue(quantity))],
        audience: "erp".into(),
        request: Some(forwarded(question(scope, total, "1"))),
        requester: Some(principal("reviewer", &["reviewer@corp"])),
        approved_digest: bound(scope, total),
        ..AuthorizeActionRequest::default()
    }
}

impl Fixture {
    fn approval(&self, subject: &str, role: &str, digest: &str) -> ApprovalRecord {
        let now = self.clock.now();
        ApprovalRecord {
            approver: Some(principal(subject, &[role])),
            approve_time: Some(timestamp(now)),
            expire_time: Some(timestamp(now + TimeDelta::hours(1))),
            token_id: "t".into(),
            digest: digest.into(),
        }
    }

    /// An action with the approval it needs.
    fn approved(&self, name: &str, total: &str) -> AuthorizeActionRequest {
        let mut request = action(name, TOOLS, total);
        let digest = request.approved_digest.clone();
        request.approvals = vec![self.approval("lead", "credit-lead@corp/west", &digest)];
        request
    }

    async fn authorize(
        &self,
        request: AuthorizeActionRequest,
    ) -> Result<AuthorizeActionResponse, Status> {
        let mut client = self.internal("bylaw-exceptions");
        client
            .authorize_action(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// The published keys, as an executing system fetches them.
    async fn jwks(&self) -> Jwks {
        let address = self.harness.http_addr();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /.well-known/jwks.json HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(!body.contains("\"d\""), "a private key is published");
        serde_json::from_str(body).unwrap()
    }
}

testkit::backends! {
    async fn an_approved_action_gets_a_receipt_that_anybody_can_check(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let response = fixture.authorize(fixture.approved("actions/1", "5000 EUR")).await.unwrap();
        let decision = response.decision.unwrap();
        assert_eq!(decision.effect(), Effect::RequireApproval);
        assert!(response.missing_approvals.is_empty());
        let signed = response.receipt.unwrap();
        let (jwks, now) = (fixture.jwks().await, fixture.clock.now());
        let claims = receipt::verify(&signed.jws, &jwks, "erp", now).unwrap();
        assert_eq!((&claims.jti, &*claims.iss, &*claims.aud), (&signed.id, "bylaw-policy", "erp"));
        assert_eq!((&*claims.workflow, &*claims.document), ("hold_release", "order/SO-1"));
        assert_eq!((&*claims.action, &*claims.operation), ("actions/1", "release_order"));
        assert_eq!(claims.arguments, serde_json::json!({"quantity": "12"}));
        assert_eq!(claims.digest, bound(TOOLS, "5000 EUR"));
        assert_eq!(claims.decision, format!("decisions/{}", decision.id));
        assert_eq!((claims.exp - claims.iat, claims.revision), (300, 1));
        let later = now + TimeDelta::seconds(301);
        assert!(matches!(
            receipt::verify(&signed.jws, &jwks, "erp", later),
            Err(Invalid::Expired(_))
        ));
        let log = fixture.harness.log.clone();
        eventually(Duration::from_secs(10), || async {
            log.records().iter().any(|record| {
                record.r#type == "bylaw.policy.action.authorized.v1" && record.resource == "actions/1"
            })
        })
        .await;
    }

    async fn one_action_has_one_receipt_while_it_is_valid(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let request = fixture.approved("actions/1", "5000 EUR");
        let receipts = join_all((0..8).map(|_| fixture.authorize(request.clone()))).await;
        let first = receipts[0].as_ref().unwrap().clone();
        assert!(first.receipt.is_some());
        for response in receipts {
            assert_eq!(response.unwrap().receipt, first.receipt);
        }
        // Another amount, though approved, isn't this action.
        let other = fixture.authorize(fixture.approved("actions/1", "6000 EUR")).await.unwrap_err();
        assert_eq!(refusal(&other), (Code::AlreadyExists, "IDEMPOTENCY_CONFLICT".into()));
        // Once it has lapsed, it is checked and signed again.
        fixture.clock.advance(TimeDelta::seconds(300));
        let again = fixture.authorize(request).await.unwrap();
        assert_ne!(again.receipt.unwrap().id, first.receipt.unwrap().id);
    }

    async fn two_actions_never_have_a_receipt_for_one_effect(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        // An action of a person and a recommendation that acts by itself, at once.
        let asked = ["exceptions/1/actions/1", "recommendations/1"]
            .map(|name| fixture.authorize(fixture.approved(name, "5000 EUR")));
        let mut answers = join_all(asked).await;
        answers.sort_by_key(Result::is_err);
        let signed = answers[0].as_ref().unwrap().receipt.clone().unwrap();
        let status = answers[1].as_ref().unwrap_err();
        assert_eq!(refusal(status), (Code::FailedPrecondition, "RECEIPT_STANDS".into()));
        let metadata = status.get_details_error_info().unwrap().metadata;
        let (jwks, now) = (fixture.jwks().await, fixture.clock.now());
        let claims = receipt::verify(&signed.jws, &jwks, "erp", now).unwrap();
        assert_eq!(metadata["action"], claims.action);
        assert_eq!(metadata["receipt"], signed.id);
        assert!(status.get_details_retry_info().unwrap().retry_delay.unwrap().as_secs() >= 300);

        // Whatever the arguments, and until executing systems' late clocks are past it too.
        let mut next = fixture.approved("exceptions/1/actions/2", "5000 EUR");
        let lines = |line: &str| AuthorizeActionRequest { line: line.into(), ..next.clone() };
        assert!(fixture.authorize(lines("10")).await.unwrap().receipt.is_some());
        next.action = "exceptions/1/actions/3".into();
        fixture.clock.advance(TimeDelta::seconds(310));
        let status = fixture.authorize(next.clone()).await.unwrap_err();
        assert_eq!(refusal(&status).1, "RECEIPT_STANDS");
        // Once it was reported executed, it stands in nobody's way.
        next.finished_actions = vec![claims.action];
        assert!(fixture.authorize(next).await.unwrap().receipt.is_some());
    }

    async fn a_receipt_that_was_used_stands_in_nobodys_way(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let first = fixture.authorize(fixture.approved("recommendations/1", "5000 EUR")).await.unwrap();
        let used = first.receipt.unwrap().id;
        let mut next = fixture.approved("exceptions/1/actions/1", "5000 EUR");
        // That of something else doesn't count.
        next.used_receipts = vec![uuid::Uuid::now_v7().to_string()];
        let status = fixture.authorize(next.clone()).await.unwrap_err();
        assert_eq!(refusal(&status).1, "RECEIPT_STANDS");
        next.used_receipts.push(used);
        assert!(fixture.authorize(next.clone()).await.unwrap().receipt.is_some());
        // The next one stands in its place.
        next.action = "exceptions/1/actions/2".into();
        let status = fixture.authorize(next).await.unwrap_err();
        assert_eq!(refusal(&status).1, "RECEIPT_STANDS");
    }

    async fn a_receipt_stands_until_late_clocks_are_past_it(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        fixture.authorize(fixture.approved("actions/1", "5000 EUR")).await.unwrap();
        let next = fixture.approved("actions/2", "5000 EUR");
        fixture.clock.advance(TimeDelta::seconds(359));
        assert!(fixture.authorize(next.clone()).await.is_err());
        fixture.clock.advance(TimeDelta::seconds(1));
        assert!(fixture.authorize(next).await.unwrap().receipt.is_some());
    }

    async fn an_allowed_action_needs_no_approval_and_a_denied_one_gets_no_receipt(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut allowed = action("actions/1", TOOLS, "10 EUR");
        allowed.approved_digest.clear();
        let response = fixture.authorize(allowed).await.unwrap();
        assert_eq!(response.decision.unwrap().effect(), Effect::Allow);
        assert!(response.receipt.is_some());

        let mut denied = fixture.approved("actions/2", "5000 EUR");
        denied.request = Some(forwarded(question(TOOLS, "5000 EUR", "31")));
        let response = fixture.authorize(denied).await.unwrap();
        let decision = response.decision.unwrap();
        assert_eq!(decision.effect(), Effect::Deny);
        assert_eq!(decision.reasons, ["the customer is overdue"]);
        assert_eq!(response.receipt, None);
    }

    async fn what_is_missing_is_said(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let mut request = action("actions/1", MEDICAL, "5000 EUR");
        let asked: &mut DecideRequest = request.request.as_mut().unwrap();
        asked.facts[2] = flag("item.regulated", true);
        *asked = forwarded(asked.clone());
        let digest = request.approved_digest.clone();
        // One person with both roles counts once; a role of another unit doesn't count.
        let mut both = fixture.approval("both", "credit-lead@corp", &digest);
        both.approver = Some(principal("both", &["credit-lead@corp", "compliance-lead@corp"]));
        request.approvals = vec![
            both,
            fixture.approval("stranger", "compliance-lead@corp/west/tools", &digest),
        ];
        let response = fixture.authorize(request.clone()).await.unwrap();
        assert_eq!((response.missing_approvals.len(), response.receipt), (1, None));
        request.approvals.push(fixture.approval("second", "credit-lead@corp", &digest));
        let response = fixture.authorize(request).await.unwrap();
        assert!(response.missing_approvals.is_empty() && response.receipt.is_some());
    }

    async fn nobody_approves_what_they_requested(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let request = fixture.approved("actions/1", "5000 EUR");
        let mut own = request.clone();
        own.requester = Some(principal("lead", &[]));
        let mut model = request.clone();
        model.excluded_subjects = vec!["lead".into()];
        let named = |issuer: &str| AuthorizeActionRequest {
            action: format!("actions/of-{issuer}"),
            excluded: vec![Principal { issuer: issuer.into(), ..principal("lead", &[]) }],
            ..request.clone()
        };
        for (refused, reason) in [
            (own, "SOD_REQUESTER"),
            (model, "SOD_MODEL_OWNER"),
            (named(""), "SOD_MODEL_OWNER"),
            (named(ISSUER), "SOD_MODEL_OWNER"),
        ] {
            let status = fixture.authorize(refused).await.unwrap_err();
            assert_eq!(refusal(&status), (Code::PermissionDenied, reason.into()));
        }
        let mut machine = request.clone();
        machine.approvals[0].approver.as_mut().unwrap().kind = PrincipalKind::Model.into();
        let status = fixture.authorize(machine).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        for requester in [None, Some(Principal::default())] {
            let status = fixture
                .authorize(AuthorizeActionRequest { requester, ..request.clone() })
                .await
                .unwrap_err();
            assert_eq!(refusal(&status).1, "REQUESTER_UNKNOWN");
        }
        let mut nameless = named(ISSUER);
        nameless.excluded[0].subject = String::new();
        let status = fixture.authorize(nameless).await.unwrap_err();
        assert_eq!(fields(&status), ["excluded[0].subject"]);
        // Their namesake of another issuer is somebody else.
        assert!(fixture.authorize(named("https://elsewhere.example")).await.unwrap().receipt.is_some());
        // The refusals are recorded.
        let log = fixture.harness.log.clone();
        eventually(Duration::from_secs(10), || async {
            log.records().iter().any(|record| {
                record.outcome() == contracts::audit::Outcome::Refused
            })
        })
        .await;
    }

    async fn approvals_lapse(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        // The amount moved since.
        let mut moved = fixture.approved("actions/1", "5000 EUR");
        moved.request = Some(forwarded(question(TOOLS, "5001 EUR", "1")));
        let status = fixture.authorize(moved).await.unwrap_err();
        assert_eq!(refusal(&status), (Code::FailedPrecondition, "APPROVAL_LAPSED".into()));
        // Other facts may move.
        let mut other = fixture.approved("actions/2", "5000 EUR");
        other.line = "10".into();
        other.request = Some(forwarded(question(TOOLS, "5000 EUR", "29")));
        assert!(fixture.authorize(other).await.unwrap().receipt.is_some());
        // Its time passed, or it was given for something else: it doesn't count.
        let mut old = fixture.approved("actions/3", "5000 EUR");
        old.approvals[0].expire_time = Some(timestamp(fixture.clock.now()));
        assert_eq!(fixture.authorize(old).await.unwrap().missing_approvals.len(), 1);
        let mut foreign = fixture.approved("actions/4", "5000 EUR");
        foreign.approvals[0].digest = bound(TOOLS, "9 EUR");
        assert_eq!(fixture.authorize(foreign).await.unwrap().missing_approvals.len(), 1);
    }

    async fn bad_actions_name_their_field(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let with = |change: fn(&mut AuthorizeActionRequest)| {
            let mut request = fixture.approved("actions/1", "5000 EUR");
            change(&mut request);
            request
        };
        let cases = [
            (with(|r| r.action.clear()), "action"),
            (with(|r| r.operation = "x".repeat(257)), "operation"),
            (with(|r| r.document = "order".into()), "document"),
            (with(|r| r.audience.clear()), "audience"),
            (with(|r| r.line = "x".repeat(257)), "line"),
            (with(|r| r.finished_actions = vec![String::new()]), "finished_actions[0]"),
            (with(|r| r.finished_actions = vec!["a".into(); 257]), "finished_actions"),
            (with(|r| r.used_receipts = vec!["jti".into()]), "used_receipts[0]"),
            (with(|r| r.used_receipts = vec![String::new(); 257]), "used_receipts"),
            (with(|r| r.excluded = vec![Principal::default(); 65]), "excluded"),
            (with(|r| r.arguments.push(r.arguments[0].clone())), "arguments[1].name"),
            (with(|r| r.arguments = vec![r.arguments[0].clone(); 65]), "arguments"),
            (with(|r| r.approvals[0].approver = None), "approvals[0].approver.subject"),
            (with(|r| r.approvals[0].approve_time = None), "approvals[0].approve_time"),
            (
                with(|r| r.request.as_mut().unwrap().facts[0].provenance = 0),
                "request.facts[0].provenance",
            ),
        ];
        for (request, field) in cases {
            let status = fixture.authorize(request).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{field}: {status:?}");
            assert_eq!(fields(&status), [field]);
        }
    }
}
