//! Decisions: the layers of an effective policy, joined.
//!
//! # Unknown facts
//! With unknown facts a decision is the join of the answers over every way they could
//! turn out. Write `a(l, c)` for what layer `l` answers in the way `c`. The answer is
//! `⊔_c ⊔_l a(l, c)`; a join may be taken in any order, so it equals `⊔_l ⊔_c a(l, c)`:
//! joining each layer over its own ways, then the layers, is exact, though the layers
//! share facts. Not so whether the answer is *settled*, that is the same in every way:
//! two layers may each vary, and together not, when one's loss is the other's gain. So
//! where a layer varies, the ways are taken for all layers at once ([`evaluate_joint`]).
//!
//! Where the engine can't enumerate the ways (it says so), it gives a superset of each
//! layer's outcomes. The answer may then be stricter than it need be, and is settled only
//! if what the layers have at least, joined, is the answer: never looser, never settled
//! though it isn't.

use std::{collections::BTreeSet, sync::Arc};

use decision::{Facts, Outcome, Table, evaluate_beside, evaluate_joint};

use crate::{
    Scope,
    admit::missing,
    answer::{Answer, Effect, Requirement},
    bundle::Effective,
    policy::{AuditLevel, Mode, Policy},
    waiver::Waived,
};

/// Reasons that a verdict gives beside the texts of rows.
pub mod reason {
    /// The default has no row for this.
    pub const NO_ROW: &str = "NO_ROW";
    /// No default on the path.
    pub const NO_POLICY: &str = "NO_POLICY";
    /// Rows disagree where the hit policy allows no disagreement.
    pub const POLICY_CONFLICT: &str = "POLICY_CONFLICT";
    /// An expression of a table can't be computed from these facts.
    pub const EVALUATION_FAILED: &str = "EVALUATION_FAILED";
    /// Unknown facts could still change the answer.
    pub const UNKNOWN_FACTS: &str = "UNKNOWN_FACTS";
    /// A fact that a row demands isn't there.
    pub const FACTS_MISSING: &str = "FACTS_MISSING";
}

/// The answer to: may this step happen, and who must approve it.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The strictest effect.
    pub effect: Effect,
    /// Whether no unknown fact could still change the answer.
    pub settled: bool,
    /// Codes in upper case, then texts that rows give. Those of a layer are given where
    /// every possible outcome of the layer has them.
    pub reasons: Vec<Arc<str>>,
    /// Who must approve.
    pub approvals: Vec<Requirement>,
    /// What the caller must also do.
    pub obligations: Vec<Arc<str>>,
    /// Facts that rows demand.
    pub required_facts: Vec<Arc<str>>,
    /// Unknown facts that matter: knowing them would settle the answer.
    pub unknown_facts: Vec<Arc<str>>,
    /// What each layer contributed, the default first.
    pub layers: Vec<Layer>,
    /// Waivers that were used, by name.
    pub waivers: Vec<Arc<str>>,
    /// How much is recorded: FULL where a layer wants it, an approval is required, a
    /// waiver was used or there is no policy.
    pub audit_level: AuditLevel,
}

/// What a layer contributed.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The policy.
    pub policy: Arc<Policy>,
    /// Ids of the rows that hit, or could, in the table's order.
    pub rows: Vec<Arc<str>>,
    /// The layer's own effect, the strictest possible; `None` where a guardrail has no
    /// hit in any way.
    pub effect: Option<Effect>,
}

/// What a layer gives for one outcome of its table.
struct Contribution {
    answer: Answer,
    reasons: Vec<Arc<str>>,
    rows: Vec<usize>,
    bound: bool,
}

fn contribution(
    policy: &Policy,
    outcome: &Outcome,
    scope: &Scope,
    (waived, used): (&Waived<'_>, &mut BTreeSet<Arc<str>>),
) -> Contribution {
    let denied = |code: &str, rows: &[usize]| Contribution {
        answer: Answer::deny(),
        reasons: vec![code.into()],
        rows: rows.to_vec(),
        bound: true,
    };
    match outcome {
        Outcome::NoHit if policy.mode == Mode::Default => denied(reason::NO_ROW, &[]),
        Outcome::NoHit => Contribution {
            answer: Answer::default(),
            reasons: Vec::new(),
            rows: Vec::new(),
            bound: false,
        },
        Outcome::Conflict(rows) => denied(reason::POLICY_CONFLICT, rows),
        Outcome::Failed(_) => denied(reason::EVALUATION_FAILED, &[]),
        Outcome::Hits(rows) => {
            let mut joined = Contribution {
                answer: Answer::default(),
                reasons: Vec::new(),
                rows: rows.clone(),
                bound: true,
            };
            for &row in rows {
                let reason = waived.join(&mut joined.answer, (policy, row), scope, used);
                joined.reasons.extend(reason);
            }
            joined
        }
    }
}

/// What a layer demands for one outcome of its table, with its reasons.
pub(crate) fn layer_answer(
    policy: &Policy,
    outcome: &Outcome,
    scope: &Scope,
) -> (Answer, Vec<Arc<str>>) {
    let no_waiver = (&Waived::default(), &mut BTreeSet::new());
    let contribution = contribution(policy, outcome, scope, no_waiver);
    (contribution.answer, contribution.reasons)
}

/// Decides a transaction at `scope` from what is known.
#[must_use]
pub fn decide(effective: &Effective<'_>, scope: &Scope, facts: &Facts) -> Verdict {
    let layers: Vec<_> = effective.layers().collect();
    let tables: Vec<_> = layers.iter().map(|layer| &layer.table).collect();
    let ways = evaluate_joint(&tables, facts);
    let waived = Waived::of(&effective.waivers, facts);
    let base = match effective.default {
        Some(_) => Answer::default(),
        None => Answer::deny(),
    };
    if let ([combination], true) = (ways.combinations.as_slice(), ways.exact) {
        return in_one_way(
            effective,
            scope,
            facts,
            (base, &waived),
            &layers,
            combination,
        );
    }
    let mut joined = base.clone();
    let mut common: Option<Answer> = None;
    let mut used = BTreeSet::new();
    let mut parts: Vec<Part> = layers.iter().map(|policy| Part::new(policy)).collect();
    for combination in &ways.combinations {
        let mut answer = base.clone();
        for (part, outcome) in parts.iter_mut().zip(combination) {
            let waivers = (&waived, &mut used);
            let contribution = contribution(&part.layer.policy, outcome, scope, waivers);
            answer.join(&contribution.answer);
            part.add(contribution);
        }
        joined.join(&answer);
        match &mut common {
            Some(common) => common.meet(&answer),
            None => common = Some(answer),
        }
    }
    if !ways.exact {
        // Outcomes may also combine in ways that aren't listed.
        common = Some(least_of_all(&base, &parts));
    }
    // The same in every way, exactly where what all have in common is what any has.
    let settled = common.is_none_or(|common| common == joined);
    let unknown = if settled {
        BTreeSet::new()
    } else {
        that_matter(&base, &parts, &tables, facts)
    };
    let told = parts.into_iter().map(Part::finish);
    conclude(
        effective,
        joined,
        (settled, unknown),
        told,
        (&waived, used),
        facts,
    )
}

/// Decides where there is one way: every row that answers joins the one answer, and nothing
/// is put together twice.
fn in_one_way(
    effective: &Effective<'_>,
    scope: &Scope,
    facts: &Facts,
    (mut joined, waived): (Answer, &Waived<'_>),
    layers: &[&Arc<Policy>],
    combination: &[Outcome],
) -> Verdict {
    let mut used = BTreeSet::new();
    let mut told = Vec::with_capacity(layers.len());
    for (policy, outcome) in layers.iter().zip(combination) {
        let mut reasons: Vec<Arc<str>> = Vec::new();
        let (rows, effect) = match outcome {
            Outcome::NoHit if policy.mode == Mode::Default => {
                reasons.push(reason::NO_ROW.into());
                (&[][..], Some(Effect::Deny))
            }
            Outcome::NoHit => (&[][..], None),
            Outcome::Conflict(rows) => {
                reasons.push(reason::POLICY_CONFLICT.into());
                (rows.as_slice(), Some(Effect::Deny))
            }
            Outcome::Failed(_) => {
                reasons.push(reason::EVALUATION_FAILED.into());
                (&[][..], Some(Effect::Deny))
            }
            Outcome::Hits(rows) if waived.is_none() => {
                let mut effect = Effect::Allow;
                for row in rows.iter().filter_map(|&row| policy.rows.get(row)) {
                    row.join(&mut joined, scope);
                    effect = effect.max(row.effect);
                    reasons.extend(row.reason.clone());
                }
                (rows.as_slice(), Some(effect))
            }
            Outcome::Hits(rows) => {
                // What the layer demands by itself, to tell its effect.
                let mut own = Answer::default();
                for &row in rows {
                    reasons.extend(waived.join(&mut own, (policy, row), scope, &mut used));
                }
                joined.join(&own);
                (rows.as_slice(), Some(own.effect))
            }
        };
        joined.effect = joined.effect.max(effect.unwrap_or_default());
        let rows = rows.iter().filter_map(|&row| policy.rows.get(row));
        let layer = Layer {
            policy: Arc::clone(policy),
            rows: rows.map(|row| row.id.clone()).collect(),
            effect,
        };
        told.push((layer, reasons));
    }
    conclude(
        effective,
        joined,
        (true, BTreeSet::new()),
        told.into_iter(),
        (waived, used),
        facts,
    )
}

/// What the answer has at least, however the layers' outcomes combine.
fn least_of_all<'a>(base: &Answer, parts: impl IntoIterator<Item = &'a Part>) -> Answer {
    let mut least = base.clone();
    for answer in parts.into_iter().filter_map(|part| part.least.as_ref()) {
        least.join(answer);
    }
    least
}

/// The unknown facts of the layers whose variation can be seen in the answer.
///
/// A layer's outcomes can be told apart beside other layers' answers only if they can be
/// told apart beside the least that those answer: in a distributive lattice `o ⊔ x = p ⊔ x`
/// carries over to everything above `x`.
fn that_matter(
    base: &Answer,
    parts: &[Part],
    tables: &[&Table],
    facts: &Facts,
) -> BTreeSet<Arc<str>> {
    let mut names = BTreeSet::new();
    for (index, (part, table)) in parts.iter().zip(tables).enumerate() {
        let others = parts
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index);
        let rest = least_of_all(base, others.map(|(_, part)| part));
        let (mut least, mut most) = (rest.clone(), rest);
        least.join(part.least.as_ref().unwrap_or(&part.most));
        most.join(&part.most);
        if least != most {
            let unknown = evaluate_beside(table, tables, facts).unknown;
            names.extend(unknown.iter().map(|name| Arc::from(name.as_str())));
        }
    }
    names
}

/// A layer while its outcomes are gathered.
struct Part {
    layer: Layer,
    rows: BTreeSet<usize>,
    /// What every outcome so far gives as reasons.
    reasons: Option<Vec<Arc<str>>>,
    /// What all outcomes so far have in common.
    least: Option<Answer>,
    /// What any outcome so far has.
    most: Answer,
}

impl Part {
    fn new(policy: &Arc<Policy>) -> Self {
        Self {
            layer: Layer {
                policy: policy.clone(),
                rows: Vec::new(),
                effect: None,
            },
            rows: BTreeSet::new(),
            reasons: None,
            least: None,
            most: Answer::default(),
        }
    }

    fn add(&mut self, contribution: Contribution) {
        self.rows.extend(contribution.rows);
        if contribution.bound {
            self.layer.effect = self.layer.effect.max(Some(contribution.answer.effect));
        }
        match &mut self.reasons {
            Some(reasons) => reasons.retain(|reason| contribution.reasons.contains(reason)),
            None => self.reasons = Some(contribution.reasons),
        }
        self.most.join(&contribution.answer);
        match &mut self.least {
            Some(least) => least.meet(&contribution.answer),
            None => self.least = Some(contribution.answer),
        }
    }

    fn finish(mut self) -> (Layer, Vec<Arc<str>>) {
        let rows = &self.layer.policy.rows;
        self.layer.rows = self
            .rows
            .iter()
            .filter_map(|&row| rows.get(row))
            .map(|row| row.id.clone())
            .collect();
        (self.layer, self.reasons.unwrap_or_default())
    }
}

fn conclude(
    effective: &Effective<'_>,
    mut joined: Answer,
    (mut settled, mut unknown_facts): (bool, BTreeSet<Arc<str>>),
    told: impl ExactSizeIterator<Item = (Layer, Vec<Arc<str>>)>,
    (waived, used): (&Waived<'_>, BTreeSet<Arc<str>>),
    facts: &Facts,
) -> Verdict {
    let told: Vec<_> = told.collect();
    let told_rows = told
        .iter()
        .map(|(layer, _)| (&layer.policy.name, &layer.rows));
    for fact in told_rows.flat_map(|(policy, rows)| waived.open(policy, rows)) {
        // Whether a waiver of a row that hits holds isn't known: the answer is the stricter
        // one without it.
        settled = false;
        unknown_facts.insert(fact);
    }
    let mut reasons: Vec<Arc<str>> = Vec::new();
    if effective.default.is_none() {
        reasons.push(reason::NO_POLICY.into());
    }
    if !settled {
        reasons.push(reason::UNKNOWN_FACTS.into());
    }
    let missing = missing(effective.workflow, joined.required_facts.iter(), facts);
    if !missing.is_empty() {
        reasons.push(reason::FACTS_MISSING.into());
        // Coming back with them could change the answer, unless it is DENY anyway.
        settled &= joined.effect == Effect::Deny;
        joined.effect = Effect::Deny;
        unknown_facts.extend(missing);
    }
    let mut layers = Vec::with_capacity(told.len());
    let (mut codes, mut texts) = (reasons, Vec::new());
    for (layer, given) in told {
        for reason in given {
            let list = if is_code(&reason) {
                &mut codes
            } else {
                &mut texts
            };
            if !list.contains(&reason) {
                list.push(reason);
            }
        }
        layers.push(layer);
    }
    codes.append(&mut texts);
    let audit_level = if joined.effect == Effect::RequireApproval
        || !joined.approvals.is_empty()
        || !used.is_empty()
        || effective.default.is_none()
    {
        AuditLevel::Full
    } else {
        let wanted = layers.iter().map(|layer| layer.policy.audit_level);
        wanted.max().unwrap_or(AuditLevel::Full)
    };
    Verdict {
        effect: joined.effect,
        settled,
        reasons: codes,
        approvals: joined.approvals.into_iter().collect(),
        obligations: joined.obligations.into_iter().collect(),
        required_facts: joined.required_facts.into_iter().collect(),
        unknown_facts: unknown_facts.into_iter().collect(),
        layers,
        waivers: used.into_iter().collect(),
        audit_level,
    }
}

fn is_code(reason: &str) -> bool {
    matches!(
        reason,
        reason::NO_ROW | reason::POLICY_CONFLICT | reason::EVALUATION_FAILED
    )
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;
