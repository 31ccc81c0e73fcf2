//! DMN files: read, evaluated, written.

use decision::{
    Model, Value, dmn, json,
    model::{Absent, Conclusion},
};

const CREDIT: &str = include_str!("../dmn/credit-terms.dmn");

fn import(text: &str) -> Model {
    match dmn::read(text) {
        Ok(import) => import.model,
        Err(problems) => {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"))
        }
    }
}

fn conclude(model: &Model, decision: &str, facts: &str, absent: Absent) -> Conclusion {
    let facts = json::parse(facts).unwrap();
    model.evaluate(decision, &facts, absent, true).unwrap()
}

fn result(model: &Model, decision: &str, facts: &str) -> String {
    let conclusion = conclude(model, decision, facts, Absent::Null);
    let value = conclusion.value.unwrap_or_else(|| Value::from("UNKNOWN"));
    let problems: Vec<_> = conclusion
        .problems
        .iter()
        .map(ToString::to_string)
        .collect();
    format!("{}{}", json::write(&value), problems.join("; "))
}

#[test]
fn decisions_feed_each_other() {
    let model = import(CREDIT);
    let good = r#"{"Customer": {"name": "Meier", "rating": "A", "since": "2019-02-01", "open amount": 100}, "Order value": 2000}"#;
    assert_eq!(result(&model, "Risk", good), r#""low""#);
    assert_eq!(result(&model, "Discount", good), "0.02");
    assert_eq!(
        result(&model, "Terms", good),
        r#"{"Advance needed":false,"days":60}"#
    );
    assert_eq!(result(&model, "Letter", good), r#""Dear Meier, pay soon""#);
    let large = good.replace("2000}", "60000}");
    assert_eq!(
        result(&model, "Terms", &large),
        r#"{"Advance needed":true,"days":14}"#
    );
    let bad = good.replace("\"A\"", "\"C\"");
    assert_eq!(
        result(&model, "Terms", &bad),
        r#"{"Advance needed":true,"days":null}"#
    );
}

#[test]
fn round_trips_lose_nothing() {
    let model = import(CREDIT);
    let yaml = model.to_yaml();
    let again = Model::from_yaml(&yaml, &|_| Err(String::new()));
    let again = again.unwrap_or_else(|p| panic!("{p:?}\n{yaml}"));
    assert_eq!(again.canonical(), model.canonical(), "{yaml}");
    assert_eq!(again.to_yaml(), yaml);
    let xml = dmn::write(&again).unwrap();
    let back = import(&xml);
    assert_eq!(back.canonical(), model.canonical(), "{xml}");
    assert_eq!(back.to_yaml(), yaml);
}
