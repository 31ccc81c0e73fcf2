//! The service with a policy service that the test speaks for, and what tests send.

use std::{path::Path, sync::Arc};

use chrono::{DateTime, Utc};
use contracts::{
    exceptions::{
        self, Exception, IngestEventRequest, IngestResult, ListExceptionsRequest,
        event_service_client::EventServiceClient, exception_service_client::ExceptionServiceClient,
    },
    types::CloudEvent,
};
use service_kit::{
    bootstrap::Files, clock::Manual, error::Reason, identity::PrincipalKind, settings::Settings,
};
use testkit::{
    Backend, Harness,
    harness::Options,
    identity::{Bearer, Calls},
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::policy::FakePolicy;

pub const MEDICAL: &str = "acme/europe/medical";
pub const INDUSTRIAL: &str = "acme/europe/industrial";
pub const CREDIT_EXCEEDED: &str = "com.example.erp.credit-limit-exceeded";
pub const RELEASED: &str = "com.example.erp.order-released";

pub type Events = EventServiceClient<Calls>;
pub type Exceptions = ExceptionServiceClient<Calls>;

/// The service and what is around it.
pub struct Suite {
    pub harness: Harness,
    pub policy: FakePolicy,
    pub clock: Arc<Manual>,
}

/// A Tuesday morning on which every unit works.
pub fn morning() -> DateTime<Utc> {
    "2026-11-24T08:00:00Z".parse().unwrap()
}

fn example() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/distributor")
}

/// What the example declares for this service.
pub fn files() -> Files {
    let all = Files::from_dir(&example()).unwrap();
    let own = all
        .paths()
        .filter(|path| path.starts_with("exceptions/") || *path == "scopes.yaml");
    Files::embedded(own.map(|path| (path, all.get(path).unwrap())))
}

impl Suite {
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, exceptions_settings()).await
    }

    pub async fn start_with(backend: Backend, service: ::exceptions::settings::Settings) -> Self {
        let policy = FakePolicy::default();
        let clock = Arc::new(Manual::new(morning()));
        let mut settings = Settings::default();
        // The file says who may assert facts of the ERP.
        settings.identity.principals_file = Some(example().join("principals.yaml"));
        let options = Options {
            settings,
            files: files(),
            clock: clock.clone(),
            peers: vec![("policy".to_owned(), policy.serve().await)],
            ..Options::default()
        };
        let harness = Harness::with::<::exceptions::Service>(backend, service, options).await;
        Self {
            harness,
            policy,
            clock,
        }
    }

    /// The ERP's adapter, whose facts are the ERP's.
    pub fn erp(&self) -> Events {
        EventServiceClient::new(self.harness.program("erp-adapter", &["event-source@acme"]))
    }

    pub fn person(&self, subject: &str, grants: &[&str]) -> Exceptions {
        ExceptionServiceClient::new(self.harness.person(subject, grants))
    }

    pub fn desk(&self) -> Exceptions {
        self.person("desk", &["operator@acme/europe/medical"])
    }

    pub fn credit(&self) -> Exceptions {
        self.person("credit", &["credit-manager@acme/europe/medical"])
    }

    pub fn compliance(&self) -> Exceptions {
        self.person("compliance", &["compliance-officer@acme/europe/medical"])
    }

    pub fn auditor(&self) -> Exceptions {
        self.person("auditor", &["auditor@acme"])
    }

    /// The aigate service, acting for a person.
    pub fn aigate_for(&self, subject: &str, grants: &[&str]) -> Exceptions {
        let own = self
            .harness
            .token("bylaw-aigate", PrincipalKind::Service, &["bylaw-aigate@*"]);
        let person = self.harness.token(subject, PrincipalKind::Person, grants);
        let bearer = Bearer::new(&own).on_behalf_of(&person);
        ExceptionServiceClient::new(Calls::new(self.harness.channel(), bearer))
    }

    /// Takes in an event that must be accepted.
    pub async fn ingest(&self, event: CloudEvent) -> IngestResult {
        let request = IngestEventRequest { event: Some(event) };
        self.erp().ingest_event(request).await.unwrap().into_inner()
    }

    /// Raises a credit hold of medical on an order.
    pub async fn hold(&self, order: &str) -> String {
        let result = self
            .ingest(credit_exceeded(order, MEDICAL, "18450.00"))
            .await;
        assert_eq!(result.exception_type, "credit_hold");
        result.exception
    }

    pub async fn get(&self, name: &str) -> Exception {
        let request = exceptions::GetExceptionRequest {
            name: name.to_owned(),
        };
        self.auditor()
            .get_exception(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// All open exceptions.
    pub async fn open(&self) -> Vec<Exception> {
        let request = ListExceptionsRequest {
            page_size: 1_000,
            ..ListExceptionsRequest::default()
        };
        let list = self.auditor().list_exceptions(request).await.unwrap();
        list.into_inner().exceptions
    }

    /// Types of the records of one business transaction, once the log has `count`.
    pub async fn recorded(&self, correlation_id: &str, count: usize) -> Vec<String> {
        let read = || {
            let records = self.harness.log.records().into_iter();
            let of_it = records.filter(|record| record.correlation_id == correlation_id);
            of_it.map(|record| record.r#type).collect::<Vec<_>>()
        };
        let wait = std::time::Duration::from_secs(20);
        testkit::eventually(wait, || async { read().len() >= count }).await;
        read()
    }
}

pub fn exceptions_settings() -> ::exceptions::settings::Settings {
    ::exceptions::settings::Settings {
        sweep_interval: std::time::Duration::from_millis(50),
        ..Default::default()
    }
}

/// An event with an id of its own.
pub fn event(kind: &str, subject: &str, scope: &str, data: &str) -> CloudEvent {
    CloudEvent {
        id: uuid::Uuid::now_v7().to_string(),
        source: "/examples/erp".to_owned(),
        r#type: kind.to_owned(),
        subject: subject.to_owned(),
        scope: scope.to_owned(),
        data: data.as_bytes().to_vec().into(),
        ..CloudEvent::default()
    }
}

pub fn credit_exceeded(order: &str, scope: &str, total: &str) -> CloudEvent {
    let data = format!(
        r#"{{"order": {{"total": "{total} EUR", "margin_pct": 31.5}},
            "customer": {{"id": "C-9", "days_overdue": 12, "licence_valid": true}},
            "item": {{"regulated": true}}}}"#
    );
    let mut event = event(CREDIT_EXCEEDED, &format!("orders/{order}"), scope, &data);
    event.correlation_id = order.to_owned();
    event
}

pub fn released(order: &str, data: &str) -> CloudEvent {
    let mut event = event(RELEASED, &format!("orders/{order}"), MEDICAL, data);
    event.correlation_id = order.to_owned();
    event
}

/// The code and the documented reason of an error.
pub fn refusal<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, Reason) {
    let status = result.expect_err("the call is refused");
    let details = status.get_error_details();
    let info = details.error_info().expect("an error says why");
    let reason = Reason::from_code(&info.reason).expect("a documented reason");
    (status.code(), reason)
}

/// The first field that an error is about.
pub fn field<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    fields(result).remove(0)
}

/// All fields that an error is about.
pub fn fields<T: std::fmt::Debug>(result: Result<T, Status>) -> Vec<String> {
    let status = result.expect_err("the call is refused");
    let details = status.get_error_details();
    let bad = details.bad_request().expect("an error names the field");
    let fields = bad.field_violations.iter();
    fields.map(|violation| violation.field.clone()).collect()
}
