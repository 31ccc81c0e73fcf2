//! What layers answer together, and how two such answers compare.

use std::{collections::BTreeSet, fmt, sync::Arc};

use decision::{Outcome, analyse::Change};

use crate::{
    Scope,
    answer::{Answer, Effect},
    decide::{Verdict, layer_answer, reason},
    policy::{AuditLevel, Mode, Policy},
};

/// The answer of all layers of one version, where all facts are known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Answered {
    /// What is demanded.
    pub answer: Answer,
    /// How much is recorded.
    pub audit_level: AuditLevel,
    /// Codes and the texts of rows.
    pub reasons: BTreeSet<Arc<str>>,
}

impl Answered {
    /// Joins what each layer gives.
    pub(super) fn of<'p>(
        layers: impl IntoIterator<Item = (&'p Policy, Outcome)>,
        scope: &Scope,
        with_default: bool,
    ) -> Self {
        let mut joined = Self {
            answer: Answer::default(),
            audit_level: AuditLevel::Summary,
            reasons: BTreeSet::new(),
        };
        let mut default = false;
        for (policy, outcome) in layers {
            let (answer, reasons) = layer_answer(policy, &outcome, scope);
            joined.answer.join(&answer);
            joined.reasons.extend(reasons);
            joined.audit_level = joined.audit_level.max(policy.audit_level);
            default |= policy.mode == Mode::Default;
        }
        if with_default && !default {
            joined.answer.join(&Answer::deny());
            joined.reasons.insert(reason::NO_POLICY.into());
            joined.audit_level = AuditLevel::Full;
        }
        let approved = !joined.answer.approvals.is_empty();
        if approved || joined.answer.effect == Effect::RequireApproval {
            joined.audit_level = AuditLevel::Full;
        }
        joined
    }

    /// What a decision answered.
    #[must_use]
    pub fn of_verdict(verdict: &Verdict) -> Self {
        let mut answer = Answer {
            effect: verdict.effect,
            obligations: verdict.obligations.iter().cloned().collect(),
            required_facts: verdict.required_facts.iter().cloned().collect(),
            ..Answer::default()
        };
        for needed in &verdict.approvals {
            let (role, at) = (needed.role.clone(), needed.at.clone());
            answer.approvals.demand(role, at, needed.count);
        }
        Self {
            answer,
            audit_level: verdict.audit_level,
            reasons: verdict.reasons.iter().cloned().collect(),
        }
    }

    /// How this changes when it becomes `new`: looser where any part drops. `None`: not at
    /// all. Other reasons alone are OTHER.
    #[must_use]
    pub fn change(&self, new: &Self) -> Option<Change> {
        let drops = self.exceeds(new);
        let rises = new.exceeds(self);
        let other = self.reasons != new.reasons;
        Change::of(drops, rises).or(other.then_some(Change::Other))
    }

    /// Whether some part of this is more than in the other.
    fn exceeds(&self, other: &Self) -> bool {
        let mut joined = other.answer.clone();
        joined.join(&self.answer);
        joined != other.answer || self.audit_level > other.audit_level
    }

    /// Whether another layer demands more than this one, that doesn't deny anyway.
    pub(super) fn is_masked_by(&self, guardrail: &Self) -> bool {
        let mut joined = self.answer.clone();
        joined.join(&guardrail.answer);
        self.answer.effect != Effect::Deny && joined != self.answer
    }
}

/// In a line, for people.
impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let approvals = self.answer.approvals.iter();
        let approvals = approvals.map(|r| format!("{} {}@{}", r.count, r.role, r.at));
        let texts = |set: &BTreeSet<Arc<str>>| set.iter().map(ToString::to_string).collect();
        let parts: [(&str, Vec<String>); 4] = [
            ("by", approvals.collect()),
            ("obliged to", texts(&self.answer.obligations)),
            ("needs", texts(&self.answer.required_facts)),
            ("since", texts(&self.reasons)),
        ];
        write!(f, "{}", self.answer.effect)?;
        for (name, items) in parts.iter().filter(|(_, items)| !items.is_empty()) {
            write!(f, ", {name} {}", items.join(" + "))?;
        }
        Ok(())
    }
}
