//! One trace from the caller through this process to its peers and to the collector.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    trace::v1::Span,
};
use service_kit::{
    settings::Telemetry,
    telemetry::{self, TraceContext},
};
use tonic::{Request, Response, Status};

use super::stub::{World, alone};

#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    metrics: Arc<Mutex<Vec<String>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans;
        let scopes = resources.into_iter().flat_map(|r| r.scope_spans);
        self.spans
            .lock()
            .unwrap()
            .extend(scopes.flat_map(|s| s.spans));
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let resources = request.into_inner().resource_metrics;
        let scopes = resources.into_iter().flat_map(|r| r.scope_metrics);
        let names = scopes.flat_map(|s| s.metrics).map(|m| m.name);
        self.metrics.lock().unwrap().extend(names);
        Ok(Response::new(Default::default()))
    }
}

impl Collector {
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()))
            .serve_with_incoming(incoming);
        tokio::spawn(server);
        format!("http://{addr}")
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

#[test]
fn a_trace_goes_through_and_reaches_the_collector() {
    let name = "trace::a_trace_goes_through_and_reaches_the_collector";
    if alone(name, &[]).is_none() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(trace());
    }
}

async fn trace() {
    let collector = Collector::default();
    let settings = Telemetry {
        log: "off".to_owned(),
        otlp_endpoint: collector.serve().await,
        ..Telemetry::default()
    };
    let guard = telemetry::init(&settings, "stub").unwrap();
    let world = World::start(121, |_| {}).await;
    let mut request = world.get("peer x");
    let parent = format!("00-{TRACE}-{PARENT}-01");
    request
        .metadata_mut()
        .insert("traceparent", parent.parse().unwrap());
    let record = world
        .client()
        .get_record(request)
        .await
        .unwrap()
        .into_inner();
    let seen = TraceContext::parse(&record.trace_id);
    assert_eq!(seen.trace_id, TRACE);
    drop(world);
    guard.shutdown().await;

    let spans = collector.spans.lock().unwrap();
    let ours: Vec<_> = spans.iter().filter(|s| hex(&s.trace_id) == TRACE).collect();
    let child_of = |parent: &str, kind: i32| {
        let is_child = |s: &&&Span| hex(&s.parent_span_id) == parent && s.kind == kind;
        let span = ours
            .iter()
            .find(is_child)
            .unwrap_or_else(|| panic!("{kind}: {ours:#?}"));
        hex(&span.span_id)
    };
    let (server, client) = (2, 3);
    let outer = child_of(PARENT, server);
    let call = child_of(&outer, client);
    let inner = child_of(&call, server);
    assert_eq!(seen.span_id, inner);
    let named = ours
        .iter()
        .all(|s| s.name.starts_with("bylaw.audit.v1.AuditService/"));
    assert!(named, "{ours:#?}");
    // The exporter doesn't tell of itself.
    assert!(
        !spans.iter().any(|s| s.name.contains("opentelemetry")),
        "{spans:#?}"
    );
    let metrics = collector.metrics.lock().unwrap();
    assert!(
        metrics
            .iter()
            .any(|name| name == "rpc.server.call.duration"),
        "{metrics:?}"
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
