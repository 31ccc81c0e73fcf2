//! One call to a peer.

use std::{
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use opentelemetry::KeyValue;
use tokio::time::Instant;
use tonic::{Code, Status, body::Body, transport::Channel};
use tower::Service;
use tracing::{Instrument as _, Span};

use super::{Peer, Shared};
use crate::{
    body, deadline,
    error::{Error, Reason},
    methods,
    telemetry::{self, Histogram, names},
};

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    telemetry::meter()
        .f64_histogram(names::CLIENT_CALL_DURATION)
        .with_unit("s")
        .with_description("duration of calls to peers")
        .with_boundaries(telemetry::SECONDS.to_vec())
        .build()
});

/// The connection to a peer, as generated clients take it.
#[derive(Clone)]
pub struct PeerChannel {
    peer: &'static str,
    shared: Arc<Shared>,
    target: Option<Peer>,
}

impl PeerChannel {
    pub(super) fn new(peer: &'static str, shared: Arc<Shared>) -> Self {
        let target = shared.channels.get(peer).cloned();
        Self {
            peer,
            shared,
            target,
        }
    }

    fn unavailable(&self, source: Option<tonic::transport::Error>) -> Status {
        let message = match &source {
            Some(_) => format!("the {} service can't be reached", self.peer),
            None => format!("the address of the {} service is not set", self.peer),
        };
        let error =
            Error::unavailable(Reason::PeerUnavailable, message).with_metadata("peer", self.peer);
        match source {
            Some(source) => error.with_source(source).into(),
            None => error.into(),
        }
    }

    fn late(&self) -> Status {
        let message = format!("the {} service did not answer in time", self.peer);
        deadline::exceeded(message)
            .with_metadata("peer", self.peer)
            .into()
    }

    /// Everything that a request needs beside its message.
    fn prepare(&self, request: &mut Request<Body>, span: &Span) -> Result<Option<Instant>, Status> {
        let unary = methods::find(request.uri().path()).is_none_or(|m| !m.streaming);
        let headers = request.headers_mut();
        let token = self.shared.tokens.token()?;
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|e| Status::from(Error::internal(e)))?;
        value.set_sensitive(true);
        headers.entry(AUTHORIZATION).or_insert(value);
        telemetry::inject(span, headers);

        let own = deadline::requested(headers)?.or(unary.then_some(self.shared.timeout));
        let now = Instant::now();
        let deadlines = [own.map(|timeout| now + timeout), deadline::current()];
        let deadline = deadlines.into_iter().flatten().min();
        if let Some(at) = deadline {
            deadline::set(headers, at.saturating_duration_since(now));
        }
        Ok(deadline)
    }
}

impl Service<Request<Body>> for PeerChannel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        match &mut self.target {
            Some(target) => match target.channel.poll_ready(context) {
                Poll::Ready(Err(e)) => Poll::Ready(Err(self.unavailable(Some(e)))),
                Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
                Poll::Pending => Poll::Pending,
            },
            None => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Some(target) = &mut self.target else {
            let status = self.unavailable(None);
            return Box::pin(async { Err(status) });
        };
        // The clone that was ready makes the call; what stays behind gets ready anew.
        let stays = target.channel.clone();
        let mut channel = std::mem::replace(&mut target.channel, stays);
        let method = methods::name(request.uri().path());
        let span = span(method, target);
        let prepared = self.prepare(&mut request, &span);
        let this = self.clone();
        let work = async move {
            let started = Instant::now();
            let result = match prepared {
                Ok(deadline) => this.send(&mut channel, request, deadline).await,
                Err(status) => Err(status),
            };
            finish(method, this.peer, started, &result);
            result
        };
        Box::pin(work.instrument(span))
    }
}

impl PeerChannel {
    async fn send(
        &self,
        channel: &mut Channel,
        request: Request<Body>,
        deadline: Option<Instant>,
    ) -> Result<Response<Body>, Status> {
        let sent = channel.call(request);
        let answer = match deadline {
            Some(at) => tokio::time::timeout_at(at, sent)
                .await
                .map_err(|_| self.late())?,
            None => sent.await,
        };
        // tonic's channel reads the header that was set above, too.
        let answer = answer.map_err(|e| match expired(&e) {
            true => self.late(),
            false => self.unavailable(Some(e)),
        })?;
        Ok(match deadline {
            Some(at) => answer.map(|inner| body::until(inner, at)),
            None => answer,
        })
    }
}

/// Whether tonic's channel gave up at the deadline.
fn expired(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    causes
        .into_iter()
        .any(|cause| cause.is::<tonic::TimeoutExpired>())
}

fn span(method: &'static str, target: &Peer) -> Span {
    tracing::info_span!(
        "call",
        otel.name = method,
        otel.kind = "client",
        { names::RPC_SYSTEM_NAME } = "grpc",
        { names::RPC_METHOD } = method,
        { names::SERVER_ADDRESS } = &*target.address,
        { names::SERVER_PORT } = target.port,
    )
}

fn finish(
    method: &'static str,
    peer: &'static str,
    started: Instant,
    result: &Result<Response<Body>, Status>,
) {
    let code = match result {
        Ok(answer) => Status::from_header_map(answer.headers()).map_or(Code::Ok, |s| s.code()),
        Err(status) => status.code(),
    };
    telemetry::record_code(&Span::current(), code, code != Code::Ok);
    let attributes = [
        KeyValue::new(names::RPC_SYSTEM_NAME, "grpc"),
        KeyValue::new(names::RPC_METHOD, method),
        KeyValue::new(names::RPC_RESPONSE_STATUS_CODE, telemetry::code_name(code)),
        KeyValue::new("bylaw.peer", peer),
    ];
    DURATION.record(started.elapsed().as_secs_f64(), &attributes);
}
