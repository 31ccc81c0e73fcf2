#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use approval::{Grant, Kind as ApproverKind, Subject};
use governance::Scope;
use service_kit::identity::Revocations;

use super::*;

const ISSUER: &str = "https://id.example";

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn scope() -> Scope {
    "corp".parse().unwrap()
}

fn approval(subject: &str, token_id: &str) -> GivenApproval {
    GivenApproval {
        approver: Approver {
            who: Subject {
                issuer: ISSUER.into(),
                subject: subject.into(),
            },
            kind: ApproverKind::Person,
            grants: vec![Grant {
                role: "lead".into(),
                at: scope(),
            }],
        },
        given: time(0),
        expires: time(100),
        token_id: token_id.into(),
        digest: "sha256:0".into(),
    }
}

fn action(approvals: Vec<GivenApproval>) -> Action {
    Action {
        name: "actions/1".into(),
        operation: "release_order".into(),
        document: "order/1".into(),
        line: String::new(),
        finished: Vec::new(),
        used: Vec::new(),
        arguments: BTreeMap::new(),
        audience: "erp".into(),
        question: Question {
            workflow: "w".into(),
            scope: scope(),
            correlation_id: String::new(),
            facts: Vec::new(),
            min_revision: 0,
            request_id: None,
            explain: false,
        },
        requester: Requester {
            issuer: ISSUER.into(),
            subject: "desk".into(),
        },
        excluded: Vec::new(),
        approvals,
        approved_digest: "sha256:0".into(),
    }
}

/// A decision that demands two leads.
fn decision() -> Decision {
    Decision {
        id: Uuid::nil(),
        workflow: "w".into(),
        scope: scope(),
        correlation_id: String::new(),
        effect: Effect::RequireApproval,
        settled: true,
        reasons: Vec::new(),
        approvals: vec![decided::Approval {
            role: "lead".into(),
            at: scope(),
            count: 2,
        }],
        obligations: Vec::new(),
        required_facts: Vec::new(),
        unknown_facts: Vec::new(),
        layers: Vec::new(),
        waivers: Vec::new(),
        revision: 1,
        audit_level: AuditLevel::Full,
        decide_time: time(1),
        binding_facts: Vec::new(),
    }
}

#[test]
fn an_approval_is_void_once_its_subject_or_token_is_revoked() {
    let revocations = Revocations::default();
    let action = action(vec![approval("a", "t1"), approval("b", "t2")]);
    let count = || {
        let revoked = |given: &GivenApproval| given.is_revoked(&revocations);
        let missing = missing(&action, &decision(), time(1), revoked).unwrap();
        missing.iter().map(|m| m.count).sum::<u32>()
    };
    assert_eq!(count(), 0);
    revocations.revoke_token(ISSUER, "t1");
    revocations.revoke_subject("https://elsewhere.example", "b");
    assert_eq!(count(), 1);
    revocations.revoke_subject(ISSUER, "b");
    assert_eq!(count(), 2);
}

#[test]
fn who_counts_as_the_requester_does_not_approve() {
    let mut action = action(vec![approval("desk", "t")]);
    let refused = missing(&action, &decision(), time(1), |_| false).unwrap_err();
    assert_eq!(refused.reason(), Reason::SodRequester);
    action.requester.issuer = "https://elsewhere.example".into();
    assert!(missing(&action, &decision(), time(1), |_| false).is_ok());
    for (issuer, kept_out) in [
        ("", true),
        (ISSUER, true),
        ("https://elsewhere.example", false),
    ] {
        action.excluded = vec![approval::Somebody::of(issuer, "desk")];
        let missing = missing(&action, &decision(), time(1), |_| false);
        assert_eq!(missing.is_err(), kept_out, "{issuer:?}");
    }
}
