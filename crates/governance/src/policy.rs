//! Policies: decision tables for a workflow at a scope.

use std::{fmt, sync::Arc};

use decision::Table;
use serde::{Deserialize, Serialize};

use crate::{
    Scope,
    answer::{Answer, Effect},
};

/// How a policy binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// Holds until a scope nearer to the transaction has its own.
    Default,
    /// Binds everything below its scope.
    Guardrail,
}

/// How much is recorded of a decision, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuditLevel {
    /// Counted.
    Summary,
    /// Recorded with its facts, durable before it is answered.
    Full,
}

impl Mode {
    /// The name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "DEFAULT",
            Self::Guardrail => "GUARDRAIL",
        }
    }
}

impl AuditLevel {
    /// The name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Summary => "SUMMARY",
            Self::Full => "FULL",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An approval that a row demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowApproval {
    /// Role.
    pub role: Arc<str>,
    /// The scope that the approver's grant must cover; `None`: the transaction's.
    pub at: Option<Scope>,
    /// How many different people.
    pub count: u32,
}

/// What a row gives where it hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowAnswer {
    /// Stable id of the row.
    pub id: Arc<str>,
    /// Whether the step may happen.
    pub effect: Effect,
    /// Who must approve.
    pub approvals: Vec<RowApproval>,
    /// What the caller must also do.
    pub obligations: Vec<Arc<str>>,
    /// Facts that must be there.
    pub required_facts: Vec<Arc<str>>,
    /// Why, for people.
    pub reason: Option<Arc<str>>,
}

impl RowAnswer {
    /// The answer for a transaction at a scope.
    #[must_use]
    pub fn at(&self, transaction: &Scope) -> Answer {
        let mut answer = Answer::default();
        self.join(&mut answer, transaction);
        answer
    }

    /// Joins the answer for a transaction at a scope to another.
    pub(crate) fn join(&self, answer: &mut Answer, transaction: &Scope) {
        answer.effect = answer.effect.max(self.effect);
        for approval in &self.approvals {
            let at = approval.at.as_ref().unwrap_or(transaction).clone();
            let role = approval.role.clone();
            answer.approvals.demand(role, at, approval.count);
        }
        answer.obligations.extend(self.obligations.iter().cloned());
        let required = self.required_facts.iter().cloned();
        answer.required_facts.extend(required);
    }
}

/// A decision table for a workflow at a scope.
#[derive(Debug)]
pub struct Policy {
    /// Name, such as `credit_hold_release.enterprise`.
    pub name: Arc<str>,
    /// Workflow it governs.
    pub workflow: Arc<str>,
    /// Scope it stands at.
    pub scope: Scope,
    /// How it binds.
    pub mode: Mode,
    /// False: no waiver may replace its outcome.
    pub waivable: bool,
    /// How much is recorded of its decisions.
    pub audit_level: AuditLevel,
    /// What it is for, for people.
    pub description: String,
    /// Version, counted from 1.
    pub version: u64,
    /// `sha256:` and hex, over the canonical form of all but name, version and
    /// description.
    pub digest: Arc<str>,
    /// The table.
    pub table: Table,
    /// What each row of the table gives, by the row's index.
    pub rows: Vec<RowAnswer>,
}
