//! `bylaw replay`: the example's events, and a real order log.

use serde_json::{Value, json};

use crate::bylaw::{Suite, arg, shared};

const EXAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/distributor/events/working-day.jsonl"
);

const TYPES: [&str; 6] = [
    "address_validation_failure",
    "carrier_capacity",
    "compliance_review",
    "credit_hold",
    "pricing_variance",
    "stockout",
];

fn sum(counts: &Value) -> u64 {
    counts
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum()
}

/// Every row is counted under what came of it.
fn assert_adds_up(counts: &Value) {
    let of = |name: &str| counts[name].as_u64().unwrap();
    let outcomes = of("accepted") + of("duplicates") + of("dead_lettered") + of("refused");
    assert_eq!(of("rows"), outcomes, "{counts}");
}

fn open(suite: &Suite, kind: &str) -> u64 {
    let listed = suite.json(&["exception", "list", "--type", kind, "--limit", "1"]);
    listed["total_size"].as_u64().unwrap()
}

#[test]
fn the_examples_events_raise_every_type_once() {
    let suite = Suite::start();
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    let events = text.lines().filter(|line| !line.trim().is_empty()).count() as u64;
    let first = suite.json(&["replay", EXAMPLE]);
    assert_adds_up(&first);
    assert_eq!(first["rows"], events);
    assert_eq!(first["accepted"], events);
    for kind in TYPES {
        let of = |counts: &str| first[counts].get(kind).and_then(Value::as_u64).unwrap_or(0);
        assert!(of("exceptions") > 0, "{kind}: {first}");
        // The counts reconcile with the list.
        let left = of("exceptions") - of("resolved");
        assert_eq!(open(&suite, kind), left, "{kind}: {first}");
    }
    let again = suite.json(&["replay", EXAMPLE]);
    assert_adds_up(&again);
    assert_eq!(again["duplicates"], events);
    assert_eq!((sum(&again["exceptions"]), sum(&again["evidence"])), (0, 0));
    // Standard input, part of the log, and text for people.
    let part = suite
        .home
        .feed(&["replay", "-", "--limit", "7"], &text)
        .exits(0);
    assert!(part.stdout.starts_with("7 events in "), "{part:?}");
    assert!(
        part.stdout
            .contains("0 accepted, 7 duplicates, 0 dead-lettered"),
        "{part:?}"
    );
    what_no_rule_knows_is_kept(&suite);
    what_changed_under_its_id_is_refused(&suite);
    nothing_of_a_broken_log_is_sent(&suite);
}

/// A medical order over its limit.
fn event(id: &str, kind: &str, total: &str) -> String {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "/tests/erp", "type": format!("com.example.erp.{kind}"),
        "subject": format!("orders/T-{id}"), "scope": "acme/europe/medical",
        "time": "2026-11-24T08:00:00Z", "correlationid": format!("T-{id}"),
        "data": {"order": {"total": total}, "item": {"regulated": false}},
    });
    format!("{event}\n")
}

fn what_no_rule_knows_is_kept(suite: &Suite) {
    let lines = event("1", "unheard-of", "1.00 EUR") + &event("2", "credit-limit-exceeded", "much");
    let log = suite.home.file("odd.jsonl", lines);
    let counts = suite.json(&["replay", arg(&log)]);
    assert_adds_up(&counts);
    assert_eq!(counts["dead_lettered"], 2);
    let reasons = counts["dead_letter_reasons"].as_object().unwrap();
    assert!(
        reasons.keys().any(|reason| reason.contains("unheard-of")),
        "{counts}"
    );
    assert!(
        reasons.keys().any(|reason| reason.contains("order.total")),
        "{counts}"
    );
    assert_eq!(suite.json(&["replay", arg(&log)])["duplicates"], 2);
}

fn what_changed_under_its_id_is_refused(suite: &Suite) {
    let log = suite.home.file(
        "same.jsonl",
        event("3", "credit-limit-exceeded", "20000.00 EUR"),
    );
    assert_eq!(
        suite.json(&["replay", arg(&log)])["exceptions"]["credit_hold"],
        1
    );
    let log = suite.home.file(
        "same.jsonl",
        event("3", "credit-limit-exceeded", "2.00 EUR"),
    );
    let ran = suite
        .run(&["replay", arg(&log), "--output", "json"])
        .exits(1);
    assert_eq!(ran.json()["refused"], 1);
    assert_eq!(ran.json()["refusals"], json!({"IDEMPOTENCY_CONFLICT": 1}));
    ran.says(&["1 event", "no effect"]);
}

fn nothing_of_a_broken_log_is_sent(suite: &Suite) {
    let before = open(suite, "credit_hold");
    let lines = event("4", "credit-limit-exceeded", "20000.00 EUR") + "{]\n";
    let log = suite.home.file("broken.jsonl", lines);
    suite
        .run(&["replay", arg(&log)])
        .exits(2)
        .says(&["broken.jsonl:2: "]);
    assert_eq!(open(suite, "credit_hold"), before);
    // What the service can't take names the event; nothing of its call is taken in.
    let lines = event("5", "credit-limit-exceeded", "20000.00 EUR")
        + &event("6", "credit-limit-exceeded", "20000.00 EUR")
            .replace("acme/europe/medical", "acme//medical");
    let log = suite.home.file("scope.jsonl", lines);
    suite
        .run(&["replay", arg(&log)])
        .exits(2)
        .says(&["events[1].scope"]);
    assert_eq!(open(suite, "credit_hold"), before);
}

#[test]
fn a_real_order_log_gives_its_known_figures() {
    let Some(log) = shared("order-events.csv") else {
        return;
    };
    let suite = Suite::start();
    let first = suite.json(&["replay", arg(&log)]);
    assert_adds_up(&first);
    assert_eq!(
        (first["rows"].as_u64(), first["accepted"].as_u64()),
        (Some(22_367), Some(22_367))
    );
    assert_eq!(
        first["exceptions"],
        json!({"stockout": 1_664, "carrier_capacity": 261, "credit_hold": 414})
    );
    assert_eq!(
        first["evidence"],
        json!({"carrier_capacity": 130, "credit_hold": 100})
    );
    let report = suite.json(&["exception", "report"]);
    let rows = report["rows"].as_array().unwrap();
    for kind in ["stockout", "carrier_capacity", "credit_hold"] {
        let of_kind: Vec<_> = rows.iter().filter(|row| row["type"] == kind).collect();
        let units: Vec<_> = of_kind
            .iter()
            .map(|row| row["scope"].as_str().unwrap())
            .collect();
        assert_eq!(
            units,
            [
                "acme/europe/field-service",
                "acme/europe/industrial",
                "acme/europe/medical"
            ],
            "{kind}"
        );
        let total: u64 = of_kind
            .iter()
            .map(|row| row["total"].as_u64().unwrap())
            .sum();
        assert_eq!(total, first["exceptions"][kind].as_u64().unwrap(), "{kind}");
    }
    let again = suite.json(&["replay", arg(&log)]);
    assert_adds_up(&again);
    assert_eq!(again["duplicates"], 22_367);
    assert_eq!(
        (
            sum(&again["exceptions"]),
            sum(&again["evidence"]),
            sum(&again["resolved"])
        ),
        (0, 0, 0)
    );
    assert_eq!(
        suite.json(&["exception", "report"])["rows"]
            .as_array()
            .unwrap()
            .len(),
        rows.len()
    );
}
