//! `bylaw demo`, `exception` and `review`: the work of people.

use serde_json::{Value, json};

use crate::bylaw::Suite;

const EXAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/distributor/events/working-day.jsonl"
);

/// A command as one of the example's people.
fn by<'a>(who: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--as", who]].concat()
}

#[test]
fn the_story_plays_and_leaves_an_executed_release() {
    let suite = Suite::start();
    let told = suite.json(&["demo"]);
    assert_eq!(
        (told["passed"].as_u64(), told["failed"].as_u64()),
        (Some(6), Some(0)),
        "{told:#}"
    );
    let text = suite.run(&["demo"]).exits(0).stdout;
    assert!(
        text.contains("6 of 6 steps came out as it should"),
        "{text}"
    );
    let all = suite.json(&["exception", "list", "--all", "--type", "credit_hold"]);
    assert_eq!(all["total_size"], 2);
    let name = all["exceptions"][0]["name"].as_str().unwrap();
    let shown = suite.json(&by("order-desk.medical", &["exception", "show", name]));
    assert_eq!(shown["exception"]["state"], "RESOLVED");
    assert_eq!(shown["exception"]["resolution_code"], "released");
    let action = &shown["actions"][0];
    assert_eq!(action["state"], "EXECUTED");
    assert_eq!(action["requester"]["subject"], "reviewer.medical");
    let approvers: Vec<_> = action["approvals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["approver"]["subject"].clone())
        .collect();
    assert_eq!(
        json!(approvers),
        json!(["compliance-officer.medical", "credit-manager.medical"])
    );
    // Other units have other people, and see nothing of it.
    let ran = suite
        .run(&by(
            "credit-manager.industrial",
            &["exception", "show", name],
        ))
        .exits(1);
    ran.says(&["NOT_FOUND"]);
    let ran = suite.run(&["demo", "--scope", "acme/europe/industrial"]);
    assert!(
        ran.status == 1 || ran.status == 2,
        "the example has no reviewed agent there: {ran:?}"
    );
    assert_eq!(
        suite.json(&["review", "list"])["recommendations"],
        json!([])
    );
}

#[test]
fn exceptions_are_worked_to_their_end() {
    let suite = Suite::start();
    suite.json(&["replay", EXAMPLE]);
    the_list_filters(&suite);
    a_stockout_is_claimed_and_resolved(&suite);
    a_credit_hold_is_released(&suite);
    an_action_is_rejected(&suite);
    the_report_reconciles(&suite);
}

fn listed(suite: &Suite, args: &[&str]) -> Vec<Value> {
    let listed = suite.json(&[&["exception", "list", "--limit", "1000"], args].concat());
    let found = listed["exceptions"].as_array().unwrap().clone();
    assert_eq!(listed["total_size"], found.len());
    found
}

fn the_list_filters(suite: &Suite) {
    let all = listed(suite, &[]);
    let medical = listed(suite, &["--scope", "acme/europe/medical"]);
    assert!(!medical.is_empty() && medical.len() < all.len());
    assert!(medical.iter().all(|e| {
        e["scope"]
            .as_str()
            .unwrap()
            .starts_with("acme/europe/medical")
    }));
    // Whoever works in one unit sees that unit.
    assert_eq!(
        listed(suite, &["--as", "order-desk.medical"]).len(),
        medical.len()
    );
    let queue = all[0]["queue"].as_str().unwrap();
    assert!(
        listed(suite, &["--queue", queue])
            .iter()
            .all(|e| e["queue"] == queue)
    );
    let id = all[0]["correlation_id"].as_str().unwrap();
    assert!(
        listed(suite, &["--correlation-id", id])
            .iter()
            .all(|e| e["correlation_id"] == id)
    );
    assert!(listed(suite, &["--all"]).len() > all.len());
    let few = suite.json(&["exception", "list", "--limit", "3"]);
    assert_eq!(few["exceptions"].as_array().unwrap().len(), 3);
    assert_eq!(few["total_size"], all.len());
    suite
        .run(&["exception", "list", "--scope", "acme//x"])
        .exits(2)
        .says(&["scope"]);
    suite
        .run(&["exception", "show", "nonsense"])
        .exits(2)
        .says(&["exceptions/{uuid}"]);
    let nobody = "01a20cc7-bdcb-7121-9c87-7c8bfdb60560";
    suite
        .run(&["exception", "show", nobody])
        .exits(1)
        .says(&["NOT_FOUND", nobody]);
}

fn a_stockout_is_claimed_and_resolved(suite: &Suite) {
    let found = listed(
        suite,
        &["--type", "stockout", "--scope", "acme/europe/industrial"],
    );
    // The id alone names it too.
    let id = found[0]["name"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap();
    let desk = "order-desk.industrial";
    let claimed = suite.json(&by(desk, &["exception", "claim", id]));
    assert_eq!(
        (claimed["state"].as_str(), claimed["owner"].as_str()),
        (Some("ASSIGNED"), Some(desk))
    );
    let wrong = by(desk, &["exception", "resolve", id, "--resolution", "magic"]);
    suite.run(&wrong).exits(2).says(&["resolution_code"]);
    let resolve = [
        "exception",
        "resolve",
        id,
        "--resolution",
        "replenished",
        "--root-cause",
        "late_supplier",
    ];
    suite
        .run(&by("order-desk.medical", &resolve))
        .exits(1)
        .says(&["NOT_FOUND"]);
    let resolved = suite.json(&by(desk, &resolve));
    assert_eq!(resolved["state"], "RESOLVED");
    assert_eq!(resolved["root_cause_code"], "late_supplier");
    let again = suite.run(&by(desk, &resolve)).exits(1);
    again.says(&["ILLEGAL_STATE"]);
}

/// A hold of medical whose release a policy sends to approvers.
fn hold(suite: &Suite, number: &str) -> String {
    let event = json!({
        "specversion": "1.0", "id": number, "source": "/tests/erp",
        "type": "com.example.erp.credit-limit-exceeded", "subject": format!("orders/{number}"),
        "scope": "acme/europe/medical", "time": chrono::Utc::now().to_rfc3339(),
        "data": {
            "order": {"total": "18450.00 EUR"}, "customer": {"days_overdue": 12, "licence_valid": true},
            "item": {"regulated": true},
        },
    });
    suite
        .home
        .feed(&["replay", "-"], &format!("{event}\n"))
        .exits(0);
    let found = listed(
        suite,
        &["--type", "credit_hold", "--scope", "acme/europe/medical"],
    );
    let mine = found
        .iter()
        .find(|e| e["document_id"] == number)
        .expect("the hold is raised");
    mine["name"].as_str().unwrap().to_owned()
}

fn a_credit_hold_is_released(suite: &Suite) {
    let hold = hold(suite, "T-100");
    let ask = ["exception", "action", hold.as_str(), "release_credit_hold"];
    let unknown = ["exception", "action", hold.as_str(), "no_such_operation"];
    let ran = suite.run(&by("order-desk.medical", &unknown));
    assert_ne!(ran.status, 0, "{ran:?}");
    let action = suite.json(&by("credit-manager.medical", &ask));
    assert_eq!(action["state"], "PENDING_APPROVAL");
    let name = action["name"].as_str().unwrap();
    let approve = ["exception", "approve", name, "--comment", "paid yesterday"];
    // Who asked doesn't approve, nor does who lacks the role.
    suite
        .run(&by("credit-manager.medical", &approve))
        .exits(1)
        .says(&["SOD_REQUESTER"]);
    suite
        .run(&by("order-desk.medical", &approve))
        .exits(1)
        .says(&["PERMISSION_DENIED"]);
    suite
        .run(&by("credit-manager.industrial", &approve))
        .exits(1)
        .says(&["NOT_FOUND"]);
    let first = suite.json(&by("compliance-officer.medical", &approve));
    assert_eq!(first["state"], "PENDING_APPROVAL");
    assert_eq!(
        first["missing_approvals"],
        json!([{"role": "credit-manager", "at": "acme/europe/medical", "count": 1}])
    );
    suite
        .run(&by("compliance-officer.medical", &approve))
        .exits(1)
        .says(&["SOD_ALREADY_APPROVED"]);
    let done = suite.json(&by("deputy-credit-manager.medical", &approve));
    assert_eq!(done["state"], "AUTHORIZED");
    assert_eq!(done["receipt"]["audience"], "erp");
    assert_eq!(
        done["receipt"]["jws"].as_str().unwrap().split('.').count(),
        3
    );
    let shown = suite.run(&["exception", "show", &hold]).exits(0).stdout;
    for part in [
        "release_credit_hold: AUTHORIZED",
        "approved by  compliance-officer.medical",
        "receipt",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

fn an_action_is_rejected(suite: &Suite) {
    let hold = hold(suite, "T-101");
    let ask = ["exception", "action", hold.as_str(), "release_credit_hold"];
    let action = suite.json(&by("order-desk.medical", &ask));
    let name = action["name"].as_str().unwrap();
    let reject = ["exception", "reject", name, "--reason", "the limit stays"];
    let rejected = suite.json(&by("credit-manager.medical", &reject));
    assert_eq!(
        (rejected["state"].as_str(), rejected["reason"].as_str()),
        (Some("REJECTED"), Some("the limit stays"))
    );
    let late = by(
        "compliance-officer.medical",
        &["exception", "approve", name],
    );
    suite.run(&late).exits(1).says(&["ILLEGAL_STATE"]);
}

/// Every row of the report counts exactly the open exceptions that the list has.
fn the_report_reconciles(suite: &Suite) {
    let report = suite.json(&["exception", "report"]);
    let bands = report["band_seconds"].as_array().unwrap().len();
    let all = listed(suite, &[]);
    let mut counted = 0;
    for row in report["rows"].as_array().unwrap() {
        let of_row: Vec<_> = all
            .iter()
            .filter(|e| e["scope"] == row["scope"] && e["type"] == row["type"])
            .collect();
        assert_eq!(row["total"], of_row.len(), "{row}");
        assert_eq!(
            row["breached"],
            of_row.iter().filter(|e| e["breached"] == true).count(),
            "{row}"
        );
        let counts = row["counts"].as_array().unwrap();
        assert_eq!(counts.len(), bands + 1);
        let in_bands: u64 = counts.iter().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(row["total"], in_bands);
        let oldest = of_row
            .iter()
            .map(|e| e["create_time"].as_str().unwrap())
            .min();
        assert_eq!(row["oldest_time"].as_str(), oldest, "{row}");
        counted += of_row.len();
    }
    assert_eq!(counted, all.len());
    let text = suite
        .run(&["exception", "report", "--scope", "acme/europe/medical"])
        .exits(0)
        .stdout;
    assert!(
        text.contains("acme/europe/medical") && !text.contains("acme/europe/industrial"),
        "{text}"
    );
}
