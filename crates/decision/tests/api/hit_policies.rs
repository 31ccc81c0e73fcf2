//! What holds where several rows match.

use decision::{Output, Value};

use super::{facts, hits, read, table};

fn with(policy: &str) -> String {
    format!(
        "
name: t
inputs: [{{expression: x, type: number}}]
outputs: [{{name: y, type: number, values: [30, 20, 10]}}]
{policy}
rows:
  - {{id: a, when: {{x: '> 0'}}, then: {{y: 10}}}}
  - {{id: b, when: {{x: '> 10'}}, then: {{y: 30}}}}
  - {{id: c, when: {{x: '> 20'}}, then: {{y: 20}}}}
  - {{id: d, when: {{x: '> 30'}}, then: {{y: 20}}}}
"
    )
}

#[test]
fn each_policy_picks_its_rows() {
    let at = |policy: &str, x: &str| hits(&table(&with(policy)), &format!(r#"{{"x": {x}}}"#));
    assert_eq!(at("hit_policy: UNIQUE", "5"), ["a"]);
    assert_eq!(at("hit_policy: UNIQUE", "15"), ["CONFLICT"]);
    assert_eq!(at("", "15"), ["CONFLICT"]);
    assert_eq!(at("hit_policy: ANY", "15"), ["CONFLICT"]);
    assert_eq!(at("hit_policy: FIRST", "35"), ["a"]);
    assert_eq!(at("hit_policy: PRIORITY", "35"), ["b"]);
    assert_eq!(at("hit_policy: RULE_ORDER", "35"), ["a", "b", "c", "d"]);
    assert_eq!(at("hit_policy: OUTPUT_ORDER", "35"), ["b", "c", "d", "a"]);
    assert_eq!(at("hit_policy: COLLECT", "25"), ["a", "b", "c"]);
}

#[test]
fn aggregators_make_one_value() {
    let at = |aggregation: &str, x: &str| {
        let policy = format!("hit_policy: COLLECT\naggregation: {aggregation}");
        let answer = table(&with(&policy)).answer(&facts(&format!(r#"{{"x": {x}}}"#)));
        match answer.outputs.as_slice() {
            [Output::One(outputs)] => outputs["y"].to_string(),
            [Output::None] => "none".to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(at("SUM", "35"), "80");
    assert_eq!(at("MIN", "35"), "10");
    assert_eq!(at("MAX", "35"), "30");
    assert_eq!(at("COUNT", "35"), "4");
    assert_eq!(at("COUNT", "0"), "0");
    assert_eq!(at("SUM", "0"), "none");
}

#[test]
fn any_accepts_equal_outputs_and_defaults_fill_in() {
    let any = table(
        "
name: t
inputs: [{expression: x, type: number}]
hit_policy: ANY
default: {y: none}
rows:
  - {id: a, when: {x: '> 0'}, then: {y: some}}
  - {id: b, when: {x: '> 10'}, then: {y: some}}
",
    );
    assert_eq!(hits(&any, r#"{"x": 20}"#), ["a", "b"]);
    let settled = |text: &str| {
        any.answer(&facts(text))
            .settled()
            .cloned()
            .expect("settled")
    };
    assert_eq!(settled(r#"{"x": 20}"#)["y"], Value::from("some"));
    assert_eq!(settled(r#"{"x": 0}"#)["y"], Value::from("none"));
    // Whether one or both match, the answer is one of two.
    assert_eq!(any.answer(&facts("{}")).outputs.len(), 2);
}

#[test]
fn what_a_policy_needs_is_checked() {
    let problem = |text: &str| read(text).unwrap_err();
    assert!(
        problem(&with("hit_policy: BEST")).contains("3:13: unknown hit policy `BEST`")
            || problem(&with("hit_policy: BEST")).contains("unknown hit policy `BEST`")
    );
    assert!(
        problem(&with("hit_policy: FIRST\naggregation: SUM")).contains("FIRST has no aggregation")
    );
    let unranked =
        "name: t\ninputs: [{expression: x, type: number}]\nhit_policy: PRIORITY\nrows: []";
    assert!(problem(unranked).contains("PRIORITY needs an output whose `values`"));
    let texts = "name: t\ninputs: [{expression: x, type: number}]\nhit_policy: COLLECT\naggregation: SUM\nrows:\n  - {id: a, then: {y: some}}";
    assert!(problem(texts).contains("row a: output `y` has no value that SUM takes"));
}
