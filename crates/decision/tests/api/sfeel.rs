//! The language of cells and inputs.

use decision::sfeel::{Names, parse_expression, parse_test};
use proptest::prelude::*;

fn names() -> Names {
    Names::new([
        "order.total",
        "order",
        "days overdue",
        "a-b",
        "a",
        "b",
        "date of birth",
    ])
}

/// The canonical text of a test.
fn test(text: &str) -> String {
    parse_test(text, &names())
        .map_or_else(|e| format!("{}: {}", e.at, e.message), |t| t.to_string())
}

fn expression(text: &str) -> String {
    parse_expression(text, &names())
        .map_or_else(|e| format!("{}: {}", e.at, e.message), |t| t.to_string())
}

#[test]
fn tests_have_one_canonical_text() {
    assert_eq!(test(" - "), "-");
    assert_eq!(test("1,2 , 3.50"), "1, 2, 3.5");
    assert_eq!(test("(1..5)"), "]1..5[");
    assert_eq!(test("]1..5["), "]1..5[");
    assert_eq!(test("[1..5)"), "[1..5[");
    assert_eq!(test("[.5..1e2]"), "[0.5..100]");
    assert_eq!(test("not( \"A\",\"B\" )"), "not(\"A\", \"B\")");
    assert_eq!(test("< -1"), "< -1");
    assert_eq!(test("-1"), "-1");
    assert_eq!(test("(1 + 2) * 3"), "((1 + 2) * 3)");
    assert_eq!(test("((1)..(2))"), "]1..2[");
    assert_eq!(test("null"), "null");
    assert_eq!(test("\"a\\\"\\u00e9\\U01F600\""), "\"a\\\"é😀\"");
    assert_eq!(test(">= date(\"2026-11-24\")"), ">= date(\"2026-11-24\")");
    assert_eq!(test("@\"P1D\""), "duration(\"P1D\")");
    assert_eq!(
        test("date and time(\"2026-11-24T10:00:00+01:00\")"),
        "date and time(\"2026-11-24T09:00:00Z\")"
    );
}

#[test]
fn names_may_hold_spaces_and_operators() {
    assert_eq!(expression("days  overdue + 1"), "(days overdue + 1)");
    assert_eq!(expression("a-b - a - b"), "((a-b - a) - b)");
    assert_eq!(expression("order.total.currency"), "order.total.currency");
    assert_eq!(expression("order.totals"), "order.totals");
    assert_eq!(expression("date of birth"), "date of birth");
    assert_eq!(
        expression("orders"),
        "0: `orders` is no fact that is declared here"
    );
    assert_eq!(expression("a <= b"), "a <= b");
    assert_eq!(expression("-2 ** 2"), "(-2 ** 2)");
    assert_eq!(expression("-a ** b"), "(-(a) ** b)");
    assert_eq!(expression("a + b * a ** b"), "(a + (b * (a ** b)))");
}

#[test]
fn malformed_texts_are_refused_with_their_place() {
    assert_eq!(test(""), "0: found the end, expected a value");
    assert_eq!(
        test("1 2"),
        "2: found `2`, expected the end of the expression"
    );
    assert_eq!(test("=> 1"), "1: found `>`, expected a value");
    assert_eq!(
        test("[1..2"),
        "5: found the end, expected the closing bracket of the interval"
    );
    assert_eq!(
        test("(1..2"),
        "5: found the end, expected the closing bracket of the interval"
    );
    assert_eq!(test("(1 + "), "5: found the end, expected a value");
    assert_eq!(test("not(1"), "5: found the end, expected `,` or `)`");
    assert_eq!(expression("a[b > ]"), "6: found `]`, expected a value");
    assert_eq!(expression("(a + b"), "6: found the end, expected `)`");
    assert_eq!(
        expression("if a then b"),
        "11: found the end, expected `else`"
    );
    assert_eq!(
        expression("{x: a b: 1}"),
        "6: found `b:`, expected `,` or `}`"
    );
    assert_eq!(test("\"a\\d\""), "2: unknown escape in a string");
    assert_eq!(test("\"a"), "0: string without a closing quote");
    assert_eq!(
        test("date(\"2026-02-30\")"),
        "5: `2026-02-30` is no date in ISO 8601 form"
    );
    assert_eq!(
        test("date(2026, 1)"),
        "0: found 2 arguments, but `date` takes (from) or \
         (year: number, month: number, day: number)"
    );
    assert!(test(&"x".repeat(5_000)).contains("longer than 4096 bytes"));
}

proptest! {
    #[test]
    fn canonical_text_reads_back(text in "[-<>=\\[\\]().,0-9ab\" +*]{0,24}") {
        if let Ok(parsed) = parse_test(&text, &names()) {
            let canonical = parsed.to_string();
            let again = parse_test(&canonical, &names());
            prop_assert_eq!(again.map(|t| t.to_string()), Ok(canonical));
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(?s).{0,60}") {
        let _ = parse_test(&text, &names());
        let _ = parse_expression(&text, &names());
    }
}
