//! What hit policies need to know of outputs, by row.

use std::collections::HashMap;

use crate::{
    table::{HitPolicy, Row, Table},
    value::Value,
};

/// How rows rank, and which have the same outputs.
#[derive(Debug, Default)]
pub(crate) struct Order(Vec<u32>);

impl Order {
    pub(super) fn new(table: &Table) -> Self {
        Self(match table.hit_policy {
            HitPolicy::Any => same_outputs(&table.rows),
            HitPolicy::Priority | HitPolicy::OutputOrder => ranks(table),
            _ => Vec::new(),
        })
    }

    /// Equal where two rows have the same outputs (under ANY) or rank alike; the smaller
    /// goes first.
    pub(crate) fn of(&self, row: usize) -> u32 {
        self.0.get(row).copied().unwrap_or_default()
    }
}

fn same_outputs(rows: &[Row]) -> Vec<u32> {
    let mut seen = HashMap::new();
    let number = |row| {
        let next = seen.len() as u32;
        *seen.entry(row).or_insert(next)
    };
    rows.iter().map(|row| &row.outputs).map(number).collect()
}

fn ranks(table: &Table) -> Vec<u32> {
    let places: Vec<_> = table.rows.iter().map(|row| rank(table, row)).collect();
    let mut sorted: Vec<_> = places.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let place = |rank: &Vec<usize>| sorted.binary_search(&rank).unwrap_or_default() as u32;
    places.iter().map(place).collect()
}

/// The places of a row's outputs among their declared values, smaller first. An output
/// that is left out or has no declared values comes last.
fn rank(table: &Table, row: &Row) -> Vec<usize> {
    let place = |name: &str, values: &[Value]| {
        let given = row.outputs.get(name)?;
        values.iter().position(|value| value == given)
    };
    let ranked = table
        .outputs
        .iter()
        .filter(|output| !output.values.is_empty());
    ranked
        .map(|output| place(&output.name, &output.values).unwrap_or(usize::MAX))
        .collect()
}

#[cfg(any(test, feature = "twin"))]
/// The order of two rows by rank, worked out from the table itself.
pub(crate) fn compare(table: &Table, a: &Row, b: &Row) -> std::cmp::Ordering {
    rank(table, a).cmp(&rank(table, b))
}
