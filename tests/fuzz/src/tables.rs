//! Facts, decision tables, their cells, and the CSV beside them.

use decision::{Facts, Schema, Table, evaluate, explain, json};

use crate::text;

/// Facts that tables of the corpus name, and types that others are compared with.
const KNOWN: &str = r#"{"order": {"total": "9999.99 EUR", "lines": [1, 2.50, -3]}, "n": 12,
    "s": "basel", "b": true, "d": "2026-11-24", "t": "2026-11-24T10:00:00Z", "nothing": null}"#;

/// JSON facts: what was read is written as it was, in both parsers.
pub fn facts(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(value) = json::parse(text) {
        let written = json::write(&value);
        let again = json::parse(&written);
        assert_eq!(again.as_ref(), Ok(&value), "{written}");
        let _facts = Facts::flatten(value);
    }
    if let Ok(facts) = service_kit::facts::from_json(text) {
        let read = service_kit::facts::from_proto(facts, "facts");
        if let Ok(read) = read {
            assert!(service_kit::facts::to_proto(&read).is_ok());
        }
    }
}

/// A table in YAML.
pub fn tables(data: &[u8]) {
    if let Some(text) = text(data) {
        judged(text, None);
    }
}

/// The rows of a table in CSV.
pub fn csv(data: &[u8]) {
    let table = "name: t
inputs:
  - {expression: n, type: number}
  - {expression: s, type: string}
outputs:
  - {name: queue, type: string}
  - {name: amount, type: number}
hit_policy: COLLECT
rows_csv: rows.csv
";
    if let Some(text) = text(data) {
        judged(table, Some(text));
    }
}

/// A cell and the expression it tests: the first line and the rest.
pub fn cells(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (expression, cell) = text.split_once('\n').unwrap_or(("n", text));
    let quoted = |text: &str| decision::json::write(&decision::Value::from(text));
    for ty in ["number", "string", "boolean", "date", "date_time"] {
        let table = format!(
            "name: t\ninputs:\n  - {{expression: {}, type: {ty}}}\nhit_policy: COLLECT\nrows:\n  - \
             {{id: a, when: {{{}: {}}}, then: {{queue: x}}}}\n",
            quoted(expression),
            quoted(expression),
            quoted(cell)
        );
        judged(&table, None);
    }
}

/// Compiles a table and evaluates it with nothing and with something known.
fn judged(table: &str, csv: Option<&str>) {
    let beside = |name: &str| match csv {
        Some(rows) => Ok(rows.to_owned()),
        None => Err(format!("there is no file {name}")),
    };
    let Ok(table) = Table::from_yaml(table, &Schema::open(), &beside) else {
        return;
    };
    let known = json::parse(KNOWN).map(Facts::flatten).unwrap_or_default();
    for facts in [Facts::new(), known] {
        let evaluation = evaluate(&table, &facts);
        assert!(
            !evaluation.outcomes.is_empty(),
            "a table always comes to something"
        );
        let _rows = explain(&table, &facts);
    }
}
