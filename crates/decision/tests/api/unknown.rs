//! Unknown facts: evaluation agrees with trying out every way they could turn out.

use std::collections::BTreeSet;

use decision::{
    Facts, Number, Outcome, Table, Value, evaluate, evaluate_beside, evaluate_joint, explain,
};
use proptest::prelude::*;

use super::{evaluation::CREDIT, facts, ids, table};

#[test]
fn the_outcomes_that_stay_possible() {
    let credit = table(CREDIT);
    let possible = |text: &str| {
        let evaluation = evaluate(&credit, &facts(text));
        let rows: Vec<_> = evaluation
            .outcomes
            .iter()
            .map(|o| ids(&credit, o).join("+"))
            .collect();
        (rows.join(" "), evaluation.unknown.join(" "))
    };
    assert_eq!(
        possible(r#"{"order.total": "5 EUR"}"#),
        ("small overdue".into(), "customer.days_overdue".into())
    );
    assert_eq!(
        possible(r#"{"order.total": "200000 EUR"}"#),
        ("large".into(), String::new())
    );
    assert_eq!(
        possible(r#"{"customer.days_overdue": 40}"#),
        ("overdue large".into(), "order.total".into())
    );
    assert_eq!(possible("{}").0, "small medium overdue large");
}

#[test]
fn an_unknown_fact_turns_out_alike_in_every_table() {
    let one = table(
        "name: a\ninputs: [{expression: x, type: boolean}]\nrows:\n  - {id: yes, when: {x: 'true'}, then: {y: 1}}\n",
    );
    let other = table(
        "name: b\ninputs: [{expression: x, type: boolean}]\nrows:\n  - {id: no, when: {x: 'false'}, then: {y: 1}}\n",
    );
    let joint = evaluate_joint(&[&one, &other], &Facts::new());
    let hit = |row: usize| Outcome::Hits(vec![row]);
    assert_eq!(
        joint.combinations,
        [vec![Outcome::NoHit, hit(0)], vec![hit(0), Outcome::NoHit]]
    );
    assert_eq!((joint.unknown, joint.exact), (vec!["x".to_owned()], true));
}

#[test]
fn null_counts_where_a_cell_is_met_by_it() {
    let outcomes = |input: &str, cells: [&str; 2]| {
        let [first, second] = cells;
        let text = format!(
            "name: t\nfacts: {{x: {{type: number}}, y: {{type: number}}}}\ninputs: ['{input}']\nhit_policy: FIRST\nrows:\n  \
             - {{id: r0, when: {{'{input}': '{first}'}}, then: {{z: 0}}}}\n  \
             - {{id: r1, when: {{'{input}': '{second}'}}, then: {{z: 1}}}}\n"
        );
        let mut found: Vec<_> = evaluate(&table(&text), &Facts::new())
            .outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Hits(rows) => rows[0].to_string(),
                Outcome::NoHit => "-".to_owned(),
                other => format!("{other:?}"),
            })
            .collect();
        found.sort();
        found.join(" ")
    };
    // No cell speaks of null: the fact counts as one that has a value.
    assert_eq!(outcomes("x", ["<= 5", "> 5"]), "0 1");
    assert_eq!(outcomes("x", ["<= 5", "not(null)"]), "0 1");
    assert_eq!(outcomes("x + 1", ["<= 5", "> 5"]), "0 1");
    assert_eq!(outcomes("x + y", ["<= 5", "> 5"]), "0 1");
    assert_eq!(outcomes("x", ["> y", "<= y"]), "- 0 1");
    // Null meets one of them, or what comes of it does.
    assert_eq!(outcomes("x", ["null", "<= 5"]), "- 0 1");
    assert_eq!(outcomes("x", ["not(5)", "5"]), "0 1");
    assert_eq!(outcomes("x", ["!= 5", "-"]), "0 1");
    assert_eq!(outcomes("x", ["? = null", "-"]), "0 1");
    assert_eq!(outcomes("x", ["? > 5 or ? = null", "<= 5"]), "- 0 1");
    assert_eq!(outcomes("x + 1", ["null", "-"]), "0 1");
    assert_eq!(outcomes("x = null", ["true", "false"]), "0 1");
    assert_eq!(outcomes("if x = null then 0 else x", ["0", "-"]), "0 1");
}

#[test]
fn null_counts_in_all_tables_decided_together() {
    let of = |name: &str, cell: &str| {
        table(&format!(
            "name: {name}\nfacts: {{x: {{type: number}}}}\ninputs: [x]\nhit_policy: FIRST\nrows:\n  - {{id: r, when: {{x: '{cell}'}}, then: {{y: 1}}}}\n"
        ))
    };
    let (any, null) = (of("a", ">= 0, < 0"), of("b", "null"));
    assert_eq!(evaluate(&any, &Facts::new()).outcomes.len(), 1);
    let joint = evaluate_joint(&[&any, &null], &Facts::new());
    let hit = Outcome::Hits(vec![0]);
    assert_eq!(
        joint.combinations,
        [vec![Outcome::NoHit, hit.clone()], vec![hit, Outcome::NoHit]]
    );
    let alone = evaluate_beside(&any, &[&any, &null], &Facts::new());
    assert_eq!(
        (alone.outcomes.len(), alone.unknown),
        (2, vec!["x".to_owned()])
    );
}

#[test]
fn too_many_ways_are_answered_conservatively() {
    let columns = 40;
    let inputs: Vec<_> = (0..columns)
        .map(|c| format!("{{expression: x{c}, type: number}}"))
        .collect();
    let row = |r: usize| {
        let cells: Vec<_> = (0..columns)
            .map(|c| format!("x{c}: '> {}'", (r * 7 + c * 3) % 50))
            .collect();
        format!(
            "  - {{id: r{r}, when: {{{}}}, then: {{y: 1}}}}\n",
            cells.join(", ")
        )
    };
    let rows: String = (0..40).map(row).collect();
    let wide = table(&format!(
        "name: w\ninputs: [{}]\nhit_policy: FIRST\nrows:\n{rows}",
        inputs.join(", ")
    ));
    let evaluation = evaluate(&wide, &Facts::new());
    assert!(!evaluation.exact);
    assert_eq!(evaluation.outcomes.len(), 41);
    assert_eq!(evaluation.unknown.len(), columns);
}

/// A cell over numbers from 0 to 6.
fn cell() -> impl Strategy<Value = String> {
    let n = || 0..6_i32;
    prop_oneof![
        4 => Just("-".to_owned()),
        1 => n().prop_map(|a| format!("< {a}")),
        1 => n().prop_map(|a| format!(">= {a}")),
        1 => n().prop_map(|a| format!("{a}")),
        1 => (n(), n()).prop_map(|(a, b)| format!("not({a}, {b})")),
        1 => prop::sample::select(vec!["null", "not(null)", "1, null", "!= 2"]).prop_map(str::to_owned),
        1 => (n(), 1..4_i32, any::<bool>(), any::<bool>()).prop_map(|(a, w, lo, hi)| {
            format!("{}{a}..{}{}", if lo { '[' } else { ']' }, a + w, if hi { ']' } else { '[' })
        }),
    ]
}

fn tables() -> impl Strategy<Value = Table> {
    let rows = prop::collection::vec((cell(), cell(), 0..5_usize, 0..3_i32), 0..6);
    let policies = [
        "UNIQUE",
        "ANY",
        "FIRST",
        "PRIORITY",
        "RULE_ORDER",
        "OUTPUT_ORDER",
        "COLLECT",
    ];
    (rows, prop::sample::select(policies.to_vec())).prop_map(|(rows, policy)| {
        let mut text = format!(
            "name: t\ninputs: [{{expression: a, type: number}}, {{expression: b, type: number}}, {{expression: c, type: boolean}}]\noutputs: [{{name: y, type: number, values: [2, 1, 0]}}]\nhit_policy: {policy}\nrows:\n"
        );
        for (index, (a, b, c, y)) in rows.iter().enumerate() {
            let c = ["-", "true", "false", "-", "null"][*c];
            text += &format!("  - {{id: r{index}, when: {{a: '{a}', b: '{b}', c: '{c}'}}, then: {{y: {y}}}}}\n");
        }
        if rows.is_empty() {
            text = text.replace("rows:\n", "rows: []\n");
        }
        table(&text)
    })
}

/// Every half between -0.5 and 8.5: at least one value of each class that cells make.
fn numbers() -> impl Iterator<Item = Value> {
    (-1..=17).map(|twice| {
        let half = Number::from(twice).checked_div(Number::from(2)).unwrap();
        Value::Number(half)
    })
}

/// Whether some cell of a fact's columns is met by its null, and not by everything.
fn null_counts(tables: &[&Table], name: &str) -> bool {
    let null: Facts = [(name, Value::Null)].into_iter().collect();
    tables.iter().any(|table| {
        let inputs = table.inputs().iter();
        let column = inputs
            .map(decision::Input::key)
            .position(|key| key == name)
            .unwrap();
        let (nulled, asked) = (explain(table, &null), explain(table, &Facts::new()));
        nulled
            .iter()
            .zip(&asked)
            .any(|(row, asked)| asked.unknown.contains(&column) && !row.failed.contains(&column))
    })
}

fn brute_force(tables: &[&Table], known: &Facts) -> BTreeSet<Vec<Outcome>> {
    let choices = |name: &str, all: Vec<Value>| match known.get(name) {
        Some(value) => vec![value.clone()],
        None if null_counts(tables, name) => all.into_iter().chain([Value::Null]).collect(),
        None => all,
    };
    let booleans = vec![Value::Boolean(false), Value::Boolean(true)];
    let mut found = BTreeSet::new();
    for a in choices("a", numbers().collect()) {
        for b in choices("b", numbers().collect()) {
            for c in choices("c", booleans.clone()) {
                let facts: Facts = [("a", a.clone()), ("b", b.clone()), ("c", c)]
                    .into_iter()
                    .collect();
                let settled = tables.iter().map(|table| {
                    let evaluation = evaluate(table, &facts);
                    assert!(evaluation.exact && evaluation.outcomes.len() == 1);
                    evaluation.outcomes[0].clone()
                });
                found.insert(settled.collect());
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(super::cases(96))]

    #[test]
    fn evaluation_agrees_with_brute_force(
        one in tables(),
        other in tables(),
        a in prop::option::of(-2..20_i32),
        b in prop::option::of(-2..20_i32),
        c in prop::option::of(any::<bool>()),
    ) {
        let mut known = Facts::new();
        let half = |n: i32| Value::Number(Number::from(n).checked_div(Number::from(2)).unwrap());
        a.map(|a| known.insert("a", half(a)));
        b.map(|b| known.insert("b", half(b)));
        c.map(|c| known.insert("c", c));
        let joint = evaluate_joint(&[&one, &other], &known);
        prop_assert!(joint.exact);
        let found: BTreeSet<_> = joint.combinations.iter().cloned().collect();
        prop_assert_eq!(found.len(), joint.combinations.len());
        prop_assert_eq!(&found, &brute_force(&[&one, &other], &known));
        prop_assert_eq!(joint.unknown.is_empty(), found.len() == 1);
        let alone: BTreeSet<_> = evaluate(&one, &known).outcomes.into_iter().collect();
        prop_assert_eq!(alone, brute_force(&[&one], &known).into_iter().map(|mut only| only.swap_remove(0)).collect());
        let beside: BTreeSet<_> = evaluate_beside(&one, &[&one, &other], &known).outcomes.into_iter().collect();
        let first: BTreeSet<_> = found.into_iter().map(|mut both| both.swap_remove(0)).collect();
        prop_assert_eq!(beside, first);
    }
}
