//! Hit policies: from the rows that match to the outcome.

use super::Outcome;
use crate::{
    table::{HitPolicy, Row, Table},
    value::Value,
};

/// The outcome where exactly `matching` match, given in row order.
pub(super) fn outcome(table: &Table, matching: &[usize]) -> Outcome {
    let Some(&first) = matching.first() else {
        return Outcome::NoHit;
    };
    match table.hit_policy {
        HitPolicy::Unique if matching.len() > 1 => Outcome::Conflict(matching.to_vec()),
        HitPolicy::Any if differ(table, matching) => Outcome::Conflict(matching.to_vec()),
        HitPolicy::Unique | HitPolicy::Any | HitPolicy::RuleOrder | HitPolicy::Collect(_) => {
            Outcome::Hits(matching.to_vec())
        }
        HitPolicy::First => Outcome::Hits(vec![first]),
        HitPolicy::Priority => {
            // The first of equals wins: `min_by_key` keeps it.
            let best = matching
                .iter()
                .min_by_key(|&&row| rank(table, &table.rows[row]));
            Outcome::Hits(vec![best.copied().unwrap_or(first)])
        }
        HitPolicy::OutputOrder => {
            let mut sorted = matching.to_vec();
            sorted.sort_by_key(|&row| rank(table, &table.rows[row]));
            Outcome::Hits(sorted)
        }
    }
}

/// Whether rows have different outputs.
pub(super) fn differ(table: &Table, rows: &[usize]) -> bool {
    rows.windows(2)
        .any(|pair| table.rows[pair[0]].outputs != table.rows[pair[1]].outputs)
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

/// Outcomes that hold every possible one, where `sure` rows match and any of `maybe` can.
pub(super) fn possible(table: &Table, sure: &[usize], maybe: &[usize]) -> Vec<Outcome> {
    let mut all: Vec<usize> = sure.iter().chain(maybe).copied().collect();
    all.sort_unstable();
    let alone = |row: usize| {
        let mut rows = sure.to_vec();
        rows.push(row);
        rows.sort_unstable();
        outcome(table, &rows)
    };
    let mut outcomes = vec![outcome(table, sure)];
    match table.hit_policy {
        HitPolicy::Unique | HitPolicy::Any => {
            outcomes.extend(maybe.iter().map(|&row| alone(row)));
            if all.len() > 1 {
                outcomes.push(outcome(table, &all));
            }
        }
        HitPolicy::First | HitPolicy::Priority => {
            outcomes.extend(maybe.iter().map(|&row| alone(row)));
        }
        // Joining more rows is never looser, so the ends stand for what is between.
        HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(_) => {
            outcomes.extend(maybe.iter().map(|&row| alone(row)));
            outcomes.push(outcome(table, &all));
        }
    }
    outcomes.sort();
    outcomes.dedup();
    outcomes
}
