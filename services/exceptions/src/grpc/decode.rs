//! Requests into what the use cases take.

use std::collections::BTreeMap;

use contracts::{exceptions, time::instant, types};
use governance::Scope;
use service_kit::{
    error::{Error, Result},
    facts,
};

use crate::{
    app::{exceptions::Filter, request::Request},
    domain::{event::Event, state::State},
};

/// An event of a request; `field` is where it stands there.
pub(super) fn event(field: &str, event: Option<types::CloudEvent>) -> Result<Event> {
    let event = event.ok_or_else(|| Error::invalid(field, "is required"))?;
    let scope = Scope::parse(&event.scope)
        .map_err(|error| Error::invalid(format!("{field}.scope"), error.to_string()))?;
    let time = event
        .time
        .as_ref()
        .map(|time| {
            let problem = "is not a time between the years 1 and 9999";
            instant(time).ok_or_else(|| Error::invalid(format!("{field}.time"), problem))
        })
        .transpose()?;
    Ok(Event {
        id: event.id,
        source: event.source,
        kind: event.r#type,
        subject: event.subject,
        time,
        scope,
        correlation_id: event.correlation_id,
        trace_parent: event.trace_parent,
        data_schema: event.data_schema,
        data: event.data.to_vec(),
    })
}

/// What to list.
pub(super) fn filter(request: &exceptions::ListExceptionsRequest) -> Result<Filter> {
    let states = request
        .states
        .iter()
        .enumerate()
        .map(|(index, &state)| {
            self::state(state).ok_or_else(|| {
                Error::invalid(format!("states[{index}]"), format!("no state {state}"))
            })
        })
        .collect::<Result<_>>()?;
    Ok(Filter {
        scope: request.scope.clone(),
        kind: request.r#type.clone(),
        states,
        queue: request.queue.clone(),
        correlation_id: request.correlation_id.clone(),
    })
}

fn state(number: i32) -> Option<State> {
    use exceptions::ExceptionState as Wire;
    Some(match Wire::try_from(number).ok()? {
        Wire::Unspecified => return None,
        Wire::Open => State::Open,
        Wire::Assigned => State::Assigned,
        Wire::InProgress => State::InProgress,
        Wire::Waiting => State::Waiting,
        Wire::PendingApproval => State::PendingApproval,
        Wire::Resolved => State::Resolved,
        Wire::Closed => State::Closed,
        Wire::Cancelled => State::Cancelled,
    })
}

/// What is asked for. Provenance and the rest that a caller says of an argument is
/// ignored: it is the requester's word.
pub(super) fn request(request: exceptions::RequestActionRequest) -> Result<Request> {
    let mut arguments = BTreeMap::new();
    for (index, fact) in request.arguments.into_iter().enumerate() {
        let field = format!("arguments[{index}]");
        let value = match &fact.value {
            Some(value) => facts::value_from_proto(value, &format!("{field}.value"))?,
            None => return Err(Error::invalid(format!("{field}.value"), "is required")),
        };
        if arguments.insert(fact.name.clone(), value).is_some() {
            let problem = format!("{:?} is given twice", fact.name);
            return Err(Error::invalid(format!("{field}.name"), problem));
        }
    }
    Ok(Request {
        parent: request.parent,
        operation: request.operation,
        arguments,
        request_id: request.request_id,
        recommendation: request.recommendation,
        excluded: request.excluded_subjects,
        comment: request.comment,
    })
}
