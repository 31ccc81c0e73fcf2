//! A span and a measurement for every call, from its headers to its last trailer.

use std::{
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use opentelemetry::{KeyValue, trace::TraceContextExt as _};
use tonic::{Code, Status, body::Body};
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{connection::Client, count, reason};
use crate::{
    around::{Answering, Around, Call, Request, Wrap},
    methods,
    telemetry::{self, Histogram, names},
};

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    telemetry::meter()
        .f64_histogram(names::SERVER_CALL_DURATION)
        .with_unit("s")
        .with_description("duration of calls")
        .with_boundaries(telemetry::SECONDS.to_vec())
        .build()
});

#[derive(Clone, Copy)]
pub(super) struct Observe;

impl Observe {
    pub(super) fn layer() -> Wrap<Self> {
        Wrap(Self)
    }
}

impl Around for Observe {
    fn call<S: Call>(&self, inner: &mut S, request: Request) -> Answering {
        let method = methods::name(request.uri().path());
        let span = span(method, &request);
        let mut ending = Ending::new(method, span.clone());
        let answer = span.in_scope(|| inner.call(request));
        let work = async move {
            let answer = answer.await?;
            if let Some(status) = Status::from_header_map(answer.headers()) {
                if let Some(reason) = reason(&answer) {
                    count(method, reason);
                    Span::current().set_attribute(names::REASON, reason.code());
                }
                ending.finish(status.code());
                return Ok(answer);
            }
            Ok(answer.map(|inner| Body::new(Answer { inner, ending })))
        };
        Box::pin(work.instrument(span))
    }
}

fn span(method: &'static str, request: &Request) -> Span {
    let span = tracing::info_span!(
        "serve",
        otel.name = method,
        otel.kind = "server",
        { names::RPC_SYSTEM_NAME } = "grpc",
        { names::RPC_METHOD } = method,
    );
    // It fails only where no exporter layer is installed: there is nothing to join.
    let _ = span.set_parent(telemetry::extract(request.headers()));
    let recorded = span.context().span().is_recording();
    if let (true, Some(client)) = (recorded, request.extensions().get::<Client>()) {
        span.set_attribute(names::NETWORK_PEER_ADDRESS, client.0.ip().to_string());
    }
    span
}

/// Records how a call ended, once; one that is dropped before was cancelled.
struct Ending {
    method: &'static str,
    span: Span,
    started: Instant,
    code: Option<Code>,
}

impl Ending {
    fn new(method: &'static str, span: Span) -> Self {
        Self {
            method,
            span,
            started: Instant::now(),
            code: None,
        }
    }

    fn finish(&mut self, code: Code) {
        if self.code.is_some() {
            return;
        }
        self.code = Some(code);
        telemetry::record_code(&self.span, code, is_failure(code));
        let attributes = [
            KeyValue::new(names::RPC_SYSTEM_NAME, "grpc"),
            KeyValue::new(names::RPC_METHOD, self.method),
            KeyValue::new(names::RPC_RESPONSE_STATUS_CODE, telemetry::code_name(code)),
        ];
        DURATION.record(self.started.elapsed().as_secs_f64(), &attributes);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.finish(Code::Cancelled);
    }
}

/// Which codes are a server's failure, by the semantic conventions for gRPC: what a
/// caller did wrong isn't.
fn is_failure(code: Code) -> bool {
    match code {
        Code::Unknown
        | Code::DeadlineExceeded
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::Ok
        | Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unauthenticated => false,
    }
}

struct Answer {
    inner: Body,
    ending: Ending,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let span = self.ending.span.clone();
        let polled = span.in_scope(|| Pin::new(&mut self.inner).poll_frame(context));
        if let Poll::Ready(frame) = &polled {
            match frame {
                Some(Ok(frame)) => {
                    if let Some(trailers) = frame.trailers_ref() {
                        let status = Status::from_header_map(trailers);
                        self.ending.finish(status.map_or(Code::Ok, |s| s.code()));
                    }
                }
                Some(Err(status)) => self.ending.finish(status.code()),
                None => self.ending.finish(Code::Ok),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
