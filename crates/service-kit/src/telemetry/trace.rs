//! W3C trace context across everything that isn't a call: outbox rows, events, records.

use std::collections::HashMap;

use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector},
    trace::TraceContextExt as _,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Name of the header and attribute that W3C Trace Context gives it.
const TRACEPARENT: &str = "traceparent";

/// A place in a trace; all fields are empty outside of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// `00-<trace id>-<span id>-<flags>` of W3C Trace Context.
    pub traceparent: String,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
}

impl TraceContext {
    /// The ids within a `traceparent`; empty where it is malformed.
    #[must_use]
    pub fn parse(traceparent: &str) -> Self {
        let context = context_of(traceparent);
        let span = context.span();
        let span = span.span_context();
        if !span.is_valid() {
            return Self::default();
        }
        Self {
            traceparent: traceparent.to_owned(),
            trace_id: span.trace_id().to_string(),
            span_id: span.span_id().to_string(),
        }
    }
}

/// Where the current span stands.
#[must_use]
pub fn current_trace() -> TraceContext {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return TraceContext::default();
    }
    let (trace_id, span_id) = (span.trace_id().to_string(), span.span_id().to_string());
    TraceContext {
        traceparent: format!("00-{trace_id}-{span_id}-{:02x}", span.trace_flags().to_u8()),
        trace_id,
        span_id,
    }
}

/// Makes `span` a child of what `traceparent` names; nothing happens where that is empty
/// or malformed. Call it before the span is entered.
pub fn set_parent(span: &Span, traceparent: &str) {
    let context = context_of(traceparent);
    if context.span().span_context().is_valid() {
        // It fails only where no exporter layer is installed: there is nothing to join.
        let _ = span.set_parent(context);
    }
}

/// Links `span` to what `traceparent` names: for batches, and for work that resumes after
/// a wait.
pub fn link(span: &Span, traceparent: &str) {
    let context = context_of(traceparent);
    let linked = context.span().span_context().clone();
    if linked.is_valid() {
        span.add_link(linked);
    }
}

fn context_of(traceparent: &str) -> Context {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    global::get_text_map_propagator(|propagator| propagator.extract(&carrier))
}

/// The context that a request's headers carry.
pub(crate) fn extract(headers: &http::HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)))
}

/// Writes the context of `span` into a request's headers.
pub(crate) fn inject(span: &Span, headers: &mut http::HeaderMap) {
    let context = span.context();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut HeadersMut(headers));
    });
}

struct Headers<'a>(&'a http::HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut http::HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = http::HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value.try_into()) {
            self.0.insert(name, value);
        }
    }
}

/// Writes how a call ended on its span.
pub(crate) fn record_code(span: &Span, code: tonic::Code, failed: bool) {
    let name = super::code_name(code);
    span.set_attribute(super::names::RPC_RESPONSE_STATUS_CODE, name);
    if failed {
        span.set_attribute(super::names::ERROR_TYPE, name);
        span.set_status(opentelemetry::trace::Status::error(name));
    }
}
