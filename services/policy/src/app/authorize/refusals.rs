//! Why an action isn't authorized.

use std::time::Duration;

use approval::{Refusal, Subject};
use chrono::{DateTime, SecondsFormat, Utc};
use service_kit::error::{Error, Kind, Reason};

use crate::app::store::Standing;

/// An approver who may not approve this.
pub(super) fn segregation(refusal: Refusal, who: &Subject) -> Error {
    let reason = Reason::from_code(refusal.code()).unwrap_or(Reason::SodRequester);
    Error::sod(reason, refusal.to_string())
        .with_metadata("approver", &who.subject)
        .with_metadata("approver_issuer", &who.issuer)
}

/// Another content under the name of an action that was authorized.
pub(super) fn other_content(action: &str) -> Error {
    Error::new(
        Kind::AlreadyExists,
        Reason::IdempotencyConflict,
        "the action was authorized with other content",
    )
    .with_metadata("action", action)
}

/// Two receipts for one effect would have it twice.
pub(super) fn stands(other: &Standing, now: DateTime<Utc>) -> Error {
    let expires = other.expires.to_rfc3339_opts(SecondsFormat::Secs, true);
    let message = format!(
        "{} has a receipt for the same operation on the same document, valid until {expires}",
        other.action
    );
    let wait = (other.until - now).to_std().unwrap_or_default();
    Error::new(Kind::FailedPrecondition, Reason::ReceiptStands, message)
        .with_metadata("action", &other.action)
        .with_metadata("receipt", other.receipt.to_string())
        .with_metadata("expire_time", expires)
        .with_retry(wait.max(Duration::from_secs(1)))
}
