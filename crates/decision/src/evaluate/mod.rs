//! Evaluation: the table's index finds the rows that the facts don't rule out; where facts
//! are unknown, every way they could turn out is tried that those rows tell apart.

mod bits;
mod can_fail;
mod domain;
mod explain;
mod hits;
mod joint;
pub(crate) mod known;
mod layer;
mod nulls;
mod output;
#[cfg(any(test, feature = "twin"))]
pub mod twin;
mod variables;

pub use explain::{RowMatch, explain};
#[cfg(test)]
pub(crate) use hits::outcome as outcome_of;
pub use output::{Answer, Output};
pub(crate) use output::{add, extreme};

pub(crate) use known::LiveRow;
use layer::{Indexed, Layer};
pub(crate) use nulls::NullTests;
use smallvec::SmallVec;

use crate::{
    sfeel::{Failure, Scope},
    table::Table,
    value::{Facts, Value},
};

/// What a table answers, by the indices of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// No row matches.
    NoHit,
    /// The rows that answer, in the order of the answer. Under ANY all that match, under
    /// the other single-hit policies exactly one.
    Hits(Vec<usize>),
    /// Rows that match together under UNIQUE, or under ANY with different outputs.
    Conflict(Vec<usize>),
    /// An expression has no result for these facts.
    Failed(Failure),
}

/// Every outcome that the facts leave open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The distinct outcomes over every way the unknown facts could turn out, each of its
    /// declared type, or null where a cell that isn't `-` is met by that. One: it is settled.
    pub outcomes: Vec<Outcome>,
    /// The unknown facts that the outcome can depend on; empty where it is settled.
    pub unknown: Vec<String>,
    /// Whether each of `outcomes` can really come about. Where not, they stand for all that
    /// can: each row that can answer alone is there, one conflict stands for its parts, and
    /// where all hits answer together, the fewest and the most rows for those between.
    pub exact: bool,
}

/// Every combination of outcomes of several tables that the facts leave open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joint {
    /// The distinct combinations: an outcome for each table, in their order.
    pub combinations: Vec<Vec<Outcome>>,
    /// The unknown facts that they can depend on; empty where there is one combination.
    pub unknown: Vec<String>,
    /// Whether each combination can really come about. Where not, every outcome that
    /// [`Evaluation`] would give for a table stands in at least one of them.
    pub exact: bool,
}

/// Evaluates a table. Where an expression fails that a row asks for, and no other cell rules
/// the row out, the outcome is [`Outcome::Failed`]; with unknown facts, division and powers
/// count as possibly failing.
#[must_use]
pub fn evaluate(table: &Table, facts: &Facts) -> Evaluation {
    let layer = Indexed::new(table);
    match layer.settled(facts) {
        Some(outcome) => Evaluation::settled(outcome),
        None => joint::evaluate(&[layer], facts, None).into(),
    }
}

/// Evaluates several tables over the same facts, so that an unknown fact turns out alike
/// in all of them.
#[must_use]
pub fn evaluate_joint(tables: &[&Table], facts: &Facts) -> Joint {
    let layers: SmallVec<[Indexed<'_>; 8]> = tables.iter().map(|t| Indexed::new(t)).collect();
    joint::evaluate(&layers, facts, None)
}

/// Evaluates one of several tables that are decided together: an unknown fact turns out to be
/// null where that counts in any of them, as in [`evaluate_joint`].
#[must_use]
pub fn evaluate_beside(table: &Table, tables: &[&Table], facts: &Facts) -> Evaluation {
    joint::evaluate(&[Indexed::new(table)], facts, Some(tables)).into()
}

/// The rows that known values of the inputs don't rule out, in the order of the table; an
/// unknown value is `None`. Under FIRST none beyond the first that is sure to match. And how
/// many rows were looked at.
pub(crate) fn rows_at(
    table: &Table,
    values: &[Option<Value>],
    scope: &Scope<'_>,
) -> (Vec<LiveRow>, usize) {
    Indexed::new(table).rows_at(values, scope)
}

impl Evaluation {
    fn settled(outcome: Outcome) -> Self {
        Self {
            outcomes: vec![outcome],
            unknown: Vec::new(),
            exact: true,
        }
    }
}

impl Joint {
    fn settled(combination: Vec<Outcome>) -> Self {
        Self {
            combinations: vec![combination],
            unknown: Vec::new(),
            exact: true,
        }
    }
}

impl From<Joint> for Evaluation {
    /// What is left of the first table where there is no other.
    fn from(joint: Joint) -> Self {
        Self {
            outcomes: joint.combinations.into_iter().flatten().collect(),
            unknown: joint.unknown,
            exact: joint.exact,
        }
    }
}
