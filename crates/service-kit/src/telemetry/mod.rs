//! Logs, traces and metrics of a process.
//!
//! Logs go to standard error with the trace's id. Traces and metrics go to an OTLP
//! collector where one is given; one that can't be reached costs the data and nothing
//! else. Metrics are also at `/metrics` on the HTTP listener.

mod collector;
mod format;
mod metrics;
pub mod names;
mod trace;

pub use metrics::{meter, prometheus_text};
pub use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter},
};
pub use trace::{TraceContext, current_trace, link, set_parent};
pub(crate) use trace::{extract, inject, record_code};

use std::time::Duration;

use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{
    error::{Error, Kind, Reason, Result},
    settings::Telemetry,
};

/// How long the last spans and metrics may take to leave.
const FLUSH: Duration = Duration::from_secs(5);

/// Crates whose spans would tell of the exporter's own calls, for ever.
const TRANSPORT: [&str; 7] = [
    "h2",
    "hyper",
    "hyper_util",
    "tonic",
    "tower",
    "opentelemetry",
    "rustls",
];

/// Boundaries of histograms of durations, in seconds: those of the semantic conventions
/// for calls, and finer ones below, where decisions are.
pub const SECONDS: [f64; 17] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0,
    2.5, 5.0, 10.0,
];

/// Keeps telemetry running.
#[derive(Debug)]
#[must_use = "telemetry stops when the guard goes"]
pub struct Guard {
    traces: SdkTracerProvider,
    metrics: Option<SdkMeterProvider>,
}

impl Guard {
    /// Sends what is left, for at most a few seconds.
    pub async fn shutdown(self) {
        let flushed = tokio::task::spawn_blocking(move || self.flush());
        if flushed.await.is_err() {
            tracing::warn!("telemetry was not flushed");
        }
    }

    /// Blocks its thread, which must not be one that the exporter needs.
    fn flush(&self) {
        for result in [
            Some(self.traces.shutdown_with_timeout(FLUSH)),
            self.metrics
                .as_ref()
                .map(|m| m.shutdown_with_timeout(FLUSH)),
        ] {
            if let Some(Err(cause)) = result {
                tracing::warn!(%cause, "telemetry was not flushed");
            }
        }
    }
}

/// Starts telemetry for the process, under a name such as `bylaw-policy`; call it once,
/// within a runtime.
///
/// # Errors
/// If the filter or the endpoint is malformed, or a subscriber is installed already.
pub fn init(settings: &Telemetry, service: &str) -> Result<Guard> {
    let resource = Resource::builder()
        .with_service_name(service.to_owned())
        .with_attribute(KeyValue::new(
            names::SERVICE_VERSION,
            env!("CARGO_PKG_VERSION"),
        ))
        .with_attribute(KeyValue::new(
            names::SERVICE_INSTANCE_ID,
            uuid::Uuid::new_v4().to_string(),
        ))
        .build();
    let metrics = metrics::provider(Some((settings, resource.clone())));
    let traces = traces(settings, resource)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(traces.clone());

    let filter = EnvFilter::try_new(&settings.log).map_err(|e| refused("telemetry.log", &e))?;
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .event_format(format::Lines(settings.format))
        // Lines take their trace from the exporter's layer: spans are none of this one's.
        .with_filter(filter.and(filter_fn(|metadata| metadata.is_event())));
    let spans = tracing_opentelemetry::layer()
        .with_tracer(traces.tracer("bylaw"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        // Nothing here asks OpenTelemetry itself for the current context, and keeping it at
        // every poll of every layer costs more than the span.
        .with_context_activation(false)
        .with_filter(filter_fn(|metadata| {
            let root = metadata.target().split("::").next().unwrap_or_default();
            *metadata.level() <= tracing::Level::INFO
                && !TRANSPORT.iter().any(|name| root.starts_with(name))
        }));
    tracing_subscriber::registry()
        .with(spans)
        .with(logs)
        .try_init()
        .map_err(|e| refused("telemetry", &e))?;
    Ok(Guard { traces, metrics })
}

/// Writes panics to the log, where they get the form and the trace of everything else.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let cause = panic.payload_as_str().unwrap_or("of an unknown kind");
        tracing::error!(place, cause, "panic");
    }));
}

/// Spans have ids even where no collector takes them: records and events carry them.
fn traces(settings: &Telemetry, resource: Resource) -> Result<SdkTracerProvider> {
    let root = Sampler::TraceIdRatioBased(settings.sample);
    let mut builder = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(Sampler::ParentBased(Box::new(root)));
    if !settings.otlp_endpoint.is_empty() {
        let processor = collector::spans(&settings.otlp_endpoint, settings.queue)?;
        builder = builder.with_span_processor(processor);
    }
    Ok(builder.build())
}

fn refused(path: &str, cause: &dyn std::fmt::Display) -> Error {
    let message = format!("{path}: {cause}");
    Error::new(Kind::InvalidArgument, Reason::InvalidArgument, message)
}

/// A code's canonical name, such as `NOT_FOUND`.
pub(crate) fn code_name(code: tonic::Code) -> &'static str {
    use tonic::Code;
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
