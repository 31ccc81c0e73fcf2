//! The use cases of the AI gate.

mod gate;
pub mod outcomes;
pub mod ports;
mod read;
mod records;
mod review;
mod submit;
mod sweep;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use service_kit::{
    clock::{Clock, Ids},
    error::{Error, Result},
    identity::{Caller, Principal},
    violations::Violations,
};

use crate::domain::{
    catalog::Catalog,
    recommendation::{Illegal, Party},
};
use ports::{Exceptions, Policy, Store};

pub use read::{Filter, Page};
pub use submit::Submission;

/// Permissions that the use cases ask for.
pub(crate) mod permission {
    pub(crate) const SUBMIT: &str = "aigate.recommendation.submit";
    pub(crate) const READ: &str = "aigate.recommendation.read";
    pub(crate) const REVIEW: &str = "aigate.recommendation.review";
}

/// Longest text that a person or a model writes, in characters.
const MAX_WORDS: usize = 4_096;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// A claimed recommendation is kept for its reviewer.
    pub claim: TimeDelta,
    /// An acceptance may stay unfinished.
    pub settle: TimeDelta,
}

/// The use cases, with what they need. Cheap to clone.
#[derive(Clone)]
pub struct App {
    store: Arc<dyn Store>,
    policy: Arc<dyn Policy>,
    exceptions: Arc<dyn Exceptions>,
    catalog: Arc<Catalog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    times: Times,
}

impl App {
    /// The use cases over a store, the other services, and a catalog.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        policy: Arc<dyn Policy>,
        exceptions: Arc<dyn Exceptions>,
        catalog: Arc<Catalog>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        times: Times,
    ) -> Self {
        Self {
            store,
            policy,
            exceptions,
            catalog,
            clock,
            ids,
            times,
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// The service itself, for what it does without being asked.
#[must_use]
pub fn own_principal() -> Principal {
    Principal::own("aigate")
}

fn party(caller: &Caller) -> Party {
    let actor = caller.actor();
    Party {
        issuer: actor.issuer.clone(),
        subject: actor.subject.clone(),
        kind: actor.kind.as_str().to_owned(),
        grants: actor.grants.iter().map(ToString::to_string).collect(),
        via: caller.via().map(str::to_owned),
    }
}

/// The id in `recommendations/{id}`.
pub(crate) fn id_in(name: &str) -> Result<&str> {
    let id = name.strip_prefix("recommendations/").unwrap_or_default();
    if is_uuid(id) {
        return Ok(id);
    }
    Err(Error::invalid(
        "name",
        format!("{name:?} is not of the form recommendations/{{uuid}}"),
    ))
}

pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::parse_str(text).is_ok_and(|id| id.to_string() == text)
}

fn illegal(illegal: &Illegal) -> Error {
    Error::illegal_state(illegal.to_string())
}

/// The arguments that aren't as the operation declares them.
fn misfits(wrong: &[(String, String)]) -> Error {
    let mut all = Violations::default();
    for (name, problem) in wrong {
        let field = format!("arguments[{name}]");
        all.take::<()>(Err(Error::invalid(field, problem)));
    }
    match all.finish(|| None::<()>) {
        Err(error) => error,
        Ok(()) => Error::broken("an argument is wrong for no reason"),
    }
}

/// Checks what the record needs in somebody's words.
pub(crate) fn required(field: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid(
            field,
            "is empty, but the record needs to say why",
        ));
    }
    words(field, text)
}

/// Checks what somebody wrote.
pub(crate) fn words(field: &str, text: &str) -> Result<()> {
    if text.chars().count() > MAX_WORDS {
        return Err(Error::invalid(
            field,
            format!("is longer than {MAX_WORDS} characters"),
        ));
    }
    let unfit = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    if text.chars().any(unfit) {
        return Err(Error::invalid(field, "has control characters"));
    }
    Ok(())
}
