//! Unknown facts of every type, and cells that compare facts with each other: nothing that
//! can come about is left out.

use std::collections::BTreeSet;

use decision::{Facts, Outcome, Table, Value, evaluate, evaluate_joint, explain, json};
use proptest::prelude::*;

use super::table;

const FACTS: &str = "
facts:
  total: {type: money, currency: EUR}
  limit: {type: money, currency: EUR}
  cost: {type: money, currency: EUR}
  name: {type: string}
  kind: {type: string, values: [A, B, C]}
  day: {type: date}
  wait: {type: days and time duration}
";

fn cell(options: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        Just("-".to_owned()),
        prop::sample::select(options).prop_map(str::to_owned)
    ]
}

const TOTAL: &[&str] = &[
    "<= 10",
    "]10..20]",
    "> limit",
    "limit",
    "[cost..limit]",
    "not(< limit, 15)",
];
const SHARE: &[&str] = &["< 0.5", "[0.5..2]", "> 2"];
const DIFFERENCE: &[&str] = &["< 0", "[0..10]", "not(0)", "null"];
const NAME: &[&str] = &[
    "\"a\"",
    "< \"b\"",
    "[\"a\"..\"b\"]",
    "not(\"a\", \"b\")",
    "? = null or ? > \"a\"",
];
const KIND: &[&str] = &["\"A\"", "\"A\", \"B\"", "not(\"C\")"];
const DAY: &[&str] = &[
    "< date(\"2026-01-10\")",
    "[date(\"2026-01-10\")..date(\"2026-01-11\")]",
];
const WAIT: &[&str] = &["<= duration(\"PT1H\")", "duration(\"P1D\")", "null"];
const COMPARED: &[&str] = &["true", "false", "null"];

fn tables() -> impl Strategy<Value = Table> {
    let row = (
        cell(TOTAL),
        cell(SHARE),
        cell(DIFFERENCE),
        cell(NAME),
        cell(KIND),
        cell(DAY),
        cell(WAIT),
        cell(COMPARED),
    );
    let policy = prop::sample::select(vec!["FIRST", "UNIQUE", "COLLECT"]);
    (prop::collection::vec(row, 1..5), policy, any::<bool>()).prop_map(|(rows, policy, currency)| {
        let currency = if currency { ", total.currency" } else { "" };
        let mut text = format!(
            "name: m{FACTS}inputs: [total, total / limit, total - cost, name, kind, day, wait, limit > cost{currency}]\nhit_policy: {policy}\nrows:\n"
        );
        for (index, (total, share, difference, name, kind, day, wait, compared)) in rows.into_iter().enumerate() {
            text += &format!("  - id: r{index}\n    when: {{total: '{total}', total / limit: '{share}', total - cost: '{difference}', name: '{name}', kind: '{kind}', day: '{day}', wait: '{wait}', limit > cost: '{compared}'}}\n    then: {{y: {index}}}\n");
        }
        table(&text)
    })
}

/// Values of each fact: some of every class, and null.
const VALUES: [(&str, &[&str]); 7] = [
    ("total", &["5 EUR", "10 EUR", "15 EUR", "40 EUR", "null"]),
    ("limit", &["0 EUR", "10 EUR", "20 EUR", "null"]),
    ("cost", &["0 EUR", "15 EUR", "50 EUR", "null"]),
    ("name", &["", "a", "aa", "b", "c", "null"]),
    ("kind", &["A", "B", "C", "null"]),
    ("day", &["2026-01-09", "2026-01-10", "2026-01-12", "null"]),
    ("wait", &["PT30M", "PT2H", "P1D", "null"]),
];

fn value(text: &str) -> Value {
    if text == "null" {
        Value::Null
    } else {
        Value::from(text)
    }
}

/// For each fact, one of its values or unknown (at most three of them).
fn knowledge() -> impl Strategy<Value = (Facts, Vec<usize>)> {
    let picks = prop::collection::vec(any::<prop::sample::Index>(), VALUES.len());
    let unknown = prop::collection::btree_set(0..VALUES.len(), 0..=3);
    (picks, unknown).prop_map(|(picks, unknown)| {
        let known = VALUES
            .iter()
            .enumerate()
            .filter(|(index, _)| !unknown.contains(index));
        let facts =
            known.map(|(index, (name, values))| (*name, value(picks[index].get::<&str>(values))));
        (facts.collect(), unknown.iter().copied().collect())
    })
}

/// Whether some cell, and not one that everything meets, is met by the fact's null, however
/// the other unknown facts turn out that its column is about.
fn null_counts(tables: &[&Table], name: &str, known: &Facts, unknown: &[usize]) -> bool {
    let mut nulled = known.clone();
    nulled.insert(name, Value::Null);
    let others: Vec<usize> = unknown
        .iter()
        .copied()
        .filter(|&at| VALUES[at].0 != name)
        .collect();
    let mut ways = vec![nulled];
    for at in others {
        let (other, values) = VALUES[at];
        let set = |way: Facts, text: &&str| {
            let mut way = way;
            way.insert(other, value(text));
            way
        };
        ways = ways
            .into_iter()
            .flat_map(|way| {
                values
                    .iter()
                    .filter(|text| **text != "null")
                    .map(move |text| set(way.clone(), text))
            })
            .collect();
    }
    tables.iter().any(|table| {
        let about: Vec<usize> = (0..table.inputs().len())
            .filter(|&column| {
                let mut words = table.inputs()[column]
                    .key()
                    .split(|c: char| !c.is_alphabetic());
                words.any(|word| word == name)
            })
            .collect();
        let asked = explain(table, &Facts::new());
        ways.iter().any(|way| {
            let rows = explain(table, way);
            rows.iter().zip(&asked).any(|(row, asked)| {
                let met = |column| !row.failed.contains(column) && !row.unknown.contains(column);
                about
                    .iter()
                    .any(|column| asked.unknown.contains(column) && met(column))
            })
        })
    })
}

/// The combinations for every choice of the unknown facts where null counts.
fn with_nulls(tables: &[&Table], known: &Facts, unknown: &[usize]) -> BTreeSet<Vec<Outcome>> {
    let counts: Vec<bool> = unknown
        .iter()
        .map(|&at| null_counts(tables, VALUES[at].0, known, unknown))
        .collect();
    chosen(tables, known, unknown, &counts)
}

fn chosen(
    tables: &[&Table],
    known: &Facts,
    unknown: &[usize],
    nulls: &[bool],
) -> BTreeSet<Vec<Outcome>> {
    let (Some((&first, rest)), Some((&null, nulls))) = (unknown.split_first(), nulls.split_first())
    else {
        let settled = |table: &&Table| {
            let evaluation = evaluate(table, known);
            assert_eq!(evaluation.outcomes.len(), 1, "{known:?}");
            without_place(evaluation.outcomes[0].clone())
        };
        return BTreeSet::from([tables.iter().map(settled).collect()]);
    };
    let (name, values) = VALUES[first];
    let mut found = BTreeSet::new();
    for text in values.iter().filter(|text| null || **text != "null") {
        let mut facts = known.clone();
        facts.insert(name, value(text));
        found.extend(chosen(tables, &facts, rest, nulls));
    }
    found
}

/// A failure that is only foreseen knows less of its place.
fn without_place(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failed(mut failure) => {
            (failure.input, failure.row, failure.at) = (0, None, 0);
            failure.message.clear();
            Outcome::Failed(failure)
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(super::cases(256))]

    #[test]
    fn nothing_that_can_come_about_is_left_out(
        one in tables(),
        other in tables(),
        (known, unknown) in knowledge(),
    ) {
        let joint = evaluate_joint(&[&one, &other], &known);
        let found: BTreeSet<Vec<_>> = joint
            .combinations
            .iter()
            .map(|combination| combination.iter().cloned().map(without_place).collect())
            .collect();
        let never_null = vec![false; unknown.len()];
        for possible in chosen(&[&one, &other], &known, &unknown, &never_null) {
            prop_assert!(found.contains(&possible), "{:?} of {:?} with {:?} in {} {}", possible, found, known, one.canonical(), other.canonical());
        }
        // A division by zero counts as failing though null divided by zero would be null.
        let stands_for = |found: &Vec<Outcome>, possible: &Vec<Outcome>| {
            found.iter().zip(possible).all(|(a, b)| a == b || matches!(a, Outcome::Failed(_)))
        };
        for possible in with_nulls(&[&one, &other], &known, &unknown) {
            prop_assert!(found.iter().any(|found| stands_for(found, &possible)), "{:?} of {:?} with {:?} in {} {}", possible, found, known, one.canonical(), other.canonical());
        }
        let names: BTreeSet<_> = unknown.iter().map(|&index| VALUES[index].0).collect();
        for name in &joint.unknown {
            prop_assert!(names.contains(name.as_str()), "{}", name);
        }
    }

    #[test]
    fn facts_survive_json(text in "[a-z]{0,4}", number in any::<i32>()) {
        let value = json::parse(&format!("{{\"{text}\": {number}}}")).expect("json");
        prop_assert_eq!(json::parse(&json::write(&value)), Ok(value));
    }
}
