//! Times by several kinds of clock, against brute force.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    FindingKind, Options, Region, check, difference,
    tests::{cases, given, read},
};
use crate::{
    Facts, Table, Value,
    sfeel::{Met, Names, Scope, check_test, meets, parse_test},
};

type Row = (String, bool, i32);

/// Hours by the clocks of two kinds, each with one that no row names between two that rows
/// may name.
fn hours(any_clock: bool) -> Vec<(&'static str, [&'static str; 3])> {
    if any_clock {
        vec![
            (
                "date and time",
                [
                    "2026-01-01T08:00:00",
                    "2026-01-01T10:00:00",
                    "2026-01-01T12:00:00",
                ],
            ),
            (
                "date and time",
                [
                    "2026-01-01T08:00:00Z",
                    "2026-01-01T10:00:00+01:00",
                    "2026-01-01T12:00:00Z",
                ],
            ),
        ]
    } else {
        vec![
            ("time", ["08:00:00", "10:00:00", "12:00:00"]),
            ("time", ["08:00:00Z", "10:00:00+01:00", "12:00:00Z"]),
            (
                "time",
                [
                    "08:00:00@Europe/Paris",
                    "10:00:00@Europe/Paris",
                    "12:00:00@Europe/Paris",
                ],
            ),
        ]
    }
}

fn points(any_clock: bool) -> Vec<Value> {
    let between = if any_clock {
        vec![
            "2025-12-31T07:00:00",
            "2026-01-01T08:30:00",
            "2026-01-01T11:00:00",
            "2026-01-01T13:00:00",
            "2025-12-31T07:00:00Z",
            "2026-01-01T08:30:00Z",
            "2026-01-01T11:00:00Z",
            "2026-01-01T13:00:00Z",
        ]
    } else {
        vec![
            "07:00:00",
            "09:00:00",
            "11:00:00",
            "13:00:00",
            "07:00:00Z",
            "08:30:00Z",
            "11:00:00Z",
            "13:00:00Z",
            "07:00:00@Europe/Paris",
            "09:00:00@Europe/Paris",
            "11:00:00@Europe/Paris",
            "13:00:00@Europe/Paris",
            "09:00:00@Asia/Tokyo",
        ]
    };
    let all = hours(any_clock);
    let named = all.iter().flat_map(|(_, hours)| hours.iter().copied());
    let ty = if any_clock {
        crate::Type::AnyDateTime
    } else {
        crate::Type::Time
    };
    let read = |text: &str| ty.coerce(Value::from(text)).unwrap();
    between
        .into_iter()
        .chain(named)
        .map(read)
        .chain([Value::Null])
        .collect()
}

fn test(any_clock: bool, clocks: usize) -> impl Strategy<Value = String> {
    let constant = move |(clock, at): (usize, usize)| {
        let (kind, hours) = hours(any_clock)[clock % clocks];
        format!("{kind}(\"{}\")", hours[at])
    };
    let one = move || (0..3_usize, 0..3_usize).prop_map(constant);
    prop_oneof![
        1 => Just("-".to_owned()),
        1 => Just("null".to_owned()),
        2 => one().prop_map(|c| format!("< {c}")),
        2 => one().prop_map(|c| format!(">= {c}")),
        1 => one(),
        1 => one().prop_map(|c| format!("!= {c}")),
        1 => one().prop_map(|c| format!("not({c})")),
        1 => one().prop_map(|c| format!("not(< {c})")),
        1 => (one(), one()).prop_map(|(a, b)| format!("not({a}, >= {b}, null)")),
        1 => (one(), one()).prop_map(|(a, b)| format!("<= {a}, > {b}")),
        1 => (0..3_usize, 0..2_usize).prop_map(move |(clock, at)| {
            format!("[{}..{}[", constant((clock, at)), constant((clock, at + 1)))
        }),
    ]
}

fn rows(any_clock: bool, clocks: usize) -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((test(any_clock, clocks), any::<bool>(), 0..2_i32), 1..6)
}

fn table(any_clock: bool, rows: &[Row], policy: &str) -> Table {
    let ty = if any_clock {
        "any date and time"
    } else {
        "time"
    };
    let mut text = format!(
        "name: t\ninputs: [{{expression: t, type: {ty}}}, {{expression: b, type: boolean}}]\n\
         outputs: [{{name: o, type: number}}]\nhit_policy: {policy}\nrows:\n"
    );
    for (at, (test, asks, output)) in rows.iter().enumerate() {
        let b = if *asks { "true" } else { "-" };
        text +=
            &format!("  - {{id: r{at}, when: {{t: '{test}', b: '{b}'}}, then: {{o: {output}}}}}\n");
    }
    read(&text)
}

fn matching(table: &Table, facts: &Facts) -> Vec<usize> {
    let scope = Scope::new(facts, &table.types);
    let met = |row: &usize| {
        let cells = table.rows[*row].cells.iter().zip(["t", "b"]);
        let mut cells =
            cells.map(|(cell, name)| meets(&cell.test, facts.get(name).unwrap(), &scope));
        cells.all(|met| met == Ok(Met::Yes))
    };
    (0..table.rows.len()).filter(met).collect()
}

fn all_facts(any_clock: bool) -> Vec<Facts> {
    let mut all = Vec::new();
    for t in points(any_clock) {
        for b in [Value::Boolean(true), Value::Boolean(false), Value::Null] {
            all.push([("t", t.clone()), ("b", b)].into_iter().collect());
        }
    }
    all
}

fn within(table: &Table, region: &Region, facts: &Facts) -> bool {
    let scope = Scope::new(facts, &table.types);
    region.cells.iter().all(|cell| {
        let mut test = parse_test(&cell.test, &Names::new(["t", "b"])).unwrap();
        let at = usize::from(cell.input == "b");
        check_test(&mut test, &table.inputs[at].ty, &table.types).unwrap();
        meets(&test, facts.get(&cell.input).unwrap(), &scope) == Ok(Met::Yes)
    })
}

/// Whether a value is by a clock that some row names.
fn is_named(table: &Table, value: &Value) -> bool {
    let cells = table
        .rows
        .iter()
        .flat_map(|row| row.cells[0].test.operands());
    let mut constants = cells
        .filter_map(crate::sfeel::Node::literal)
        .filter(|c| **c != Value::Null)
        .peekable();
    constants.peek().is_none() || constants.any(|constant| constant.compare(value).is_some())
}

fn two() -> impl Strategy<Value = (bool, Vec<Row>, Vec<Row>)> {
    (any::<bool>(), 1..3_usize).prop_flat_map(|(any_clock, clocks)| {
        (
            Just(any_clock),
            rows(any_clock, clocks),
            rows(any_clock, clocks),
        )
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn findings_about_times_are_those_of_brute_force((any_clock, rows, other) in two()) {
        let unique = table(any_clock, &rows, "UNIQUE");
        let report = check(&unique, Options::default());
        prop_assert_eq!(&report.undecided, &[]);
        let all = all_facts(any_clock);
        let mut conflicts = BTreeSet::new();
        let gaps: Vec<_> = report.of(FindingKind::Gap).map(|f| &f.region).collect();
        for facts in &all {
            let hits = matching(&unique, facts);
            for (at, &a) in hits.iter().enumerate() {
                conflicts.extend(hits[at + 1..].iter().map(|&b| vec![a, b]));
            }
            let asked = facts.get("t").unwrap();
            if *asked != Value::Null && facts.get("b") != Some(&Value::Null) && is_named(&unique, asked) {
                let open = gaps.iter().filter(|region| within(&unique, region, facts)).count();
                prop_assert_eq!(open, usize::from(hits.is_empty()), "{:?}", facts);
            }
        }
        let found: BTreeSet<_> = report.of(FindingKind::Conflict).map(|f| f.rows.clone()).collect();
        prop_assert_eq!(found, conflicts);
        for finding in &report.findings {
            if let Some(witness) = &finding.witness {
                prop_assert!(within(&unique, &finding.region, witness), "{:?}", finding);
            }
        }

        let (before, after) = (table(any_clock, &rows, "COLLECT"), table(any_clock, &other, "COLLECT"));
        let found = difference(&before, &after);
        prop_assert_eq!(&found.undecided, &[]);
        for facts in &all {
            let [old, new] = [&before, &after].map(|table| given(table, &matching(table, facts), true));
            let told = found.changes.iter().filter(|c| within(&before, &c.region, facts)).count();
            prop_assert_eq!(told, usize::from(old != new), "{:?} in {:?}", facts, found.changes);
        }
    }

    #[test]
    fn rows_about_times_that_say_nothing_are_those_of_brute_force((any_clock, rows, _) in two()) {
        let first = table(any_clock, &rows, "FIRST");
        let report = check(&first, Options { gaps: false, ..Options::default() });
        let all: Vec<_> = all_facts(any_clock).iter().map(|facts| matching(&first, facts)).collect();
        for row in 0..rows.len() {
            let answers = all.iter().any(|hits| hits.first() == Some(&row));
            let dead = report.of(FindingKind::DeadRow).any(|f| f.rows == [row]);
            prop_assert_eq!(dead, !answers, "row {}", row);
            let needed = all.iter().filter(|hits| hits.first() == Some(&row)).any(|hits| {
                given(&first, hits, false) != given(&first, &hits[1..], false)
            });
            let redundant = report.of(FindingKind::RedundantRow).any(|f| f.rows == [row]);
            prop_assert_eq!(redundant, answers && !needed, "row {}", row);
        }
    }
}
