//! Columns of every type, and cells that are conditions.

use decision::{Outcome, evaluate, explain};

use crate::{facts, read, table};

const TABLE: &str = r#"
name: kinds
facts:
  tags: {type: list, of: string}
  amounts: {type: list, of: number}
  opened: {type: time}
  due: {type: any date and time}
  limit: {type: number}
  whatever: {type: any}
inputs: [tags, amounts, opened, due, limit, whatever]
hit_policy: RULE_ORDER
rows:
  - {id: tagged, when: {tags: 'list contains(?, "A") and not(list contains(?, "B"))'}, then: {q: 1}}
  - {id: sum, when: {amounts: 'sum(?) > limit'}, then: {q: 2}}
  - {id: morning, when: {opened: '[time("08:00:00")..time("12:00:00"))'}, then: {q: 3}}
  - {id: late, when: {due: '< date and time("2026-11-24T00:00:00")'}, then: {q: 4}}
  - {id: odd, when: {limit: 'odd(?), 100'}, then: {q: 5}}
  - {id: among, when: {limit: amounts}, then: {q: 6}}
  - {id: any, when: {whatever: '"x", 7, null'}, then: {q: 7}}
"#;

fn rows(text: &str) -> Vec<String> {
    let table = table(TABLE);
    let evaluation = evaluate(&table, &facts(text));
    let name = |rows: &Vec<usize>| {
        let ids: Vec<_> = rows.iter().map(|&row| table.rows()[row].id()).collect();
        ids.join(" ")
    };
    let outcomes = evaluation.outcomes.iter().map(|outcome| match outcome {
        Outcome::Hits(rows) => name(rows),
        Outcome::NoHit => "none".to_owned(),
        other => format!("{other:?}"),
    });
    outcomes.collect()
}

const ALL: &str = r#"{"tags": ["A"], "amounts": [1, 2], "opened": "09:00:00",
    "due": "2026-11-23T10:00:00", "limit": 2, "whatever": 7}"#;

#[test]
fn columns_of_every_type_are_tested() {
    assert_eq!(rows(ALL), ["tagged sum morning late among any"]);
    let other = r#"{"tags": ["A", "B"], "amounts": [], "opened": "12:00:00",
        "due": "2026-11-23T10:00:00Z", "limit": 101, "whatever": null}"#;
    assert_eq!(rows(other), ["odd any"]);
    let nulls = r#"{"tags": null, "amounts": null, "opened": null, "due": null, "limit": null,
        "whatever": "y"}"#;
    assert_eq!(rows(nulls), ["among"]);
}

#[test]
fn unknown_ones_leave_their_rows_open() {
    let without_tags = ALL.replace("\"tags\": [\"A\"], ", "");
    assert_eq!(
        rows(&without_tags),
        [
            "tagged sum morning late among any",
            "sum morning late among any"
        ]
    );
    let table = table(TABLE);
    let rows = explain(&table, &facts(&without_tags));
    assert_eq!(rows[0].unknown, [0]);
    let evaluation = evaluate(&table, &facts(&without_tags));
    assert_eq!(evaluation.unknown, ["tags"]);
    // A value that isn't of its type is as good as unknown.
    let bare = ALL.replace("[\"A\"]", "\"A\"");
    assert_eq!(evaluate(&table, &facts(&bare)).unknown, ["tags"]);
}

#[test]
fn cells_that_fit_no_value_are_refused() {
    for (cell, message) in [
        (
            "tags: '\"A\"'",
            "found string `A`, but the input is list of string",
        ),
        ("tags: '> \"A\"'", "a list of string has no order"),
        ("amounts: '[\"A\"]'", "expected number"),
        ("opened: 'date(\"2026-11-24\")'", "expected time"),
        (
            "limit: 'upper case(?) = \"A\"'",
            "found number, but `upper case` takes a string here",
        ),
        (
            "limit: '? + 1'",
            "found number, expected a condition of `?`",
        ),
        (
            "limit: 'tags'",
            "found list of string, but the input is number",
        ),
    ] {
        let text = format!("{TABLE}  - {{id: bad, when: {{{cell}}}, then: {{q: 8}}}}\n");
        let problems = read(&text).err().unwrap_or_default();
        assert!(problems.contains(message), "{cell}: {problems}");
    }
}
