//! The records and events of what happens here. What people and models write in their own
//! words stays out of them.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value as Json, json};
use service_kit::{
    identity::{Caller, Principal},
    outbox::{Audit, Entry, Event, Outcome},
};

use super::own_principal;
use crate::domain::{
    model::ModelVersion,
    recommendation::{Arguments, Recommendation},
};

/// Who did it, through whom, and when.
pub(super) struct Author {
    actor: Principal,
    via: Option<String>,
    now: DateTime<Utc>,
}

impl Author {
    pub(super) fn of(caller: &Caller, now: DateTime<Utc>) -> Self {
        Self {
            actor: caller.actor().clone(),
            via: caller.via().map(str::to_owned),
            now,
        }
    }

    pub(super) fn own(now: DateTime<Utc>) -> Self {
        Self {
            actor: own_principal(),
            via: None,
            now,
        }
    }

    /// A recommendation was submitted and gated.
    pub(super) fn submitted(&self, recommendation: &Recommendation, model: &ModelVersion) -> Entry {
        let mut payload = payload(recommendation);
        payload["artifact_digest"] = json!(model.artifact_digest);
        payload["risk_tier"] = json!(model.risk_tier.name());
        payload["input_digest"] = json!(recommendation.proposal.input_digest);
        let entry = self.entry(
            "submitted",
            "submit",
            recommendation,
            Outcome::Done,
            payload,
        );
        told(entry)
    }

    /// A recommendation changed; `what` such as `accepted`.
    pub(super) fn changed(&self, what: &str, verb: &str, recommendation: &Recommendation) -> Entry {
        let payload = payload(recommendation);
        told(self.entry(what, verb, recommendation, Outcome::Done, payload))
    }

    /// A step was begun; others are told of how it ends.
    pub(super) fn begun(&self, verb: &str, recommendation: &Recommendation) -> Entry {
        let mut payload = payload(recommendation);
        if let Some(modified) = recommendation
            .intent
            .as_ref()
            .and_then(|i| i.modified.as_ref())
        {
            payload["intended_arguments"] = arguments(modified);
        }
        self.entry(
            "acceptance-begun",
            verb,
            recommendation,
            Outcome::Done,
            payload,
        )
    }

    /// A step was refused, for these reasons.
    pub(super) fn refused(
        &self,
        verb: &str,
        recommendation: &Recommendation,
        reasons: &[&str],
    ) -> Entry {
        let mut payload = payload(recommendation);
        payload["refused_for"] = json!(reasons);
        self.entry("refused", verb, recommendation, Outcome::Refused, payload)
    }

    fn entry(
        &self,
        what: &str,
        verb: &str,
        recommendation: &Recommendation,
        outcome: Outcome,
        payload: Json,
    ) -> Entry {
        Entry::new(Audit {
            r#type: format!("bylaw.aigate.recommendation.{what}.v1"),
            action: format!("aigate.recommendation.{verb}"),
            resource: recommendation.name(),
            scope: recommendation.proposal.scope.to_string(),
            correlation_id: recommendation.correlation_id.clone(),
            outcome,
            actor: self.actor.clone(),
            via: self.via.clone(),
            payload,
            occurred: self.now,
        })
    }
}

/// Tells others what a record says, under the record's own type.
fn told(entry: Entry) -> Entry {
    let event = Event {
        r#type: entry.audit.r#type.clone(),
        subject: entry.audit.resource.clone(),
        scope: entry.audit.scope.clone(),
        correlation_id: entry.audit.correlation_id.clone(),
        data: entry.audit.payload.clone(),
    };
    entry.with_event(event)
}

fn payload(recommendation: &Recommendation) -> Json {
    let proposal = &recommendation.proposal;
    let result = &recommendation.result;
    let checks = result.checks.iter().map(|check| {
        json!({"check": check.check, "verdict": check.verdict.name(), "reason": check.reason})
    });
    json!({
        "recommendation": recommendation.name(),
        "model_version": proposal.model_version,
        "use_case": proposal.use_case,
        "exception": proposal.exception,
        "document": recommendation.document,
        "operation": proposal.operation,
        "arguments": arguments(&proposal.arguments),
        "modified_arguments": recommendation.modified.as_ref().map(arguments),
        "confidence": proposal.confidence.number().to_string(),
        "state": recommendation.state.name(),
        "verdict": result.verdict().name(),
        "checks": checks.collect::<Vec<_>>(),
        "decision": result.decision.as_ref().map(|d| format!("decisions/{}", d.id)),
        "revision": result.decision.as_ref().map(|d| d.revision.to_string()),
        "receipt": result.receipt.as_ref().map(|receipt| &receipt.id),
        "submitter": recommendation.submitter.subject,
        "excluded": recommendation.excluded,
        "reviewer": recommendation.reviewer.as_ref().map(|party| &party.subject),
        "action": recommendation.action,
        "outcome": recommendation.outcome,
        "expire_time": recommendation.expires.to_rfc3339_opts(SecondsFormat::Micros, true),
        "version": recommendation.version.to_string(),
    })
}

fn arguments(arguments: &Arguments) -> Json {
    let values = arguments.0.iter();
    values
        .map(|(name, value)| (name.clone(), governance::canonical::value(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
