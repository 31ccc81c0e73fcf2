//! An OpenTelemetry collector that remembers spans.

use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value},
    trace::v1::Span as ProtoSpan,
};
use tonic::{Request, Response, Status};

/// Most spans that are kept.
const MAX_SPANS: usize = 1_000_000;

/// A span as tests look at it; ids in hexadecimal digits.
#[derive(Debug, Clone)]
pub struct Span {
    /// `service.name` of the process.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its trace.
    pub trace_id: String,
    /// Its own id.
    pub span_id: String,
    /// Its parent's id; empty for a root.
    pub parent_id: String,
    /// Trace and span ids of its links.
    pub links: Vec<(String, String)>,
    /// Its attributes as text.
    pub attributes: Vec<(String, String)>,
}

impl Span {
    /// An attribute's text.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// Collects spans over OTLP. Cheap to clone.
#[derive(Clone, Default)]
pub struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    /// Listens on a free port until the runtime ends; the endpoint to export to.
    pub async fn serve() -> (Self, String) {
        let collector = Self::default();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let service =
            TraceServiceServer::new(collector.clone()).max_decoding_message_size(64 * 1024 * 1024);
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        (collector, endpoint)
    }

    /// All spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.lock().clone()
    }

    /// The spans of a trace.
    #[must_use]
    pub fn trace(&self, trace_id: &str) -> Vec<Span> {
        let of_trace = |span: &&Span| span.trace_id == trace_id;
        self.lock().iter().filter(of_trace).cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Span>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut spans = self.lock();
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.map(|r| r.attributes).unwrap_or_default();
            let service = texts(&attributes)
                .into_iter()
                .find(|(key, _)| key == "service.name")
                .map(|(_, value)| value)
                .unwrap_or_default();
            for span in resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans)
            {
                if spans.len() < MAX_SPANS {
                    spans.push(read(&service, &span));
                }
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn read(service: &str, span: &ProtoSpan) -> Span {
    Span {
        service: service.to_owned(),
        name: span.name.clone(),
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_id: hex(&span.parent_span_id),
        links: span
            .links
            .iter()
            .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
            .collect(),
        attributes: texts(&span.attributes),
    }
}

fn texts(attributes: &[KeyValue]) -> Vec<(String, String)> {
    attributes
        .iter()
        .map(|attribute| {
            let value = attribute
                .value
                .as_ref()
                .and_then(|value| value.value.as_ref());
            let text = match value {
                Some(any_value::Value::StringValue(text)) => text.clone(),
                Some(any_value::Value::BoolValue(value)) => value.to_string(),
                Some(any_value::Value::IntValue(value)) => value.to_string(),
                Some(any_value::Value::DoubleValue(value)) => value.to_string(),
                other => format!("{other:?}"),
            };
            (attribute.key.clone(), text)
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
