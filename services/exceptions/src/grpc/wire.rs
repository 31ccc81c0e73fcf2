//! What the domain has, as the contracts have it.

use approval::{Kind, Requirement, Somebody};
use chrono::{DateTime, Utc};
use contracts::{exceptions, time::timestamp, types};
use prost_types::Timestamp;
use service_kit::{error::Result, facts};

use crate::{
    app::{
        ingest::{Effect as EventEffect, Outcome, Status},
        ports::DeadLetter,
    },
    domain::{
        action::{self, Action, Decision, Effect, Given, Layer, Party, Receipt},
        ageing,
        document::{Document, Fact},
        exception::{Evidence, Exception},
        state::State,
    },
};

fn time(time: Option<DateTime<Utc>>) -> Option<Timestamp> {
    time.map(timestamp)
}

pub(crate) fn fact(fact: &Fact) -> Result<types::Fact> {
    Ok(types::Fact {
        name: fact.name.clone(),
        value: Some(facts::value_to_proto(&fact.value)?),
        provenance: facts::provenance_to_proto(fact.provenance).into(),
        asserted_by: fact.asserted_by.clone(),
        observe_time: Some(timestamp(fact.observed)),
    })
}

pub(crate) fn party(party: &Party) -> types::Principal {
    let approver = &party.approver;
    let grants = approver.grants.iter().map(|grant| types::Grant {
        role: grant.role.clone(),
        scope: grant.at.to_string(),
    });
    types::Principal {
        issuer: approver.who.issuer.clone(),
        subject: approver.who.subject.clone(),
        kind: match approver.kind {
            Kind::Person => types::PrincipalKind::Person,
            Kind::Service => types::PrincipalKind::Service,
            Kind::Model => types::PrincipalKind::Model,
        }
        .into(),
        grants: grants.collect(),
        via: party.via.clone(),
    }
}

fn requirement(requirement: &Requirement) -> types::ApprovalRequirement {
    types::ApprovalRequirement {
        role: requirement.role.clone(),
        at: requirement.at.to_string(),
        count: requirement.count,
    }
}

pub(super) fn outcome(outcome: Outcome) -> exceptions::IngestResult {
    use exceptions::{EventEffect as WireEffect, IngestOutcome};
    let effect = |effect: EventEffect| match effect {
        EventEffect::Raised => WireEffect::Raised,
        EventEffect::Evidence => WireEffect::Evidence,
        EventEffect::Resolved => WireEffect::Resolved,
    };
    let first = outcome.effect().map_or(WireEffect::Unspecified, effect);
    let (dead_letter, dead_letter_reason) = outcome.dead_letter.unwrap_or_default();
    let (exception, exception_type) = outcome.exception.unwrap_or_default();
    let meanings = outcome.meanings.into_iter();
    let meanings = meanings.map(|meant| exceptions::EventMeaning {
        exception: named("exceptions", &meant.exception),
        exception_type: meant.kind,
        effect: effect(meant.effect).into(),
    });
    let status = match outcome.status {
        Status::Accepted => IngestOutcome::Accepted,
        Status::Duplicate => IngestOutcome::Duplicate,
        Status::DeadLettered => IngestOutcome::DeadLettered,
        Status::Refused => IngestOutcome::Refused,
    };
    exceptions::IngestResult {
        outcome: status.into(),
        exception: named("exceptions", &exception),
        exception_type,
        effect: first.into(),
        dead_letter_reason,
        dead_letter: named("deadLetters", &dead_letter),
        meanings: meanings.collect(),
        refusal: outcome.refusal.map_or(0, Into::into),
    }
}

fn named(collection: &str, id: &str) -> String {
    if id.is_empty() {
        String::new()
    } else {
        format!("{collection}/{id}")
    }
}

pub(super) fn document(document: Document) -> Result<exceptions::Document> {
    let open = document.open_exceptions.iter();
    Ok(exceptions::Document {
        name: document.key.name(),
        scope: document.scope.to_string(),
        correlation_id: document.correlation_id,
        facts: document.facts.iter().map(fact).collect::<Result<_>>()?,
        update_time: Some(timestamp(document.updated)),
        open_exceptions: open.map(|id| named("exceptions", id)).collect(),
    })
}

pub(super) fn dead_letter(letter: DeadLetter) -> exceptions::DeadLetter {
    let event = letter.event;
    exceptions::DeadLetter {
        name: named("deadLetters", &letter.id),
        event: Some(types::CloudEvent {
            id: event.id,
            source: event.source,
            r#type: event.kind,
            subject: event.subject,
            time: time(event.time),
            scope: event.scope.to_string(),
            correlation_id: event.correlation_id,
            trace_parent: event.trace_parent,
            data_schema: event.data_schema,
            data: event.data.into(),
        }),
        reason: letter.reason,
        create_time: Some(timestamp(letter.created)),
    }
}

fn state(state: State) -> exceptions::ExceptionState {
    use exceptions::ExceptionState as Wire;
    match state {
        State::Open => Wire::Open,
        State::Assigned => Wire::Assigned,
        State::InProgress => Wire::InProgress,
        State::Waiting => Wire::Waiting,
        State::PendingApproval => Wire::PendingApproval,
        State::Resolved => Wire::Resolved,
        State::Closed => Wire::Closed,
        State::Cancelled => Wire::Cancelled,
    }
}

pub(super) fn exception(
    exception: Exception,
    evidence: Vec<Evidence>,
    now: DateTime<Utc>,
) -> exceptions::Exception {
    exceptions::Exception {
        name: exception.name(),
        etag: exception.etag(),
        breached: exception.breached(now),
        state: state(exception.state).into(),
        severity: exception.severity.name().to_owned(),
        scope: exception.scope.to_string(),
        r#type: exception.kind,
        blocking: exception.blocking,
        document_type: exception.document.kind,
        document_id: exception.document.id,
        line: exception.line,
        hold_source: exception.hold_source,
        hold_until: time(exception.hold_until),
        owner: exception.owner.unwrap_or_default(),
        queue: exception.queue,
        root_cause_code: exception.root_cause_code,
        resolution_code: exception.resolution_code,
        response_by: time(exception.response_by),
        resolution_by: time(exception.resolution_by),
        first_action: exception.first_action,
        evidence: evidence.into_iter().map(self::evidence).collect(),
        evidence_count: exception.evidence_count,
        correlation_id: exception.correlation_id,
        create_time: Some(timestamp(exception.created)),
        update_time: Some(timestamp(exception.updated)),
        resolve_time: time(exception.resolved),
        reopen_count: exception.reopen_count,
    }
}

fn evidence(evidence: Evidence) -> exceptions::Evidence {
    exceptions::Evidence {
        source: evidence.source,
        event_id: evidence.event,
        r#type: evidence.kind,
        occur_time: Some(timestamp(evidence.occurred)),
        asserted_by: evidence.asserted_by,
    }
}

/// Somebody by subject, and by issuer where it is known.
pub(crate) fn somebody(who: &Somebody) -> types::Principal {
    types::Principal {
        issuer: who.issuer.clone().unwrap_or_default(),
        subject: who.subject.clone(),
        ..types::Principal::default()
    }
}

pub(super) fn action(action: &Action, now: DateTime<Utc>) -> Result<exceptions::Action> {
    use exceptions::ActionState as Wire;
    let state = match action.state {
        action::State::PendingApproval => Wire::PendingApproval,
        action::State::Authorized => Wire::Authorized,
        action::State::Executed => Wire::Executed,
        action::State::Denied => Wire::Denied,
        action::State::Rejected => Wire::Rejected,
        action::State::Lapsed => Wire::Lapsed,
    };
    Ok(exceptions::Action {
        name: action.name(),
        operation: action.operation.clone(),
        arguments: action.arguments.iter().map(fact).collect::<Result<_>>()?,
        requester: Some(party(&action.requester)),
        excluded_subjects: action
            .excluded
            .iter()
            .map(|who| who.subject.clone())
            .collect(),
        excluded: action.excluded.iter().map(somebody).collect(),
        state: state.into(),
        decision: Some(decision(&action.decision)),
        approvals: action.approvals.iter().map(approval).collect(),
        missing_approvals: action.missing(now).iter().map(requirement).collect(),
        receipt: action.receipt.as_ref().map(receipt),
        expire_time: time(action.expires),
        digest: action.digest.clone(),
        create_time: Some(timestamp(action.created)),
        update_time: Some(timestamp(action.updated)),
        recommendation: action.recommendation.clone(),
        reason: action.reason.clone(),
        scope: action.scope.to_string(),
        correlation_id: action.correlation_id.clone(),
        etag: action.etag(),
        missing_facts: action.missing_facts.clone(),
    })
}

fn approval(given: &Given) -> exceptions::Approval {
    exceptions::Approval {
        approver: Some(party(&given.party)),
        approve_time: Some(timestamp(given.time)),
        comment: given.comment.clone(),
    }
}

fn receipt(receipt: &Receipt) -> types::Receipt {
    types::Receipt {
        id: receipt.id.clone(),
        jws: receipt.jws.clone(),
        expire_time: time(receipt.expires),
        audience: receipt.audience.clone(),
    }
}

fn effect(effect: Effect) -> types::Effect {
    match effect {
        Effect::Allow => types::Effect::Allow,
        Effect::RequireApproval => types::Effect::RequireApproval,
        Effect::Deny => types::Effect::Deny,
    }
}

fn decision(decision: &Decision) -> types::Decision {
    let level = if decision.recorded_in_full {
        types::AuditLevel::Full
    } else {
        types::AuditLevel::Summary
    };
    types::Decision {
        id: decision.id.clone(),
        workflow: decision.workflow.clone(),
        scope: decision.scope.clone(),
        correlation_id: decision.correlation_id.clone(),
        effect: effect(decision.effect).into(),
        settled: decision.settled,
        reasons: decision.reasons.clone(),
        approvals: decision.approvals.iter().map(requirement).collect(),
        obligations: decision.obligations.clone(),
        required_facts: decision.required_facts.clone(),
        unknown_facts: decision.unknown_facts.clone(),
        layers: decision.layers.iter().map(layer).collect(),
        waivers: decision.waivers.clone(),
        revision: decision.revision,
        audit_level: level.into(),
        decide_time: time(decision.decided),
        binding_facts: decision.binding_facts.clone(),
    }
}

fn layer(layer: &Layer) -> types::DecisionLayer {
    let mode = if layer.guardrail {
        types::PolicyMode::Guardrail
    } else {
        types::PolicyMode::Default
    };
    types::DecisionLayer {
        policy: layer.policy.clone(),
        version: layer.version,
        digest: layer.digest.clone(),
        mode: mode.into(),
        scope: layer.scope.clone(),
        rows: layer.rows.clone(),
        effect: layer
            .effect
            .map_or(types::Effect::Unspecified, effect)
            .into(),
    }
}

pub(super) fn ageing_row(row: ageing::Row) -> exceptions::AgeingRow {
    exceptions::AgeingRow {
        total: row.total(),
        scope: row.scope.to_string(),
        r#type: row.kind,
        counts: row.counts,
        breached: row.breached,
        oldest_time: Some(timestamp(row.oldest)),
    }
}
