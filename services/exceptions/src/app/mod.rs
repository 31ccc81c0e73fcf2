//! Use cases: authorize, load, decide, store and record in one transaction.

mod actions;
pub mod approve;
pub mod authorize;
pub mod events;
pub mod exceptions;
pub mod ingest;
pub mod ports;
mod records;
pub mod request;
pub mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use governance::Scope;
use service_kit::{
    clock::{Clock, Ids},
    error::{Error, Result},
    identity::{Caller, Principal},
};

use crate::domain::{action::Party, ageing::Bands, catalog::Catalog, source::Sources, state, text};
use ports::{Policy, Store};

/// Permissions of this service.
pub mod permission {
    /// Take in events.
    pub const INGEST: &str = "exceptions.event.ingest";
    /// Read documents.
    pub const READ_DOCUMENT: &str = "exceptions.document.read";
    /// Read dead letters.
    pub const READ_DEAD_LETTER: &str = "exceptions.dead_letter.read";
    /// Replay dead letters.
    pub const REPLAY: &str = "exceptions.dead_letter.replay";
    /// Read exceptions and actions.
    pub const READ: &str = "exceptions.exception.read";
    /// Claim and resolve exceptions.
    pub const WORK: &str = "exceptions.exception.work";
    /// Ask for actions.
    pub const REQUEST: &str = "exceptions.action.request";
    /// Approve and reject actions.
    pub const APPROVE: &str = "exceptions.action.approve";
    /// Read reports.
    pub const REPORT: &str = "exceptions.report.read";
}

/// The service's use cases. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) bands: Bands,
    pub(crate) sources: Arc<Sources>,
}

impl App {
    /// Puts the use cases together.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        policy: Arc<dyn Policy>,
        catalog: Arc<Catalog>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        bands: Bands,
        sources: Sources,
    ) -> Self {
        Self {
            store,
            policy,
            catalog,
            clock,
            ids,
            bands,
            sources: Arc::new(sources),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn id(&self) -> String {
        self.ids.uuid7().to_string()
    }
}

/// The id in a resource name such as `exceptions/{id}`.
pub(crate) fn id_in<'n>(field: &str, collection: &str, name: &'n str) -> Result<&'n str> {
    name.strip_prefix(collection)
        .and_then(|rest| rest.strip_prefix('/'))
        .filter(|id| is_uuid(id))
        .ok_or_else(|| {
            let problem = format!("{name:?} is not of the form {collection}/{{uuid}}");
            Error::invalid(field, problem)
        })
}

/// The ids in `exceptions/{exception}/actions/{action}`.
pub(crate) fn action_ids<'n>(field: &str, name: &'n str) -> Result<(&'n str, &'n str)> {
    let ids = || {
        let (exception, action) = name.strip_prefix("exceptions/")?.split_once("/actions/")?;
        (is_uuid(exception) && is_uuid(action)).then_some((exception, action))
    };
    ids().ok_or_else(|| {
        let form = "exceptions/{exception}/actions/{action}";
        Error::invalid(field, format!("{name:?} is not of the form {form}"))
    })
}

/// Whether a text is a UUID in its canonical form.
pub(crate) fn is_uuid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text)
}

/// Who acts, with the roles of the token and through whom.
pub(crate) fn party(caller: &Caller) -> Party {
    Party {
        approver: caller.approver(),
        via: caller.via().unwrap_or_default().to_owned(),
    }
}

/// The service itself, where it acts without a caller.
pub(crate) fn own_principal() -> Principal {
    Principal::own("exceptions")
}

/// Reads a scope of a request; empty is none.
pub(crate) fn optional_scope(field: &str, text: &str) -> Result<Option<Scope>> {
    if text.is_empty() {
        return Ok(None);
    }
    Scope::parse(text)
        .map(Some)
        .map_err(|error| Error::invalid(field, error.to_string()))
}

pub(crate) fn illegal(error: state::IllegalStep) -> Error {
    Error::illegal_state(error.to_string())
}

pub(crate) fn illegal_action(error: crate::domain::action::IllegalStep) -> Error {
    Error::illegal_state(error.to_string())
}

/// Checks an etag that was read; empty is any.
pub(crate) fn check_etag(name: &str, sent: &str, current: &str) -> Result<()> {
    if sent.is_empty() || sent == current {
        Ok(())
    } else {
        Err(Error::etag_mismatch(name))
    }
}

/// Most bytes of what people write.
const MAX_WORDS: usize = 4_096;

/// Checks what somebody wrote.
pub(crate) fn words(field: &str, written: &str) -> Result<()> {
    if written.len() > MAX_WORDS {
        let problem = format!("{} bytes, at most {MAX_WORDS} are taken", written.len());
        return Err(Error::invalid(field, problem));
    }
    match text::unwritable(written) {
        Some(control) => Err(control_character(field, control)),
        None => Ok(()),
    }
}

/// Checks what names or selects something.
pub(crate) fn one_line(field: &str, name: &str) -> Result<()> {
    match text::unprintable(name) {
        Some(control) => Err(control_character(field, control)),
        None => Ok(()),
    }
}

fn control_character(field: &str, control: char) -> Error {
    let problem = format!("holds the control character {control:?}");
    Error::invalid(field, problem)
}
