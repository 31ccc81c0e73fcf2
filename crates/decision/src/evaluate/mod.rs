//! The naive evaluator: exact, plain, and slow where tables are large. Every row is tried;
//! where facts are unknown, every way they could turn out that the table tells apart.

mod bits;
mod domain;
mod explain;
mod hits;
mod joint;
mod known;
mod output;
mod variables;

pub use explain::{RowMatch, explain};
pub use output::{Answer, Output};

use crate::{sfeel::Failure, table::Table, value::Facts};

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
    /// declared type and not null. One: it is settled.
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
    let Joint {
        combinations,
        unknown,
        exact,
    } = evaluate_joint(&[table], facts);
    Evaluation {
        outcomes: combinations.into_iter().flatten().collect(),
        unknown,
        exact,
    }
}

/// Evaluates several tables over the same facts, so that an unknown fact turns out alike
/// in all of them.
#[must_use]
pub fn evaluate_joint(tables: &[&Table], facts: &Facts) -> Joint {
    joint::evaluate(tables, facts)
}
