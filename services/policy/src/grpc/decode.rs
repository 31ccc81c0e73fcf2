//! Requests to what use cases take, with a field path for everything that is wrong.

use std::sync::Arc;

use approval::{Approver, Grant, Kind, Somebody, Subject};
use chrono::{DateTime, Utc};
use contracts::{
    policy::{ApprovalRecord, AuthorizeActionRequest, DecideRequest},
    types::{self, Fact},
};
use governance::{Scope, files::is_name};
use service_kit::{
    error::{Error, Kind as ErrorKind, Reason, Result},
    facts,
    identity::Caller,
    violations::Violations,
};
use uuid::Uuid;

use crate::{
    app::{Action, GivenApproval, INTERNAL_CALLERS, Requester},
    domain::question::{MAX_CORRELATION_ID, Question, SentFact},
};

/// At most this many arguments of an operation, approvals of an action, or subjects that
/// count as its requester.
const MAX_LIST: usize = 64;
/// At most this many actions that were executed.
const MAX_FINISHED: usize = 256;
/// At most this many grants of an approver.
const MAX_GRANTS: usize = 256;
/// At most this many bytes in a name, a subject or an id.
const MAX_NAME: usize = 256;

/// Whose word facts are, as this service knows it.
#[derive(Debug, Clone)]
pub(super) struct Source<'a> {
    /// The caller forwards facts of others and says whose they are.
    forwards: bool,
    caller: &'a Caller,
    subject: Arc<str>,
}

/// What the caller's facts are worth.
pub(super) fn source(caller: &Caller) -> Source<'_> {
    Source {
        forwards: INTERNAL_CALLERS.iter().any(|role| caller.is_service(role)),
        caller,
        subject: caller.actor().subject.as_str().into(),
    }
}

/// A question; `prefix` is put before field paths, such as `request.`.
pub(super) fn question(
    request: DecideRequest,
    prefix: &str,
    source: &Source<'_>,
) -> Result<Question> {
    let at = |field: &str| format!("{prefix}{field}");
    let mut wrong = Violations::default();
    let workflow = wrong.take(workflow(request.workflow, &at("workflow")));
    let scope = wrong.take(scope(&at("scope"), &request.scope));
    let correlation_id = wrong.take(correlation_id(
        request.correlation_id,
        &at("correlation_id"),
    ));
    let min_revision = wrong.take(
        u64::try_from(request.min_revision)
            .map_err(|_| Error::invalid(at("min_revision"), "negative, expected 0 or more")),
    );
    let request_id = wrong.take(match request.request_id.as_str() {
        "" => Ok(None),
        text => uuid(&at("request_id"), text).map(Some),
    });
    let facts = wrong.take(sent_facts(request.facts, &at("facts"), source));
    wrong.finish(|| {
        Some(Question {
            workflow: workflow?,
            scope: scope?,
            correlation_id: correlation_id?,
            facts: facts?,
            min_revision: min_revision?,
            request_id: request_id?,
            explain: request.explain,
        })
    })
}

fn workflow(name: String, field: &str) -> Result<String> {
    if is_name(&name) {
        return Ok(name);
    }
    let problem = "expected the name of a workflow, such as `credit_hold_release`";
    Err(Error::invalid(field, problem))
}

fn correlation_id(id: String, field: &str) -> Result<String> {
    if id.chars().count() > MAX_CORRELATION_ID {
        let problem = format!("longer than {MAX_CORRELATION_ID} characters");
        return Err(Error::invalid(field, problem));
    }
    if id.chars().any(char::is_control) {
        return Err(Error::invalid(field, "holds a control character"));
    }
    Ok(id)
}

fn sent_facts(facts: Vec<Fact>, field: &str, source: &Source<'_>) -> Result<Vec<SentFact>> {
    let mut wrong = Violations::default();
    let mut sent = Vec::with_capacity(facts.len());
    for (index, fact) in facts::from_proto(facts, field)?.into_iter().enumerate() {
        let (provenance, asserted_by) = if source.forwards {
            let said = fact.provenance.ok_or_else(|| {
                let problem = "missing: a forwarder says where each fact came from";
                Error::invalid(format!("{field}[{index}].provenance"), problem)
            });
            (wrong.take(said), fact.asserted_by.into())
        } else {
            let known = source.caller.provenance_of(&fact.name);
            (Some(known), source.subject.clone())
        };
        sent.extend(provenance.map(|provenance| SentFact {
            name: fact.name,
            value: fact.value,
            provenance,
            asserted_by,
            observed: fact.observed,
        }));
    }
    wrong.finish(|| Some(sent))
}

/// An action to authorize.
pub(super) fn action(request: AuthorizeActionRequest, source: &Source<'_>) -> Result<Action> {
    let name = bounded("action", request.action)?;
    let operation = bounded("operation", request.operation)?;
    let document = bounded("document", request.document)?;
    if document
        .split_once('/')
        .is_none_or(|(kind, id)| kind.is_empty() || id.is_empty())
    {
        let problem = "expected `type/id`, such as `order/SO-4711`";
        return Err(Error::invalid("document", problem));
    }
    let audience = bounded("audience", request.audience)?;
    let requester = request
        .requester
        .filter(|requester| !requester.subject.is_empty())
        .ok_or_else(unknown_requester)?;
    let asked = request
        .request
        .ok_or_else(|| Error::invalid("request", "missing"))?;
    limit("approvals", request.approvals.len())?;
    limit("excluded_subjects", request.excluded_subjects.len())?;
    let approvals = request.approvals.into_iter().enumerate();
    Ok(Action {
        name,
        operation,
        document,
        line: line(request.line)?,
        finished: finished(request.finished_actions)?,
        used: used(&request.used_receipts)?,
        arguments: facts::values_from_proto(request.arguments, "arguments", MAX_LIST)?,
        audience,
        question: question(asked, "request.", source)?,
        requester: Requester {
            issuer: requester.issuer,
            subject: bounded("requester.subject", requester.subject)?,
        },
        excluded: excluded(request.excluded_subjects, request.excluded)?,
        approvals: approvals
            .map(|(index, approval)| given(approval, &format!("approvals[{index}]")))
            .collect::<Result<_>>()?,
        approved_digest: request.approved_digest,
    })
}

/// Which line, where it is one.
fn line(line: String) -> Result<String> {
    if line.is_empty() {
        return Ok(line);
    }
    bounded("line", line)
}

/// Who counts as the requester: subjects of every issuer, and those of one.
fn excluded(subjects: Vec<String>, named: Vec<types::Principal>) -> Result<Vec<Somebody>> {
    limit("excluded", named.len())?;
    let everywhere = subjects.iter().map(|subject| Ok(Somebody::of("", subject)));
    let named = named.into_iter().enumerate().map(|(index, who)| {
        let subject = bounded(&format!("excluded[{index}].subject"), who.subject)?;
        Ok(Somebody::of(&who.issuer, &subject))
    });
    everywhere.chain(named).collect()
}

fn used(receipts: &[String]) -> Result<Vec<Uuid>> {
    let field = "used_receipts";
    if receipts.len() > MAX_FINISHED {
        let problem = format!(
            "{} items, at most {MAX_FINISHED} are allowed",
            receipts.len()
        );
        return Err(Error::too_large(field, problem));
    }
    let id = |(index, receipt): (usize, &String)| {
        let problem = "expected the `jti` of a receipt, a UUID";
        receipt
            .parse()
            .map_err(|_| Error::invalid(format!("{field}[{index}]"), problem))
    };
    receipts.iter().enumerate().map(id).collect()
}

fn finished(actions: Vec<String>) -> Result<Vec<String>> {
    let field = "finished_actions";
    if actions.len() > MAX_FINISHED {
        let problem = format!(
            "{} items, at most {MAX_FINISHED} are allowed",
            actions.len()
        );
        return Err(Error::too_large(field, problem));
    }
    let named = actions.into_iter().enumerate();
    named
        .map(|(index, action)| bounded(&format!("{field}[{index}]"), action))
        .collect()
}

fn unknown_requester() -> Error {
    Error::new(
        ErrorKind::FailedPrecondition,
        Reason::RequesterUnknown,
        "the request names no requester, and segregation of duties needs one",
    )
    .with_violation("requester.subject", "missing")
}

fn given(approval: ApprovalRecord, at: &str) -> Result<GivenApproval> {
    let field = |name: &str| format!("{at}.{name}");
    let approver = approval
        .approver
        .filter(|approver| !approver.subject.is_empty())
        .ok_or_else(|| Error::invalid(field("approver.subject"), "missing"))?;
    if approver.grants.len() > MAX_GRANTS {
        let problem = format!("more than {MAX_GRANTS}");
        return Err(Error::too_large(field("approver.grants"), problem));
    }
    let kind = match approver.kind() {
        types::PrincipalKind::Person => Kind::Person,
        types::PrincipalKind::Model => Kind::Model,
        // Unspecified counts as what may approve nothing.
        types::PrincipalKind::Service | types::PrincipalKind::Unspecified => Kind::Service,
    };
    let grants = approver.grants.into_iter().filter_map(|grant| {
        // A grant everywhere (`*`) is a service's, and services don't approve.
        let at = Scope::parse(&grant.scope).ok()?;
        Some(Grant {
            role: grant.role,
            at,
        })
    });
    Ok(GivenApproval {
        approver: Approver {
            who: Subject {
                issuer: approver.issuer,
                subject: approver.subject,
            },
            kind,
            grants: grants.collect(),
        },
        given: instant(&field("approve_time"), approval.approve_time)?,
        expires: instant(&field("expire_time"), approval.expire_time)?,
        token_id: approval.token_id,
        digest: approval.digest,
    })
}

fn limit(field: &str, count: usize) -> Result<()> {
    if count > MAX_LIST {
        let problem = format!("{count} items, at most {MAX_LIST} are allowed");
        return Err(Error::too_large(field, problem));
    }
    Ok(())
}

fn bounded(field: &str, text: String) -> Result<String> {
    if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
        let problem = format!("expected 1 to {MAX_NAME} bytes without control characters");
        return Err(Error::invalid(field, problem));
    }
    Ok(text)
}

fn instant(field: &str, time: Option<prost_types::Timestamp>) -> Result<DateTime<Utc>> {
    let time = time.ok_or_else(|| Error::invalid(field, "missing"))?;
    contracts::time::instant(&time)
        .ok_or_else(|| Error::invalid(field, "out of range, expected an RFC 3339 instant"))
}

pub(super) fn scope(field: &str, text: &str) -> Result<Scope> {
    Scope::parse(text).map_err(|error| Error::invalid(field, error.to_string()))
}

pub(super) fn uuid(field: &str, text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| {
        Error::invalid(
            field,
            "expected a UUID such as `019abc4e-6f3e-7c11-9b1e-3f2f6f0a5d11`",
        )
    })
}

/// The id in `decisions/{decision}`.
pub(super) fn decision_name(name: &str) -> Result<Uuid> {
    let id = name
        .strip_prefix("decisions/")
        .ok_or_else(|| Error::invalid("name", "expected `decisions/{decision}`"))?;
    uuid("name", id)
}

/// The id in a name such as `workflows/{workflow}`.
pub(super) fn resource<'a>(field: &str, collection: &str, name: &'a str) -> Result<&'a str> {
    name.strip_prefix(collection)
        .filter(|id| is_name(id))
        .ok_or_else(|| Error::invalid(field, format!("expected `{collection}` and a name")))
}
