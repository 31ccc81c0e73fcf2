//! Services as processes on a PostgreSQL and a Redis, and questions to them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use contracts::{
    audit::{ExportRecordsRequest, audit_service_client::AuditServiceClient},
    exceptions::{
        IngestEventRequest, IngestOutcome, ListExceptionsRequest,
        event_service_client::EventServiceClient, exception_service_client::ExceptionServiceClient,
    },
    types::CloudEvent,
};
use service_kit::{
    Error,
    clock::{Clock as _, System},
    identity::PrincipalKind,
};
use testkit::{
    Postgres, Redis, eventually_ok,
    identity::Calls,
    process::{Plan, Processes, Service},
};

/// Where the example's events come from.
pub const SOURCE: &str = "/examples/erp";

/// Longest wait for what must come.
pub const SOON: Duration = Duration::from_secs(90);

/// A suite with servers of its own, which a test may stop.
pub struct Suite {
    pub postgres: Postgres,
    pub redis: Redis,
    pub processes: Processes,
}

impl Suite {
    /// Starts these services with the distributor's documents.
    pub fn start(services: &[&'static str], otlp: &str) -> Self {
        let example = example();
        let principals = example.join("principals.yaml");
        Self::of(services, otlp, &example, principals, Vec::new())
    }

    /// Starts these services with the documents of a folder, and more settings as
    /// environment variables.
    pub fn of(
        services: &[&'static str],
        otlp: &str,
        bootstrap: &Path,
        principals: PathBuf,
        env: Vec<(String, String)>,
    ) -> Self {
        let (postgres, redis) = (Postgres::start(), Redis::start());
        for service in services {
            let _ = postgres.named_database(service);
        }
        let groups = ["exceptions", "aigate"].into_iter();
        let plan = Plan {
            services: services.to_vec(),
            database_url: postgres.url("{service}"),
            redis_url: redis.url(),
            groups: groups
                .filter(|group| services.contains(group))
                .map(str::to_owned)
                .collect(),
            bootstrap: Some(bootstrap.to_owned()),
            principals: Some(principals),
            otlp: otlp.to_owned(),
            env,
        };
        Self {
            processes: Processes::start(&plan),
            postgres,
            redis,
        }
    }

    /// A channel to a service as one of the example's principals, whose grants the
    /// principals file holds.
    pub fn calls(&self, service: &str, subject: &str, kind: PrincipalKind) -> Calls {
        let token = self.processes.token(subject, kind, &[]);
        self.processes.service(service).calls(&token)
    }

    /// A channel as a person.
    pub fn person(&self, service: &str, subject: &str) -> Calls {
        self.calls(service, subject, PrincipalKind::Person)
    }

    /// The ERP's channel for events.
    pub fn erp(&self) -> Erp {
        let calls = self.calls("exceptions", "erp-adapter", PrincipalKind::Service);
        Erp(EventServiceClient::new(calls))
    }

    /// The ERP's channel to this replica.
    pub fn erp_at(&self, replica: &Service) -> Erp {
        let token = self
            .processes
            .token("erp-adapter", PrincipalKind::Service, &[]);
        Erp(EventServiceClient::new(replica.calls(&token)))
    }

    /// Number of exceptions that were raised, by correlation id.
    pub async fn exceptions(&self) -> BTreeMap<String, usize> {
        let calls = self.person("exceptions", "order-desk.medical");
        let mut client = ExceptionServiceClient::new(calls);
        let mut found = BTreeMap::new();
        let mut page_token = String::new();
        loop {
            let request = ListExceptionsRequest {
                page_size: 1_000,
                page_token,
                ..ListExceptionsRequest::default()
            };
            let page = client.list_exceptions(request).await.unwrap().into_inner();
            for exception in page.exceptions {
                *found.entry(exception.correlation_id).or_default() += 1;
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return found;
            }
        }
    }

    /// Rows that wait in a service's outbox.
    pub fn waiting(&self, service: &str) -> usize {
        let rows = self.postgres.query(service, "SELECT count(*) FROM outbox");
        rows.parse().unwrap()
    }

    /// Waits until nothing waits in the outboxes.
    pub async fn delivered(&self, services: &[&str]) {
        eventually_ok(SOON, || async {
            for service in services {
                let waiting = self.waiting(service);
                if waiting > 0 {
                    let health = self.processes.service(service).page("/readyz");
                    return Err(format!("{waiting} rows wait in {service}: {health:?}"));
                }
            }
            Ok(())
        })
        .await;
    }

    /// The whole log, verified with its public key as an auditor would.
    pub async fn log(&self) -> Vec<Line> {
        self.log_as("auditor").await
    }

    /// The same as this principal may see it.
    pub async fn log_as(&self, auditor: &str) -> Vec<Line> {
        let calls = self.person("audit", auditor);
        let mut client = AuditServiceClient::new(calls);
        let mut stream = client
            .export_records(ExportRecordsRequest::default())
            .await
            .unwrap()
            .into_inner();
        let mut bytes = Vec::new();
        while let Some(part) = stream.message().await.unwrap() {
            bytes.extend_from_slice(&part.lines);
        }
        let key = self.processes.file("audit", "audit-log.pub");
        let key = std::fs::read_to_string(key).unwrap();
        let verified = audit::verify::verify(bytes.as_slice(), &key, None, &mut |_| {})
            .unwrap_or_else(|problem| panic!("the log doesn't verify: {problem}"));
        let lines: Vec<Line> = bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .filter(|line: &Line| line.producersequence.is_some())
            .collect();
        assert_eq!(lines.len() as u64, verified.records);
        lines
    }
}

/// A record of the log.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Line {
    pub id: String,
    pub source: String,
    pub r#type: String,
    #[serde(default)]
    pub correlationid: String,
    pub producersequence: Option<String>,
}

impl Line {
    pub fn sequence(&self) -> u64 {
        self.producersequence.as_ref().unwrap().parse().unwrap()
    }
}

/// Every producer's sequence is there from 1 without gaps, and in order; nothing is twice.
pub fn assert_complete(log: &[Line]) {
    let mut next = BTreeMap::new();
    let mut ids = std::collections::BTreeSet::new();
    for line in log {
        let next = next.entry(line.source.as_str()).or_insert(1);
        assert_eq!(line.sequence(), *next, "{line:?}");
        *next += 1;
        assert!(ids.insert((&line.source, &line.id)), "twice: {line:?}");
    }
}

/// The folder of the example.
pub fn example() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/distributor"
    ))
}

/// Sends the ERP's events.
#[derive(Clone)]
pub struct Erp(EventServiceClient<Calls>);

impl Erp {
    /// Reports that a medical order exceeds its customer's credit limit. `number` names
    /// the order and the event.
    pub async fn report(&mut self, number: u32) -> Result<IngestOutcome, Error> {
        let mut request = tonic::Request::new(IngestEventRequest {
            event: Some(credit_limit_exceeded(number)),
        });
        request.set_timeout(Duration::from_secs(10));
        let answer = self.0.ingest_event(request).await;
        let result = answer.map_err(|status| Error::from_status(status, "exceptions"))?;
        Ok(result.into_inner().outcome())
    }
}

/// The order's id.
pub fn order(number: u32) -> String {
    format!("SO-{number:06}")
}

/// One time for all events: an event that is sent again must be the same.
fn began() -> prost_types::Timestamp {
    static BEGAN: OnceLock<prost_types::Timestamp> = OnceLock::new();
    *BEGAN.get_or_init(|| contracts::time::timestamp(System.now()))
}

/// The ERP says that a medical order exceeds its customer's credit limit.
pub fn credit_limit_exceeded(number: u32) -> CloudEvent {
    let order = order(number);
    let data = serde_json::json!({
        "order": {"total": "18450.00 EUR", "margin_pct": 31.5},
        "customer": {"id": "C-1017", "days_overdue": 12, "licence_valid": true, "commitment_met": true},
        "item": {"id": "I-2044", "regulated": true, "export_controlled": false},
        "inventory": {"reserved": true},
    });
    CloudEvent {
        id: format!("event-{number}"),
        source: SOURCE.to_owned(),
        r#type: "com.example.erp.credit-limit-exceeded".to_owned(),
        subject: format!("orders/{order}"),
        time: Some(began()),
        scope: "acme/europe/medical".to_owned(),
        correlation_id: order,
        data: data.to_string().into(),
        ..CloudEvent::default()
    }
}
