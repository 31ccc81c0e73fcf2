//! Tests against other facts, against brute force over all ways in which these can lie.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    Finding, FindingKind, Options, Region, check, difference,
    tests::{cases, given, read},
};
use crate::{
    Facts, HitPolicy, Outcome, Table, Value,
    evaluate::outcome_of,
    sfeel::{Met, Names, Scope, Test, calculate, check_test, meets, parse_test},
};

const POLICIES: [&str; 5] = ["UNIQUE", "FIRST", "ANY", "PRIORITY", "COLLECT"];
const FACTS: [&str; 3] = ["a", "b", "c"];

/// Tests of `a` and of `b`, and an output.
type SmallRow = (&'static str, &'static str, i32);

fn rows(most: usize) -> impl Strategy<Value = Vec<SmallRow>> {
    let of_a = prop::sample::select(vec![
        "-",
        "-",
        "< b",
        "<= b",
        "> b",
        ">= b",
        "b",
        "not(b)",
        "not(b, null)",
        "< b, > b",
        "not(< b)",
        "not(> b, c)",
        "[b..c]",
        "]b..c[",
        "[0..b]",
        "[b..b]",
        "< 1",
        ">= 1",
        "null",
        "not(null)",
        "c",
        "> c",
    ]);
    let of_b = prop::sample::select(vec![
        "-",
        "-",
        "-",
        "< a",
        ">= a",
        "a",
        "not(a)",
        "not(a, c)",
        "<= c",
        "> c",
        "1",
        "null",
        "b",
        "< b",
    ]);
    prop::collection::vec((of_a, of_b, 0..3_i32), 1..most)
}

fn text_of(rows: &[SmallRow], policy: &str) -> String {
    let mut text = format!(
        "name: t\nfacts: {{a: {{type: number}}, b: {{type: number}}, c: {{type: number}}}}\ninputs: [a, b]\n\
         outputs: [{{name: o, type: number, values: [2, 1, 0]}}]\nhit_policy: {policy}\nrows:\n"
    );
    for (at, (a, b, o)) in rows.iter().enumerate() {
        text += &format!("  - {{id: r{at}, when: {{a: '{a}', b: '{b}'}}, then: {{o: {o}}}}}\n");
    }
    text
}

/// Three values on every side of the constants, and null.
fn values() -> Vec<Value> {
    let number = |text: &str| Value::Number(text.parse().unwrap());
    let texts = [
        "-3", "-2", "-1", "0", "0.2", "0.4", "0.6", "1", "2", "3", "4",
    ];
    texts.map(number).into_iter().chain([Value::Null]).collect()
}

fn points() -> Vec<Facts> {
    let values = values();
    let mut points = Vec::new();
    for a in &values {
        for b in &values {
            points.extend(
                values
                    .iter()
                    .map(|c| Facts::from_iter(FACTS.into_iter().zip([a, b, c].map(Value::clone)))),
            );
        }
    }
    points
}

fn is_null(facts: &Facts, name: &str) -> bool {
    facts.get(name) == Some(&Value::Null)
}

fn matching(table: &Table, facts: &Facts) -> Vec<usize> {
    let scope = Scope::new(facts, &table.types);
    let met = |row: &&crate::table::Row| {
        row.cells.iter().zip(&table.inputs).all(|(cell, input)| {
            let value = calculate(&input.expression, &scope).unwrap().unwrap();
            meets(&cell.test, &value, &scope) == Ok(Met::Yes)
        })
    };
    let rows = table.rows.iter().enumerate();
    rows.filter(|(_, row)| met(row)).map(|(at, _)| at).collect()
}

/// The tests of a region, each with the place of its input among the facts.
fn tests_of(table: &Table, region: &Region) -> Vec<(usize, Test)> {
    let names = Names::new(table.types.keys().map(String::as_str));
    let test = |cell: &super::RegionCell| {
        let at = FACTS.iter().position(|name| *name == cell.input).unwrap();
        let mut test = parse_test(&cell.test, &names).expect(&cell.test);
        check_test(&mut test, &table.types[FACTS[at]], &table.types).expect(&cell.test);
        (at, test)
    };
    region.cells.iter().map(test).collect()
}

fn within(table: &Table, tests: &[(usize, Test)], facts: &Facts) -> bool {
    let scope = Scope::new(facts, &table.types);
    tests.iter().all(|(at, test)| {
        let value = facts.get(FACTS[*at]).unwrap();
        meets(test, value, &scope) == Ok(Met::Yes)
    })
}

fn shown(finding: &Finding) -> &Facts {
    finding.witness.as_ref().unwrap()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn findings_about_compared_facts_are_those_of_brute_force(
        rows in rows(6),
        policy in prop::sample::select(&POLICIES[..]),
    ) {
        let table = read(&text_of(&rows, policy));
        let report = check(&table, Options::default());
        prop_assert_eq!(&report.undecided, &[]);
        let points = points();
        let matched: Vec<Vec<usize>> = points.iter().map(|facts| matching(&table, facts)).collect();
        let hits: BTreeSet<&Vec<usize>> = matched.iter().collect();

        let mut conflicts = BTreeSet::new();
        for hits in &hits {
            for (at, &a) in hits.iter().enumerate() {
                for &b in &hits[at + 1..] {
                    let differ = table.rows[a].outputs != table.rows[b].outputs;
                    if policy == "UNIQUE" || policy == "ANY" && differ {
                        conflicts.insert(vec![a, b]);
                    }
                }
            }
        }
        let found: BTreeSet<Vec<usize>> = report.of(FindingKind::Conflict).map(|f| f.rows.clone()).collect();
        prop_assert_eq!(found, conflicts);

        let gaps: Vec<_> = report.of(FindingKind::Gap).map(|f| tests_of(&table, &f.region)).collect();
        for (facts, hits) in points.iter().zip(&matched) {
            if FACTS.iter().any(|name| is_null(facts, name)) {
                continue;
            }
            let in_gaps = gaps.iter().filter(|gap| within(&table, gap, facts)).count();
            prop_assert_eq!(in_gaps, usize::from(hits.is_empty()), "{:?}", facts);
        }
        for (at, name) in FACTS.into_iter().enumerate() {
            let open = points.iter().zip(&matched).any(|(facts, hits)| {
                (0..3).all(|other| is_null(facts, FACTS[other]) == (at == other)) && hits.is_empty()
            });
            let tested = table.facts().any(|(fact, _)| fact == name);
            let found = report.of(FindingKind::NullInput).any(|f| f.region.cells[0].input == name);
            prop_assert_eq!(found, open && tested, "null {}", name);
        }

        for row in 0..rows.len() {
            let possible = hits.iter().any(|hits| hits.contains(&row));
            let answers = hits.iter().any(|hits| {
                matches!(outcome_of(&table, hits), Outcome::Hits(rows) if rows.contains(&row))
            });
            let single = matches!(table.hit_policy(), HitPolicy::First | HitPolicy::Priority);
            let needed = hits.iter().filter(|hits| hits.contains(&row)).any(|hits| {
                let others: Vec<usize> = hits.iter().copied().filter(|&other| other != row).collect();
                given(&table, hits, policy == "COLLECT") != given(&table, &others, policy == "COLLECT")
            });
            let expected = match (possible, single && !answers, needed) {
                (false, ..) | (_, true, _) => Some(FindingKind::DeadRow),
                (.., false) => Some(FindingKind::RedundantRow),
                _ => None,
            };
            let found = report.findings.iter().find(|f| {
                matches!(f.kind, FindingKind::DeadRow | FindingKind::RedundantRow) && f.rows == [row]
            });
            prop_assert_eq!(found.map(|f| f.kind), expected, "row {}", row);
        }
        for finding in &report.findings {
            if finding.witness.is_some() {
                prop_assert!(within(&table, &tests_of(&table, &finding.region), shown(finding)));
            }
        }
    }

    #[test]
    fn differences_about_compared_facts_are_those_of_brute_force(
        old in rows(4),
        new in rows(4),
        policy in prop::sample::select(&POLICIES[..]),
    ) {
        let (before, after) = (read(&text_of(&old, policy)), read(&text_of(&new, policy)));
        let found = difference(&before, &after);
        prop_assert_eq!(&found.undecided, &[]);
        let regions: Vec<_> = found.changes.iter().map(|c| tests_of(&before, &c.region)).collect();
        for facts in points() {
            let unordered = policy == "COLLECT";
            let old = given(&before, &matching(&before, &facts), unordered);
            let new = given(&after, &matching(&after, &facts), unordered);
            let within = regions.iter().filter(|region| within(&before, region, &facts)).count();
            prop_assert_eq!(within, usize::from(old != new), "{:?}", facts);
        }
    }
}
