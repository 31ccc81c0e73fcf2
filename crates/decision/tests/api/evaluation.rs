//! Known facts: which rows answer, and why others don't.

use decision::{Met, explain};

use super::{facts, hits, read, table};

/// The enterprise default of the credit hold, as a table by itself.
pub const CREDIT: &str = "
name: credit
facts:
  order.total: {type: money, currency: EUR}
  customer.days_overdue: {type: number, unit: d}
inputs: [order.total, customer.days_overdue]
hit_policy: UNIQUE
rows:
  - id: small
    when: {order.total: '<= 10000', customer.days_overdue: '<= 30'}
    then: {effect: ALLOW}
  - id: medium
    when: {order.total: ']10000..100000]', customer.days_overdue: '<= 30'}
    then: {effect: REQUIRE_APPROVAL, approvals: [{role: credit-manager, count: 1}]}
  - id: overdue
    when: {order.total: '<= 100000', customer.days_overdue: '> 30'}
    then:
      effect: REQUIRE_APPROVAL
      approvals: [{role: credit-manager, count: 2}]
      obligations: [attach_payment_plan]
  - id: large
    when: {order.total: '> 100000'}
    then: {effect: REQUIRE_APPROVAL}
";

#[test]
fn the_row_that_matches_answers() {
    let credit = table(CREDIT);
    let at = |total: &str, days: &str| {
        let text =
            format!(r#"{{"order": {{"total": "{total}"}}, "customer.days_overdue": {days}}}"#);
        hits(&credit, &text)
    };
    assert_eq!(at("10000.00 EUR", "30"), ["small"]);
    assert_eq!(at("10000.01 EUR", "30"), ["medium"]);
    assert_eq!(at("18450.00 EUR", "12"), ["medium"]);
    assert_eq!(
        at("100000 EUR", "30.00000000000000000000000000000001"),
        ["overdue"]
    );
    assert_eq!(at("100000.01 EUR", "31"), ["large"]);
    assert_eq!(at("1 EUR", "null"), Vec::<String>::new());
}

#[test]
fn explanations_name_the_cells() {
    let credit = table(CREDIT);
    let rows = explain(&credit, &facts(r#"{"order.total": "18450.00 EUR"}"#));
    let medium = &rows[1];
    assert_eq!((medium.matched, medium.failed.len()), (Met::Unknown, 0));
    assert_eq!(medium.unknown, [1]);
    assert_eq!(
        (rows[0].matched, rows[0].failed.clone()),
        (Met::No, vec![0])
    );
    assert_eq!(rows[3].matched, Met::No);
}

#[test]
fn input_expressions_compute_exactly() {
    let margin = table(
        "
name: margin
facts:
  order.total: {type: money, currency: EUR}
  order.cost: {type: money, currency: EUR}
  order.due: {type: date}
  order.placed: {type: date}
inputs:
  - {name: margin, expression: '(order.total - order.cost) / order.total * 100'}
  - {name: late, expression: order.due - order.placed}
hit_policy: FIRST
rows:
  - id: thin
    when: {margin: '< 0.1 + 0.2', late: '<= duration(\"P30D\")'}
    then: {verdict: thin}
  - id: fat
    when: {margin: '>= 0.3'}
    then: {verdict: fat}
",
    );
    let at = |total: &str, cost: &str| {
        hits(
            &margin,
            &format!(
                r#"{{"order": {{"total": "{total} EUR", "cost": "{cost} EUR", "due": "2026-02-01", "placed": "2026-01-15"}}}}"#
            ),
        )
    };
    assert_eq!(at("1000", "997"), ["fat"]);
    assert_eq!(at("1000", "997.0000001"), ["thin"]);
    assert_eq!(
        at("0", "1")[0],
        "FAILED input 1, character 2: division by zero"
    );
}

#[test]
fn null_is_known_and_matches_as_dmn_says() {
    let nulls = table(
        "
name: nulls
inputs: [{expression: x, type: number}]
hit_policy: COLLECT
rows:
  - {id: any, then: {y: 1}}
  - {id: 'null', when: {x: 'null'}, then: {y: 1}}
  - {id: not-null, when: {x: not(null)}, then: {y: 1}}
  - {id: not-five, when: {x: not(5)}, then: {y: 1}}
  - {id: not-more, when: {x: not(> 5)}, then: {y: 1}}
  - {id: less, when: {x: < 5}, then: {y: 1}}
",
    );
    assert_eq!(hits(&nulls, r#"{"x": null}"#), ["any", "null", "not-five"]);
    assert_eq!(
        hits(&nulls, r#"{"x": 4}"#),
        ["any", "not-null", "not-five", "not-more", "less"]
    );
}

#[test]
fn money_in_another_currency_is_unknown_unless_the_currency_is_tested() {
    let credit = table(CREDIT);
    let dollars = facts(r#"{"order.total": "5 USD", "customer.days_overdue": 1}"#);
    let evaluation = decision::evaluate(&credit, &dollars);
    assert_eq!(evaluation.outcomes.len(), 3);
    assert_eq!(evaluation.unknown, ["order.total"]);
    assert!(!credit.tests_currency("order.total"));

    let tested = table(
        "
name: tested
facts: {total: {type: money, currency: EUR}}
inputs: [total, total.currency]
rows:
  - {id: euro, when: {total: <= 10, total.currency: '\"EUR\"'}, then: {y: 1}}
  - {id: dollar, when: {total: <= 12, total.currency: '\"USD\"'}, then: {y: 1}}
",
    );
    assert!(tested.tests_currency("total"));
    assert_eq!(hits(&tested, r#"{"total": "11 USD"}"#), ["dollar"]);
    assert_eq!(
        hits(&tested, r#"{"total": "11 EUR"}"#),
        Vec::<String>::new()
    );
    let unknown = decision::evaluate(&tested, &facts("{}"));
    assert_eq!(unknown.outcomes.len(), 3);
    assert!(unknown.exact);
}

#[test]
fn cells_may_compare_with_other_facts() {
    let limit = table(
        "
name: limit
facts:
  order.total: {type: money, currency: EUR}
  customer.credit limit: {type: money, currency: EUR}
inputs: [order.total]
hit_policy: FIRST
rows:
  - {id: within, when: {order.total: '<= customer.credit limit * 0.9'}, then: {y: 1}}
  - {id: beyond, then: {y: 2}}
",
    );
    let known = r#"{"order.total": "90 EUR", "customer.credit limit": "100 EUR"}"#;
    assert_eq!(hits(&limit, known), ["within"]);
    let open = decision::evaluate(&limit, &facts(r#"{"order.total": "90 EUR"}"#));
    assert_eq!((open.outcomes.len(), open.exact), (2, false));
    assert_eq!(open.unknown, ["customer.credit limit"]);
    assert!(
        read("name: x\ninputs: [y]\nrows: []")
            .unwrap_err()
            .contains("2:10: `y` is no fact")
    );
}
