//! What is recorded about a validation, and told to others.

use governance::{Scope, canonical};
use serde_json::{Value, json};
use service_kit::{
    identity::Caller,
    outbox::{Audit, Entry, Event, Outcome},
};
use sha2::{Digest as _, Sha256};
use uuid::Builder;

use super::{Validation, permission};
use crate::domain::{Record, Severity, Violation};

/// A record was validated.
const VALIDATED: &str = "bylaw.masterdata.record.validated.v1";
/// A record isn't fit for use.
const INVALID: &str = "bylaw.masterdata.record.invalid.v1";
/// At most this many violations are told of, the most severe first.
const MAX_TOLD: usize = 100;
/// At most this many characters of a record's id are kept; the model allows 64.
const MAX_ID: usize = 64;

/// The audit record of a validation and, where the record isn't fit for use, the event
/// that says so of `subject`. Neither quotes a value of the record.
pub(super) fn entry(validation: &Validation, subject: String, caller: &Caller) -> Entry {
    let data = details(validation);
    let audit = Audit {
        r#type: VALIDATED.to_owned(),
        action: permission::VALIDATE.to_owned(),
        resource: validation.name(),
        scope: validation.scope.to_string(),
        correlation_id: validation.correlation_id.clone(),
        outcome: Outcome::Done,
        actor: caller.actor().clone(),
        via: caller.via().map(str::to_owned),
        payload: data.clone(),
        occurred: validation.validate_time,
    };
    let entry = Entry::new(audit);
    if validation.judgement.is_valid() {
        return entry;
    }
    entry.with_event(Event {
        r#type: INVALID.to_owned(),
        subject,
        scope: validation.scope.to_string(),
        correlation_id: validation.correlation_id.clone(),
        data,
    })
}

fn details(validation: &Validation) -> Value {
    let judgement = &validation.judgement;
    let mut told: Vec<&Violation> = judgement.violations.iter().collect();
    told.sort_by_key(|violation| std::cmp::Reverse(violation.severity));
    let told: Vec<_> = told
        .into_iter()
        .take(MAX_TOLD)
        .map(|v| {
            json!({
                "field": v.field.to_string(),
                "rule": v.rule,
                "kind": v.kind.name(),
                "severity": v.severity.name(),
            })
        })
        .collect();
    json!({
        "entity": validation.entity.name(),
        "record_id": validation.record_id,
        "validation": validation.name(),
        "valid": judgement.is_valid(),
        "errors": judgement.count(Severity::Error),
        "warnings": judgement.count(Severity::Warning),
        "infos": judgement.count(Severity::Info),
        "violations": told,
        "rule_sets": judgement.rule_sets,
    })
}

/// What a record without an id goes by: a UUID over its content, the mapping that read it
/// and the unit, so that validating it again speaks of the same one.
pub(super) fn anonymous(record: &Record, mapping: &str, scope: &Scope) -> String {
    let content = json!({
        "entity": record.entity().name(),
        "mapping": mapping,
        "scope": scope.as_str(),
        "record": canonical::value(&decision::Value::Context(record.fields().clone())),
    });
    let digest: [u8; 32] = Sha256::digest(canonical::text(&content)).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    let id = Builder::from_custom_bytes(bytes).into_uuid();
    format!("records/{id}")
}

/// A record's id as it is kept: without control characters, at most as long as the model
/// allows.
pub(super) fn clipped(id: &str) -> String {
    id.chars()
        .filter(|c| !c.is_control())
        .take(MAX_ID)
        .collect()
}
