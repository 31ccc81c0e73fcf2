//! A small company with two units, and questions to ask.

use std::sync::Arc;

use contracts::{
    policy::{
        DecideRequest, decision_service_client::DecisionServiceClient,
        policy_service_client::PolicyServiceClient,
    },
    types::{Fact, Provenance, Value, value::Kind},
};
use policy::Settings;
use service_kit::{bootstrap::Files, clock::Manual};
use testkit::{Backend, Harness, harness::Options, identity::Calls};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

pub const MEDICAL: &str = "corp/west/medical";
pub const TOOLS: &str = "corp/west/tools";

pub const SCOPES: &str = "kind: ScopeTree
scopes:
  corp: {level: ENTERPRISE, display_name: The corporation}
  corp/west: {level: REGION}
  corp/west/medical: {level: BUSINESS_UNIT}
  corp/west/tools: {level: BUSINESS_UNIT}
";

pub const WORKFLOW: &str = "kind: Workflow
name: hold_release
class: GLOBAL
owner: process-owner
criticality: HIGH
control_sensitivity: FINANCIAL
executed_by: ERP
depends_on: [erp]
facts:
  order.total: {type: money, currency: EUR, provenance: [ERP], binding: true}
  customer.days_overdue: {type: number, unit: d, provenance: [ERP], max_age: 24h}
  item.regulated: {type: boolean, provenance: [ERP, INTEGRATION]}
";

pub const ENTERPRISE: &str = "kind: Policy
name: hold_release.enterprise
workflow: hold_release
scope: corp
mode: DEFAULT
audit_level: SUMMARY
inputs: [order.total, customer.days_overdue]
hit_policy: UNIQUE
rows:
  - id: small
    when: {order.total: '<= 1000', customer.days_overdue: '<= 30'}
    then: {effect: ALLOW}
  - id: large
    when: {order.total: '> 1000', customer.days_overdue: '<= 30'}
    then: {effect: REQUIRE_APPROVAL, approvals: [{role: credit-lead, count: 1}]}
  - id: overdue
    when: {customer.days_overdue: '> 30'}
    then: {effect: DENY, reason: the customer is overdue}
";

pub const GUARDRAIL: &str = "kind: Policy
name: hold_release.medical
workflow: hold_release
scope: corp/west/medical
mode: GUARDRAIL
waivable: false
audit_level: FULL
inputs: [item.regulated]
hit_policy: UNIQUE
rows:
  - id: regulated
    when: {item.regulated: 'true'}
    then:
      effect: REQUIRE_APPROVAL
      approvals: [{role: compliance-lead, count: 1}]
      obligations: [keep_evidence]
";

pub const PRINCIPALS: &str = "principals:
  erp-adapter: {kind: service, grants: [event-source@corp], asserts: [ERP]}
  order-adapter:
    kind: service
    grants: [event-source@corp]
    asserts: [{provenance: ERP, facts: [order.*]}]
";

/// The files that the store begins with.
pub fn files() -> Files {
    Files::embedded([
        ("scopes.yaml", SCOPES.as_bytes()),
        ("workflows/hold_release.yaml", WORKFLOW.as_bytes()),
        (
            "policies/hold_release.enterprise.yaml",
            ENTERPRISE.as_bytes(),
        ),
        ("policies/hold_release.medical.yaml", GUARDRAIL.as_bytes()),
    ])
}

/// A service, its clock, and a folder that must outlive it.
pub struct Fixture {
    pub harness: Harness,
    pub clock: Arc<Manual>,
    _principals: tempfile::TempDir,
}

impl Fixture {
    pub async fn start(backend: Backend) -> Self {
        Self::with(backend, |_| {}).await
    }

    /// With other settings of the kit.
    pub async fn with(backend: Backend, change: impl FnOnce(&mut service_kit::Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let principals = folder.path().join("principals.yaml");
        std::fs::write(&principals, PRINCIPALS).unwrap();
        let clock = Arc::new(Manual::new(chrono::Utc::now()));
        let mut options = Options {
            files: files(),
            clock: clock.clone(),
            ..Options::default()
        };
        options.settings.identity.principals_file = Some(principals);
        change(&mut options.settings);
        let settings = Settings::default();
        Self {
            harness: Harness::with::<policy::Service>(backend, settings, options).await,
            clock,
            _principals: folder,
        }
    }

    /// The ERP's adapter, whose facts are the ERP's.
    pub fn erp(&self) -> DecisionServiceClient<Calls> {
        let calls = self.harness.program("erp-adapter", &["event-source@corp"]);
        DecisionServiceClient::new(calls)
    }

    /// One of the internal services.
    pub fn internal(&self, name: &str) -> DecisionServiceClient<Calls> {
        let grant = format!("{name}@*");
        DecisionServiceClient::new(self.harness.program(name, &[&grant]))
    }

    pub fn person(&self, name: &str, grants: &[&str]) -> DecisionServiceClient<Calls> {
        DecisionServiceClient::new(self.harness.person(name, grants))
    }

    pub fn policies(&self, name: &str, grants: &[&str]) -> PolicyServiceClient<Calls> {
        PolicyServiceClient::new(self.harness.person(name, grants))
    }
}

pub fn fact(name: &str, kind: Kind) -> Fact {
    Fact {
        name: name.into(),
        value: Some(Value { kind: Some(kind) }),
        ..Fact::default()
    }
}

pub fn text(name: &str, value: &str) -> Fact {
    fact(name, Kind::StringValue(value.into()))
}

pub fn flag(name: &str, value: bool) -> Fact {
    fact(name, Kind::BooleanValue(value))
}

/// A question about an order of so much, by a customer so many days overdue.
pub fn question(scope: &str, total: &str, days: &str) -> DecideRequest {
    DecideRequest {
        workflow: "hold_release".into(),
        scope: scope.into(),
        correlation_id: "SO-1".into(),
        facts: vec![
            text("order.total", total),
            text("customer.days_overdue", days),
            flag("item.regulated", false),
        ],
        ..DecideRequest::default()
    }
}

/// The same, with facts as a forwarder sends them.
pub fn forwarded(mut question: DecideRequest) -> DecideRequest {
    for fact in &mut question.facts {
        fact.provenance = Provenance::Erp.into();
        fact.asserted_by = "erp-adapter".into();
    }
    question
}

/// Code and reason of a refusal.
pub fn refusal(status: &Status) -> (Code, String) {
    let reason = status.get_details_error_info().map(|info| info.reason);
    (status.code(), reason.unwrap_or_default())
}

/// The fields that a refusal names.
pub fn fields(status: &Status) -> Vec<String> {
    let Some(details) = status.get_details_bad_request() else {
        return Vec::new();
    };
    let violations = details.field_violations.into_iter();
    violations.map(|violation| violation.field).collect()
}
