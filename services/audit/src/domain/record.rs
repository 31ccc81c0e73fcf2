//! One thing that happened.

use std::fmt;

use chrono::{DateTime, Utc};
use governance::Scope;
use uuid::Uuid;

use super::json::{self, Json};

/// Largest payload, in bytes of its canonical form and as it comes.
pub const MAX_PAYLOAD: usize = 256 * 1024;
/// Largest leaf entry, in bytes: what an entry bundle of C2SP tlog-tiles can hold.
pub const MAX_ENTRY: usize = 65_535;
/// Most grants of an actor.
pub const MAX_GRANTS: usize = 256;
/// Longest text of a name: type, action, producer.
pub const MAX_NAME: usize = 256;
/// Longest text of an identifier: subject, resource, correlation id.
pub const MAX_ID: usize = 1_024;

/// What happened, as its producer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Producing service.
    pub producer: String,
    /// The producer's own count, from 1.
    pub producer_sequence: u64,
    /// Unique within the producer.
    pub event_id: Uuid,
    /// CloudEvents type.
    pub r#type: String,
    /// When it happened.
    pub occurred: DateTime<Utc>,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// What it was done to; may be empty.
    pub resource: String,
    /// Scope of the resource; empty for records of no scope.
    pub scope: String,
    /// The business transaction; may be empty.
    pub correlation_id: String,
    /// W3C trace id or empty.
    pub trace_id: String,
    /// W3C span id or empty.
    pub span_id: String,
    /// Whether it was done.
    pub outcome: Outcome,
    /// Canonical JSON object.
    pub payload: Vec<u8>,
}

/// Who did something, with the roles held then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `iss` of the token.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: String,
    /// What kind of principal.
    pub kind: ActorKind,
    /// Roles held.
    pub grants: Vec<Grant>,
    /// The service that called on the actor's behalf, or empty.
    pub via: String,
}

/// A role at a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role: String,
    /// Scope path, or `*`.
    pub scope: String,
}

/// Kinds of actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// A human being.
    Person,
    /// A program of fixed rules.
    Service,
    /// An AI model or agent.
    Model,
}

impl ActorKind {
    /// As leaves write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "PERSON",
            Self::Service => "SERVICE",
            Self::Model => "MODEL",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Person, Self::Service, Self::Model]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

impl Outcome {
    /// As leaves write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Refused => "REFUSED",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Done, Self::Refused]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field, such as `actor.subject`.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

impl Record {
    /// Checks every field but the payload, which [`canonical_payload`] checks.
    ///
    /// # Errors
    /// The first field that is missing, malformed or too long.
    pub fn check(&self) -> Result<(), Violation> {
        check_producer(&self.producer)?;
        if self.producer_sequence == 0 {
            return violation("producer_sequence", "is not positive, expected 1 or more");
        }
        text("type", &self.r#type, 1, MAX_NAME)?;
        if super::line::RESERVED_TYPES.contains(&self.r#type.as_str()) {
            return violation("type", "is reserved for lines of an export");
        }
        text("action", &self.action, 1, MAX_NAME)?;
        text("actor.issuer", &self.actor.issuer, 1, MAX_ID)?;
        text("actor.subject", &self.actor.subject, 1, MAX_ID)?;
        text("actor.via", &self.actor.via, 0, MAX_ID)?;
        text("resource", &self.resource, 0, MAX_ID)?;
        text("correlation_id", &self.correlation_id, 0, MAX_ID)?;
        hex("trace_id", &self.trace_id, 32)?;
        hex("span_id", &self.span_id, 16)?;
        if !self.scope.is_empty() {
            Scope::parse(&self.scope).map_err(|e| Violation {
                field: "scope",
                problem: e.to_string(),
            })?;
        }
        if self.actor.grants.len() > MAX_GRANTS {
            return violation("actor.grants", "has more than 256 grants");
        }
        for grant in &self.actor.grants {
            text("actor.grants.role", &grant.role, 1, MAX_NAME)?;
            text("actor.grants.scope", &grant.scope, 1, MAX_ID)?;
        }
        Ok(())
    }
}

/// Gives a payload its canonical form.
///
/// # Errors
/// If it is no JSON object, has no faithful canonical form, or is too large.
pub fn canonical_payload(payload: &[u8]) -> Result<Vec<u8>, Violation> {
    let too_large = || Violation {
        field: "payload",
        problem: format!("is larger than {MAX_PAYLOAD} bytes"),
    };
    if payload.len() > MAX_PAYLOAD {
        return Err(too_large());
    }
    let value = json::parse(payload).map_err(|e| Violation {
        field: "payload",
        problem: format!("isn't canonical JSON: {e}"),
    })?;
    if !matches!(value, Json::Object(_)) {
        return Err(Violation {
            field: "payload",
            problem: "isn't a JSON object".to_owned(),
        });
    }
    let canonical = value.canonical().into_bytes();
    if canonical.len() > MAX_PAYLOAD {
        return Err(too_large());
    }
    Ok(canonical)
}

fn violation<T>(field: &'static str, problem: &str) -> Result<T, Violation> {
    Err(Violation {
        field,
        problem: problem.to_owned(),
    })
}

fn check_producer(producer: &str) -> Result<(), Violation> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let letter = producer
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase());
    if letter && producer.len() <= 63 && producer.bytes().all(inner) {
        return Ok(());
    }
    violation(
        "producer",
        "isn't lower-case letters, digits and hyphens after a letter, at most 63",
    )
}

fn text(field: &'static str, value: &str, min: usize, max: usize) -> Result<(), Violation> {
    if value.len() < min {
        return violation(field, "is empty");
    }
    if value.len() > max {
        return Err(Violation {
            field,
            problem: format!("has {} bytes, at most {max} are allowed", value.len()),
        });
    }
    if value.chars().any(char::is_control) {
        return violation(field, "has control characters");
    }
    Ok(())
}

fn hex(field: &'static str, value: &str, digits: usize) -> Result<(), Violation> {
    let lower = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if value.is_empty() || (value.len() == digits && value.bytes().all(lower)) {
        return Ok(());
    }
    Err(Violation {
        field,
        problem: format!("isn't {digits} lower-case hexadecimal digits"),
    })
}
