//! What the known facts settle: which rows are out, and which cells stay open.

#[cfg(any(test, feature = "twin"))]
use crate::value::Facts;
use crate::{
    sfeel::{Failure, Met, Scope, Test, calculate, meets},
    table::{Input, Table},
    value::Value,
};

/// A row that can still match.
#[derive(Debug)]
pub(crate) struct LiveRow {
    pub(crate) row: usize,
    /// The columns whose cells depend on unknown facts.
    pub(crate) open: Vec<usize>,
    /// Why the row has no result, unless an open cell rules it out.
    pub(crate) failure: Option<Failure>,
}

/// The value of an input, where its facts are known and it is an allowed one.
pub(crate) fn input_value(
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

/// The values of all inputs. One that fails is no matter until a cell asks for it.
pub(super) fn input_values(
    table: &Table,
    scope: &Scope<'_>,
) -> Vec<Result<Option<Value>, Failure>> {
    let inputs = table.inputs.iter().enumerate();
    inputs
        .map(|(column, input)| input_value(column, input, scope))
        .collect()
}

/// Whether a cell is met, where its input may be unknown.
pub(super) fn cell_met(
    test: &Test,
    value: &Result<Option<Value>, Failure>,
    scope: &Scope<'_>,
) -> Result<Met, Failure> {
    match (test, value) {
        (Test::Any, _) => Ok(Met::Yes),
        (_, Err(failure)) => Err(failure.clone()),
        (_, Ok(None)) => Ok(Met::Unknown),
        (test, Ok(Some(value))) => meets(test, value, scope),
    }
}

/// The rows that the known facts don't rule out, each tried by itself.
#[cfg(any(test, feature = "twin"))]
pub(super) fn live_rows(table: &Table, facts: &Facts) -> Vec<LiveRow> {
    let scope = Scope::new(facts, &table.types);
    let values = input_values(table, &scope);
    let mut live = Vec::new();
    'rows: for (index, row) in table.rows.iter().enumerate() {
        let mut open = Vec::new();
        let mut failure = None;
        for (column, cell) in row.cells.iter().enumerate() {
            match cell_met(&cell.test, &values[column], &scope) {
                Ok(Met::Yes) => {}
                Ok(Met::Unknown) => open.push(column),
                Ok(Met::No) => continue 'rows,
                Err(found) => {
                    failure.get_or_insert(Failure {
                        input: column,
                        row: values[column].is_ok().then_some(index),
                        ..found
                    });
                }
            }
        }
        live.push(LiveRow {
            row: index,
            open,
            failure,
        });
    }
    live
}
