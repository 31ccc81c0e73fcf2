//! Where two versions of a table answer differently.

use std::collections::HashMap;

use super::{
    Reason, Region, Undecided, computed,
    diagram::{Judge, Path, Sure},
    limits,
    outcome::{Given, Interner, Rules},
    space::{Space, index},
    witness::Witness,
};
use crate::{
    evaluate::{Outcome, Output, evaluate},
    json,
    table::{HitPolicy, Table},
    value::{Facts, Value},
};

/// How an outcome changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Nothing drops, and something rises.
    Tighter,
    /// Something drops, and nothing rises.
    Looser,
    /// Something drops, and something rises.
    Mixed,
    /// Outputs that have no order.
    Other,
}

impl Change {
    /// The name in reports, such as `TIGHTER`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tighter => "TIGHTER",
            Self::Looser => "LOOSER",
            Self::Mixed => "MIXED",
            Self::Other => "OTHER",
        }
    }

    /// The change of something that drops here, and rises there; `None`: neither.
    #[must_use]
    pub fn of(drops: bool, rises: bool) -> Option<Self> {
        match (drops, rises) {
            (false, false) => None,
            (true, false) => Some(Self::Looser),
            (false, true) => Some(Self::Tighter),
            (true, true) => Some(Self::Mixed),
        }
    }
}

/// A region in which the outcome changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// How. Outputs of a table by itself have no order: OTHER.
    pub change: Change,
    /// Where.
    pub region: Region,
    /// A fact set that shows it.
    pub witness: Facts,
    /// What the old table answers for it, with its rows by index.
    pub old: (Output, Vec<usize>),
    /// What the new table answers for it, with its rows by index.
    pub new: (Output, Vec<usize>),
}

/// Where two tables differ.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Every region where they do, unless `undecided` says otherwise.
    pub changes: Vec<Changed>,
    /// What couldn't be settled.
    pub undecided: Vec<Undecided>,
}

/// Every region where two tables answer differently: compared as outputs, not as rows. All
/// conflicts are alike, and the hits of COLLECT have no order. Inputs may be null. Outputs
/// that are computed by the same expression are the same; where expressions differ the
/// region is where they hold, and the witness one of its fact sets for which values differ.
#[must_use]
pub fn difference(old: &Table, new: &Table) -> Difference {
    let space = Space::new(vec![old, new]);
    let mut difference = Difference {
        changes: Vec::new(),
        undecided: space.undecided.clone(),
    };
    if space.is_void() {
        return difference;
    }
    let mut judge = Versions::new(&space);
    let answered = space.ask(&mut judge);
    let mut replay = limits::REPLAY;
    let cost = space.replay_cost();
    let computes = old.computes() || new.computes();
    let mut more = answered.more;
    for found in &answered.found {
        let Some(left) = replay
            .checked_sub(cost)
            .filter(|_| difference.changes.len() < limits::FINDINGS)
        else {
            more += 1;
            continue;
        };
        replay = left;
        let mut shown = None;
        let mut differs = |facts: &Facts| {
            let (before, after) = (answer(old, facts), answer(new, facts));
            shown = before
                .zip(after)
                .filter(|(before, after)| !same((old, &before.0), (new, &after.0)));
            shown.is_some()
        };
        let mut witness = found.witness(&space, &mut differs);
        if computes && witness == Witness::Unfound {
            witness = found.witness_nearby(&space, &mut differs);
        }
        match (witness, shown) {
            (Witness::Nowhere, _) => {}
            (Witness::Facts(witness), Some((old, new))) => difference.changes.push(Changed {
                change: Change::Other,
                region: found.region.clone(),
                witness,
                old,
                new,
            }),
            _ => difference.undecided.push(Undecided {
                region: Some(found.region.clone()),
                ..if computes {
                    Undecided::new(
                        Reason::Expression,
                        "no fact set was found in this region for which the outputs, or what \
                         is computed of them, differ",
                    )
                } else {
                    Undecided::new(
                        Reason::NoWitness,
                        "no fact set was found in this region that both tables answer",
                    )
                }
            }),
        }
    }
    let mut left_out = |reason: Reason, count: u64, message: &str| {
        if count > 0 {
            difference
                .undecided
                .push(Undecided::new(reason, message).counted(count));
        }
    };
    left_out(
        space.unlisted(),
        more,
        "there are more regions that differ than are listed",
    );
    left_out(
        Reason::Budget,
        answered.cut,
        "parts of the inputs weren't compared",
    );
    let same_rows = || old.canonical() == new.canonical();
    if [old, new].into_iter().any(computed::decides_more) && !same_rows() {
        let message = "computed outputs decide which rows agree, come first or sum up; they were compared by their expressions";
        difference
            .undecided
            .push(Undecided::new(Reason::Expression, message));
    }
    difference
}

/// What a table answers where the facts settle it, with the rows.
fn answer(table: &Table, facts: &Facts) -> Option<(Output, Vec<usize>)> {
    match evaluate(table, facts).outcomes.as_slice() {
        [Outcome::Failed(_)] => None,
        [outcome] => {
            let rows = match outcome {
                Outcome::Hits(rows) | Outcome::Conflict(rows) => rows.clone(),
                _ => Vec::new(),
            };
            Some((computed::output(table, outcome, facts)?, rows))
        }
        _ => None,
    }
}

/// Whether two outputs are the same answer.
fn same((old, before): (&Table, &Output), (new, after): (&Table, &Output)) -> bool {
    match (before, after) {
        (Output::Conflict(_), Output::Conflict(_)) => true,
        (Output::Many(a), Output::Many(b)) if unordered(old) && unordered(new) => {
            let texts = |all: &[std::collections::BTreeMap<String, Value>]| {
                let mut texts: Vec<String> = all
                    .iter()
                    .map(|o| json::canonical(&Value::Context(o.clone())))
                    .collect();
                texts.sort_unstable();
                texts
            };
            texts(a) == texts(b)
        }
        (before, after) => before == after,
    }
}

fn unordered(table: &Table) -> bool {
    table.hit_policy == HitPolicy::Collect(None)
}

/// What a row asks and gives.
type Asked<'s> = (&'s [(u32, u32)], u32);

/// Says where two tables differ.
struct Versions<'t> {
    old: Rules<'t>,
    new: Rules<'t>,
    /// Equal numbers for rows that ask and give the same.
    alike: Vec<u32>,
    /// Whether equal rows make equal answers.
    comparable: bool,
    /// Whether the order of rows is part of the answer.
    ordered: bool,
    /// Whether all that matches is the answer, so that equal rows of both cancel out.
    cancels: bool,
    pairs: HashMap<(Given, Given), u32>,
    /// Counters by row number or output, all zero between uses.
    counts: Vec<(u32, u32)>,
    old_live: Vec<u32>,
    new_live: Vec<u32>,
}

impl<'t> Versions<'t> {
    fn new(space: &Space<'t>) -> Self {
        let mut interner = Interner::default();
        let old = Rules::new(space, 0, &mut interner);
        let new = Rules::new(space, 1, &mut interner);
        let mut numbers: HashMap<Asked<'_>, u32> = HashMap::new();
        let mut alike = Vec::new();
        for row in old.first..new.end {
            let output = if row < old.end {
                old.output(row)
            } else {
                new.output(row)
            };
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            alike.push(*numbers.entry((space.tests(row), output)).or_insert(next));
        }
        let policy = old.table.hit_policy;
        let comparable = policy == new.table.hit_policy
            && old.table.outputs == new.table.outputs
            && old.default() == new.default();
        Self {
            // There are no more different rows or outputs than rows and two defaults.
            counts: vec![(0, 0); alike.len() + 2],
            alike,
            comparable,
            ordered: matches!(
                policy,
                HitPolicy::First
                    | HitPolicy::Priority
                    | HitPolicy::RuleOrder
                    | HitPolicy::OutputOrder
            ),
            cancels: comparable && unordered(old.table) && old.default().is_none(),
            pairs: HashMap::new(),
            old_live: Vec::new(),
            new_live: Vec::new(),
            old,
            new,
        }
    }

    fn numbers(&self, rows: &[u32]) -> Vec<u32> {
        let mut numbers: Vec<u32> = rows.iter().map(|&row| self.alike[index(row)]).collect();
        if !self.ordered {
            numbers.sort_unstable();
        }
        numbers
    }

    /// Takes out rows that stand in both versions.
    fn cancel(&mut self) {
        let counts = &mut self.counts;
        for &row in &self.new_live {
            counts[index(self.alike[index(row)])].0 += 1;
        }
        self.old_live.retain(|&row| {
            let (new, gone) = &mut counts[index(self.alike[index(row)])];
            let both = *new > 0;
            if both {
                *new -= 1;
                *gone += 1;
            }
            !both
        });
        self.new_live.retain(|&row| {
            let (new, gone) = &mut counts[index(self.alike[index(row)])];
            *new = 0;
            let both = *gone > 0;
            if both {
                *gone -= 1;
            }
            !both
        });
    }

    /// Whether one side gives an output more often for sure than the other ever can.
    fn surely_differs(&mut self, sure: Sure<'_>) -> bool {
        let counts = &mut self.counts;
        let mut more = |a: (&Rules<'_>, &[u32]), b: (&Rules<'_>, &[u32])| {
            for &row in b.1 {
                counts[index(b.0.output(row))].0 += 1;
            }
            let certain = a.1.iter().filter(|&&row| sure.is(row));
            let differs = certain.fold(false, |differs, &row| {
                let (possible, seen) = &mut counts[index(a.0.output(row))];
                *seen += 1;
                differs || *seen > *possible
            });
            for &row in a.1 {
                counts[index(a.0.output(row))] = (0, 0);
            }
            for &row in b.1 {
                counts[index(b.0.output(row))] = (0, 0);
            }
            differs
        };
        let (old, new) = (
            (&self.old, self.old_live.as_slice()),
            (&self.new, self.new_live.as_slice()),
        );
        more(old, new) || more(new, old)
    }
}

impl Judge for Versions<'_> {
    fn reduce(&mut self, live: &mut Vec<u32>, sure: Sure<'_>) -> Option<u32> {
        let middle = live.partition_point(|&row| row < self.new.first);
        self.old_live.clear();
        self.old_live.extend_from_slice(&live[..middle]);
        self.new_live.clear();
        self.new_live.extend_from_slice(&live[middle..]);
        if self.cancels {
            self.cancel();
            if self.old_live.is_empty() && self.new_live.is_empty() {
                return Some(0);
            }
            if self.surely_differs(sure) {
                return Some(1);
            }
        } else {
            self.old.reduce(&mut self.old_live, sure);
            self.new.reduce(&mut self.new_live, sure);
            if self.comparable
                && self.old_live.len() == self.new_live.len()
                && self.numbers(&self.old_live) == self.numbers(&self.new_live)
            {
                return Some(0);
            }
        }
        live.clear();
        live.extend_from_slice(&self.old_live);
        live.extend_from_slice(&self.new_live);
        None
    }

    fn verdict(&mut self, hits: &[u32], _: Path<'_>) -> u32 {
        let middle = hits.partition_point(|&row| row < self.new.first);
        let (old, new) = hits.split_at(middle);
        let (old, new) = if unordered(self.old.table) == unordered(self.new.table) {
            (self.old.given(old), self.new.given(new))
        } else {
            (self.old.given_in_order(old), self.new.given_in_order(new))
        };
        let (old, new) = if self.old.aggregates() == self.new.aggregates() {
            (old, new)
        } else {
            (self.old.plain(old), self.new.plain(new))
        };
        if old == new {
            return 0;
        }
        if self.cancels {
            return 1;
        }
        let next = u32::try_from(self.pairs.len() + 1).unwrap_or(u32::MAX - 1);
        *self.pairs.entry((old, new)).or_insert(next)
    }

    /// Where all that matches counts, how often each output is given on one side and the
    /// other: some bits of a word for each output, so that none spills into the next.
    fn weights(&mut self, live: &[u32]) -> Option<Vec<u64>> {
        if !self.cancels {
            return None;
        }
        let mut outputs: Vec<u32> = Vec::new();
        let mut weights = Vec::with_capacity(live.len());
        for &row in live {
            let old = row < self.new.first;
            let rules = if old { &self.old } else { &self.new };
            let output = rules.output(row);
            let known = outputs.iter().position(|&other| other == output);
            let place = known.unwrap_or(outputs.len());
            if known.is_none() {
                outputs.push(output);
            }
            weights.push((place, old));
            if outputs.len() > 6 {
                return None;
            }
        }
        let bits = 64 / outputs.len().max(1);
        if live.len() >= 1 << (bits - 1).min(31) {
            return None;
        }
        let weight = |(place, old): (usize, bool)| {
            let one = 1_u64 << (bits * place);
            if old { one.wrapping_neg() } else { one }
        };
        Some(weights.into_iter().map(weight).collect())
    }
}
