//! The example that comes with the product: its files bootstrap, and its documented
//! decision is what the service answers.

use std::path::Path;

use contracts::{
    policy::{DecideRequest, decision_service_client::DecisionServiceClient},
    types::{Decision, Effect, Fact},
};
use policy::Settings;
use service_kit::bootstrap::Files;
use testkit::{Harness, harness::Options};

use crate::fixture::{flag, text};

const MEDICAL: &str = "acme/europe/medical";

fn example() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/distributor"
    ))
}

/// The documents that say what governs.
fn files() -> Files {
    let all = ["scopes.yaml", "workflows", "policies"].map(|name| example().join(name));
    let [scopes, folders @ ..] = all;
    let mut found = vec![("scopes.yaml".to_owned(), std::fs::read(scopes).unwrap())];
    for folder in folders {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(example()).unwrap().to_str().unwrap();
            found.push((name.to_owned(), std::fs::read(&path).unwrap()));
        }
    }
    Files::embedded(
        found
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    )
}

async fn decide(harness: &Harness, facts: Vec<Fact>) -> Decision {
    let calls = harness.program("erp-adapter", &["event-source@acme"]);
    let asked = DecideRequest {
        workflow: "credit_hold_release".into(),
        scope: MEDICAL.into(),
        correlation_id: "SO-4711".into(),
        facts,
        ..DecideRequest::default()
    };
    let answer = DecisionServiceClient::new(calls).decide(asked).await;
    answer.unwrap().into_inner().decision.unwrap()
}

testkit::backends! {
    async fn the_documented_decision_is_answered(backend: Backend) {
        let mut options = Options {
            files: files(),
            ..Options::default()
        };
        options.settings.identity.principals_file = Some(example().join("principals.yaml"));
        let harness = Harness::with::<policy::Service>(backend, Settings::default(), options).await;
        let mut facts = vec![
            text("order.total", "18450.00 EUR"),
            text("customer.days_overdue", "12"),
            flag("item.regulated", true),
            flag("customer.licence_valid", true),
        ];
        let decision = decide(&harness, facts.clone()).await;
        assert_eq!(decision.effect(), Effect::RequireApproval);
        assert!(decision.settled);
        let approvals: Vec<_> = decision
            .approvals
            .iter()
            .map(|a| (a.role.as_str(), a.at.as_str(), a.count))
            .collect();
        assert_eq!(approvals, [("compliance-officer", MEDICAL, 1), ("credit-manager", MEDICAL, 1)]);
        assert_eq!(decision.obligations, ["keep_licence_evidence"]);

        facts.pop();
        let decision = decide(&harness, facts).await;
        assert_eq!((decision.effect(), decision.settled), (Effect::Deny, false));
        assert_eq!(decision.reasons, ["UNKNOWN_FACTS"]);
        assert_eq!(decision.unknown_facts, ["customer.licence_valid"]);
    }
}
