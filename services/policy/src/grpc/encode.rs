//! What use cases give to responses.

use contracts::{
    policy::{
        AuthorizeActionResponse, BatchDecideResult, DecideError, DecideRequest, DecideResponse,
        EffectiveLayer, EffectivePolicy, EffectiveRow, FactNote, FactSchema, Match, Policy,
        RecordedDecision, Revision, RowExplanation, Workflow, WorkflowClass, batch_decide_result,
    },
    time::timestamp,
    types::{
        self, ApprovalRequirement, AuditLevel, DecisionLayer, Effect, Fact, Grant, PolicyMode,
        Principal, PrincipalKind, Receipt, Scope, ScopeLevel,
    },
};
use decision::temporal::DaysDuration;
use governance::{Scope as Path, bundle::Effective, tree::Node, workflow};
use service_kit::{error::Result, facts};

use crate::{
    app::{Authorization, store::Kept},
    domain::{
        decision::{self as decided, Answer, Decision},
        question::{Asker, Question, SentFact},
        receipt,
        snapshot::{Document, Snapshot},
    },
};

pub(super) fn answer(answer: Answer) -> DecideResponse {
    DecideResponse {
        decision: Some(decision(answer.decision)),
        explanation: answer.explanation.into_iter().map(row).collect(),
        fact_notes: answer
            .notes
            .into_iter()
            .map(|note| FactNote {
                name: note.name,
                reason: note.reason,
                message: note.message,
            })
            .collect(),
    }
}

fn row(row: decided::RowExplanation) -> RowExplanation {
    let found = match row.matched {
        Some(true) => Match::Yes,
        Some(false) => Match::No,
        None => Match::Unknown,
    };
    RowExplanation {
        policy: row.policy,
        row: row.row,
        r#match: found.into(),
        failed_inputs: row.failed_inputs,
    }
}

fn decision(decision: Decision) -> types::Decision {
    types::Decision {
        id: decision.id.to_string(),
        workflow: decision.workflow,
        scope: decision.scope.to_string(),
        correlation_id: decision.correlation_id,
        effect: effect(decision.effect).into(),
        settled: decision.settled,
        reasons: decision.reasons,
        approvals: decision.approvals.into_iter().map(requirement).collect(),
        obligations: decision.obligations,
        required_facts: decision.required_facts,
        unknown_facts: decision.unknown_facts,
        layers: decision.layers.into_iter().map(layer).collect(),
        waivers: decision
            .waivers
            .into_iter()
            .map(|name| format!("waivers/{name}"))
            .collect(),
        revision: signed(decision.revision),
        audit_level: audit_level(decision.audit_level).into(),
        decide_time: Some(timestamp(decision.decide_time)),
        binding_facts: decision.binding_facts,
    }
}

/// The policies that decide at a scope, row by row.
pub(super) fn effective(snapshot: &Snapshot, workflow: &str, scope: &Path) -> EffectivePolicy {
    let effective = snapshot.bundle.effective(workflow, scope);
    let layers = effective.iter().flat_map(Effective::layers);
    EffectivePolicy {
        workflow: workflow.to_owned(),
        scope: scope.to_string(),
        layers: layers
            .map(|policy| effective_layer(policy, scope))
            .collect(),
        revision: signed(snapshot.number()),
    }
}

fn effective_layer(policy: &governance::Policy, scope: &Path) -> EffectiveLayer {
    let inputs = policy.table.inputs().iter();
    let rows = policy.table.rows().iter().zip(&policy.rows);
    EffectiveLayer {
        policy: format!("policies/{}", policy.name),
        version: signed(policy.version),
        digest: policy.digest.to_string(),
        mode: mode(policy.mode).into(),
        scope: policy.scope.to_string(),
        hit_policy: policy.table.hit_policy().name().to_owned(),
        inputs: inputs.map(|input| input.key().to_owned()).collect(),
        rows: rows
            .map(|(row, answer)| {
                let approvals = answer.at(scope).approvals.into_iter();
                let texts =
                    |all: &[std::sync::Arc<str>]| all.iter().map(ToString::to_string).collect();
                EffectiveRow {
                    id: answer.id.to_string(),
                    tests: row
                        .cells()
                        .iter()
                        .map(|cell| cell.test().to_string())
                        .collect(),
                    effect: effect(answer.effect).into(),
                    approvals: approvals
                        .map(|needed| ApprovalRequirement {
                            role: needed.role.to_string(),
                            at: needed.at.to_string(),
                            count: needed.count,
                        })
                        .collect(),
                    obligations: texts(&answer.obligations),
                    required_facts: texts(&answer.required_facts),
                    reason: answer.reason.as_deref().unwrap_or_default().to_owned(),
                }
            })
            .collect(),
    }
}

/// Revisions and versions count from 1 and stay far below the limit.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn effect(effect: governance::Effect) -> Effect {
    match effect {
        governance::Effect::Allow => Effect::Allow,
        governance::Effect::RequireApproval => Effect::RequireApproval,
        governance::Effect::Deny => Effect::Deny,
    }
}

fn audit_level(level: governance::AuditLevel) -> AuditLevel {
    match level {
        governance::AuditLevel::Summary => AuditLevel::Summary,
        governance::AuditLevel::Full => AuditLevel::Full,
    }
}

fn mode(mode: governance::Mode) -> PolicyMode {
    match mode {
        governance::Mode::Default => PolicyMode::Default,
        governance::Mode::Guardrail => PolicyMode::Guardrail,
    }
}

fn requirement(approval: decided::Approval) -> ApprovalRequirement {
    ApprovalRequirement {
        role: approval.role,
        at: approval.at.to_string(),
        count: approval.count,
    }
}

fn layer(layer: decided::Layer) -> DecisionLayer {
    DecisionLayer {
        policy: layer.policy,
        version: signed(layer.version),
        digest: layer.digest,
        mode: mode(layer.mode).into(),
        scope: layer.scope.to_string(),
        rows: layer.rows,
        effect: layer.effect.map_or(Effect::Unspecified, effect).into(),
    }
}

pub(super) fn batch_result(result: Result<Answer>) -> BatchDecideResult {
    let result = match result {
        Ok(found) => batch_decide_result::Result::Response(answer(found)),
        Err(error) => {
            let (reason, message) = (error.reason().code().to_owned(), error.message().to_owned());
            let status = tonic::Status::from(error);
            batch_decide_result::Result::Error(DecideError {
                code: status.code().into(),
                reason,
                message,
            })
        }
    };
    BatchDecideResult {
        result: Some(result),
    }
}

pub(super) fn authorization(authorization: Authorization) -> AuthorizeActionResponse {
    AuthorizeActionResponse {
        decision: Some(decision(authorization.decision)),
        receipt: authorization.receipt.map(receipt),
        missing_approvals: authorization.missing.into_iter().map(requirement).collect(),
    }
}

fn receipt(receipt: receipt::Receipt) -> Receipt {
    Receipt {
        id: receipt.id.to_string(),
        jws: receipt.jws,
        expire_time: Some(timestamp(receipt.expires)),
        audience: receipt.audience,
    }
}

pub(super) fn kept(kept: Kept) -> Result<RecordedDecision> {
    Ok(RecordedDecision {
        name: kept.answer.decision.name(),
        request: Some(question(kept.question)?),
        decision: Some(decision(kept.answer.decision)),
        caller: Some(caller(kept.asker)),
    })
}

fn question(question: Question) -> Result<DecideRequest> {
    let facts = question.facts.into_iter().map(fact);
    Ok(DecideRequest {
        workflow: question.workflow,
        scope: question.scope.to_string(),
        correlation_id: question.correlation_id,
        facts: facts.collect::<Result<_>>()?,
        min_revision: signed(question.min_revision),
        request_id: question
            .request_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        explain: question.explain,
    })
}

fn fact(fact: SentFact) -> Result<Fact> {
    Ok(Fact {
        name: fact.name,
        value: Some(facts::value_to_proto(&fact.value)?),
        provenance: facts::provenance_to_proto(fact.provenance).into(),
        asserted_by: fact.asserted_by.to_string(),
        observe_time: fact.observed.map(timestamp),
    })
}

fn caller(asker: Asker) -> Principal {
    let kind = match asker.kind.as_str() {
        "person" => PrincipalKind::Person,
        "service" => PrincipalKind::Service,
        "model" => PrincipalKind::Model,
        _ => PrincipalKind::Unspecified,
    };
    let grants = asker.grants.iter().filter_map(|grant| {
        let (role, scope) = grant.split_once('@')?;
        Some(Grant {
            role: role.to_owned(),
            scope: scope.to_owned(),
        })
    });
    Principal {
        grants: grants.collect(),
        issuer: asker.issuer,
        subject: asker.subject,
        kind: kind.into(),
        via: asker.via.unwrap_or_default(),
    }
}

pub(super) fn scope(path: &governance::Scope, node: Node) -> Scope {
    let level = match node.level {
        governance::Level::Enterprise => ScopeLevel::Enterprise,
        governance::Level::Region => ScopeLevel::Region,
        governance::Level::BusinessUnit => ScopeLevel::BusinessUnit,
        governance::Level::Site => ScopeLevel::Site,
    };
    Scope {
        path: path.to_string(),
        level: level.into(),
        display_name: node.display_name,
    }
}

pub(super) fn workflow(workflow: &governance::Workflow) -> Workflow {
    let class = match workflow.class {
        governance::Class::Global => WorkflowClass::Global,
        governance::Class::Regional => WorkflowClass::Regional,
        governance::Class::Local => WorkflowClass::Local,
    };
    Workflow {
        name: format!("workflows/{}", workflow.name),
        class: class.into(),
        owner: workflow.owner.clone(),
        criticality: workflow.criticality.as_str().to_owned(),
        control_sensitivity: workflow.sensitivity.as_str().to_owned(),
        executed_by: workflow.executed_by.as_str().to_owned(),
        facts: workflow.facts.iter().map(fact_schema).collect(),
        description: workflow.description.clone(),
        depends_on: workflow.depends_on.clone(),
    }
}

fn fact_schema((name, schema): (&String, &workflow::FactSchema)) -> FactSchema {
    use decision::Type;
    let (mut currency, mut unit, mut allowed_values) = Default::default();
    let ty = match &schema.ty {
        Type::Money { currency: code } => {
            currency = code.clone().unwrap_or_default();
            "money".to_owned()
        }
        Type::Number { unit: counted } => {
            unit = counted.clone().unwrap_or_default();
            "number".to_owned()
        }
        Type::Quantity { unit: measured } => {
            unit = measured.clone();
            "quantity".to_owned()
        }
        Type::String { values } => {
            allowed_values = values.clone();
            "string".to_owned()
        }
        Type::List(of) => format!("list<{of}>"),
        other => other.to_string(),
    };
    FactSchema {
        name: name.clone(),
        r#type: ty,
        currency,
        unit,
        provenance: schema.provenance.iter().map(ToString::to_string).collect(),
        max_age: schema
            .max_age
            .map(|age| DaysDuration(age).to_string())
            .unwrap_or_default(),
        binding: schema.binding,
        allowed_values,
    }
}

pub(super) fn policy(
    (policy, document): &(std::sync::Arc<governance::Policy>, Document),
) -> Policy {
    Policy {
        name: format!("policies/{}", policy.name),
        workflow: policy.workflow.to_string(),
        scope: policy.scope.to_string(),
        mode: mode(policy.mode).into(),
        version: signed(policy.version),
        digest: policy.digest.to_string(),
        audit_level: audit_level(policy.audit_level).into(),
        waivable: policy.waivable,
        source: document.text.to_string(),
        activate_time: Some(timestamp(document.activated)),
    }
}

pub(super) fn revision(snapshot: &Snapshot) -> Revision {
    match &snapshot.revision {
        Some(revision) => Revision {
            revision: signed(revision.number),
            digest: revision.digest.clone(),
            activate_time: Some(timestamp(revision.activated)),
        },
        None => Revision::default(),
    }
}
