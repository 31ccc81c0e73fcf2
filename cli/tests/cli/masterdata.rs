//! `bylaw masterdata validate`.

use serde_json::{Value, json};

use crate::bylaw::{Ran, Suite, arg, shared};

fn validate<'a>(entity: &'a str, scope: &'a str, file: &'a str) -> Vec<&'a str> {
    vec![
        "masterdata",
        "validate",
        "--entity",
        entity,
        "--scope",
        scope,
        "--output",
        "json",
        file,
    ]
}

/// The violations and the summary.
fn report(ran: &Ran) -> (Vec<Value>, Value) {
    let mut lines = ran.json_lines();
    let summary = lines.pop().expect("a summary")["summary"].clone();
    (lines, summary)
}

fn figures(summary: &Value) -> (u64, u64, u64) {
    let of = |name: &str| summary[name].as_u64().unwrap();
    (of("records"), of("valid"), of("invalid"))
}

#[test]
fn records_are_validated_by_the_rules_of_the_unit() {
    let suite = Suite::start();
    records_of_an_erp(&suite);
    what_cannot_be_read(&suite);
    northwind(&suite);
}

fn records_of_an_erp(suite: &Suite) {
    let good = json!({
        "sku": "I-2044", "description": "Morphine sulphate 10 mg ampoules", "ean": "4006381333931", "uom": "PC",
        "price": "41.50", "currency": "EUR", "regulated": "X", "lot_control": "LOT", "licence": "BTM-77",
        "origin": "Switzerland", "vendor": "V-9",
    });
    let bad = json!({"sku": "I-1", "description": "Gloves", "ean": "4006381333930", "uom": "PC"});
    let file = suite.home.file("items.jsonl", format!("{good}\n\n{bad}\n"));
    let ran = suite
        .run(&validate("item", "acme/europe/medical", arg(&file)))
        .exits(5);
    let (violations, summary) = report(&ran);
    assert_eq!(figures(&summary), (2, 1, 1), "{ran:?}");
    assert_eq!(summary["scope"], "acme/europe/medical");
    let of_bad: Vec<_> = violations
        .iter()
        .filter(|v| v["record"] == "I-1" && v["severity"] == "ERROR")
        .collect();
    assert!(
        of_bad
            .iter()
            .any(|v| v["field"] == "gtin" && v["kind"] == "CHECKSUM"),
        "{violations:?}"
    );
    assert!(
        of_bad
            .iter()
            .any(|v| v["field"] == "regulated" && v["kind"] == "MISSING"),
        "{violations:?}"
    );
    // Every error at once, counted in the summary by its rule.
    for rule in summary["rules"].as_array().unwrap() {
        let found = violations
            .iter()
            .filter(|v| v["rule"] == rule["rule"] && v["severity"] == rule["severity"]);
        assert_eq!(rule["count"], found.count(), "{rule}");
    }
    let one = suite.home.file("item.jsonl", format!("{good}\n"));
    suite
        .run(&validate("item", "acme/europe/medical", arg(&one)))
        .exits(0);
    let text = suite
        .home
        .feed(
            &["masterdata", "validate", "--entity", "item", "-"],
            &format!("{good}\n"),
        )
        .exits(0);
    assert!(
        text.stdout
            .contains("1 record at acme: 1 fit for use, 0 with errors"),
        "{text:?}"
    );
}

fn what_cannot_be_read(suite: &Suite) {
    let broken = suite
        .home
        .file("broken.jsonl", "{\"sku\": \"I-1\"}\n{\"sku\": \n");
    suite
        .run(&validate("item", "acme", arg(&broken)))
        .exits(2)
        .says(&["broken.jsonl:2: "]);
    let short = suite
        .home
        .file("short.csv", "CustomerID,CompanyName\nA,B\nC\n");
    suite
        .run(&validate("customer", "acme", arg(&short)))
        .exits(2)
        .says(&["fits"]);
    let mut args = validate("customer", "acme", arg(&short));
    args.extend(["--mapping", "northwind-customers"]);
    suite.run(&args).exits(2).says(&["short.csv:3: "]);
    let file = suite.home.file("one.jsonl", "{\"sku\": \"I-1\"}\n");
    let mut args = validate("item", "acme", arg(&file));
    args.extend(["--mapping", "none"]);
    suite
        .run(&args)
        .exits(2)
        .says(&["no mapping \"none\" for item", "erp-item"]);
    suite
        .run(&validate("item", "acme//x", arg(&file)))
        .exits(2)
        .says(&["scope"]);
    suite
        .run(&validate("item", "acme", "missing.jsonl"))
        .exits(2)
        .says(&["missing.jsonl"]);
    let empty = suite.home.file("empty.jsonl", "");
    suite
        .run(&validate("item", "acme", arg(&empty)))
        .exits(2)
        .says(&["empty.jsonl:1: found nothing"]);
}

fn northwind(suite: &Suite) {
    for (file, entity, scope, (records, valid, invalid)) in [
        (
            "northwind-customers.csv",
            "customer",
            "acme/europe/industrial",
            (93, 91, 2),
        ),
        (
            "northwind-products.csv",
            "item",
            "acme/europe/industrial",
            (77, 77, 0),
        ),
        (
            "northwind-products.csv",
            "item",
            "acme/europe/medical",
            (77, 0, 77),
        ),
    ] {
        let Some(path) = shared(file) else { continue };
        let ran = suite
            .run(&validate(entity, scope, arg(&path)))
            .exits(if invalid == 0 { 0 } else { 5 });
        let (violations, summary) = report(&ran);
        assert_eq!(
            figures(&summary),
            (records, valid, invalid),
            "{file} at {scope}: {summary}"
        );
        if entity == "customer" {
            let mut errors: Vec<_> = violations
                .iter()
                .filter(|v| v["severity"] == "ERROR")
                .map(|v| (v["record"].as_str().unwrap(), v["rule"].as_str().unwrap()))
                .collect();
            errors.sort_unstable();
            assert_eq!(
                errors,
                [
                    ("VALON", "acme.customer.address"),
                    ("Val2", "acme.customer.address")
                ]
            );
        }
    }
}
