//! A gate with the example's models and use cases, and who acts on it.

use std::{path::Path, sync::Arc, time::Duration};

use aigate::{Service, settings::Settings};
use chrono::Utc;
use contracts::{
    aigate::{
        Recommendation, RecommendationState, SubmitRecommendationRequest,
        recommendation_service_client::RecommendationServiceClient as Client,
    },
    exceptions as ex,
    types::{self, value::Kind},
};
pub use service_kit::identity::DEVELOPMENT_ISSUER;
use service_kit::{
    bootstrap::Files,
    bus::{self, Bus},
    clock::{Clock as _, Manual},
    identity::PrincipalKind,
};
use testkit::{
    Backend, Harness,
    harness::Options,
    identity::{Calls, Provider},
};
use tonic::Status;
use uuid::Uuid;

use crate::peers::Peers;

pub const MEDICAL: &str = "acme/europe/medical";
pub const EXCEPTION: &str = "exceptions/019abc4e-0000-7000-8000-000000000001";

pub struct World {
    pub harness: Harness,
    pub peers: Peers,
    pub clock: Arc<Manual>,
    pub bus: Arc<dyn Bus>,
    /// Another issuer whose tokens are taken.
    elsewhere: Provider,
}

/// Name of the other issuer.
pub const ELSEWHERE: &str = "https://elsewhere.example";

pub fn example() -> Files {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/distributor/ai");
    Files::from_dir(&dir).unwrap()
}

pub fn settings() -> Settings {
    Settings {
        sweep_interval: Duration::from_millis(20),
        ..Settings::default()
    }
}

/// Issuer and subject of whom another service is told to exclude.
pub fn excluded(named: &[types::Principal]) -> Vec<(&str, &str)> {
    let pairs = named
        .iter()
        .map(|who| (who.issuer.as_str(), who.subject.as_str()));
    pairs.collect()
}

impl World {
    pub async fn start(backend: Backend) -> Self {
        let peers = Peers::default();
        let address = peers.serve().await;
        {
            let mut state = peers.lock();
            state.effect = types::Effect::RequireApproval;
            state.settled = true;
            state.signs = true;
            state.facts = vec![
                fact("order.total", money("18450.00"), types::Provenance::Erp),
                fact(
                    "inventory.reserved",
                    Kind::BooleanValue(true),
                    types::Provenance::Erp,
                ),
            ];
            state.exception = ex::Exception {
                name: EXCEPTION.into(),
                r#type: "credit_hold".into(),
                scope: MEDICAL.into(),
                document_type: "order".into(),
                document_id: "SO-4711".into(),
                correlation_id: "SO-4711".into(),
                state: ex::ExceptionState::Open.into(),
                ..Default::default()
            };
        }
        let clock = Arc::new(Manual::new(Utc::now()));
        let bus = bus::memory();
        let elsewhere = Provider::new(ELSEWHERE);
        let mut shared = service_kit::Settings::default();
        shared.identity.issuers = vec![elsewhere.settings()];
        shared.identity.principals_issuer = Some(DEVELOPMENT_ISSUER.into());
        let harness = Harness::with::<Service>(
            backend,
            settings(),
            Options {
                settings: shared,
                files: example(),
                clock: clock.clone(),
                bus: bus.clone(),
                peers: vec![
                    ("policy".into(), address.clone()),
                    ("exceptions".into(), address),
                ],
                ..Options::default()
            },
        )
        .await;
        Self {
            harness,
            peers,
            clock,
            bus,
            elsewhere,
        }
    }

    /// Somebody of the other issuer.
    pub fn of_elsewhere(&self, subject: &str, kind: PrincipalKind, grant: &str) -> Client<Calls> {
        let token = self
            .elsewhere
            .mint(subject, kind, &[grant], self.clock.now());
        Client::new(self.harness.with_token(&token))
    }

    pub fn agent(&self) -> Client<Calls> {
        let grants = ["recommender@acme/europe/medical"];
        Client::new(
            self.harness
                .calls("order-agent.medical", PrincipalKind::Model, &grants),
        )
    }

    pub fn reviewer(&self) -> Client<Calls> {
        self.person("reviewer.medical", "reviewer@acme/europe/medical")
    }

    pub fn person(&self, subject: &str, grant: &str) -> Client<Calls> {
        Client::new(self.harness.person(subject, &[grant]))
    }

    /// Submits the story's recommendation.
    pub async fn submitted(&self) -> Recommendation {
        self.agent()
            .submit_recommendation(story())
            .await
            .unwrap()
            .into_inner()
    }

    pub fn allow(&self) {
        self.peers.lock().effect = types::Effect::Allow;
    }
}

pub fn fact(name: &str, kind: Kind, provenance: types::Provenance) -> types::Fact {
    types::Fact {
        name: name.into(),
        value: Some(types::Value { kind: Some(kind) }),
        provenance: provenance.into(),
        ..Default::default()
    }
}

pub fn money(amount: &str) -> Kind {
    Kind::MoneyValue(types::Money {
        amount: Some(decimal(amount)),
        currency_code: "EUR".into(),
    })
}

pub fn decimal(text: &str) -> types::Decimal {
    types::Decimal { value: text.into() }
}

pub fn number(text: &str) -> Kind {
    Kind::NumberValue(decimal(text))
}

pub fn arguments(quantity: &str) -> Vec<types::Fact> {
    let unspecified = types::Provenance::Unspecified;
    vec![
        fact("warehouse", Kind::StringValue("basel".into()), unspecified),
        fact("quantity", number(quantity), unspecified),
    ]
}

/// A partial release from another warehouse, with confidence 0.81.
pub fn story() -> SubmitRecommendationRequest {
    SubmitRecommendationRequest {
        scope: MEDICAL.into(),
        model_version: "models/fulfilment-advisor/versions/3".into(),
        use_case: "alternate_fulfilment".into(),
        exception: EXCEPTION.into(),
        operation: "release_partial".into(),
        arguments: arguments("40"),
        confidence: Some(decimal("0.81")),
        rationale: "basel has the stock".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    }
}

/// The same, and sure of it.
pub fn sure() -> SubmitRecommendationRequest {
    SubmitRecommendationRequest {
        confidence: Some(decimal("0.97")),
        ..story()
    }
}

pub fn reasons(recommendation: &Recommendation) -> String {
    let checks = &recommendation.result.as_ref().unwrap().checks;
    checks
        .iter()
        .map(|c| format!("{}={}", c.check, c.reason))
        .collect::<Vec<_>>()
        .join(" | ")
}

#[track_caller]
pub fn assert_state(recommendation: &Recommendation, state: RecommendationState) {
    assert_eq!(recommendation.state(), state, "{}", reasons(recommendation));
}

/// The documented reason of a refusal.
pub fn reason(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    let details = status.get_error_details();
    details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: tonic::Code, why: &str) {
    let status = answer.expect_err("refused");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (code, why),
        "{}",
        status.message()
    );
}
