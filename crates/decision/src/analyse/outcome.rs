//! What matching rows of a table come to, compared as outputs.

use std::collections::{BTreeMap, HashMap};

use super::{
    diagram::Sure,
    space::{Space, index},
};
use crate::{
    evaluate::{Outcome, Output},
    table::{Aggregator, HitPolicy, Table},
    value::Value,
};

/// A table's rows as an analysis compares them.
#[derive(Debug)]
pub struct Rules<'t> {
    pub(super) table: &'t Table,
    /// The number of its first row among all.
    pub(super) first: u32,
    /// One more than that of its last row.
    pub(super) end: u32,
    /// The outputs of each row, equal numbers for equal ones.
    outputs: Vec<u32>,
    /// The place of each row under PRIORITY and OUTPUT ORDER, smaller first.
    ranks: Vec<u32>,
    default: Option<u32>,
    /// Whether the outputs of all rows have one order, as MIN and MAX take them.
    ordered: bool,
}

/// Numbers for outputs, the same in all tables of an analysis.
#[derive(Debug, Default)]
pub(super) struct Interner(HashMap<(BTreeMap<String, Value>, Vec<String>), u32>);

impl Interner {
    fn number(&mut self, outputs: &BTreeMap<String, Value>, computed: Vec<String>) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry((outputs.clone(), computed)).or_insert(next)
    }
}

/// An answer, as far as two can be told apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Given {
    None,
    Conflict,
    Failed,
    One(u32),
    /// Of COLLECT sorted, since it has no order.
    Many(Vec<u32>),
    /// An aggregate, with the name of its output.
    Value(String, Value),
}

impl<'t> Rules<'t> {
    /// The rules of each table of a space.
    #[must_use]
    pub fn of(space: &Space<'t>) -> Vec<Self> {
        let mut interner = Interner::default();
        let tables = 0..space.tables.len();
        tables
            .map(|table| Self::new(space, table, &mut interner))
            .collect()
    }

    /// The rows of this table among all.
    #[must_use]
    pub fn rows(&self) -> std::ops::Range<u32> {
        self.first..self.end
    }

    /// The outcome where exactly `hits` match, numbered among all rows.
    #[must_use]
    pub fn outcome(&self, hits: &[u32]) -> Outcome {
        let Some(&first) = hits.first() else {
            return Outcome::NoHit;
        };
        let rows = |hits: &[u32]| hits.iter().map(|row| index(row - self.first)).collect();
        let differ = || {
            hits.iter()
                .any(|&row| self.output(row) != self.output(first))
        };
        match self.table.hit_policy {
            HitPolicy::Unique if hits.len() > 1 => Outcome::Conflict(rows(hits)),
            HitPolicy::Any if differ() => Outcome::Conflict(rows(hits)),
            HitPolicy::First => Outcome::Hits(rows(&hits[..1])),
            HitPolicy::Priority => {
                let best = hits.iter().copied().min_by_key(|&row| self.strength(row));
                Outcome::Hits(rows(&[best.unwrap_or(first)]))
            }
            HitPolicy::OutputOrder => {
                let mut sorted = hits.to_vec();
                sorted.sort_by_key(|&row| self.strength(row));
                Outcome::Hits(rows(&sorted))
            }
            HitPolicy::Unique | HitPolicy::Any | HitPolicy::RuleOrder | HitPolicy::Collect(_) => {
                Outcome::Hits(rows(hits))
            }
        }
    }

    /// A number for what a row asks and gives, equal for equal ones of all tables, if they
    /// were made together.
    #[must_use]
    pub fn asked<'s>(&self, space: &'s Space<'t>, row: u32) -> (&'s [(u32, u32)], u32) {
        (space.tests(row), self.output(row))
    }

    pub(super) fn new(space: &Space<'t>, table: usize, interner: &mut Interner) -> Self {
        let read = space.tables[table];
        let outputs = read.rows.iter().map(|row| {
            let computed = row
                .computed
                .iter()
                .map(|(name, node)| format!("{name}: {node}"));
            interner.number(&row.outputs, computed.collect())
        });
        let outputs = outputs.collect();
        let default = read
            .default
            .as_ref()
            .map(|default| interner.number(default, Vec::new()));
        Self {
            table: read,
            first: space.offsets[table],
            end: space.offsets[table + 1],
            outputs,
            ranks: ranks(read),
            default,
            ordered: ordered(read),
        }
    }

    pub(super) fn output(&self, row: u32) -> u32 {
        self.outputs[index(row - self.first)]
    }

    pub(super) fn default(&self) -> Option<u32> {
        self.default
    }

    /// Where a row stands when the strongest comes first.
    pub(super) fn strength(&self, row: u32) -> (u32, u32) {
        match self.table.hit_policy {
            HitPolicy::Priority | HitPolicy::OutputOrder => {
                (self.ranks[index(row - self.first)], row)
            }
            _ => (0, row),
        }
    }

    /// The answer where exactly `hits` match, numbered among all rows.
    pub(super) fn given(&self, hits: &[u32]) -> Given {
        let Some(&first) = hits.first() else {
            return self.nothing();
        };
        let number = |row: &u32| self.output(*row);
        match self.table.hit_policy {
            HitPolicy::Unique if hits.len() > 1 => Given::Conflict,
            HitPolicy::Any
                if hits
                    .iter()
                    .any(|row| self.output(*row) != self.output(first)) =>
            {
                Given::Conflict
            }
            HitPolicy::Unique | HitPolicy::Any | HitPolicy::First => Given::One(self.output(first)),
            HitPolicy::Priority => {
                let best = hits.iter().min_by_key(|&&row| self.strength(row));
                Given::One(self.output(best.copied().unwrap_or(first)))
            }
            HitPolicy::RuleOrder => Given::Many(hits.iter().map(number).collect()),
            HitPolicy::OutputOrder => {
                let mut sorted = hits.to_vec();
                sorted.sort_by_key(|&row| self.strength(row));
                Given::Many(sorted.iter().map(number).collect())
            }
            HitPolicy::Collect(None) => {
                let mut all: Vec<u32> = hits.iter().map(number).collect();
                all.sort_unstable();
                Given::Many(all)
            }
            HitPolicy::Collect(Some(_)) => self.aggregated(hits),
        }
    }

    /// The same, the hits of COLLECT in the order of their rows: as they compare with those
    /// of a policy that has an order.
    pub(super) fn given_in_order(&self, hits: &[u32]) -> Given {
        match (self.table.hit_policy, hits) {
            (HitPolicy::Collect(None), [_, ..]) => {
                Given::Many(hits.iter().map(|row| self.output(*row)).collect())
            }
            _ => self.given(hits),
        }
    }

    fn nothing(&self) -> Given {
        match (self.default, self.table.hit_policy) {
            (
                Some(default),
                HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None),
            ) => Given::Many(vec![default]),
            _ => self.aggregated(&[]),
        }
    }

    /// What the table itself makes of rows.
    fn aggregated(&self, hits: &[u32]) -> Given {
        let rows: Vec<usize> = hits.iter().map(|row| index(row - self.first)).collect();
        let outcome = if rows.is_empty() {
            Outcome::NoHit
        } else {
            Outcome::Hits(rows)
        };
        match self.table.output(&outcome) {
            Output::None => Given::None,
            Output::One(outputs) => {
                let aggregated = matches!(self.table.hit_policy, HitPolicy::Collect(Some(_)));
                match (outputs.len(), outputs.into_iter().next(), self.default) {
                    (1, Some((name, value)), _) if aggregated => Given::Value(name, value),
                    (_, _, Some(default)) => Given::One(default),
                    _ => Given::None,
                }
            }
            Output::Many(_) => Given::Many(Vec::new()),
            Output::Conflict(_) => Given::Conflict,
            Output::Failed(_) => Given::Failed,
        }
    }

    /// An answer of one output as an aggregate gives it, so that the two compare.
    pub(super) fn plain(&self, given: Given) -> Given {
        let Given::One(number) = given else {
            return given;
        };
        let outputs = if self.default == Some(number) {
            self.table.default.as_ref()
        } else {
            let row = self.outputs.iter().position(|&output| output == number);
            row.and_then(|row| self.table.rows.get(row))
                .map(|row| &row.outputs)
        };
        match outputs.map(|outputs| (outputs.len(), outputs.iter().next())) {
            Some((1, Some((name, value)))) => Given::Value(name.clone(), value.clone()),
            _ => given,
        }
    }

    /// Whether the answer is what an aggregator makes of the rows.
    pub(super) fn aggregates(&self) -> bool {
        self.table.hit_policy.aggregator().is_some()
    }

    /// Drops rows that can't change the answer, where `sure` ones match anyway.
    pub fn reduce(&self, live: &mut Vec<u32>, sure: Sure<'_>) {
        match self.table.hit_policy {
            HitPolicy::Unique => {
                let certain: Vec<u32> = live
                    .iter()
                    .copied()
                    .filter(|&r| sure.is(r))
                    .take(2)
                    .collect();
                if certain.len() == 2 {
                    *live = certain;
                }
            }
            HitPolicy::Any => self.reduce_any(live, sure),
            HitPolicy::First | HitPolicy::Priority => self.reduce_strongest(live, sure),
            HitPolicy::Collect(Some(aggregator @ (Aggregator::Min | Aggregator::Max))) => {
                self.reduce_extreme(live, sure, aggregator, 1);
            }
            HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(_) => {}
        }
    }

    fn reduce_any(&self, live: &mut Vec<u32>, sure: Sure<'_>) {
        let Some(&certain) = live.iter().find(|&&row| sure.is(row)) else {
            return;
        };
        let output = self.output(certain);
        let other = live
            .iter()
            .find(|&&row| sure.is(row) && self.output(row) != output);
        match other {
            Some(&other) => *live = vec![certain, other],
            None => live.retain(|&row| row == certain || self.output(row) != output),
        }
    }

    /// Nothing weaker than the strongest sure row answers, and what is next to it with the
    /// same outputs answers the same.
    fn reduce_strongest(&self, live: &mut Vec<u32>, sure: Sure<'_>) {
        let certain = live.iter().copied().filter(|&row| sure.is(row));
        let Some(best) = certain.min_by_key(|&row| self.strength(row)) else {
            return;
        };
        let bound = self.strength(best);
        live.retain(|&row| self.strength(row) <= bound);
        let output = self.output(best);
        let different = live
            .iter()
            .filter(|&&row| self.output(row) != output)
            .map(|&row| self.strength(row))
            .max();
        live.retain(|&row| {
            row == best
                || different
                    .is_some_and(|last| self.strength(row) < last || self.output(row) != output)
        });
    }

    /// Keeps of MIN and MAX what isn't worse than `keep` sure rows.
    pub(super) fn reduce_extreme(
        &self,
        live: &mut Vec<u32>,
        sure: Sure<'_>,
        aggregator: Aggregator,
        keep: usize,
    ) {
        let value = |row: u32| {
            self.table.rows[index(row - self.first)]
                .outputs
                .values()
                .next()
        };
        let order = |a: u32, b: u32| {
            let order = value(a).zip(value(b)).and_then(|(a, b)| a.compare(b));
            match aggregator {
                Aggregator::Max => order.map(std::cmp::Ordering::reverse),
                _ => order,
            }
        };
        if !self.ordered {
            return;
        }
        let by = |a: &u32, b: &u32| order(*a, *b).unwrap_or(std::cmp::Ordering::Equal);
        let mut certain: Vec<u32> = live.iter().copied().filter(|&row| sure.is(row)).collect();
        certain.sort_by(by);
        let Some(&bound) = certain.get(keep - 1) else {
            return;
        };
        let kept: Vec<u32> = certain.into_iter().take(keep).collect();
        live.retain(|row| kept.contains(row) || by(row, &bound).is_lt());
    }
}

/// Dense ranks by the places of outputs among their declared values.
fn ranks(table: &Table) -> Vec<u32> {
    let place = |row: &crate::table::Row, name: &str, values: &[Value]| {
        let given = row.outputs.get(name)?;
        values.iter().position(|value| value == given)
    };
    let ranked: Vec<_> = table
        .outputs
        .iter()
        .filter(|output| !output.values.is_empty())
        .collect();
    let full: Vec<Vec<usize>> = table
        .rows
        .iter()
        .map(|row| {
            let places = ranked
                .iter()
                .map(|output| place(row, &output.name, &output.values).unwrap_or(usize::MAX));
            places.collect()
        })
        .collect();
    let mut sorted: Vec<&Vec<usize>> = full.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    full.iter()
        .map(|rank| {
            u32::try_from(sorted.partition_point(|other| *other < rank)).unwrap_or(u32::MAX)
        })
        .collect()
}

/// Whether the values of the first output are of one kind, currency and unit.
fn ordered(table: &Table) -> bool {
    let kind = |value: &Value| match value {
        Value::Money {
            currency: measure, ..
        }
        | Value::Quantity { unit: measure, .. } => (value.kind(), measure.clone()),
        other => (other.kind(), String::new()),
    };
    let mut kinds = table
        .rows
        .iter()
        .map(|row| row.outputs.values().next().map(kind));
    let first = kinds.next();
    kinds.all(|kind| kind.is_some() && Some(&kind) == first.as_ref())
}
