//! Rows from what the domain has, and back.

use chrono::{DateTime, Utc};
use decision::{Value, tagged};
use governance::{Provenance, Scope};
use sea_orm::{ActiveValue::Set, DbErr};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};
use service_kit::error::{Error, Result};

use super::schema;
use crate::{
    app::ports::{Asserter, Bound, DeadLetter, Handled, Owner, Seen, Touched, Used},
    domain::{
        action::{self, Action, Given},
        document::{Fact, Key},
        event::Event,
        exception::{Evidence, Exception, Severity},
        state::State,
    },
};

/// A row that doesn't hold what this service wrote.
fn corrupt(what: &str) -> Error {
    Error::internal(DbErr::Type(format!("malformed {what} in the store")))
}

pub(super) fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

pub(super) fn instant(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| corrupt("time"))
}

fn optional(micros: Option<i64>) -> Result<Option<DateTime<Utc>>> {
    micros.map(instant).transpose()
}

fn scope(text: &str) -> Result<Scope> {
    Scope::parse(text).map_err(|_| corrupt("scope"))
}

fn provenance(name: &str) -> Result<Provenance> {
    let found = Provenance::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, p)| *p).ok_or_else(|| corrupt("provenance"))
}

fn write<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

pub(super) fn event(handled: &Handled) -> schema::event::ActiveModel {
    let exception = handled.seen.exception.clone().unzip();
    schema::event::ActiveModel {
        source: Set(handled.source.clone()),
        event_id: Set(handled.id.clone()),
        digest: Set(handled.seen.digest.clone()),
        kind: Set(handled.kind.clone()),
        dead_letter: Set(handled.seen.dead_letter.clone()),
        exception_id: Set(exception.0),
        exception_kind: Set(exception.1),
        receive_time: Set(micros(handled.received)),
    }
}

pub(super) fn seen(row: schema::event::Model) -> ((String, String), Seen) {
    let seen = Seen {
        digest: row.digest,
        dead_letter: row.dead_letter,
        exception: row.exception_id.zip(row.exception_kind),
    };
    ((row.source, row.event_id), seen)
}

pub(super) fn source(bound: &Bound) -> schema::source::ActiveModel {
    schema::source::ActiveModel {
        source: Set(bound.source.clone()),
        issuer: Set(bound.owner.issuer.clone()),
        subject: Set(bound.owner.subject.clone()),
        bind_time: Set(micros(bound.time)),
    }
}

pub(super) fn used_receipts(
    used: &Used,
) -> impl Iterator<Item = schema::used_receipt::ActiveModel> + '_ {
    used.operations
        .iter()
        .map(|operation| schema::used_receipt::ActiveModel {
            document_kind: Set(used.document.kind.clone()),
            document_id: Set(used.document.id.clone()),
            operation: Set(operation.clone()),
            receipt: Set(used.receipt.clone()),
            report_time: Set(micros(used.time)),
        })
}

pub(super) fn owner(row: schema::source::Model) -> (String, Owner) {
    let owner = Owner {
        issuer: row.issuer,
        subject: row.subject,
    };
    (row.source, owner)
}

pub(super) fn document(touched: &Touched) -> schema::document::ActiveModel {
    schema::document::ActiveModel {
        document_kind: Set(touched.key.kind.clone()),
        document_id: Set(touched.key.id.clone()),
        scope: Set(touched.scope.to_string()),
        correlation_id: Set(touched.correlation_id.clone()),
        update_time: Set(micros(touched.updated)),
    }
}

pub(super) fn document_scope(row: &schema::document::Model) -> Result<(Key, Scope)> {
    let key = Key {
        kind: row.document_kind.clone(),
        id: row.document_id.clone(),
    };
    Ok((key, scope(&row.scope)?))
}

pub(super) fn fact(key: &Key, fact: &Fact) -> schema::fact::ActiveModel {
    schema::fact::ActiveModel {
        document_kind: Set(key.kind.clone()),
        document_id: Set(key.id.clone()),
        name: Set(fact.name.clone()),
        provenance: Set(fact.provenance.as_str().to_owned()),
        value: Set(tagged::encode(&fact.value).to_string()),
        asserted_by: Set(fact.asserted_by.clone()),
        observe_time: Set(micros(fact.observed)),
    }
}

pub(super) fn read_fact(row: schema::fact::Model) -> Result<Fact> {
    let json = read::<Json>(&row.value)?;
    Ok(Fact {
        value: tagged::decode(&json).ok_or_else(|| corrupt("value"))?,
        name: row.name,
        provenance: provenance(&row.provenance)?,
        asserted_by: row.asserted_by,
        observed: instant(row.observe_time)?,
    })
}

pub(super) fn dead_letter(letter: &DeadLetter) -> Result<schema::dead_letter::ActiveModel> {
    let event = &letter.event;
    Ok(schema::dead_letter::ActiveModel {
        id: Set(letter.id.clone()),
        source: Set(event.source.clone()),
        event_id: Set(event.id.clone()),
        kind: Set(event.kind.clone()),
        subject: Set(event.subject.clone()),
        occur_time: Set(event.time.map(micros)),
        scope: Set(event.scope.to_string()),
        correlation_id: Set(event.correlation_id.clone()),
        trace_parent: Set(event.trace_parent.clone()),
        data_schema: Set(event.data_schema.clone()),
        data: Set(event.data.clone()),
        asserter_issuer: Set(letter.asserter.issuer.clone()),
        asserter_subject: Set(letter.asserter.subject.clone()),
        provenance: Set(letter.asserter.provenance.as_str().to_owned()),
        asserts: Set(write(&letter.asserter.asserts)?),
        reason: Set(letter.reason.clone()),
        create_time: Set(micros(letter.created)),
    })
}

pub(super) fn read_dead_letter(row: schema::dead_letter::Model) -> Result<DeadLetter> {
    Ok(DeadLetter {
        event: Event {
            id: row.event_id,
            source: row.source,
            kind: row.kind,
            subject: row.subject,
            time: optional(row.occur_time)?,
            scope: scope(&row.scope)?,
            correlation_id: row.correlation_id,
            trace_parent: row.trace_parent,
            data_schema: row.data_schema,
            data: row.data,
        },
        asserter: Asserter {
            issuer: row.asserter_issuer,
            subject: row.asserter_subject,
            provenance: provenance(&row.provenance)?,
            asserts: read(&row.asserts)?,
        },
        id: row.id,
        reason: row.reason,
        created: instant(row.create_time)?,
    })
}

pub(super) fn exception(exception: &Exception) -> schema::exception::ActiveModel {
    schema::exception::ActiveModel {
        id: Set(exception.id.clone()),
        kind: Set(exception.kind.clone()),
        scope: Set(exception.scope.to_string()),
        severity: Set(exception.severity.name().to_owned()),
        blocking: Set(exception.blocking),
        document_kind: Set(exception.document.kind.clone()),
        document_id: Set(exception.document.id.clone()),
        line: Set(exception.line.clone()),
        hold_source: Set(exception.hold_source.clone()),
        hold_until: Set(exception.hold_until.map(micros)),
        owner: Set(exception.owner.clone()),
        queue: Set(exception.queue.clone()),
        state: Set(exception.state.name().to_owned()),
        is_open: Set(exception.state.is_open()),
        root_cause_code: Set(exception.root_cause_code.clone()),
        resolution_code: Set(exception.resolution_code.clone()),
        response_by: Set(exception.response_by.map(micros)),
        resolution_by: Set(exception.resolution_by.map(micros)),
        respond_time: Set(exception.responded.map(micros)),
        first_action: Set(exception.first_action.clone()),
        evidence_count: Set(exception.evidence_count),
        correlation_id: Set(exception.correlation_id.clone()),
        create_time: Set(micros(exception.created)),
        update_time: Set(micros(exception.updated)),
        resolve_time: Set(exception.resolved.map(micros)),
        reopen_count: Set(exception.reopen_count),
        version: Set(exception.version),
    }
}

pub(super) fn read_exception(row: schema::exception::Model) -> Result<Exception> {
    Ok(Exception {
        scope: scope(&row.scope)?,
        severity: Severity::from_name(&row.severity).ok_or_else(|| corrupt("severity"))?,
        state: State::from_name(&row.state).ok_or_else(|| corrupt("state"))?,
        document: Key {
            kind: row.document_kind,
            id: row.document_id,
        },
        id: row.id,
        kind: row.kind,
        blocking: row.blocking,
        line: row.line,
        hold_source: row.hold_source,
        hold_until: optional(row.hold_until)?,
        owner: row.owner,
        queue: row.queue,
        root_cause_code: row.root_cause_code,
        resolution_code: row.resolution_code,
        response_by: optional(row.response_by)?,
        resolution_by: optional(row.resolution_by)?,
        responded: optional(row.respond_time)?,
        first_action: row.first_action,
        evidence_count: row.evidence_count,
        correlation_id: row.correlation_id,
        created: instant(row.create_time)?,
        updated: instant(row.update_time)?,
        resolved: optional(row.resolve_time)?,
        reopen_count: row.reopen_count,
        version: row.version,
    })
}

pub(super) fn evidence(exception: &str, evidence: &Evidence) -> schema::evidence::ActiveModel {
    schema::evidence::ActiveModel {
        exception_id: Set(exception.to_owned()),
        source: Set(evidence.source.clone()),
        event_id: Set(evidence.event.clone()),
        kind: Set(evidence.kind.clone()),
        occur_time: Set(micros(evidence.occurred)),
        asserted_by: Set(evidence.asserted_by.clone()),
    }
}

pub(super) fn read_evidence(row: schema::evidence::Model) -> Result<Evidence> {
    Ok(Evidence {
        source: row.source,
        event: row.event_id,
        kind: row.kind,
        occurred: instant(row.occur_time)?,
        asserted_by: row.asserted_by,
    })
}

/// Arguments with what a fact has beside its value.
fn arguments(facts: &[Fact]) -> Json {
    let one = |fact: &Fact| {
        json!({
            "name": fact.name,
            "value": tagged::encode(&fact.value),
            "provenance": fact.provenance,
            "asserted_by": fact.asserted_by,
            "observe_time": micros(fact.observed),
        })
    };
    Json::Array(facts.iter().map(one).collect())
}

fn read_arguments(text: &str) -> Result<Vec<Fact>> {
    #[derive(serde::Deserialize)]
    struct Argument {
        name: String,
        #[serde(with = "tagged")]
        value: Value,
        provenance: Provenance,
        asserted_by: String,
        observe_time: i64,
    }
    let read_one = |argument: Argument| {
        Ok(Fact {
            value: argument.value,
            name: argument.name,
            provenance: argument.provenance,
            asserted_by: argument.asserted_by,
            observed: instant(argument.observe_time)?,
        })
    };
    read::<Vec<Argument>>(text)?
        .into_iter()
        .map(read_one)
        .collect()
}

pub(super) fn action(action: &Action) -> Result<schema::action::ActiveModel> {
    let requester = &action.requester.approver.who;
    let complete = action.state == action::State::PendingApproval
        && action.missing(action.updated).is_empty()
        && action.missing_facts.is_empty();
    Ok(schema::action::ActiveModel {
        id: Set(action.id.clone()),
        exception_id: Set(action.exception.clone()),
        document_kind: Set(action.document.kind.clone()),
        document_id: Set(action.document.id.clone()),
        operation: Set(action.operation.clone()),
        workflow: Set(action.workflow.clone()),
        audience: Set(action.audience.clone()),
        scope: Set(action.scope.to_string()),
        correlation_id: Set(action.correlation_id.clone()),
        arguments: Set(arguments(&action.arguments).to_string()),
        requester: Set(write(&action.requester)?),
        requester_issuer: Set(requester.issuer.clone()),
        requester_subject: Set(requester.subject.clone()),
        excluded: Set(write(&action.excluded)?),
        state: Set(action.state.name().to_owned()),
        is_complete: Set(complete),
        decision: Set(write(&action.decision)?),
        digest: Set(action.digest.clone()),
        missing_facts: Set(write(&action.missing_facts)?),
        receipt: Set(action.receipt.as_ref().map(write).transpose()?),
        expire_time: Set(action.expires.map(micros)),
        recommendation: Set(action.recommendation.clone()),
        comment: Set(action.comment.clone()),
        reason: Set(action.reason.clone()),
        request_id: Set(Some(action.request_id.clone()).filter(|id| !id.is_empty())),
        request_digest: Set(action.request_digest.clone()),
        create_time: Set(micros(action.created)),
        update_time: Set(micros(action.updated)),
        version: Set(action.version),
    })
}

pub(super) fn read_action(row: schema::action::Model, approvals: Vec<Given>) -> Result<Action> {
    Ok(Action {
        scope: scope(&row.scope)?,
        arguments: read_arguments(&row.arguments)?,
        requester: read(&row.requester)?,
        excluded: read(&row.excluded)?,
        state: action::State::from_name(&row.state).ok_or_else(|| corrupt("state"))?,
        decision: read(&row.decision)?,
        missing_facts: read(&row.missing_facts)?,
        receipt: row.receipt.as_deref().map(read).transpose()?,
        document: Key {
            kind: row.document_kind,
            id: row.document_id,
        },
        approvals,
        id: row.id,
        exception: row.exception_id,
        operation: row.operation,
        workflow: row.workflow,
        audience: row.audience,
        correlation_id: row.correlation_id,
        digest: row.digest,
        expires: optional(row.expire_time)?,
        recommendation: row.recommendation,
        comment: row.comment,
        reason: row.reason,
        request_id: row.request_id.unwrap_or_default(),
        request_digest: row.request_digest,
        created: instant(row.create_time)?,
        updated: instant(row.update_time)?,
        version: row.version,
    })
}

pub(super) fn approvals(action: &Action) -> Result<Vec<schema::approval::ActiveModel>> {
    let row = |(position, given): (i32, &Given)| {
        Ok(schema::approval::ActiveModel {
            action_id: Set(action.id.clone()),
            position: Set(position),
            approver: Set(write(&given.party)?),
            approve_time: Set(micros(given.time)),
            expire_time: Set(micros(given.expires)),
            token_id: Set(given.token_id.clone()),
            digest: Set(given.digest.clone()),
            comment: Set(given.comment.clone()),
        })
    };
    (0..).zip(&action.approvals).map(row).collect()
}

pub(super) fn read_approval(row: &schema::approval::Model) -> Result<Given> {
    Ok(Given {
        party: read(&row.approver)?,
        time: instant(row.approve_time)?,
        expires: instant(row.expire_time)?,
        token_id: row.token_id.clone(),
        digest: row.digest.clone(),
        comment: row.comment.clone(),
    })
}
