//! Requests about changes to what use cases take.

use chrono::{DateTime, Utc};
use contracts::{
    policy::{ChangeItem, ChangeState, ProposeChangeRequest, UpdateChangeRequest},
    time::instant,
};
use service_kit::error::{Error, Result};
use uuid::Uuid;

use super::decode;
use crate::{
    app::change::{Draft, Edit, Sent},
    domain::change::State,
};

/// The id in `changes/{change}`.
pub(super) fn id(name: &str) -> Result<Uuid> {
    let id = name
        .strip_prefix("changes/")
        .and_then(|id| Uuid::try_parse(id).ok());
    id.ok_or_else(|| Error::invalid("name", "expected `changes/` and a UUID"))
}

/// The id, and an etag, without which nothing is replaced.
pub(super) fn id_and_etag(name: &str, etag: &str) -> Result<(Uuid, String)> {
    if etag.is_empty() {
        return Err(Error::invalid(
            "etag",
            "is required: that of the change as it was read",
        ));
    }
    Ok((id(name)?, etag.to_owned()))
}

pub(super) fn time(
    field: &str,
    time: Option<prost_types::Timestamp>,
) -> Result<Option<DateTime<Utc>>> {
    let read = |time| instant(&time).ok_or_else(|| Error::invalid(field, "is out of range"));
    time.map(read).transpose()
}

pub(super) fn count(field: &str, count: i64) -> Result<u64> {
    u64::try_from(count).map_err(|_| Error::invalid(field, "negative, expected 0 or more"))
}

pub(super) fn states(states: &[i32]) -> Result<Vec<State>> {
    let state = |(index, number): (usize, &i32)| {
        let known = ChangeState::try_from(*number)
            .ok()
            .and_then(|state| match state {
                ChangeState::Unspecified => None,
                ChangeState::Draft => Some(State::Draft),
                ChangeState::Checked => Some(State::Checked),
                ChangeState::Tested => Some(State::Tested),
                ChangeState::Backtested => Some(State::Backtested),
                ChangeState::Approved => Some(State::Approved),
                ChangeState::Scheduled => Some(State::Scheduled),
                ChangeState::Active => Some(State::Active),
                ChangeState::Superseded => Some(State::Superseded),
                ChangeState::Rejected => Some(State::Rejected),
                ChangeState::Withdrawn => Some(State::Withdrawn),
                ChangeState::RolledBack => Some(State::RolledBack),
            });
        known.ok_or_else(|| Error::invalid(format!("states[{index}]"), "is no known state"))
    };
    states.iter().enumerate().map(state).collect()
}

pub(super) fn items(items: Vec<ChangeItem>) -> Vec<Sent> {
    let sent = items.into_iter().map(|item| Sent {
        kind: item.kind,
        name: item.name,
        path: item.path,
        text: item.source,
        attachments: item.attachments.into_iter().collect(),
    });
    sent.collect()
}

pub(super) fn draft(request: ProposeChangeRequest) -> Result<Draft> {
    let request_id = match request.request_id.as_str() {
        "" => None,
        text => Some(decode::uuid("request_id", text)?),
    };
    Ok(Draft {
        title: request.title,
        reason: request.reason,
        items: items(request.items),
        complete: request.complete,
        activate: time("activate_time", request.activate_time)?,
        request_id,
    })
}

pub(super) fn edit(request: UpdateChangeRequest) -> Result<Edit> {
    Ok(Edit {
        title: request.title,
        reason: request.reason,
        items: items(request.items),
        activate: time("activate_time", request.activate_time)?,
    })
}
