//! `bylaw decide` and `bylaw token`.

use serde_json::json;

use crate::bylaw::Suite;

const KNOWN: &str = r#"{"order.total": "18450.00 EUR", "customer.days_overdue": 12, "item.regulated": true, "customer.licence_valid": true}"#;
const LICENCE_UNKNOWN: &str =
    r#"{"order.total": "18450.00 EUR", "customer.days_overdue": 12, "item.regulated": true}"#;
const SMALL: &str = r#"{"order.total": "9999.99 EUR", "customer.days_overdue": 0}"#;

const DECIDE: [&str; 2] = ["decide", "credit_hold_release"];

fn decide<'a>(scope: &'a str, facts: &'a str) -> Vec<&'a str> {
    [
        &DECIDE[..],
        &["--scope", scope, "--facts", facts, "--output", "json"],
    ]
    .concat()
}

#[test]
fn decisions_have_their_documented_form_and_status() {
    let suite = Suite::start();
    needs_approval(&suite);
    unknown_facts_deny(&suite);
    others(&suite);
    refusals(&suite);
    tokens(&suite);
    useless_tokens(&suite);
}

fn needs_approval(suite: &Suite) {
    let mut args = decide("acme/europe/medical", KNOWN);
    args.extend(["--correlation-id", "SO-4711"]);
    let answer = suite.run(&args).exits(10).json();
    let decision = &answer["decision"];
    assert_eq!(decision["workflow"], "credit_hold_release");
    assert_eq!(decision["scope"], "acme/europe/medical");
    assert_eq!(decision["correlation_id"], "SO-4711");
    assert_eq!(decision["effect"], "REQUIRE_APPROVAL");
    assert_eq!(decision["settled"], true);
    assert_eq!(decision["reasons"], json!([]));
    assert_eq!(
        decision["approvals"],
        json!([
            {"role": "compliance-officer", "at": "acme/europe/medical", "count": 1},
            {"role": "credit-manager", "at": "acme/europe/medical", "count": 1},
        ])
    );
    assert_eq!(decision["obligations"], json!(["keep_licence_evidence"]));
    assert_eq!(decision["required_facts"], json!([]));
    assert_eq!(decision["unknown_facts"], json!([]));
    assert_eq!(decision["waivers"], json!([]));
    assert_eq!(decision["audit_level"], "FULL");
    assert!(decision["revision"].as_i64().unwrap() > 0);
    assert_eq!(answer["receipt"], json!(null));
    let layers = decision["layers"].as_array().unwrap();
    let said: Vec<_> = layers
        .iter()
        .map(|l| {
            json!([
                l["policy"],
                l["version"],
                l["mode"],
                l["scope"],
                l["rows"],
                l["effect"]
            ])
        })
        .collect();
    assert_eq!(
        json!(said),
        json!([
            [
                "credit_hold_release.enterprise",
                1,
                "DEFAULT",
                "acme",
                ["medium"],
                "REQUIRE_APPROVAL"
            ],
            [
                "credit_hold_release.medical",
                1,
                "GUARDRAIL",
                "acme/europe/medical",
                ["regulated"],
                "REQUIRE_APPROVAL"
            ],
        ])
    );
    assert!(
        layers
            .iter()
            .all(|l| l["digest"].as_str().unwrap().starts_with("sha256:"))
    );
}

fn unknown_facts_deny(suite: &Suite) {
    let answer = suite
        .run(&decide("acme/europe/medical", LICENCE_UNKNOWN))
        .exits(11)
        .json();
    let decision = &answer["decision"];
    assert_eq!(decision["effect"], "DENY");
    assert_eq!(decision["settled"], false);
    assert_eq!(decision["reasons"], json!(["UNKNOWN_FACTS"]));
    assert_eq!(decision["unknown_facts"], json!(["customer.licence_valid"]));
    // A fact in a form that its workflow doesn't know is as unknown, and said to be.
    let wrong = r#"{"order.total": "18450.00 USD", "customer.days_overdue": 12}"#;
    let answer = suite
        .run(&decide("acme/europe/field-service", wrong))
        .exits(10)
        .json();
    assert_eq!(answer["decision"]["settled"], false);
    assert_eq!(answer["decision"]["unknown_facts"], json!(["order.total"]));
    assert_eq!(answer["fact_notes"][0]["name"], "order.total");
}

fn others(suite: &Suite) {
    let answer = suite
        .run(&decide("acme/europe/field-service", SMALL))
        .exits(0)
        .json();
    assert_eq!(answer["decision"]["effect"], "ALLOW");
    // Facts from a file and from standard input count alike.
    suite.home.file("facts.json", SMALL);
    suite
        .run(&decide("acme/europe/field-service", "@facts.json"))
        .exits(0);
    suite
        .home
        .feed(&decide("acme/europe/field-service", "-"), SMALL)
        .exits(0);
    let mut args = decide("acme/europe/field-service", SMALL);
    args.push("--explain");
    let rows = suite.run(&args).exits(0).json()["explanation"].clone();
    let small = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["row"] == "small")
        .unwrap();
    assert_eq!(small["match"], "YES");
    let text = suite
        .run(
            &[
                &DECIDE[..],
                &["--scope", "acme/europe/medical", "--facts", KNOWN],
            ]
            .concat(),
        )
        .exits(10);
    for part in [
        "REQUIRE_APPROVAL",
        "1 × compliance-officer at acme/europe/medical",
        "rev",
    ] {
        assert!(text.stdout.contains(part), "{text:?}");
    }
    // A person's word on what only the ERP knows counts as unknown, and it is said so.
    let mut args = decide("acme/europe/medical", KNOWN);
    args.extend(["--as", "order-desk.medical"]);
    let answer = suite.run(&args).exits(10).json();
    assert_eq!(
        answer["decision"]["unknown_facts"],
        json!(["customer.days_overdue", "item.regulated", "order.total"])
    );
    let notes = answer["fact_notes"].as_array().unwrap();
    assert!(
        notes.len() == 3 && notes.iter().all(|note| note["reason"] == "PROVENANCE"),
        "{notes:?}"
    );
}

fn refusals(suite: &Suite) {
    let facts = |facts| decide("acme/europe/medical", facts);
    suite
        .run(&facts(r#"{"order.total": "#))
        .exits(2)
        .says(&["facts: line 1, column "]);
    suite
        .run(&facts("[1]"))
        .exits(2)
        .says(&["expected an object"]);
    suite
        .run(&facts(r#"{"a":1,"a":2}"#))
        .exits(2)
        .says(&["line 1, column ", "twice"]);
    suite
        .run(&facts("@missing.json"))
        .exits(2)
        .says(&["missing.json"]);
    suite
        .run(&decide("acme//medical", KNOWN))
        .exits(2)
        .says(&["scope", "INVALID_ARGUMENT"]);
    let scope_of_nobody = suite.run(&decide("other/unit", KNOWN));
    assert_eq!(scope_of_nobody.status, 1, "{scope_of_nobody:?}");
    let unknown = [
        "decide",
        "no_such_workflow",
        "--scope",
        "acme/europe/medical",
        "--facts",
        "{}",
    ];
    suite.run(&unknown).exits(1).says(&["no_such_workflow"]);
}

/// A token that no service would take isn't made; one that says less than it seems to is.
fn useless_tokens(suite: &Suite) {
    let token = |subject: &str, kind: &str, grant: &str| {
        let args = [
            "token",
            "--subject",
            subject,
            "--kind",
            kind,
            "--grant",
            grant,
        ];
        suite.run(&args)
    };
    let grant = "operator@acme/europe/medical";
    let long = "x".repeat(300);
    for subject in ["", "a\u{7}b", &long] {
        token(subject, "person", grant)
            .exits(2)
            .says(&["--subject"]);
    }
    token("clerk", "person", "nosuch@acme").exits(2).says(&[
        "--grant nosuch@acme",
        "there is no role nosuch",
        "operator",
    ]);
    token("clerk", "person", "operator@*")
        .exits(2)
        .says(&["--grant operator@*", "only a service"]);
    token("robot", "service", "operator@*").exits(0);
    let known = token("order-desk.medical", "person", grant);
    known
        .exits(0)
        .says(&["warning: ", "principals.yaml", "order-desk.medical"]);
}

fn tokens(suite: &Suite) {
    let mint = |grant: &str| {
        let args = [
            "token",
            "--subject",
            "clerk",
            "--kind",
            "person",
            "--grant",
            grant,
            "--ttl",
            "15m",
        ];
        suite.json(&args)
    };
    let minted = mint("operator@acme/europe/medical");
    assert_eq!(
        (minted["subject"].as_str(), minted["expires_in"].as_u64()),
        (Some("clerk"), Some(900))
    );
    let list =
        |token: &str| suite.run(&["exception", "list", "--output", "json", "--token", token]);
    list(minted["token"].as_str().unwrap()).exits(0);
    // The same by the environment, and as text alone on its line.
    let text = suite.run(&[
        "token",
        "--subject",
        "clerk",
        "--kind",
        "person",
        "--grant",
        "operator@acme/europe/medical",
    ]);
    let token = text.exits(0).stdout;
    assert_eq!(token.lines().count(), 1);
    let mut command = suite.home.command(&["exception", "list"]);
    crate::bylaw::ran(command.env("BYLAW_TOKEN", token.trim())).exits(0);
    // A role that may not, a token that isn't one, a token changed in one place.
    let weak = mint("data-steward@acme");
    list(weak["token"].as_str().unwrap())
        .exits(1)
        .says(&["exceptions.exception.read", "--as"]);
    list("not.a.token")
        .exits(1)
        .says(&["TOKEN_INVALID", "bylaw token"]);
    let forged = token.trim().replacen("ey", "eY", 1);
    list(&forged).exits(1).says(&["TOKEN_INVALID"]);
    suite
        .run(&[
            "--as",
            "auditor",
            "decide",
            "credit_hold_release",
            "--scope",
            "acme",
            "--facts",
            "{}",
        ])
        .exits(1)
        .says(&["policy.decision.decide", "PERMISSION_DENIED"]);
}
