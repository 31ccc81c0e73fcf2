//! Entries for tests of the outbox.

use chrono::{DateTime, Utc};
use service_kit::{
    identity::{Principal, PrincipalKind},
    outbox::{Audit, Entry, Event, Outcome},
};

/// The type of records and events that tests write.
pub const TYPE: &str = "bylaw.test.thing.done.v1";

/// A record about a resource.
pub fn entry(resource: &str) -> Entry {
    Entry::new(Audit {
        r#type: TYPE.to_owned(),
        action: "test.thing.do".to_owned(),
        resource: resource.to_owned(),
        scope: "acme/europe".to_owned(),
        correlation_id: "SO-1".to_owned(),
        outcome: Outcome::Done,
        actor: Principal {
            issuer: "urn:test".to_owned(),
            subject: "ann".to_owned(),
            kind: PrincipalKind::Person,
            grants: Vec::new(),
            token_id: None,
            expires: DateTime::<Utc>::MAX_UTC,
            asserts: Vec::new(),
            owner: None,
        },
        via: None,
        payload: serde_json::json!({"resource": resource}),
        occurred: Utc::now(),
    })
}

/// A record with an event about the same.
pub fn told(resource: &str) -> Entry {
    entry(resource).with_event(Event {
        r#type: TYPE.to_owned(),
        subject: resource.to_owned(),
        scope: "acme/europe".to_owned(),
        correlation_id: "SO-1".to_owned(),
        data: serde_json::json!({"resource": resource}),
    })
}
