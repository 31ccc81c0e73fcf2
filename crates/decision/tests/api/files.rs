//! The file form: what is read, and what is refused where.

use std::collections::BTreeMap;

use decision::{OutputColumn, Schema, Table, Type, Value, json, yaml};
use proptest::prelude::*;

use super::{evaluation::CREDIT, read, table};

const HEAD: &str = "name: t\ninputs: [{expression: x, type: number}, {expression: s, type: string, values: [A, B]}]\n";

fn rows(rows: &str) -> String {
    format!("{HEAD}rows:\n{rows}")
}

fn problem(text: &str) -> String {
    read(text).unwrap_err()
}

#[test]
fn problems_name_line_column_and_cell() {
    let cell = |cell: &str| {
        problem(&rows(&format!(
            "  - id: a\n    when:\n      x: {cell}\n    then: {{y: 1}}\n"
        )))
    };
    assert_eq!(
        cell("'<= '"),
        "6:14: row a, x: found the end, expected a value"
    );
    assert_eq!(
        cell("'[1..5'"),
        "6:16: row a, x: found the end, expected the closing bracket of the interval"
    );
    assert_eq!(
        cell("'[5..1]'"),
        "6:12: row a, x: no value lies between 5 and 1 as this interval asks"
    );
    assert_eq!(
        cell("'< \"a\"'"),
        "6:13: row a, x: found string `a`, but the input is number"
    );
    assert_eq!(cell("'1 / 0'"), "6:11: row a, x: division by zero");
    assert_eq!(
        cell("'> 9E6144 * 10'"),
        "6:13: row a, x: the result is too large for decimal128"
    );
    assert!(cell(&format!("'{}'", "1".repeat(35))).contains("35 significant digits"));
    assert_eq!(cell("'> null'"), "6:13: row a, x: null has no order");
    assert_eq!(
        cell("'> z'"),
        "6:13: row a, x: `z` is no fact that is declared here"
    );
    assert!(
        cell("[1, 2]").starts_with("6:10: row a, x: found a sequence, expected an S-FEEL test")
    );
    assert!(cell("''").contains("found nothing, expected an S-FEEL test"));
    assert!(cell(&format!("'{}'", "(".repeat(200))).contains("nests deeper than 64"));
    assert!(cell(&format!("'{}'", "1+".repeat(500))).contains("more than 256 operators"));
}

#[test]
fn shapes_are_checked_and_all_problems_reported() {
    assert_eq!(
        problem(&rows("  - {id: a, when: {z: '1'}, then: {y: 1}}\n")),
        "4:20: row a: unknown input `z`, expected one of x, s"
    );
    assert_eq!(
        problem(&rows("  - {id: a, when: {s: '\"C\"'}, then: {y: 1}}\n")),
        "4:24: row a, s: found string `C`, expected string of A, B"
    );
    assert_eq!(
        problem(&rows("  - {id: a, whenn: {}, then: {y: 1}}\n")),
        "4:13: unknown key `whenn`, expected one of id, when, compute, then, description, annotations"
    );
    assert_eq!(
        problem(&rows(
            "  - {id: a, then: {y: 1}}\n  - {id: a, then: {y: 2}}\n"
        )),
        "5:5: row id `a` stands twice"
    );
    assert_eq!(
        problem(&rows(
            "  - {then: {y: 1}}\n  - {id: 'a b', then: {y: 1}}\n  - {id: c}\n"
        ))
        .lines()
        .count(),
        3
    );
    assert_eq!(
        problem(&format!("{HEAD}hit: UNIQUE\nrows: []\n")),
        "3:1: unknown key `hit`, expected one of kind, description, name, facts, aggregation, hit_policy, inputs, outputs, default, annotations, rows, rows_csv"
    );
    assert!(problem(HEAD).contains("key `rows` is missing"));
    assert!(problem("").contains("found nothing, expected a table"));
    assert!(problem("[1]").contains("expected a mapping"));
    assert!(
        problem("name: t\ninputs: [{expression: x, type: numbr}]\nrows: []")
            .contains("2:32: unknown type `numbr`")
    );
}

#[test]
fn outputs_are_checked_where_declared() {
    let declared = |row: &str| {
        format!(
            "{HEAD}outputs: [{{name: queue, type: string, values: [credit, stock]}}, {{name: n, type: number, optional: true}}]\nrows:\n  - {{id: a, then: {row}}}\n"
        )
    };
    let good = table(&declared("{queue: credit, n: 0.10}"));
    assert_eq!(good.rows()[0].outputs()["n"].to_string(), "0.10");
    assert!(
        problem(&declared("{queue: other}"))
            .contains("5:27: row a, queue: found string `other`, expected string of credit, stock"),
        "{}",
        problem(&declared("{queue: other}"))
    );
    assert!(problem(&declared("{n: 1}")).contains("row a: output `queue` is missing"));
    assert!(
        problem(&declared("{queue: credit, z: 1}"))
            .contains("unknown output `z`, expected one of queue, n")
    );
    assert!(
        problem(&declared("{queue: credit, n: many}"))
            .contains("found string `many`, expected number")
    );
}

/// The schema of a policy: facts and outputs from outside, other keys in the file.
fn policy_schema() -> Schema {
    let column = |name: &str, ty: Type, required: bool| OutputColumn {
        name: name.into(),
        ty,
        values: Vec::new(),
        required,
    };
    Schema {
        facts: BTreeMap::from([
            (
                "order.total".into(),
                Type::Money {
                    currency: Some("EUR".into()),
                },
            ),
            ("item.regulated".into(), Type::Boolean),
        ]),
        outputs: Some(vec![
            column(
                "effect",
                Type::String {
                    values: vec!["ALLOW".into(), "DENY".into()],
                },
                true,
            ),
            column("approvals", Type::List(Box::new(Type::Context)), false),
            column("reason", Type::string(), false),
        ]),
        open: false,
    }
}

#[test]
fn a_table_can_stand_among_other_keys() {
    let text = "kind: Policy\nname: p\nscope: acme\ninputs: [order.total, item.regulated]\nrows:\n  - id: a\n    when: {item.regulated: 'true'}\n    then: {effect: DENY, approvals: [{role: x, count: 1}], reason: no: thing}\n";
    let text = text.replace("no: thing", "42");
    let nodes = yaml::parse(&text).unwrap();
    let mut fields = yaml::Fields::new(&nodes[0]).unwrap();
    let policy =
        Table::from_fields("p", &mut fields, &policy_schema(), &|_| Err("none".into())).unwrap();
    assert_eq!(policy.rows()[0].outputs()["reason"], Value::from("42"));
    assert_eq!(
        policy.facts().map(|(name, _)| name).collect::<Vec<_>>(),
        ["item.regulated", "order.total"]
    );
    let mut problems = Vec::new();
    for key in ["kind", "name"] {
        fields.take(key);
    }
    fields.finish(&mut problems);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .to_string()
            .starts_with("3:1: unknown key `scope`")
    );
}

#[test]
fn rows_come_from_a_csv_beside_the_file() {
    let yaml = "name: t\nfacts: {total: {type: money, currency: EUR}, kind: {type: string}}\ninputs: [total, kind]\nrows_csv: matrix.csv\n";
    let load = |csv: &'static str| {
        Table::from_yaml(yaml, &Schema::open(), &move |name| {
            assert_eq!(name, "matrix.csv");
            Ok(csv.to_owned())
        })
        .map_err(|problems| {
            problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        })
    };
    let good = load("id,total,kind,effect,approvals\nsmall,<= 100,,ALLOW,\nlarge,> 100,\"\"\"A\"\", \"\"B\"\"\",REQUIRE_APPROVAL,\"[{role: boss, count: 1}]\"\n").unwrap();
    assert_eq!(good.rows().len(), 2);
    assert_eq!(good.rows()[1].cells()[1].test().to_string(), "\"A\", \"B\"");
    assert_eq!(
        json::write(&good.rows()[1].outputs()["approvals"]),
        r#"[{"count":1,"role":"boss"}]"#
    );
    assert!(!good.rows()[0].outputs().contains_key("approvals"));
    assert_eq!(
        load("id,total,kind,effect\na,1,\"x\n").unwrap_err(),
        "matrix.csv:2:1: found 3 fields, expected 4"
    );
    assert_eq!(
        load("id,total,effect\n\na,<= ,ALLOW\n").unwrap_err(),
        "matrix.csv:3:5: row a, total: found the end, expected a value"
    );
    assert_eq!(
        load("total,effect\n1,ALLOW\n").unwrap_err(),
        "matrix.csv:1:1: column `id` is missing"
    );
    assert_eq!(
        load("id,total,total\n").unwrap_err(),
        "matrix.csv:1:10: column `total` stands twice"
    );
    assert!(
        load("")
            .unwrap_err()
            .contains("expected a line of column names")
    );
    let escape = yaml.replace("matrix.csv", "../x.csv");
    assert!(
        read(&escape)
            .unwrap_err()
            .contains("`../x.csv` is no bare file name")
    );
}

#[test]
fn the_digest_goes_by_meaning() {
    let credit = table(CREDIT);
    assert!(credit.digest().starts_with("sha256:") && credit.digest().len() == 71);
    let respelled = CREDIT
        .replace("'<= 10000'", "'<=   10000.0'")
        .replace("]10000..100000]", "(1E4..100000]");
    assert_eq!(table(&respelled).digest(), credit.digest());
    let changed = table(&CREDIT.replace("'<= 10000'", "'< 10000'"));
    assert_ne!(changed.digest(), credit.digest());
    assert_ne!(
        changed.row_digest(&changed.rows()[0]),
        credit.row_digest(&credit.rows()[0])
    );
    assert_eq!(
        changed.row_digest(&changed.rows()[1]),
        credit.row_digest(&credit.rows()[1])
    );
}

proptest! {
    #[test]
    fn any_file_is_read_without_panic(cell in "[-<>=\\[\\]().,0-9a-z\" +*/@é]{0,40}", key in "[a-z:\\[{]{0,6}") {
        let quoted = cell.replace('\'', "''");
        let _ = read(&rows(&format!("  - {{id: a, when: {{x: '{quoted}', s: '{quoted}'}}, then: {{y: 1}}}}\n")));
        let _ = read(&format!("{HEAD}{key}: 1\nrows: {cell}"));
    }
}

#[test]
fn rows_compute_outputs_and_carry_notes() {
    let text = "
name: fee
description: what a shipment costs
inputs:
  - {expression: weight, type: number}
outputs:
  - {name: fee, type: number}
  - {name: carrier, type: string}
annotations: [source]
rows:
  - id: light
    when: {weight: '<= 10'}
    then: {fee: 5, carrier: post}
    description: letters too
  - id: heavy
    when: {weight: '> 10'}
    then: {carrier: freight}
    compute: {fee: 'weight * 0.7'}
    annotations: {source: tariff 2026}
";
    let table = read(text).unwrap();
    assert_eq!(table.description(), Some("what a shipment costs"));
    assert!(table.computes());
    let [light, heavy] = table.rows() else {
        panic!("two rows");
    };
    assert_eq!(
        light.notes().unwrap().description.as_deref(),
        Some("letters too")
    );
    assert_eq!(heavy.computed()["fee"].to_string(), "(weight * 0.7)");
    assert_eq!(heavy.notes().unwrap().annotations["source"], "tariff 2026");

    let problem = |from: &str, to: &str| read(&text.replace(from, to)).unwrap_err();
    let twice = problem("{carrier: freight}", "{carrier: freight, fee: 1}");
    assert!(twice.contains("stands under `then` already"), "{twice}");
    let other = problem("weight * 0.7", "weight > 0.7");
    assert!(
        other.contains("found boolean, but the output is number"),
        "{other}"
    );
    let foreign = problem("source: tariff", "page: tariff");
    assert!(
        foreign.contains("annotation `page` isn't declared"),
        "{foreign}"
    );
    assert!(problem("compute: {fee: 'weight * 0.7'}", "").contains("`fee` is missing"));
}
