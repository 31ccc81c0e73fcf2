//! The naive twin of evaluation, for tests only: every row is tried, nothing is looked up.

use super::{
    Evaluation, Joint, joint,
    layer::{Indexed, Naive},
};
use crate::{compile::Index, table::Table, value::Facts};

/// What [`evaluate`](crate::evaluate) must give.
#[must_use]
pub fn evaluate(table: &Table, facts: &Facts) -> Evaluation {
    evaluate_joint(&[table], facts).into()
}

/// What [`evaluate_joint`](crate::evaluate_joint) must give.
#[must_use]
pub fn evaluate_joint(tables: &[&Table], facts: &Facts) -> Joint {
    let layers: Vec<_> = tables.iter().map(|table| Naive(table)).collect();
    joint::evaluate(&layers, facts, None)
}

/// How many bytes the sets of rows of a table's index take, and what goes with them.
#[must_use]
pub fn index_bytes(table: &Table) -> usize {
    table.compiled.index(table).bytes()
}

/// A table whose index has at most so many sets of rows for each column, as that of a
/// larger one has.
#[derive(Debug)]
pub struct Coarse<'t> {
    table: &'t Table,
    index: Index,
}

impl<'t> Coarse<'t> {
    /// Compiles.
    #[must_use]
    pub fn new(table: &'t Table, sets: usize) -> Self {
        let index = Index::new(table, sets);
        Self { table, index }
    }

    /// Evaluates.
    #[must_use]
    pub fn evaluate(&self, facts: &Facts) -> Evaluation {
        let layer = Indexed::with(self.table, &self.index);
        joint::evaluate(&[layer], facts, None).into()
    }
}
