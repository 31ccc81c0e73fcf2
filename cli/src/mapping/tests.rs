#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

const MAPPING: &str = "
kind: EventMapping
name: log
match: {csv_header: [id, what, when, orders, items]}
csv: {blank: ['', ' '], list: python}
event:
  id: {column: id}
  source: {const: /log}
  type: {column: what, slug: true, prefix: com.example.}
  time: {column: when, format: '%Y-%m-%d %H:%M:%S%.fZ'}
  subject: {first: [{column: orders, prefix: orders/}, {column: items, prefix: items/}]}
  correlationid: {same: subject}
  scope: {modulo: subject, of: [a, b, c]}
data:
  amount: {column: price, type: number}
  items: {column: items, type: list}
";

fn row(cells: &[(&str, &str)]) -> Row {
    let mut row: Row = [
        ("id", "8.0"),
        ("what", "Item  out of stock!"),
        ("when", "2019-05-20 11:54:37.000Z"),
        ("orders", " "),
        ("items", "['880004']"),
        ("price", "199.990"),
    ]
    .iter()
    .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
    .collect();
    row.extend(
        cells
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
    );
    row
}

#[test]
fn a_row_becomes_an_event() {
    let event = apply(&parse(MAPPING).unwrap(), &row(&[])).unwrap();
    assert_eq!(event.id, "8.0");
    assert_eq!(event.r#type, "com.example.item-out-of-stock");
    assert_eq!(event.subject, "items/880004");
    assert_eq!(event.correlation_id, "items/880004");
    assert_eq!(event.scope, "c", "880004 modulo 3 is 2");
    assert_eq!(event.time.to_rfc3339(), "2019-05-20T11:54:37+00:00");
    assert_eq!(
        decision::json::write(&event.data),
        r#"{"amount":199.990,"items":["880004"]}"#,
        "the number keeps its digits"
    );
}

#[test]
fn what_cannot_be_mapped_names_the_attribute() {
    let mapping = parse(MAPPING).unwrap();
    for (cells, problem) in [
        (&[("items", " ")][..], "subject: no value"),
        (
            &[("orders", "['1','2']")],
            "subject: \"orders\" holds 2 values, expected one",
        ),
        (
            &[("orders", "['1'")],
            "subject: \"orders\": the list doesn't end",
        ),
        (
            &[("when", "yesterday")],
            "time: \"yesterday\" isn't written as",
        ),
        (&[("price", "12,5")], "data.amount: \"12,5\" is no number"),
        (
            &[("orders", "['x']")],
            "scope: \"orders/x\" doesn't end in a number",
        ),
    ] {
        let error = apply(&mapping, &row(cells)).unwrap_err();
        assert!(
            error.starts_with(problem),
            "{error:?} instead of {problem:?}"
        );
    }
}

#[test]
fn malformed_mappings_are_refused() {
    for (from, to) in [
        ("kind: EventMapping", "kind: Other"),
        ("{column: id}", "{column: id, const: x}"),
        ("{column: id}", "{}"),
        ("{column: id}", "{colum: id}"),
        ("of: [a, b, c]", "of: []"),
        ("{same: subject}", "{same: scope}"),
    ] {
        assert!(parse(&MAPPING.replacen(from, to, 1)).is_err(), "{to}");
    }
}

#[test]
fn python_lists_are_read_strictly() {
    assert_eq!(
        super::list::python(r#"['a', "b'c", 'd\'e']"#).unwrap(),
        ["a", "b'c", "d'e"]
    );
    assert_eq!(super::list::python("[]").unwrap(), Vec::<String>::new());
    for wrong in [
        "",
        "[",
        "['a'",
        "['a' 'b']",
        "[a]",
        "['a'] x",
        r"['\q']",
        "['a',,]",
    ] {
        assert!(super::list::python(wrong).is_err(), "{wrong}");
    }
}
