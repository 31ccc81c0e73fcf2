//! A running audit service, and who calls it.

use std::time::Duration;

use audit::{
    Service, Settings,
    verify::{Problem, Verified, verify},
};
use contracts::{
    audit::{
        BatchAppendRecordsRequest, Checkpoint, ExportRecordsRequest, GetCheckpointRequest,
        GetLineageRequest, Lineage, Outcome, Record, audit_service_client::AuditServiceClient,
    },
    types,
};
use service_kit::bootstrap::Files;
use testkit::{Backend, Harness, identity::Calls};
use tonic::Status;
use uuid::Uuid;

pub type Client = AuditServiceClient<Calls>;

/// A log that signs at once.
pub async fn start(backend: Backend) -> Harness {
    Harness::start::<Service>(backend, Settings::default(), Files::none()).await
}

/// A log that signs only when it is asked to.
pub async fn start_lazy(backend: Backend) -> Harness {
    let settings = Settings {
        checkpoint_delay: Duration::from_secs(3_600),
        ..Settings::default()
    };
    let h = Harness::start::<Service>(backend, settings, Files::none()).await;
    // the first one, over nothing, is signed at the start
    testkit::eventually(Duration::from_secs(10), || async {
        http_get(h.http_addr(), "/checkpoint")
            .await
            .starts_with("HTTP/1.1 200")
    })
    .await;
    h
}

/// A plain HTTP/1.1 request.
pub async fn http_get(addr: std::net::SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

pub fn producer(h: &Harness, name: &str) -> Client {
    let role = format!("bylaw-{name}");
    Client::new(h.program(&role, &[&format!("{role}@*")]))
}

/// An auditor of a scope.
pub fn auditor(h: &Harness, scope: &str) -> Client {
    Client::new(h.person("ann.auditor", &[&format!("auditor@{scope}")]))
        .max_decoding_message_size(4 * 1024 * 1024)
}

pub fn record(n: i64) -> Record {
    Record {
        producer: "exceptions".into(),
        producer_sequence: n,
        event_id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + n as u128)
            .to_string(),
        r#type: "bylaw.exceptions.exception.raised.v1".into(),
        occur_time: Some(contracts::time::timestamp(
            chrono::DateTime::from_timestamp(1_790_000_000 + n, 0).unwrap(),
        )),
        actor: Some(types::Principal {
            issuer: "https://issuer.example".into(),
            subject: "order-desk.medical".into(),
            kind: types::PrincipalKind::Person.into(),
            grants: vec![types::Grant {
                role: "operator".into(),
                scope: "acme/europe/medical".into(),
            }],
            via: "bylaw-exceptions".into(),
        }),
        action: "exceptions.exception.raise".into(),
        resource: format!("exceptions/{n}"),
        scope: "acme/europe/medical".into(),
        correlation_id: "SO-4711".into(),
        trace_id: format!("{:032x}", n / 3 + 1),
        span_id: format!("{n:016x}"),
        outcome: Outcome::Done.into(),
        payload: format!(r#"{{"total":"18450.00 EUR","n":{n}}}"#).into(),
        ..Record::default()
    }
}

pub async fn append(
    client: &mut Client,
    records: Vec<Record>,
) -> Result<Vec<contracts::audit::AppendResult>, Status> {
    let request = BatchAppendRecordsRequest { records };
    Ok(client
        .batch_append_records(request)
        .await?
        .into_inner()
        .results)
}

pub async fn checkpoint(client: &mut Client) -> Checkpoint {
    let request = GetCheckpointRequest {};
    client.get_checkpoint(request).await.unwrap().into_inner()
}

pub async fn export(client: &mut Client, first: i64, size: i64) -> Result<Vec<u8>, Status> {
    let request = ExportRecordsRequest {
        start_index: first,
        tree_size: size,
    };
    let mut stream = client.export_records(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(part) = stream.message().await? {
        assert!(part.lines.ends_with(b"\n"), "whole lines");
        bytes.extend_from_slice(&part.lines);
    }
    Ok(bytes)
}

/// All pages of a lineage.
pub async fn lineage(client: &mut Client, page_size: i32, held: i64) -> Vec<Lineage> {
    let mut pages: Vec<Lineage> = Vec::new();
    loop {
        let request = GetLineageRequest {
            correlation_id: "SO-4711".into(),
            page_size,
            page_token: pages
                .last()
                .map(|p| p.next_page_token.clone())
                .unwrap_or_default(),
            held_tree_size: held,
        };
        pages.push(client.get_lineage(request).await.unwrap().into_inner());
        if pages.last().unwrap().next_page_token.is_empty() {
            return pages;
        }
    }
}

pub fn key(h: &Harness) -> String {
    std::fs::read_to_string(h.data_dir().join("audit-log.pub")).unwrap()
}

pub fn verify_lines(h: &Harness, lines: &[u8], held: Option<&str>) -> Result<Verified, Problem> {
    verify(lines, &key(h), held, &mut |_| {})
}

/// The documented reason of an error.
pub fn reason(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

/// The first field that a request was refused for.
pub fn field(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    status
        .get_details_bad_request()
        .and_then(|bad| bad.field_violations.into_iter().next())
        .map(|violation| violation.field)
        .unwrap_or_default()
}
