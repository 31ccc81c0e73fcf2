//! Why a row matched, or which cells kept it from matching.

use super::known::{cell_met, input_values};
use crate::{
    sfeel::{Met, Scope},
    table::Table,
    value::Facts,
};

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowMatch {
    /// The row's index.
    pub row: usize,
    /// Whether it matches.
    pub matched: Met,
    /// The inputs, by index, whose cells aren't met.
    pub failed: Vec<usize>,
    /// The inputs, by index, whose cells depend on unknown facts or have no result.
    pub unknown: Vec<usize>,
}

/// Looks at every cell of every row. The hit policy plays no part: under FIRST a row can
/// match and yet not answer.
#[must_use]
pub fn explain(table: &Table, facts: &Facts) -> Vec<RowMatch> {
    let scope = Scope::new(facts, &table.types);
    let values = input_values(table, &scope);
    let row_match = |(index, row): (usize, &crate::table::Row)| {
        let (mut failed, mut unknown) = (Vec::new(), Vec::new());
        for (column, cell) in row.cells.iter().enumerate() {
            match cell_met(&cell.test, &values[column], &scope) {
                Ok(Met::Yes) => {}
                Ok(Met::No) => failed.push(column),
                Ok(Met::Unknown) | Err(_) => unknown.push(column),
            }
        }
        let matched = match (failed.is_empty(), unknown.is_empty()) {
            (false, _) => Met::No,
            (true, false) => Met::Unknown,
            (true, true) => Met::Yes,
        };
        RowMatch {
            row: index,
            matched,
            failed,
            unknown,
        }
    };
    table.rows.iter().enumerate().map(row_match).collect()
}
