//! The records and events of what happens here.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use service_kit::{
    identity::{Caller, Principal},
    outbox::{Audit, Entry, Event, Outcome},
};

use crate::domain::{action::Action, exception::Exception};

/// Who did it, through whom, and when.
#[derive(Debug, Clone)]
pub(crate) struct Author {
    pub(crate) actor: Principal,
    pub(crate) via: Option<String>,
    pub(crate) now: DateTime<Utc>,
}

/// What it was done to.
pub(crate) struct Subject<'a> {
    pub(crate) resource: String,
    pub(crate) scope: &'a str,
    pub(crate) correlation_id: &'a str,
}

impl Author {
    pub(crate) fn of(caller: &Caller, now: DateTime<Utc>) -> Self {
        Self {
            actor: caller.actor().clone(),
            via: caller.via().map(str::to_owned),
            now,
        }
    }

    pub(crate) fn own(now: DateTime<Utc>) -> Self {
        Self {
            actor: super::own_principal(),
            via: None,
            now,
        }
    }

    /// A record of something done; `what` such as `exception.claimed`.
    pub(crate) fn record(
        &self,
        what: &str,
        action: &str,
        on: &Subject<'_>,
        outcome: Outcome,
        payload: Json,
    ) -> Entry {
        Entry::new(Audit {
            r#type: format!("bylaw.exceptions.{what}.v1"),
            action: action.to_owned(),
            resource: on.resource.clone(),
            scope: on.scope.to_owned(),
            correlation_id: on.correlation_id.to_owned(),
            outcome,
            actor: self.actor.clone(),
            via: self.via.clone(),
            payload,
            occurred: self.now,
        })
    }

    /// A record on an exception.
    pub(crate) fn on_exception(&self, what: &str, action: &str, exception: &Exception) -> Entry {
        self.record(
            what,
            action,
            &Subject {
                resource: exception.name(),
                scope: exception.scope.as_str(),
                correlation_id: &exception.correlation_id,
            },
            Outcome::Done,
            exception_json(exception),
        )
    }

    /// A record on an action.
    pub(crate) fn on_action(&self, what: &str, verb: &str, action: &Action) -> Entry {
        self.record(
            what,
            verb,
            &Subject {
                resource: action.name(),
                scope: action.scope.as_str(),
                correlation_id: &action.correlation_id,
            },
            Outcome::Done,
            action_json(action),
        )
    }
}

/// Tells others what a record says, under the record's own type.
pub(crate) fn told(entry: Entry) -> Entry {
    let event = Event {
        r#type: entry.audit.r#type.clone(),
        subject: entry.audit.resource.clone(),
        scope: entry.audit.scope.clone(),
        correlation_id: entry.audit.correlation_id.clone(),
        data: entry.audit.payload.clone(),
    };
    entry.with_event(event)
}

fn time(time: Option<DateTime<Utc>>) -> Option<String> {
    time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}

fn exception_json(exception: &Exception) -> Json {
    json!({
        "exception": exception.name(),
        "type": exception.kind,
        "document": exception.document.to_string(),
        "line": exception.line,
        "state": exception.state.name(),
        "severity": exception.severity.name(),
        "blocking": exception.blocking,
        "queue": exception.queue,
        "owner": exception.owner,
        "root_cause_code": exception.root_cause_code,
        "resolution_code": exception.resolution_code,
        "response_by": time(exception.response_by),
        "resolution_by": time(exception.resolution_by),
        "version": exception.version,
    })
}

fn action_json(action: &Action) -> Json {
    let approvals = action.approvals.iter().map(|given| {
        json!({
            "subject": given.party.approver.who.subject,
            "issuer": given.party.approver.who.issuer,
            "time": time(Some(given.time)),
        })
    });
    json!({
        "action": action.name(),
        "exception": format!("exceptions/{}", action.exception),
        "document": action.document.to_string(),
        "operation": action.operation,
        "workflow": action.workflow,
        "audience": action.audience,
        "state": action.state.name(),
        "requester": action.requester.approver.who.subject,
        "excluded": action.excluded,
        "recommendation": action.recommendation,
        "decision": action.decision.id,
        "effect": action.decision.effect,
        "revision": action.decision.revision.to_string(),
        "policies": action.decision.layers.iter().map(|layer| json!({
            "policy": layer.policy, "digest": layer.digest, "rows": layer.rows,
        })).collect::<Vec<_>>(),
        "digest": action.digest,
        "approvals": approvals.collect::<Vec<_>>(),
        "receipt": action.receipt.as_ref().map(|receipt| &receipt.id),
        "missing_facts": action.missing_facts,
        "reason": action.reason,
        "version": action.version,
    })
}
