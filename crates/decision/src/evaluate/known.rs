//! What the known facts settle: which rows are out, and which cells stay open.

use crate::{
    sfeel::{Failure, Met, Scope, Test, calculate, meets},
    table::{Input, Table},
    value::{Facts, Value},
};

/// A row that can still match, with the columns that are open.
#[derive(Debug)]
pub(super) struct LiveRow {
    pub(super) row: usize,
    pub(super) open: Vec<usize>,
}

/// The value of an input where its facts are known and it is an allowed one.
pub(super) fn input_value(
    column: usize,
    input: &Input,
    scope: &Scope<'_>,
) -> Result<Option<Value>, Failure> {
    let failed = |failure| Failure {
        input: column,
        ..failure
    };
    let Some(value) = calculate(&input.expression, scope).map_err(failed)? else {
        return Ok(None);
    };
    // A value that isn't allowed is none that the table speaks of.
    let allowed =
        value == Value::Null || meets(&input.allowed, &value, scope).map_err(failed)? != Met::No;
    Ok(allowed.then_some(value))
}

/// Whether a cell is met, where its input may be unknown.
pub(super) fn cell_met(
    test: &Test,
    value: Option<&Value>,
    scope: &Scope<'_>,
) -> Result<Met, Failure> {
    match (test, value) {
        (Test::Any, _) => Ok(Met::Yes),
        (_, None) => Ok(Met::Unknown),
        (test, Some(value)) => meets(test, value, scope),
    }
}

/// The rows that the known facts don't rule out.
pub(super) fn live_rows(table: &Table, facts: &Facts) -> Result<Vec<LiveRow>, Failure> {
    let scope = Scope::new(facts, &table.types);
    let values: Result<Vec<_>, _> = table
        .inputs
        .iter()
        .enumerate()
        .map(|(column, input)| input_value(column, input, &scope))
        .collect();
    let values = values?;
    let mut live = Vec::new();
    'rows: for (index, row) in table.rows.iter().enumerate() {
        let mut open = Vec::new();
        let mut failure = None;
        for (column, cell) in row.cells.iter().enumerate() {
            match cell_met(&cell.test, values[column].as_ref(), &scope) {
                Ok(Met::Yes) => {}
                Ok(Met::Unknown) => open.push(column),
                Ok(Met::No) => continue 'rows,
                Err(error) => {
                    failure = Some(Failure {
                        input: column,
                        row: Some(index),
                        ..error
                    })
                }
            }
        }
        match failure {
            // No other cell rules the row out, so the failing one decides.
            Some(failure) => return Err(failure),
            None => live.push(LiveRow { row: index, open }),
        }
    }
    Ok(live)
}
