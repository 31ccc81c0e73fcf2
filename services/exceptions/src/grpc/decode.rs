//! Requests into what the use cases take.

use approval::Somebody;
use contracts::{exceptions, time::instant, types};
use governance::Scope;
use service_kit::{
    error::{Error, Result},
    facts,
    violations::Violations,
};

use crate::{
    app::{
        exceptions::Filter,
        one_line,
        request::{MAX_ARGUMENTS, Request},
    },
    domain::{
        event::{Attributes, Event},
        state::State,
    },
};

/// An event of a request; `field` is where it stands there. Everything that is wrong
/// with it is kept.
pub(super) fn event(
    field: &str,
    event: Option<types::CloudEvent>,
    violations: &mut Violations,
) -> Option<Event> {
    let event = event.ok_or_else(|| Error::invalid(field, "is required"));
    let event = violations.take(event)?;
    for malformed in attributes(&event).problems() {
        let field = format!("{field}.{}", malformed.attribute);
        let error = if malformed.too_large {
            Error::too_large(field, malformed.problem)
        } else {
            Error::invalid(field, malformed.problem)
        };
        violations.take::<()>(Err(error));
    }
    let scope = Scope::parse(&event.scope)
        .map_err(|error| Error::invalid(format!("{field}.scope"), error.to_string()));
    let scope = violations.take(scope);
    let time = event.time.as_ref().map(|time| {
        let problem = "is not a time between the years 1 and 9999";
        instant(time).ok_or_else(|| Error::invalid(format!("{field}.time"), problem))
    });
    let time = violations.take(time.transpose());
    Some(Event {
        time: time?,
        scope: scope?,
        id: event.id,
        source: event.source,
        kind: event.r#type,
        subject: event.subject,
        correlation_id: event.correlation_id,
        trace_parent: event.trace_parent,
        data_schema: event.data_schema,
        data: event.data.to_vec(),
    })
}

fn attributes(event: &types::CloudEvent) -> Attributes<'_> {
    Attributes {
        id: &event.id,
        source: &event.source,
        kind: &event.r#type,
        subject: &event.subject,
        correlation_id: &event.correlation_id,
        trace_parent: &event.trace_parent,
        data_schema: &event.data_schema,
        data: &event.data,
    }
}

/// What to list.
pub(super) fn filter(request: &exceptions::ListExceptionsRequest) -> Result<Filter> {
    let mut violations = Violations::default();
    for (field, name) in [
        ("type", &request.r#type),
        ("queue", &request.queue),
        ("correlation_id", &request.correlation_id),
    ] {
        violations.take(one_line(field, name));
    }
    let states = request.states.iter().enumerate();
    let states = states.filter_map(|(index, &number)| {
        let state = state(number).ok_or_else(|| {
            Error::invalid(format!("states[{index}]"), format!("no state {number}"))
        });
        violations.take(state)
    });
    let states = states.collect();
    violations.finish(|| Some(()))?;
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
    let arguments = facts::values_from_proto(request.arguments, "arguments", MAX_ARGUMENTS)?;
    let everywhere = request.excluded_subjects.iter();
    let everywhere = everywhere.map(|subject| Somebody::of("", subject));
    let named = request.excluded.iter();
    let named = named.map(|who| Somebody::of(&who.issuer, &who.subject));
    Ok(Request {
        parent: request.parent,
        operation: request.operation,
        arguments,
        request_id: request.request_id,
        recommendation: request.recommendation,
        excluded: everywhere.chain(named).collect(),
        comment: request.comment,
    })
}
