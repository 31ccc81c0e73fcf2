//! Requests that name themselves, so that a retry is answered as the first was.

use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::Caller,
};
use uuid::Uuid;

use super::Validation;

/// What a request is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    /// The caller's name for it.
    pub id: Uuid,
    /// `sha256:` and hex of all that was asked.
    pub digest: String,
}

/// A request that may have come before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Issuer of who asks.
    pub issuer: String,
    /// Subject of who asks.
    pub subject: String,
    /// The request.
    pub request: RequestId,
}

/// What was asked and answered under a request's id.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Digest of what was asked.
    pub digest: String,
    /// The answer, in the order of the records.
    pub validations: Vec<Validation>,
}

impl Retry {
    pub(super) fn new(caller: &Caller, request: RequestId) -> Self {
        let actor = caller.actor();
        Self {
            issuer: actor.issuer.clone(),
            subject: actor.subject.clone(),
            request,
        }
    }

    /// The first answer, where the same was asked.
    pub(super) fn again(&self, first: Answered) -> Result<Vec<Validation>> {
        if first.digest == self.request.digest {
            return Ok(first.validations);
        }
        let message = format!("request {} came before with other content", self.request.id);
        let refused = Error::new(Kind::AlreadyExists, Reason::IdempotencyConflict, message);
        Err(refused.with_violation("request_id", "was used for another request"))
    }
}
