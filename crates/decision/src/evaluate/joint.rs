//! All combinations of outcomes of several tables.

use std::collections::{BTreeSet, HashSet};

use super::{
    Joint, Outcome,
    bits::Bits,
    hits,
    known::{LiveRow, live_rows},
    variables::{self, Variable, Variables},
};
use crate::{sfeel::Scope, table::Table, value::Facts};

/// Most work done while combining choices, in machine words: tens of milliseconds.
const MAX_WORK: usize = 2_000_000;
/// What making and looking up one set costs beside its words.
const SET_COST: usize = 8;

/// Where a table stands before anything is enumerated.
enum Start {
    /// Its outcome is settled by a failure.
    Failed(Outcome),
    /// Its live rows begin at this position among all.
    Live(std::ops::Range<usize>),
}

pub(super) fn evaluate(tables: &[&Table], facts: &Facts) -> Joint {
    let mut live: Vec<(usize, LiveRow)> = Vec::new();
    let starts: Vec<Start> = tables
        .iter()
        .enumerate()
        .map(|(index, table)| match live_rows(table, facts) {
            Ok(rows) => {
                let begin = live.len();
                live.extend(rows.into_iter().map(|row| (index, row)));
                Start::Live(begin..live.len())
            }
            Err(failure) => Start::Failed(Outcome::Failed(failure)),
        })
        .collect();
    if live.iter().all(|(_, row)| row.open.is_empty()) {
        let combination = outcomes(tables, &starts, &live, &Bits::full(live.len()));
        return Joint {
            combinations: vec![combination],
            unknown: Vec::new(),
            exact: true,
        };
    }
    let found = variables::find(tables, facts, &live);
    let finals = found
        .as_ref()
        .and_then(|variables| combine(&variables.all, live.len()));
    match (found, finals) {
        (Some(variables), Some(finals)) => exact(tables, &starts, &live, &variables, finals),
        _ => conservative(tables, facts, &starts, &live),
    }
}

/// The outcome of each table where exactly the live rows in `rows` match.
fn outcomes(
    tables: &[&Table],
    starts: &[Start],
    live: &[(usize, LiveRow)],
    rows: &Bits,
) -> Vec<Outcome> {
    let outcome = |(table, start): (&&Table, &Start)| match start {
        Start::Failed(outcome) => outcome.clone(),
        Start::Live(range) => {
            let matching: Vec<usize> = range
                .clone()
                .filter(|&at| rows.contains(at))
                .map(|at| live[at].1.row)
                .collect();
            hits::outcome(table, &matching)
        }
    };
    tables.iter().zip(starts).map(outcome).collect()
}

/// Every set of rows that some choice for each variable lets through; `None` if too many.
fn combine(variables: &[Variable], live: usize) -> Option<HashSet<Bits>> {
    let mut work = MAX_WORK;
    let mut sets = HashSet::from([Bits::full(live)]);
    for variable in variables {
        let cost = sets.len().checked_mul(variable.choices.len())?;
        work = work.checked_sub(cost.checked_mul(Bits::words(live) + SET_COST)?)?;
        let mut next = HashSet::new();
        for set in &sets {
            next.extend(variable.choices.iter().map(|choice| set.and(choice)));
        }
        sets = next;
    }
    Some(sets)
}

fn exact(
    tables: &[&Table],
    starts: &[Start],
    live: &[(usize, LiveRow)],
    variables: &Variables,
    finals: HashSet<Bits>,
) -> Joint {
    let mut combinations: BTreeSet<Vec<Outcome>> = finals
        .iter()
        .map(|rows| outcomes(tables, starts, live, rows))
        .collect();
    let varying = variables
        .all
        .iter()
        .filter(|variable| variable.choices.len() > 1);
    let mut unknown: BTreeSet<String> = varying
        .flat_map(|variable| variable.facts.iter().cloned())
        .collect();
    for (table, failure, facts) in &variables.failing {
        let with_failure = |mut combination: Vec<Outcome>| {
            combination[*table] = Outcome::Failed(failure.clone());
            combination
        };
        let failed: Vec<_> = combinations.iter().cloned().map(with_failure).collect();
        combinations.extend(failed);
        unknown.extend(facts.iter().cloned());
    }
    if combinations.len() == 1 {
        unknown.clear();
    }
    Joint {
        combinations: combinations.into_iter().collect(),
        unknown: unknown.into_iter().collect(),
        exact: variables.exact && variables.failing.is_empty(),
    }
}

/// Row by row: an open row may match or not, whatever the others do.
fn conservative(
    tables: &[&Table],
    facts: &Facts,
    starts: &[Start],
    live: &[(usize, LiveRow)],
) -> Joint {
    let mut unknown = BTreeSet::new();
    let mut columns: Vec<Vec<Outcome>> = Vec::new();
    for (table, start) in tables.iter().zip(starts) {
        columns.push(match start {
            Start::Failed(outcome) => vec![outcome.clone()],
            Start::Live(range) => {
                let rows = &live[range.clone()];
                let scope = Scope::new(facts, &table.types);
                unknown.extend(open_facts(table, rows, &scope));
                let (sure, maybe): (Vec<_>, Vec<_>) = rows
                    .iter()
                    .map(|(_, row)| row)
                    .partition(|row| row.open.is_empty());
                let indices = |rows: Vec<&LiveRow>| rows.iter().map(|r| r.row).collect::<Vec<_>>();
                hits::possible(table, &indices(sure), &indices(maybe))
            }
        });
    }
    let longest = columns.iter().map(Vec::len).max().unwrap_or(1);
    let combination = |index: usize| {
        let at = |column: &Vec<Outcome>| column[index.min(column.len() - 1)].clone();
        columns.iter().map(at).collect()
    };
    Joint {
        combinations: (0..longest).map(combination).collect(),
        unknown: unknown.into_iter().collect(),
        exact: false,
    }
}

fn open_facts(table: &Table, rows: &[(usize, LiveRow)], scope: &Scope<'_>) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for (_, row) in rows {
        for &column in &row.open {
            facts.extend(variables::unknown_in(
                &table.inputs[column].expression,
                scope,
            ));
            for operand in table.rows[row.row].cells[column].test.operands() {
                facts.extend(variables::unknown_in(operand, scope));
            }
        }
    }
    facts
}
