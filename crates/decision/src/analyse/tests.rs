//! The analysis against brute force over small domains.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{FindingKind, Options, Region, check, difference};
use crate::{
    Facts, HitPolicy, Outcome, Output, Schema, Table, Value, evaluate,
    sfeel::{Met, Names, Scope, calculate, check_test, meets, parse_test},
};

/// The policies, with the outputs that they need.
const POLICIES: [&str; 11] = [
    "UNIQUE",
    "ANY",
    "FIRST",
    "PRIORITY",
    "RULE_ORDER",
    "OUTPUT_ORDER",
    "COLLECT",
    "COLLECT SUM",
    "COLLECT MIN",
    "COLLECT MAX",
    "COLLECT COUNT",
];

/// A row of a small table: tests of a number, a text, an enumeration and a truth, and an output.
type SmallRow = (String, String, String, String, i32);

pub(super) fn number_test() -> impl Strategy<Value = String> {
    let bound = || 0..3_i32;
    prop_oneof![
        3 => Just("-".to_owned()),
        2 => bound().prop_map(|n| format!("<= {n}")),
        2 => bound().prop_map(|n| format!("> {n}")),
        1 => bound().prop_map(|n| format!("{n}")),
        1 => bound().prop_map(|n| format!("not({n})")),
        1 => Just("null".to_owned()),
        1 => Just("not(null)".to_owned()),
        2 => (bound(), 1..2_i32).prop_map(|(n, w)| format!("[{n}..{}[", n + w)),
        1 => (bound(), 1..2_i32).prop_map(|(n, w)| format!("]{n}..{}]", n + w)),
        1 => (bound(), bound()).prop_map(|(a, b)| format!("< {a}, > {b}")),
    ]
}

fn pick(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

fn small_rows(most: usize) -> impl Strategy<Value = Vec<SmallRow>> {
    let text = pick(&[
        "-",
        "-",
        "\"a\"",
        "\"b\"",
        "\"a\", \"b\"",
        "not(\"a\")",
        "not(\"a\", null)",
        "null",
    ]);
    let listed = pick(&["-", "-", "\"x\"", "\"y\"", "not(\"x\")"]);
    let truth = pick(&["-", "-", "-", "true", "false"]);
    prop::collection::vec((number_test(), text, listed, truth, 0..3_i32), 1..most)
}

fn text_of(rows: &[SmallRow], policy: &str, default: Option<i32>) -> String {
    let (policy, aggregation) = policy.split_once(' ').unwrap_or((policy, ""));
    let mut text = format!(
        "name: t\ninputs:\n  - {{expression: n, type: number}}\n  - {{expression: t, type: string}}\n  \
         - {{expression: l, type: string, values: [x, y]}}\n  - {{expression: b, type: boolean}}\n\
         outputs: [{{name: o, type: number, values: [2, 1, 0]}}]\nhit_policy: {policy}\n"
    );
    if !aggregation.is_empty() {
        text += &format!("aggregation: {aggregation}\n");
    }
    if let Some(default) = default {
        text += &format!("default: {{o: {default}}}\n");
    }
    text += "rows:\n";
    for (at, (n, t, l, b, o)) in rows.iter().enumerate() {
        text += &format!(
            "  - {{id: r{at}, when: {{n: '{n}', t: '{t}', l: '{l}', b: '{b}'}}, then: {{o: {o}}}}}\n"
        );
    }
    text
}

pub(super) fn read(text: &str) -> Table {
    let none = |name: &str| Err(format!("no file {name}"));
    match Table::from_yaml(text, &Schema::open(), &none) {
        Ok(table) => table,
        Err(problems) => panic!("{problems:?} in {text}"),
    }
}

/// The values of each input that small tables tell apart, and some that they don't; null last.
fn values() -> [Vec<Value>; 4] {
    let half = |n: i32| Value::Number(format!("{}.{}", n / 2, n % 2 * 5).parse().unwrap());
    let with_null = |mut values: Vec<Value>| {
        values.push(Value::Null);
        values
    };
    [
        with_null(
            (0..10)
                .map(half)
                .chain([Value::Number((-1_i32).into())])
                .collect(),
        ),
        with_null(["a", "b", "c"].map(Value::from).to_vec()),
        with_null(["x", "y"].map(Value::from).to_vec()),
        with_null([true, false].map(Value::from).to_vec()),
    ]
}

const INPUTS: [&str; 4] = ["n", "t", "l", "b"];

/// A point by the places of its values.
type Point = [usize; 4];

fn points(null: bool) -> Vec<Point> {
    let counts = values().map(|values| values.len() - usize::from(!null));
    let mut points = Vec::new();
    for n in 0..counts[0] {
        for t in 0..counts[1] {
            for l in 0..counts[2] {
                points.extend((0..counts[3]).map(|b| [n, t, l, b]));
            }
        }
    }
    points
}

/// Which values of each input meet a test each.
type Mask = [Vec<bool>; 4];

fn mask(table: &Table, test: impl Fn(usize) -> crate::sfeel::Test) -> Mask {
    let facts = Facts::new();
    let scope = Scope::new(&facts, &table.types);
    let values = values();
    std::array::from_fn(|input| {
        let test = test(input);
        values[input]
            .iter()
            .map(|value| meets(&test, value, &scope) == Ok(Met::Yes))
            .collect()
    })
}

fn covers(mask: &Mask, point: &Point) -> bool {
    (0..4).all(|input| mask[input][point[input]])
}

fn row_masks(table: &Table) -> Vec<Mask> {
    table
        .rows
        .iter()
        .map(|row| mask(table, |input| row.cells[input].test.clone()))
        .collect()
}

fn matching(rows: &[Mask], point: &Point) -> Vec<usize> {
    (0..rows.len())
        .filter(|&row| covers(&rows[row], point))
        .collect()
}

/// A region, going by its texts.
fn region_mask(table: &Table, region: &Region) -> Mask {
    let names = Names::new(table.types.keys().map(String::as_str));
    mask(table, |input| {
        let mut cells = region
            .cells
            .iter()
            .filter(|cell| cell.input == INPUTS[input]);
        let Some(cell) = cells.next() else {
            return crate::sfeel::Test::Any;
        };
        let mut test = parse_test(&cell.test, &names).expect(&cell.test);
        check_test(&mut test, &table.inputs[input].ty, &table.types).expect(&cell.test);
        test
    })
}

/// Whether a witness lies in a region.
fn lies_in(table: &Table, region: &Region, witness: &Facts) -> bool {
    let names = Names::new(table.types.keys().map(String::as_str));
    let scope = Scope::new(witness, &table.types);
    region.cells.iter().all(|cell| {
        let input = table
            .inputs
            .iter()
            .find(|input| input.expression.to_string() == cell.input)
            .unwrap();
        let mut test = parse_test(&cell.test, &names).expect(&cell.test);
        check_test(&mut test, &input.ty, &table.types).expect(&cell.test);
        let value = calculate(&input.expression, &scope).unwrap().unwrap();
        meets(&test, &value, &scope) == Ok(Met::Yes)
    })
}

/// The outputs where exactly these rows match, so that they compare as answers.
pub(super) fn given(table: &Table, rows: &[usize], unordered: bool) -> Output {
    match table.output(&crate::evaluate::outcome_of(table, rows)) {
        Output::Conflict(_) => Output::Conflict(Vec::new()),
        Output::Many(mut all) if unordered => {
            all.sort_by_key(|outputs| outputs.values().next().and_then(Value::as_number));
            Output::Many(all)
        }
        output => output,
    }
}

fn is_unordered(table: &Table) -> bool {
    table.hit_policy() == HitPolicy::Collect(None)
}

pub(super) fn cases() -> ProptestConfig {
    let set = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: set.unwrap_or(100),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn findings_are_those_of_brute_force(
        rows in small_rows(7),
        policy in prop::sample::select(&POLICIES[..]),
        default in prop::option::weighted(0.2, 0..3_i32),
    ) {
        let table = read(&text_of(&rows, policy, default));
        let report = check(&table, Options::default());
        prop_assert_eq!(&report.undecided, &[]);
        let masks = row_masks(&table);
        let hits: BTreeSet<Vec<usize>> = points(true).iter().map(|point| matching(&masks, point)).collect();

        let found: BTreeSet<Vec<usize>> = report.of(FindingKind::Conflict).map(|f| f.rows.clone()).collect();
        let mut conflicts = BTreeSet::new();
        if matches!(table.hit_policy(), HitPolicy::Unique | HitPolicy::Any) {
            for hits in &hits {
                for (at, &a) in hits.iter().enumerate() {
                    for &b in &hits[at + 1..] {
                        let differ = table.rows[a].outputs != table.rows[b].outputs;
                        if differ || table.hit_policy() == HitPolicy::Unique {
                            conflicts.insert(vec![a, b]);
                        }
                    }
                }
            }
        }
        prop_assert_eq!(found, conflicts);

        let gaps: Vec<Mask> = report.of(FindingKind::Gap).map(|f| region_mask(&table, &f.region)).collect();
        for point in points(false) {
            let open = matching(&masks, &point).is_empty() && default.is_none();
            let in_gaps = gaps.iter().filter(|gap| covers(gap, &point)).count();
            prop_assert_eq!(in_gaps, usize::from(open), "{:?}", point);
        }

        let kinds = |row: usize| {
            let possible = hits.iter().any(|hits| hits.contains(&row));
            let answers = hits.iter().any(|hits| {
                let outcome = crate::evaluate::outcome_of(&table, hits);
                matches!(outcome, Outcome::Hits(rows) if rows.contains(&row))
            });
            let single = matches!(table.hit_policy(), HitPolicy::First | HitPolicy::Priority);
            let needed = hits.iter().filter(|hits| hits.contains(&row)).any(|hits| {
                let others: Vec<usize> = hits.iter().copied().filter(|&other| other != row).collect();
                let unordered = is_unordered(&table);
                given(&table, hits, unordered) != given(&table, &others, unordered)
            });
            match (possible, single && !answers, needed) {
                (false, ..) | (_, true, _) => Some(FindingKind::DeadRow),
                (.., false) => Some(FindingKind::RedundantRow),
                _ => None,
            }
        };
        for row in 0..rows.len() {
            let found = report.findings.iter().find(|f| {
                matches!(f.kind, FindingKind::DeadRow | FindingKind::RedundantRow) && f.rows == [row]
            });
            prop_assert_eq!(found.map(|f| f.kind), kinds(row), "row {}", row);
        }
        for finding in &report.findings {
            if let Some(witness) = &finding.witness {
                prop_assert!(lies_in(&table, &finding.region, witness));
            }
        }
    }

    #[test]
    fn a_null_is_reported_where_it_leaves_a_gap(rows in small_rows(5)) {
        let table = read(&text_of(&rows, "FIRST", None));
        let report = check(&table, Options::default());
        let (masks, values) = (row_masks(&table), values());
        for (input, name) in INPUTS.into_iter().enumerate() {
            let open = points(true).into_iter().any(|point| {
                let null = |input: usize| values[input][point[input]] == Value::Null;
                (0..4).all(|other| null(other) == (other == input)) && matching(&masks, &point).is_empty()
            });
            let found = report.of(FindingKind::NullInput).any(|f| f.region.cells[0].input == name);
            prop_assert_eq!(found, open, "input {}", input);
        }
    }

    #[test]
    fn a_row_for_each_gap_closes_the_table(rows in small_rows(5)) {
        let mut rows = rows;
        let table = read(&text_of(&rows, "FIRST", None));
        for gap in check(&table, Options::default()).of(FindingKind::Gap) {
            let cells: BTreeMap<&str, &str> = gap.region.cells.iter().map(|c| (c.input.as_str(), c.test.as_str())).collect();
            let cell = |name: &str| cells.get(name).copied().unwrap_or("-").to_owned();
            rows.push((cell("n"), cell("t"), cell("l"), cell("b"), 0));
        }
        let closed = read(&text_of(&rows, "FIRST", None));
        let report = check(&closed, Options::default());
        prop_assert_eq!(report.of(FindingKind::Gap).count(), 0);
    }

    #[test]
    fn differences_of_all_that_matches_are_those_of_brute_force(
        old in small_rows(16),
        new in small_rows(16),
    ) {
        let (before, after) = (read(&text_of(&old, "COLLECT", None)), read(&text_of(&new, "COLLECT", None)));
        let found = difference(&before, &after);
        prop_assert_eq!(&found.undecided, &[]);
        let (old_masks, new_masks) = (row_masks(&before), row_masks(&after));
        let regions: Vec<Mask> = found.changes.iter().map(|c| region_mask(&before, &c.region)).collect();
        for point in points(true) {
            let old = given(&before, &matching(&old_masks, &point), true);
            let new = given(&after, &matching(&new_masks, &point), true);
            let within = regions.iter().filter(|region| covers(region, &point)).count();
            prop_assert_eq!(within, usize::from(old != new), "{:?}", point);
        }
    }

    #[test]
    fn differences_are_those_of_brute_force(
        old in small_rows(6),
        more in small_rows(4),
        keep in prop::collection::vec(any::<bool>(), 6),
        policies in (prop::sample::select(&POLICIES[..]), prop::option::weighted(0.2, prop::sample::select(&POLICIES[..]))),
        defaults in (prop::option::weighted(0.2, 0..3_i32), any::<bool>()),
    ) {
        let kept = old.iter().zip(keep).filter(|(_, keep)| *keep).map(|(row, _)| row.clone());
        let rows: Vec<SmallRow> = kept.chain(more).collect();
        let before = read(&text_of(&old, policies.0, defaults.0));
        let default = defaults.0.filter(|_| defaults.1);
        let after = read(&text_of(&rows, policies.1.unwrap_or(policies.0), default));
        let found = difference(&before, &after);
        prop_assert_eq!(&found.undecided, &[]);
        let unordered = is_unordered(&before) && is_unordered(&after);
        let (old_masks, new_masks) = (row_masks(&before), row_masks(&after));
        let regions: Vec<Mask> = found.changes.iter().map(|c| region_mask(&before, &c.region)).collect();
        for point in points(true) {
            let old = given(&before, &matching(&old_masks, &point), unordered);
            let new = given(&after, &matching(&new_masks, &point), unordered);
            let within = regions.iter().filter(|region| covers(region, &point)).count();
            prop_assert_eq!(within, usize::from(old != new), "{:?}", point);
        }
        for change in &found.changes {
            prop_assert!(lies_in(&before, &change.region, &change.witness));
            let outcome = |table: &Table| evaluate(table, &change.witness).outcomes;
            prop_assert_eq!(outcome(&before).len(), 1);
            prop_assert_eq!(outcome(&after).len(), 1);
        }
    }
}
