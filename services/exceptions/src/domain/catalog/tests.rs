#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{fs, path::Path};

use chrono::TimeDelta;
use decision::{Facts, Value, json};
use governance::Provenance;

use super::*;

/// The example's catalog.
fn example() -> Catalog {
    example_with(&[])
}

/// The example's catalog with documents of its own: kind and text.
fn example_with(more: &[(&str, &str)]) -> Catalog {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/distributor");
    let own = fs::read_dir(root.join("exceptions")).unwrap();
    let own = own.map(|entry| entry.unwrap().path());
    let mut texts = Vec::new();
    for path in own.chain([root.join("scopes.yaml")]) {
        let text = fs::read_to_string(&path).unwrap();
        // As the kit splits files: each document with the line it begins on.
        let mut line = 1;
        for part in text.split("\n---\n") {
            let kind = part
                .lines()
                .find_map(|line| line.strip_prefix("kind: "))
                .unwrap()
                .to_owned();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            texts.push((name, line, kind, part.to_owned()));
            line += part.lines().count() + 1;
        }
    }
    for (kind, text) in more {
        let own = (
            "own.yaml".to_owned(),
            1,
            (*kind).to_owned(),
            (*text).to_owned(),
        );
        texts.push(own);
    }
    let sources = texts
        .iter()
        .map(|(path, line, kind, text)| Source {
            path,
            line: *line,
            kind,
            text,
        })
        .collect::<Vec<_>>();
    Catalog::compile(&sources).unwrap_or_else(|problems| panic!("{problems}"))
}

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

fn facts(event: &str, entries: &[(&str, Value)]) -> Facts {
    let mut facts = Facts::default();
    facts.insert(EVENT_TYPE, Value::String(event.to_owned()));
    for (name, value) in entries {
        facts.insert(name, value.clone());
    }
    facts
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

#[test]
fn the_example_has_six_types_each_with_codes_an_event_and_a_route() {
    let catalog = example();
    assert_eq!(catalog.taxonomy.len(), 6);
    for (kind, declared) in &catalog.taxonomy {
        assert!(!declared.root_causes.is_empty(), "{kind}");
        assert!(!declared.resolutions.is_empty(), "{kind}");
        for unit in ["industrial", "medical", "field-service"] {
            let unit = scope(&format!("acme/europe/{unit}"));
            let routed = catalog
                .route(&unit, kind, &Facts::default())
                .unwrap()
                .unwrap();
            assert!(routed.route.response.is_some(), "{kind} {unit}");
            assert!(catalog.calendars.contains_key(&routed.calendar.unwrap()));
        }
    }
}

#[test]
fn units_add_to_the_enterprise_and_take_nothing_away() {
    let catalog = example();
    let event = "com.example.erp.credit-limit-exceeded";
    let regulated = |licence| {
        facts(
            event,
            &[
                ("item.regulated", Value::Boolean(true)),
                ("customer.licence_valid", Value::Boolean(licence)),
            ],
        )
    };
    let (medical, industrial) = (
        scope("acme/europe/medical/basel"),
        scope("acme/europe/industrial"),
    );
    assert_eq!(
        catalog.detect(&medical, &regulated(true)).unwrap(),
        ["credit_hold"]
    );
    assert_eq!(
        catalog.detect(&medical, &regulated(false)).unwrap(),
        ["compliance_review", "credit_hold"]
    );
    assert_eq!(
        catalog.detect(&industrial, &regulated(false)).unwrap(),
        ["credit_hold"]
    );
    // What isn't known could be the case, and what isn't raised nobody sees.
    let unknown = facts(event, &[("item.regulated", Value::Boolean(true))]);
    assert_eq!(
        catalog.detect(&medical, &unknown).unwrap(),
        ["compliance_review", "credit_hold"]
    );
    assert!(
        catalog
            .detect(&scope("other"), &unknown)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_table_without_a_result_is_not_one_that_raises_nothing() {
    let catalog = example_with(&[(
        "Detection",
        "kind: Detection
name: detection.ratio
scope: acme
inputs: [event.type, 1 / price.variance_pct]
hit_policy: COLLECT
rows:
  - id: ratio
    when: {event.type: '\"com.example.erp.price-deviation\"', 1 / price.variance_pct: '> 1'}
    then: {exception: pricing_variance}
",
    )]);
    let at = scope("acme/europe/industrial");
    let of = |variance: &str| {
        let event = "com.example.erp.price-deviation";
        facts(event, &[("price.variance_pct", number(variance))])
    };
    assert_eq!(
        catalog.detect(&at, &of("0.5")).unwrap(),
        ["pricing_variance"]
    );
    let problem = catalog.detect(&at, &of("0")).unwrap_err();
    assert!(
        problem.starts_with("table detection.ratio has no result: "),
        "{problem}"
    );
}

#[test]
fn only_the_erp_says_that_an_order_is_released() {
    let catalog = example();
    let released = &catalog.events["com.example.erp.order-released"];
    assert_eq!(released.check_provenance(Provenance::Erp), Ok(()));
    let refused = released
        .check_provenance(Provenance::Integration)
        .unwrap_err();
    assert!(
        refused.contains("INTEGRATION") && refused.contains("ERP"),
        "{refused}"
    );
    let reminder = &catalog.events["com.example.order.payment-reminder"];
    assert_eq!(reminder.check_provenance(Provenance::Integration), Ok(()));
}

#[test]
fn small_deviations_and_sound_records_raise_nothing() {
    let catalog = example();
    let at = scope("acme/europe/industrial");
    let event = "com.example.erp.price-deviation";
    let of = |variance: &str| facts(event, &[("price.variance_pct", number(variance))]);
    assert!(catalog.detect(&at, &of("1.5")).unwrap().is_empty());
    assert_eq!(
        catalog.detect(&at, &of("-2.01")).unwrap(),
        ["pricing_variance"]
    );
    let record = |errors: &str| {
        facts(
            "bylaw.masterdata.record.invalid.v1",
            &[
                ("record.entity", Value::String("customer".to_owned())),
                ("record.errors", number(errors)),
            ],
        )
    };
    assert!(catalog.detect(&at, &record("0")).unwrap().is_empty());
    assert_eq!(
        catalog.detect(&at, &record("2")).unwrap(),
        ["address_validation_failure"]
    );
}

#[test]
fn each_unit_routes_the_same_type_its_own_way() {
    let catalog = example();
    let route = |unit: &str, kind: &str| {
        let unit = scope(&format!("acme/europe/{unit}"));
        catalog
            .route(&unit, kind, &Facts::default())
            .unwrap()
            .unwrap()
            .route
    };
    assert_eq!(
        route("industrial", "stockout").queue,
        "industrial-customer-service"
    );
    assert_eq!(
        route("field-service", "stockout").first_action,
        "ship_partially"
    );
    assert_eq!(
        route("medical", "compliance_review").queue,
        "medical-compliance"
    );
    // What a unit doesn't list is the enterprise's.
    assert_eq!(
        route("industrial", "carrier_capacity").queue,
        "enterprise-logistics"
    );
    // With the total unknown it may be large: the shorter time holds.
    let credit = route("industrial", "credit_hold");
    assert_eq!(credit.severity, Severity::High);
    assert_eq!(credit.response, Some(TimeDelta::hours(2)));
}

#[test]
fn an_event_is_read_into_facts_or_refused_with_its_place() {
    let catalog = example();
    let declared = &catalog.events["com.example.erp.credit-limit-exceeded"];
    let data = |text: &str| json::parse(text).unwrap();
    let good = data(
        r#"{"order": {"total": "18450.00 EUR", "margin_pct": 31.5},
            "customer": {"id": "C-1017", "days_overdue": 12}, "more": [1]}"#,
    );
    let reading = declared
        .read(&scope("acme"), "orders/SO-4711", &good)
        .unwrap();
    assert_eq!(reading.document.to_string(), "order/SO-4711");
    assert_eq!(reading.hold_source, "customer/C-1017");
    let total = reading
        .facts
        .iter()
        .find(|(name, _)| name == "order.total")
        .unwrap();
    assert_eq!(total.1.to_string(), "18450.00 EUR");
    for (subject, text, place) in [
        ("parcels/1", r#"{"order": {"total": "1 EUR"}}"#, "subject"),
        ("orders/", r#"{"order": {"total": "1 EUR"}}"#, "subject"),
        ("orders/1", "[]", "data"),
        ("orders/1", "{}", "data.order.total"),
        (
            "orders/1",
            r#"{"order": {"total": null}}"#,
            "data.order.total",
        ),
        (
            "orders/1",
            r#"{"order": {"total": "1 USD"}}"#,
            "data.order.total",
        ),
        ("orders/1", r#"{"order": {"total": 1}}"#, "data.order.total"),
        (
            "orders/1",
            r#"{"order": {"total": "1 EUR"}, "item": {"regulated": "yes"}}"#,
            "data.item.regulated",
        ),
    ] {
        let problem = declared
            .read(&scope("acme"), subject, &data(text))
            .unwrap_err();
        assert!(problem.starts_with(place), "{subject} {text}: {problem}");
    }
}

#[test]
fn documents_live_in_business_units() {
    let catalog = example();
    let unit = Home::Unit(scope("acme/europe/medical"));
    assert_eq!(
        catalog.home(&scope("acme/europe/medical")),
        Ok(unit.clone())
    );
    assert_eq!(catalog.home(&scope("acme/europe/medical/basel")), Ok(unit));
    for above in ["acme", "acme/europe"] {
        assert_eq!(catalog.home(&scope(above)), Ok(Home::Below));
    }
    for none in ["acme/europe/nope", "acme/europe/medical/nope", "other"] {
        let problem = catalog.home(&scope(none)).unwrap_err();
        assert_eq!(problem, format!("scope: there is no unit {none}"));
    }
}

#[test]
fn texts_with_control_characters_are_refused() {
    let catalog = example();
    let declared = &catalog.events["com.example.erp.order-released"];
    for text in [r#"{"receipt": "a\u001bb"}"#, r#"{"receipt": "a\u0009b"}"#] {
        let data = json::parse(text).unwrap();
        let problem = declared
            .read(&scope("acme"), "orders/1", &data)
            .unwrap_err();
        assert!(problem.contains("control character"), "{problem}");
    }
}

#[test]
fn mistakes_are_all_named_with_their_lines() {
    let text = |text: &'static str, kind: &'static str| Source {
        path: "f.yaml",
        line: 11,
        kind,
        text,
    };
    let sources = [
        text(
            "kind: Taxonomy\nexceptions:\n  a: {title: A, severity: HIGH, queue: q, resolutions: {ok: Fine}}\n",
            "Taxonomy",
        ),
        text(
            "kind: EventType\ntype: t\ndocument: {type: order, prefix: o/}\nresolves: {exceptions: [a, b], code: no}\n",
            "EventType",
        ),
        text(
            "kind: Routing\nname: r\nscope: Acme\ncalendar: c\ninputs: [exception.type]\nhit_policy: FIRST\nrows:\n  - {id: x, then: {queue: q, severity: AWFUL}}\n",
            "Routing",
        ),
        text(
            "kind: Calendar\nname: c2\ntime_zone: Mars\nshifts: {mon: ['8-9']}\n",
            "Calendar",
        ),
        text("kind: Policy\nthis: is somebody else's\n", "Policy"),
    ];
    let problems = Catalog::compile(&sources).unwrap_err();
    let shown = problems.to_string();
    for wanted in [
        "no exception type `b`",
        "`a` has no resolution code `no`",
        "no calendar `c`",
        "AWFUL",
        "8-9",
        "Acme",
        "no document of kind ScopeTree",
    ] {
        assert!(shown.contains(wanted), "{wanted} is not in\n{shown}");
    }
    assert!(
        problems.0.iter().all(|problem| problem.line >= 11),
        "{shown}"
    );
}
