#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn earlier() -> Earlier {
    let decision = Decision {
        id: uuid::Uuid::nil(),
        workflow: "w".into(),
        scope: "corp".parse().unwrap(),
        correlation_id: String::new(),
        effect: governance::Effect::Allow,
        settled: true,
        reasons: Vec::new(),
        approvals: Vec::new(),
        obligations: Vec::new(),
        required_facts: Vec::new(),
        unknown_facts: Vec::new(),
        layers: Vec::new(),
        waivers: Vec::new(),
        revision: 5,
        audit_level: AuditLevel::Full,
        decide_time: chrono::DateTime::UNIX_EPOCH,
        binding_facts: Vec::new(),
    };
    Earlier {
        digest: "sha256:0".into(),
        answer: Answer {
            decision,
            notes: Vec::new(),
            explanation: Vec::new(),
        },
    }
}

#[test]
fn a_retry_gets_no_answer_of_before_the_revision_it_asks_for() {
    assert_eq!(again(earlier(), "sha256:0", 5).unwrap(), earlier().answer);
    for (digest, min_revision) in [("sha256:0", 6), ("sha256:1", 0)] {
        let error = again(earlier(), digest, min_revision).unwrap_err();
        assert_eq!(error.kind(), Kind::AlreadyExists);
        assert_eq!(error.reason(), Reason::IdempotencyConflict);
    }
}
