//! All combinations of outcomes of several tables.

use std::{
    collections::{BTreeSet, HashSet},
    ops::Range,
};

use super::{
    Joint, Outcome,
    bits::Bits,
    hits,
    known::LiveRow,
    layer::Layer,
    nulls,
    variables::{self, Variable, Variables},
};
use crate::{sfeel::Scope, table::Table, value::Facts};

/// Most work done while combining choices, in machine words: tens of milliseconds.
const MAX_WORK: usize = 2_000_000;
/// What making and looking up one set costs beside its words.
const SET_COST: usize = 8;

/// Evaluates tables together. Of unknown facts those could turn out to be null of which that
/// counts in the tables, or in those that they are decided with, `beside` them.
pub(super) fn evaluate<L: Layer>(layers: &[L], facts: &Facts, beside: Option<&[&Table]>) -> Joint {
    let settled: Option<Vec<Outcome>> = layers.iter().map(|layer| layer.settled(facts)).collect();
    if let Some(combination) = settled {
        return Joint::settled(combination);
    }
    let tables: Vec<&Table> = layers.iter().map(Layer::table).collect();
    let tables = tables.as_slice();
    let mut live: Vec<(usize, LiveRow)> = Vec::new();
    // Where the live rows of each table stand among all.
    let mut ranges: Vec<Range<usize>> = Vec::with_capacity(tables.len());
    for (index, layer) in layers.iter().enumerate() {
        let begin = live.len();
        live.extend(layer.live_rows(facts).into_iter().map(|row| (index, row)));
        ranges.push(begin..live.len());
    }
    if live.iter().all(|(_, row)| row.open.is_empty()) {
        let combination = outcomes(layers, &ranges, &live, &Bits::full(live.len()));
        return Joint::settled(combination);
    }
    let nulls = nulls::counted(beside.unwrap_or(tables), facts);
    let found = variables::find(tables, facts, &nulls, &live);
    let finals = found
        .as_ref()
        .and_then(|variables| combine(&variables.all, live.len()));
    match (found, finals) {
        (Some(variables), Some(finals)) => exact(layers, &ranges, &live, &variables, finals),
        _ => conservative(layers, facts, &ranges, &live),
    }
}

/// The outcome of each table where exactly the live rows in `rows` match.
fn outcomes<L: Layer>(
    layers: &[L],
    ranges: &[Range<usize>],
    live: &[(usize, LiveRow)],
    rows: &Bits,
) -> Vec<Outcome> {
    let outcome = |(layer, range): (&L, &Range<usize>)| {
        let matching = || {
            range
                .clone()
                .filter(|&at| rows.contains(at))
                .map(|at| &live[at].1)
        };
        match matching().find_map(|row| row.failure.clone()) {
            Some(failure) => Outcome::Failed(failure),
            None => layer.outcome(&matching().map(|row| row.row).collect::<Vec<_>>()),
        }
    };
    layers.iter().zip(ranges).map(outcome).collect()
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

fn exact<L: Layer>(
    layers: &[L],
    ranges: &[Range<usize>],
    live: &[(usize, LiveRow)],
    variables: &Variables,
    finals: HashSet<Bits>,
) -> Joint {
    let mut combinations: BTreeSet<Vec<Outcome>> = finals
        .iter()
        .map(|rows| outcomes(layers, ranges, live, rows))
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
fn conservative<L: Layer>(
    layers: &[L],
    facts: &Facts,
    ranges: &[Range<usize>],
    live: &[(usize, LiveRow)],
) -> Joint {
    let mut unknown = BTreeSet::new();
    let mut columns: Vec<Vec<Outcome>> = Vec::new();
    for (layer, range) in layers.iter().zip(ranges) {
        let (table, rows) = (layer.table(), &live[range.clone()]);
        let scope = Scope::new(facts, &table.types);
        unknown.extend(open_facts(table, rows, &scope));
        columns.push(possible(layer, rows.iter().map(|(_, row)| row)));
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

/// Outcomes that hold every possible one of a table.
fn possible<'r, L: Layer>(layer: &L, rows: impl Iterator<Item = &'r LiveRow>) -> Vec<Outcome> {
    let (mut sure, mut maybe, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        match (&row.failure, row.open.is_empty()) {
            (Some(failure), true) => return vec![Outcome::Failed(failure.clone())],
            (Some(failure), false) => failures.push(Outcome::Failed(failure.clone())),
            (None, true) => sure.push(row.row),
            (None, false) => maybe.push(row.row),
        }
    }
    let policy = layer.table().hit_policy;
    let outcome = |rows: &[usize]| layer.outcome(rows);
    let mut outcomes = hits::possible(policy, &outcome, &sure, &maybe);
    outcomes.extend(failures);
    outcomes
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;
    use crate::{HitPolicy, Schema, Value, evaluate::layer::Indexed};

    fn tables() -> impl Strategy<Value = Table> {
        let bound = || 0..6_i32;
        let rows = prop::collection::vec((bound(), bound(), 0..3_i32), 1..6);
        let policy = prop::sample::select(vec!["UNIQUE", "ANY", "FIRST", "PRIORITY", "COLLECT"]);
        (rows, policy).prop_map(|(rows, policy)| {
            let mut text = format!(
                "name: t\ninputs: [{{expression: a, type: number}}, {{expression: b, type: number}}]\n\
                 outputs: [{{name: y, type: number, values: [2, 1, 0]}}]\nhit_policy: {policy}\nrows:\n"
            );
            for (index, (a, b, y)) in rows.into_iter().enumerate() {
                text += &format!("  - {{id: r{index}, when: {{a: '> {a}', b: '<= {b}'}}, then: {{y: {y}}}}}\n");
            }
            Table::from_yaml(&text, &Schema::open(), &|_| Err(String::new())).unwrap()
        })
    }

    /// Whether one of the outcomes given stands for this one.
    fn stands_for(table: &Table, given: &[Outcome], outcome: &Outcome) -> bool {
        let within = |wide: &[usize], rows: &[usize]| rows.iter().all(|row| wide.contains(row));
        given.iter().any(|other| match (other, outcome) {
            (Outcome::Conflict(wide), Outcome::Conflict(rows)) => within(wide, rows),
            (Outcome::Hits(wide), Outcome::Hits(rows)) => match table.hit_policy() {
                HitPolicy::Collect(_) => within(wide, rows),
                // All that match have the same outputs.
                HitPolicy::Any => table.rows[wide[0]].outputs == table.rows[rows[0]].outputs,
                _ => wide == rows,
            },
            _ => other == outcome,
        })
    }

    proptest! {
        #[test]
        fn row_by_row_leaves_nothing_out(table in tables(), a in prop::option::of(0..7_i32)) {
            let mut facts = Facts::new();
            a.map(|a| facts.insert("a", Value::Number(a.into())));
            let layers = [Indexed::new(&table)];
            let live: Vec<_> = layers[0].live_rows(&facts).into_iter().map(|row| (0, row)).collect();
            let rows = 0..live.len();
            let rough = conservative(&layers, &facts, std::slice::from_ref(&rows), &live);
            let rough: Vec<_> = rough.combinations.into_iter().flatten().collect();
            for combination in evaluate(&layers, &facts, None).combinations {
                let outcome = &combination[0];
                prop_assert!(stands_for(&table, &rough, outcome), "{:?} of {:?}", outcome, rough);
            }
        }
    }
}
