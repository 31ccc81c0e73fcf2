//! Two sets of layers over one space.

use std::{collections::HashMap, sync::Arc};

use decision::{
    Facts, Outcome, Table,
    analyse::{Change, Judge, Path, Reason, Region, Rules, Space, Sure, Undecided, Witness},
    evaluate_joint,
};

use super::outcome::Answered;
use crate::{Scope, policy::Policy};

/// A region in which two sets of layers answer differently.
#[derive(Debug, Clone)]
pub struct Changed {
    /// How.
    pub change: Change,
    /// Where.
    pub region: Region,
    /// A fact set that shows it.
    pub witness: Facts,
    /// What the first answers there.
    pub old: Answered,
    /// What the second answers there.
    pub new: Answered,
}

/// All regions, and what couldn't be settled.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Every region, unless `undecided` says otherwise.
    pub changes: Vec<Changed>,
    /// What couldn't be settled: who approves a change counts it as looser.
    pub undecided: Vec<Undecided>,
}

impl Difference {
    /// Whether nothing differs for sure.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.changes.is_empty() && self.undecided.is_empty()
    }

    /// Whether it has to be approved as one that loosens: MIXED and undecided are.
    #[must_use]
    pub fn loosens(&self) -> bool {
        let loose = |change: &Changed| matches!(change.change, Change::Looser | Change::Mixed);
        !self.undecided.is_empty() || self.changes.iter().any(loose)
    }
}

/// How the answers of two sets of layers are compared.
pub(super) type Compare = fn(&Answered, &Answered) -> Option<Change>;

/// Compares what `old` and `new` answer, everywhere. With `effective`, a set without a
/// default denies.
pub(super) fn compare(
    old: &[&Arc<Policy>],
    new: &[&Arc<Policy>],
    scope: &Scope,
    effective: bool,
    by: Compare,
) -> Difference {
    let policies: Vec<&Policy> = old.iter().chain(new).map(|policy| &***policy).collect();
    let tables: Vec<&Table> = policies.iter().map(|policy| &policy.table).collect();
    let space = Space::new(tables);
    let mut sides = Sides {
        rules: Rules::of(&space),
        middle: old.len(),
        policies,
        scope,
        effective,
        by,
        alike: Vec::new(),
        verdicts: HashMap::new(),
        live: Vec::new(),
    };
    sides.note_alike(&space);
    let mut difference = Difference {
        changes: Vec::new(),
        undecided: space.undecided().to_vec(),
    };
    if space.is_void() {
        return difference;
    }
    let answered = space.ask(&mut sides);
    for found in &answered.found {
        let mut shown = None;
        let mut differs = |facts: &Facts| {
            shown = sides.replayed(facts);
            shown.is_some()
        };
        let witness = found.witness(&space, &mut differs);
        match (witness, shown) {
            (Witness::Nowhere, _) => {}
            (Witness::Facts(witness), Some((change, old, new))) => {
                difference.changes.push(Changed {
                    change,
                    region: found.region.clone(),
                    witness,
                    old,
                    new,
                })
            }
            _ => {
                let message = "no fact set was found in this region; its columns are computed from the same facts";
                difference.undecided.push(Undecided {
                    reason: Reason::NoWitness,
                    kind: None,
                    rows: Vec::new(),
                    region: Some(found.region.clone()),
                    count: 1,
                    message: message.to_owned(),
                });
            }
        }
    }
    let mut left_out = |reason: Reason, count: u64, message: &str| {
        if count > 0 {
            difference.undecided.push(Undecided {
                reason,
                kind: None,
                rows: Vec::new(),
                region: None,
                count,
                message: message.to_owned(),
            });
        }
    };
    left_out(
        space.unlisted(),
        answered.more,
        "there are more regions than are listed",
    );
    left_out(
        Reason::Budget,
        answered.cut,
        "parts of the facts weren't compared",
    );
    difference
}

struct Sides<'s, 't> {
    rules: Vec<Rules<'t>>,
    /// How many of the layers are of the first set.
    middle: usize,
    policies: Vec<&'s Policy>,
    scope: &'s Scope,
    effective: bool,
    by: Compare,
    /// Equal numbers for rows that ask and give the same; empty where the layers of the two
    /// sets don't pair.
    alike: Vec<usize>,
    verdicts: HashMap<(Answered, Answered), u32>,
    live: Vec<Vec<u32>>,
}

impl<'t> Sides<'_, 't> {
    /// Numbers rows, where each layer of one set has its like in the other: then equal rows
    /// in play make equal answers.
    fn note_alike(&mut self, space: &Space<'t>) {
        let (old, new) = self.policies.split_at(self.middle);
        let pairs = old.len() == new.len()
            && old.iter().zip(new).all(|(a, b)| {
                (a.mode, a.audit_level, a.table.hit_policy())
                    == (b.mode, b.audit_level, b.table.hit_policy())
            });
        if !pairs {
            return;
        }
        let mut numbers = HashMap::new();
        for rules in &self.rules {
            for row in rules.rows() {
                let next = numbers.len();
                self.alike
                    .push(*numbers.entry(rules.asked(space, row)).or_insert(next));
            }
        }
    }

    fn same(&self) -> bool {
        let number = |row: &u32| {
            usize::try_from(*row)
                .ok()
                .and_then(|row| self.alike.get(row))
        };
        let (old, new) = self.live.split_at(self.middle);
        !self.alike.is_empty()
            && old.iter().zip(new).all(|(a, b)| {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| number(a) == number(b))
            })
    }

    fn both(&self, outcomes: Vec<Outcome>) -> (Answered, Answered) {
        let mut layers = self.policies.iter().copied().zip(outcomes);
        let old: Vec<_> = layers.by_ref().take(self.middle).collect();
        (
            Answered::of(old, self.scope, self.effective),
            Answered::of(layers, self.scope, self.effective),
        )
    }

    /// The change that facts show, where they settle all layers.
    fn replayed(&self, facts: &Facts) -> Option<(Change, Answered, Answered)> {
        let tables: Vec<&Table> = self.policies.iter().map(|policy| &policy.table).collect();
        let mut joint = evaluate_joint(&tables, facts);
        let outcomes = joint
            .combinations
            .pop()
            .filter(|_| joint.combinations.is_empty())?;
        let (old, new) = self.both(outcomes);
        Some(((self.by)(&old, &new)?, old, new))
    }
}

impl Judge for Sides<'_, '_> {
    fn reduce(&mut self, live: &mut Vec<u32>, sure: Sure<'_>) -> Option<u32> {
        self.live.clear();
        let mut rest = live.as_slice();
        for rules in &self.rules {
            let (mine, others) = rest.split_at(rest.partition_point(|&row| row < rules.rows().end));
            let mut mine = mine.to_vec();
            rules.reduce(&mut mine, sure);
            self.live.push(mine);
            rest = others;
        }
        if self.same() {
            return Some(0);
        }
        live.clear();
        live.extend(self.live.iter().flatten());
        None
    }

    fn verdict(&mut self, hits: &[u32], _: Path<'_>) -> u32 {
        let mut rest = hits;
        let mut outcomes = Vec::with_capacity(self.rules.len());
        for rules in &self.rules {
            let (mine, others) = rest.split_at(rest.partition_point(|&row| row < rules.rows().end));
            outcomes.push(rules.outcome(mine));
            rest = others;
        }
        let (old, new) = self.both(outcomes);
        if (self.by)(&old, &new).is_none() {
            return 0;
        }
        let next = u32::try_from(self.verdicts.len() + 1).unwrap_or(u32::MAX - 1);
        *self.verdicts.entry((old, new)).or_insert(next)
    }
}
