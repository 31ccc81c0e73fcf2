//! The OTLP exporters, and a bound on what waits for them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::{Context, KeyValue, metrics::Counter};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter as Export,
        SpanProcessor,
    },
};

use super::{meter, names};
use crate::error::{Error, Result};

/// How long the collector may take for a batch.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Spans in a batch.
const BATCH: usize = 512;

pub(super) fn metrics(endpoint: &str) -> Result<MetricExporter> {
    MetricExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(TIMEOUT)
        .build()
        .map_err(Error::internal)
}

/// Sends spans in batches; at most `queue` wait, more are dropped and counted.
pub(super) fn spans(endpoint: &str, queue: usize) -> Result<Bounded> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(TIMEOUT)
        .build()
        .map_err(Error::internal)?;
    Ok(Bounded::new(exporter, queue))
}

/// A batch processor that counts what it drops, which the SDK's own only logs.
#[derive(Debug)]
pub(super) struct Bounded {
    batches: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    queue: usize,
    dropped: Counter<u64>,
}

impl Bounded {
    fn new<E: Export + 'static>(exporter: E, queue: usize) -> Self {
        let dropped = meter()
            .u64_counter(names::SPANS_DROPPED)
            .with_description("spans that never reached the collector")
            .build();
        let waiting = Arc::new(AtomicUsize::new(0));
        let counting = Counting {
            exporter,
            waiting: Arc::clone(&waiting),
            dropped: dropped.clone(),
        };
        // The SDK's own queue has room for all that this one lets in.
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(queue.saturating_add(BATCH))
            .with_max_export_batch_size(BATCH)
            .build();
        let batches = BatchSpanProcessor::builder(counting)
            .with_batch_config(config)
            .build();
        Self {
            batches,
            waiting,
            queue,
            dropped,
        }
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped
                .add(1, &[KeyValue::new(names::REASON, "queue_full")]);
            return;
        }
        self.batches.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Takes what it exported off the count of what waits.
#[derive(Debug)]
struct Counting<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    dropped: Counter<u64>,
}

impl<E: Export> Export for Counting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        if result.is_err() {
            let reason = KeyValue::new(names::REASON, "collector_unavailable");
            self.dropped.add(spans as u64, &[reason]);
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
