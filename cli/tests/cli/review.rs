//! `bylaw review`: what an agent recommends, and people make of it.

use contracts::{
    aigate::{
        SubmitRecommendationRequest, recommendation_service_client::RecommendationServiceClient,
    },
    types::Decimal,
};
use serde_json::{Value, json};

use crate::bylaw::{Ran, Suite};

const REVIEWER: &str = "reviewer.medical";

/// An order of medical on credit hold.
fn hold(suite: &Suite, order: &str) -> String {
    let event = json!({
        "specversion": "1.0", "id": order, "source": "/tests/erp",
        "type": "com.example.erp.credit-limit-exceeded", "subject": format!("orders/{order}"),
        "scope": "acme/europe/medical", "correlationid": order, "time": chrono::Utc::now().to_rfc3339(),
        "data": {
            "order": {"total": "18450.00 EUR", "margin_pct": 31.5},
            "customer": {"id": "C-1017", "days_overdue": 12, "licence_valid": true, "commitment_met": true},
            "item": {"id": "I-2044", "regulated": true, "export_controlled": false},
            "inventory": {"reserved": true},
        },
    });
    suite
        .home
        .feed(&["replay", "-"], &format!("{event}\n"))
        .exits(0);
    let held = suite.json(&["exception", "list", "--correlation-id", order]);
    held["exceptions"][0]["name"].as_str().unwrap().to_owned()
}

/// What the agent of medical recommends for the order; the id of it, in review.
fn recommend(suite: &Suite, order: &str) -> String {
    let exception = hold(suite, order);
    let minted = suite.json(&[
        "token",
        "--subject",
        "order-agent.medical",
        "--kind",
        "model",
        "--grant",
        "recommender@acme/europe/medical",
    ]);
    let bearer = format!("Bearer {}", minted["token"].as_str().unwrap());
    let addr = suite.written().unwrap()["grpc_addr"].clone();
    let mut request = tonic::Request::new(SubmitRecommendationRequest {
        scope: "acme/europe/medical".to_owned(),
        model_version: "models/fulfilment-advisor/versions/3".to_owned(),
        use_case: "alternate_fulfilment".to_owned(),
        exception,
        operation: "release_partial".to_owned(),
        arguments: service_kit::facts::from_json(r#"{"warehouse":"basel","quantity":40}"#).unwrap(),
        confidence: Some(Decimal {
            value: "0.81".to_owned(),
        }),
        rationale: "40 of 120 pieces \u{202e}are in\u{2066} Basel".to_owned(),
        input_digest: format!("sha256:{}", "0".repeat(64)),
        request_id: uuid::Uuid::now_v7().to_string(),
        ..SubmitRecommendationRequest::default()
    });
    request
        .metadata_mut()
        .insert("authorization", bearer.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let gated = runtime.block_on(async {
        let at = format!("http://{}", addr.as_str().unwrap());
        let mut client = RecommendationServiceClient::connect(at).await.unwrap();
        client.submit_recommendation(request).await.unwrap()
    });
    let name = gated.into_inner().name;
    name.rsplit('/').next().unwrap().to_owned()
}

fn review(suite: &Suite, who: &str, args: &[&str]) -> Ran {
    suite.run(&[&["review"], args, &["--as", who, "--output", "json"]].concat())
}

/// The state, and the action that came of it where one did.
fn outcome(recommendation: &Value) -> (&str, bool) {
    let action = recommendation["action"].as_str().unwrap();
    (
        recommendation["state"].as_str().unwrap(),
        !action.is_empty(),
    )
}

#[test]
fn recommendations_are_reviewed_to_their_end() {
    let suite = Suite::start();
    refusals_name_the_option_and_the_place(&suite);
    an_accepted_one_becomes_an_action(&suite);
    a_modified_one_is_asked_for_as_it_was_modified(&suite);
    a_rejected_one_ends(&suite);
    assert_eq!(
        suite.json(&["review", "list"])["recommendations"],
        json!([])
    );
}

fn refusals_name_the_option_and_the_place(suite: &Suite) {
    let file = suite.home.file("arguments.json", "{\"quantity\": \n}");
    let id = "01a20cc7-bdcb-7121-9c87-7c8bfdb60560";
    let modify = |arguments: &str| {
        let args = [
            "modify",
            id,
            "--arguments",
            arguments,
            "--comment",
            "less of it",
        ];
        review(suite, REVIEWER, &args)
    };
    modify("[1").exits(2).says(&["--arguments: "]);
    modify(&format!("@{}", file.display()))
        .exits(2)
        .says(&["arguments.json: ", "line 2"]);
    modify("{}").exits(1).says(&["NOT_FOUND", id]);
}

fn an_accepted_one_becomes_an_action(suite: &Suite) {
    let id = recommend(suite, "R-1");
    let listed = suite.json(&["review", "list"]);
    assert_eq!(listed["recommendations"].as_array().unwrap().len(), 1);
    let text = suite.run(&["review", "list"]).exits(0).stdout;
    assert!(text.contains(&id) && text.contains("1 recommendation in review"));
    let ran = review(suite, REVIEWER, &["claim", &id]).exits(0);
    let claimed = ran.json();
    assert_eq!(claimed["reviewer"]["subject"], REVIEWER);
    // What a model says must not reach the terminal as it stands, and JSON keeps its value.
    assert!(!ran.stdout.contains(['\u{202e}', '\u{2066}']), "{ran:?}");
    assert_eq!(
        claimed["rationale"],
        "40 of 120 pieces \u{202e}are in\u{2066} Basel"
    );
    // The model's owner counts as the model, and other units see nothing.
    let accept = ["accept", id.as_str(), "--comment", "it is there"];
    review(suite, "model-owner.medical", &accept).exits(1);
    review(suite, "reviewer.industrial", &accept)
        .exits(1)
        .says(&["NOT_FOUND"]);
    let accepted = review(suite, REVIEWER, &accept).exits(0).json();
    assert_eq!(outcome(&accepted), ("ACCEPTED", true));
    let action = accepted["action"].as_str().unwrap();
    let exception = action.split("/actions/").next().unwrap();
    let shown = suite.json(&["exception", "show", exception]);
    assert_eq!(shown["actions"][0]["requester"]["subject"], REVIEWER);
    assert!(
        shown["actions"][0].to_string().contains("basel"),
        "{shown:#}"
    );
    review(suite, REVIEWER, &["reject", &id, "--reason", "late"])
        .exits(1)
        .says(&["ILLEGAL_STATE"]);
}

fn a_modified_one_is_asked_for_as_it_was_modified(suite: &Suite) {
    let id = recommend(suite, "R-2");
    let other = r#"{"warehouse":"zurich","quantity":30}"#;
    let modify = [
        "modify",
        &id,
        "--arguments",
        other,
        "--comment",
        "Basel is full",
    ];
    let modified = review(suite, REVIEWER, &modify).exits(0).json();
    assert_eq!(outcome(&modified), ("MODIFIED", true));
    let action = modified["action"].as_str().unwrap();
    let exception = action.split("/actions/").next().unwrap();
    let shown = suite.json(&["exception", "show", exception]);
    assert!(
        shown["actions"][0].to_string().contains("zurich"),
        "{shown:#}"
    );
}

fn a_rejected_one_ends(suite: &Suite) {
    let id = recommend(suite, "R-3");
    review(suite, REVIEWER, &["reject", &id]).exits(2);
    let reject = ["reject", id.as_str(), "--reason", "the customer waits"];
    let rejected = review(suite, REVIEWER, &reject).exits(0).json();
    assert_eq!(outcome(&rejected), ("REJECTED", false));
    let text = suite
        .run(&[&["review"], &reject[..], &["--as", REVIEWER]].concat())
        .exits(1);
    text.says(&["ILLEGAL_STATE"]);
}
