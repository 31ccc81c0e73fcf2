//! HTTP/2 for calls and HTTP/1 for pages, on connections that are ready to speak.

use std::{convert::Infallible, pin::pin, sync::atomic::Ordering, time::Duration};

use hyper::{body::Incoming, rt::Executor, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, transport::server::TcpConnectInfo};
use tower::ServiceExt as _;

use super::{
    connection::{Accepted, Client},
    http::TIMEOUT,
    stack::Stack,
};
use crate::settings::Limits;

/// The client's connection preface, in bytes: who has sent less isn't speaking HTTP/2.
const PREFACE: usize = 24;

/// How long a client may take for the preface or for the header of a page's request.
const GREETING: Duration = Duration::from_secs(10);

/// Runs calls until the connection is cut; hyper would leave them to themselves.
#[derive(Clone)]
struct Calls(CancellationToken);

impl<F> Executor<F> for Calls
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, work: F) {
        let cut = self.0.clone();
        tokio::spawn(async move {
            cut.run_until_cancelled(work).await;
        });
    }
}

/// The limits of an HTTP/2 connection, all of them set: hyper's and tonic's defaults leave
/// some out.
fn http2(limits: &Limits, calls: Calls) -> hyper::server::conn::http2::Builder<Calls> {
    let mut builder = hyper::server::conn::http2::Builder::new(calls);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_per_connection)
        .max_header_list_size(limits.header_bytes)
        .max_pending_accept_reset_streams(limits.pending_resets)
        .max_local_error_reset_streams(limits.error_resets)
        .keep_alive_interval(limits.keepalive)
        .keep_alive_timeout(limits.keepalive_timeout)
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .max_send_buf_size(256 * 1024);
    builder
}

/// Serves calls on a connection until its end.
pub(super) async fn calls(accepted: Accepted, stack: Stack, limits: &Limits) {
    let Accepted {
        stream,
        addr,
        received,
        ends,
    } = accepted;
    let cut = ends.cut.child_token();
    // Whatever ends the connection ends its calls.
    let _cut = cut.clone().drop_guard();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let stack = stack.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Client(addr));
            request.extensions_mut().insert(TcpConnectInfo {
                local_addr: None,
                remote_addr: Some(addr),
            });
            stack.oneshot(request).await
        }
    });
    let connection = http2(limits, Calls(cut)).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut greeting = pin!(tokio::time::sleep(GREETING));
    let mut age = pin!(tokio::time::sleep_until(old(limits.connection_age)));
    let (mut greeted, mut leaving) = (false, false);
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(cause) = result {
                    tracing::debug!(%cause, client = %addr, "connection failed");
                }
                return;
            }
            () = ends.cut.cancelled() => return,
            () = ends.closing.cancelled(), if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            () = age.as_mut(), if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            () = greeting.as_mut(), if !greeted => {
                greeted = true;
                if received.load(Ordering::Relaxed) < PREFACE {
                    return;
                }
            }
        }
    }
}

/// When a connection is old: spread by a tenth, so that clients don't all come back at
/// once.
fn old(age: Duration) -> Instant {
    let spread = age.mul_f64(0.1 * rand::random::<f64>());
    Instant::now() + age + spread
}

/// Serves pages on a connection until its end.
pub(super) async fn pages(accepted: Accepted, router: axum::Router, limits: &Limits) {
    let Accepted {
        stream, addr, ends, ..
    } = accepted;
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(page(router, request).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(GREETING)
        .max_headers(64)
        .max_buf_size(limits.header_bytes.max(8 * 1024) as usize);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut leaving = false;
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(cause) = result {
                    tracing::debug!(%cause, client = %addr, "connection failed");
                }
                return;
            }
            () = ends.cut.cancelled() => return,
            () = ends.closing.cancelled(), if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn page(router: axum::Router, request: hyper::Request<Incoming>) -> axum::response::Response {
    use axum::{http::StatusCode, response::IntoResponse as _};
    let request = request.map(axum::body::Body::new);
    match tokio::time::timeout(TIMEOUT, router.oneshot(request)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(never)) => match never {},
        Err(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
    }
}
