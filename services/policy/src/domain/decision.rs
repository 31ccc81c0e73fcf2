//! Decisions as they are answered and kept.

use chrono::{DateTime, Utc};
use governance::{AuditLevel, Effect, Mode, Scope, Verdict, Workflow, admit::Note};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::question::Question;

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// UUID version 7.
    pub id: Uuid,
    /// Workflow asked about.
    pub workflow: String,
    /// Scope of the transaction.
    pub scope: Scope,
    /// The business transaction.
    pub correlation_id: String,
    /// The strictest effect.
    pub effect: Effect,
    /// Whether no unknown fact could still change the answer.
    pub settled: bool,
    /// Codes, then texts of rows.
    pub reasons: Vec<String>,
    /// Who must approve.
    pub approvals: Vec<Approval>,
    /// What the caller must also do.
    pub obligations: Vec<String>,
    /// Facts that rows demand.
    pub required_facts: Vec<String>,
    /// Unknown facts that matter.
    pub unknown_facts: Vec<String>,
    /// What each layer contributed.
    pub layers: Vec<Layer>,
    /// Waivers that were used, by name.
    #[serde(default)]
    pub waivers: Vec<String>,
    /// Revision decided at.
    pub revision: u64,
    /// How much is recorded.
    pub audit_level: AuditLevel,
    /// When.
    pub decide_time: DateTime<Utc>,
    /// Facts that approvals are bound to.
    pub binding_facts: Vec<String>,
}

/// A number of people of a role at a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Role.
    pub role: String,
    /// Scope that the grant must cover.
    pub at: Scope,
    /// How many.
    pub count: u32,
}

/// What a layer contributed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Policy.
    pub policy: String,
    /// Its version.
    pub version: u64,
    /// Its digest.
    pub digest: String,
    /// How it binds.
    pub mode: Mode,
    /// Where it stands.
    pub scope: Scope,
    /// Rows that hit, or could.
    pub rows: Vec<String>,
    /// The layer's effect; `None` where a guardrail had no hit.
    pub effect: Option<Effect>,
}

/// Why a fact that was sent is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactNote {
    /// Name of the fact.
    pub name: String,
    /// Code.
    pub reason: String,
    /// What was found and what was wanted.
    pub message: String,
}

/// Why a row matched or didn't.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowExplanation {
    /// Policy of the row.
    pub policy: String,
    /// Row id.
    pub row: String,
    /// `None`: it depends on unknown facts.
    pub matched: Option<bool>,
    /// Input expressions whose cells were not met.
    pub failed_inputs: Vec<String>,
}

/// A decision with what else is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The decision.
    pub decision: Decision,
    /// What became of facts that were not used as sent.
    pub notes: Vec<FactNote>,
    /// Only on request.
    pub explanation: Vec<RowExplanation>,
}

impl Decision {
    /// The decision of a verdict.
    #[must_use]
    pub fn new(
        id: Uuid,
        question: &Question,
        workflow: &Workflow,
        verdict: Verdict,
        revision: u64,
        now: DateTime<Utc>,
    ) -> Self {
        let texts = |list: Vec<std::sync::Arc<str>>| -> Vec<String> {
            list.iter().map(ToString::to_string).collect()
        };
        let approvals = verdict.approvals.into_iter().map(|r| Approval {
            role: r.role.to_string(),
            at: r.at,
            count: r.count,
        });
        Self {
            id,
            workflow: question.workflow.clone(),
            scope: question.scope.clone(),
            correlation_id: question.correlation_id.clone(),
            effect: verdict.effect,
            settled: verdict.settled,
            reasons: texts(verdict.reasons),
            approvals: approvals.collect(),
            obligations: texts(verdict.obligations),
            required_facts: texts(verdict.required_facts),
            unknown_facts: texts(verdict.unknown_facts),
            waivers: texts(verdict.waivers),
            layers: verdict.layers.into_iter().map(Layer::from).collect(),
            revision,
            audit_level: verdict.audit_level,
            decide_time: now,
            binding_facts: workflow.binding_facts().map(str::to_owned).collect(),
        }
    }

    /// `decisions/{decision}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("decisions/{}", self.id)
    }
}

impl From<governance::decide::Layer> for Layer {
    fn from(layer: governance::decide::Layer) -> Self {
        let policy = layer.policy;
        Self {
            policy: policy.name.to_string(),
            version: policy.version,
            digest: policy.digest.to_string(),
            mode: policy.mode,
            scope: policy.scope.clone(),
            rows: layer.rows.iter().map(ToString::to_string).collect(),
            effect: layer.effect,
        }
    }
}

impl From<Note> for FactNote {
    fn from(note: Note) -> Self {
        Self {
            name: note.name,
            reason: note.reason.as_str().to_owned(),
            message: note.message,
        }
    }
}
