//! Differences of tables that compute their outputs, against brute force.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;

use super::{
    Difference, Region, difference,
    tests::{cases, number_test, read},
};
use crate::{
    Facts, Table, Value,
    number::Number,
    sfeel::{Met, Names, Scope, check_test, meets, parse_test},
};

/// Expressions and what they are of a number: the same is written in several ways.
const COMPUTED: [&str; 5] = ["n * 2", "n + n", "n * n", "n", "n - n"];

fn computed(at: usize, n: Option<Number>) -> Option<Number> {
    let n = n?;
    Some(match at {
        0 | 1 => n.checked_add(n).unwrap(),
        2 => n.checked_mul(n).unwrap(),
        3 => n,
        _ => Number::ZERO,
    })
}

type Row = (String, usize);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((number_test(), 0..COMPUTED.len()), 1..5)
}

fn table(rows: &[Row], policy: &str) -> Table {
    let mut text = format!(
        "name: t\ninputs: [{{expression: n, type: number}}]\n\
         outputs: [{{name: o, type: number}}]\nhit_policy: {policy}\nrows:\n"
    );
    for (at, (test, output)) in rows.iter().enumerate() {
        let computed = COMPUTED[*output];
        text +=
            &format!("  - {{id: r{at}, when: {{n: '{test}'}}, compute: {{o: '{computed}'}}}}\n");
    }
    read(&text)
}

fn met(table: &Table, test: &crate::sfeel::Test, n: &Value) -> bool {
    let facts = Facts::new();
    meets(test, n, &Scope::new(&facts, &table.types)) == Ok(Met::Yes)
}

/// What a table comes to, as a text that is equal for equal answers.
fn answer(table: &Table, rows: &[Row], policy: &str, n: &Value) -> String {
    let hits = (0..rows.len()).filter(|&row| met(table, &table.rows[row].cells[0].test, n));
    let value =
        |row: usize| computed(rows[row].1, n.as_number()).map_or(Value::Null, Value::Number);
    let mut values: Vec<String> = hits.map(|row| value(row).to_string()).collect();
    match policy {
        "UNIQUE" if values.len() > 1 => return "conflict".to_owned(),
        "FIRST" => values.truncate(1),
        "COLLECT" => values.sort(),
        _ => {}
    }
    values.join(" ")
}

fn within(table: &Table, region: &Region, n: &Value) -> bool {
    region.cells.iter().all(|cell| {
        let mut test = parse_test(&cell.test, &Names::new(["n"])).unwrap();
        check_test(&mut test, &table.inputs[0].ty, &table.types).unwrap();
        met(table, &test, n)
    })
}

fn told(table: &Table, found: &Difference, n: &Value) -> bool {
    let undecided = found.undecided.iter().filter_map(|u| u.region.as_ref());
    let regions = found.changes.iter().map(|change| &change.region);
    regions
        .chain(undecided)
        .any(|region| within(table, region, n))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn differences_of_computed_outputs_are_those_of_brute_force(
        old in rows(),
        more in rows(),
        keep in prop::collection::vec(any::<bool>(), 5),
        policy in prop::sample::select(vec!["UNIQUE", "FIRST", "RULE_ORDER", "COLLECT"]),
    ) {
        let kept = old.iter().zip(keep).filter(|(_, keep)| *keep).map(|(row, _)| row.clone());
        let new: Vec<Row> = kept.chain(more).collect();
        let (before, after) = (table(&old, policy), table(&new, policy));
        let found = difference(&before, &after);
        let halves = (-3..10).map(|n| Number::from(n).checked_div(Number::from(2)).unwrap());
        let points: Vec<Value> = halves.map(Value::Number).chain([Value::Null]).collect();
        let differs = |n: &Value| answer(&before, &old, policy, n) != answer(&after, &new, policy, n);
        for n in &points {
            prop_assert!(!differs(n) || told(&before, &found, n), "{} in {:?}", n, found);
        }
        for change in &found.changes {
            let n = change.witness.get("n").unwrap();
            prop_assert!(differs(n) && within(&before, &change.region, n), "{:?}", change);
        }
        // Where some value was tried that differs, nothing is left undecided.
        for undecided in &found.undecided {
            let region = undecided.region.as_ref().unwrap();
            let known = points.iter().filter(|n| **n != Value::Null && within(&before, region, n));
            prop_assert!(known.into_iter().all(|n| !differs(n)), "{:?}", undecided);
        }
        let same = difference(&before, &before);
        prop_assert!(same.changes.is_empty() && same.undecided.is_empty(), "{:?}", same);
    }
}
