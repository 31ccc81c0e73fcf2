//! Hit policies: from the rows that match to the outcome.

use super::Outcome;
use crate::table::HitPolicy;
#[cfg(any(test, feature = "twin"))]
use crate::{compile::compare, table::Table};

/// The outcome where exactly `matching` match, given in row order, by the table alone.
#[cfg(any(test, feature = "twin"))]
pub(crate) fn outcome(table: &Table, matching: &[usize]) -> Outcome {
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
                .min_by(|&&a, &&b| compare(table, &table.rows[a], &table.rows[b]));
            Outcome::Hits(vec![best.copied().unwrap_or(first)])
        }
        HitPolicy::OutputOrder => {
            let mut sorted = matching.to_vec();
            sorted.sort_by(|&a, &b| compare(table, &table.rows[a], &table.rows[b]));
            Outcome::Hits(sorted)
        }
    }
}

/// Whether rows have different outputs.
#[cfg(any(test, feature = "twin"))]
fn differ(table: &Table, rows: &[usize]) -> bool {
    rows.windows(2)
        .any(|pair| table.rows[pair[0]].outputs != table.rows[pair[1]].outputs)
}

/// Outcomes that hold every possible one, where `sure` rows match and any of `maybe` can.
pub(super) fn possible(
    policy: HitPolicy,
    outcome: &dyn Fn(&[usize]) -> Outcome,
    sure: &[usize],
    maybe: &[usize],
) -> Vec<Outcome> {
    let mut all: Vec<usize> = sure.iter().chain(maybe).copied().collect();
    all.sort_unstable();
    let alone = |row: usize| {
        let mut rows = sure.to_vec();
        rows.push(row);
        rows.sort_unstable();
        outcome(&rows)
    };
    let mut outcomes = vec![outcome(sure)];
    match policy {
        HitPolicy::Unique | HitPolicy::Any => {
            outcomes.extend(maybe.iter().map(|&row| alone(row)));
            if all.len() > 1 {
                outcomes.push(outcome(&all));
            }
        }
        HitPolicy::First | HitPolicy::Priority => {
            outcomes.extend(maybe.iter().map(|&row| alone(row)));
        }
        // Joining more rows is never looser, so the ends stand for what is between.
        HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(_) => {
            outcomes.extend(maybe.iter().map(|&row| alone(row)));
            outcomes.push(outcome(&all));
        }
    }
    outcomes.sort();
    outcomes.dedup();
    outcomes
}
