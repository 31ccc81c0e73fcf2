//! The process's meter and its Prometheus page.

use std::sync::OnceLock;

use opentelemetry::{global, metrics::Meter};
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use prometheus::{Encoder as _, Registry, TextEncoder};

use super::collector;
use crate::{
    error::{Error, Result},
    settings::Telemetry,
};

/// Name of the instrumentation scope.
const SCOPE: &str = "bylaw";

static METRICS: OnceLock<Option<Metrics>> = OnceLock::new();

struct Metrics {
    registry: Registry,
    provider: SdkMeterProvider,
}

/// The meter that all instruments come from. Instruments made before
/// [`super::init`] are at `/metrics`, and not at the collector.
#[must_use]
pub fn meter() -> Meter {
    start(None);
    global::meter(SCOPE)
}

/// All measurements in Prometheus' text format.
///
/// # Errors
/// If they can't be gathered.
pub fn prometheus_text() -> Result<String> {
    let mut text = Vec::new();
    if let Some(metrics) = start(None) {
        TextEncoder::new()
            .encode(&metrics.registry.gather(), &mut text)
            .map_err(Error::internal)?;
    }
    String::from_utf8(text).map_err(Error::internal)
}

/// The provider, made with a reader for the collector if this is the first use.
pub(super) fn provider(
    collector: Option<(&Telemetry, opentelemetry_sdk::Resource)>,
) -> Option<SdkMeterProvider> {
    start(collector).map(|metrics| metrics.provider.clone())
}

fn start(collector: Option<(&Telemetry, opentelemetry_sdk::Resource)>) -> Option<&'static Metrics> {
    METRICS
        .get_or_init(|| {
            build(collector)
                .inspect_err(|e| tracing::error!(cause = %e, "no metrics"))
                .ok()
        })
        .as_ref()
}

fn build(collector: Option<(&Telemetry, opentelemetry_sdk::Resource)>) -> Result<Metrics> {
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .scope_info_enabled(false)
        .build()
        .map_err(Error::internal)?;
    let mut builder = SdkMeterProvider::builder().with_reader(exporter);
    if let Some((settings, resource)) = collector {
        builder = builder.with_resource(resource);
        if !settings.otlp_endpoint.is_empty() {
            let exporter = collector::metrics(&settings.otlp_endpoint)?;
            let reader = PeriodicReader::builder(exporter)
                .with_interval(settings.metrics_interval)
                .build();
            builder = builder.with_reader(reader);
        }
    }
    let provider = builder.build();
    global::set_meter_provider(provider.clone());
    Ok(Metrics { registry, provider })
}
