//! Turns a handler's panic into `INTERNAL`; without it the stream is reset, and the
//! caller sees `CANCELLED`.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::FutureExt as _;
use http_body::{Body as HttpBody, Frame, SizeHint};
use opentelemetry::KeyValue;
use tonic::{Status, body::Body};

use super::refuse;
use crate::{
    around::{Answering, Around, Call, Request, Wrap},
    body::trailers,
    error::Error,
    methods,
    telemetry::{self, Counter, names},
};

static PANICS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    telemetry::meter()
        .u64_counter(names::PANICS)
        .with_description("handlers that panicked")
        .build()
});

#[derive(Clone, Copy)]
pub(super) struct Panics;

impl Panics {
    pub(super) fn layer() -> Wrap<Self> {
        Wrap(Self)
    }
}

impl Around for Panics {
    fn call<S: Call>(&self, inner: &mut S, request: Request) -> Answering {
        let method = methods::name(request.uri().path());
        // Some layers do their part before they return a future.
        let called = std::panic::catch_unwind(AssertUnwindSafe(|| inner.call(request)));
        Box::pin(async move {
            let outcome = match called {
                Ok(answer) => AssertUnwindSafe(answer).catch_unwind().await,
                Err(panic) => Err(panic),
            };
            Ok(match outcome {
                Ok(answer) => answer?.map(|inner| {
                    let inner = Some(inner);
                    Body::new(Answer { inner, method })
                }),
                Err(panic) => refuse(defect(method, &*panic)),
            })
        })
    }
}

fn defect(method: &'static str, panic: &(dyn Any + Send)) -> Error {
    PANICS.add(1, &[KeyValue::new(names::RPC_METHOD, method)]);
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of an unknown kind");
    Error::broken(format!("panic in {method}: {text}"))
}

/// A stream may panic long after its call was answered.
struct Answer {
    inner: Option<Body>,
    method: &'static str,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let polled = AssertUnwindSafe(|| Pin::new(inner).poll_frame(context));
        match std::panic::catch_unwind(polled) {
            Ok(polled) => polled,
            Err(panic) => {
                self.inner = None;
                Poll::Ready(Some(Ok(trailers(defect(self.method, &*panic)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}
