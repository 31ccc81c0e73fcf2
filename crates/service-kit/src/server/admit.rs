//! Refuses calls when there are too many, or when the process is about to stop.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service};

use super::{Call, Request, Response, count, refuse};
use crate::{
    body,
    error::{Error, Reason},
    methods,
};

/// Calls that load balancers and operators need most when there is most to do.
const ALWAYS: &str = "/grpc.health.v1.Health/";

#[derive(Clone)]
pub(super) struct Admit {
    permits: Arc<Semaphore>,
    draining: CancellationToken,
}

impl Admit {
    pub(super) fn layer(calls: usize, draining: CancellationToken) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS))),
            draining,
        }
    }
}

impl<S> Layer<S> for Admit {
    type Service = Admitting<S>;

    fn layer(&self, inner: S) -> Admitting<S> {
        Admitting {
            admit: self.clone(),
            inner,
        }
    }
}

#[derive(Clone)]
pub(super) struct Admitting<S> {
    admit: Admit,
    inner: S,
}

impl<S: Call> Service<Request> for Admitting<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.uri().path().starts_with(ALWAYS) {
            return Box::pin(self.inner.call(request));
        }
        let method = methods::name(request.uri().path());
        let refused = |reason: Reason, message: &str| -> Self::Future {
            count(method, reason);
            let answer = refuse(Error::unavailable(reason, message));
            Box::pin(async { Ok(answer) })
        };
        if self.admit.draining.is_cancelled() {
            return refused(Reason::Draining, "the process is about to stop");
        }
        let Ok(permit) = Arc::clone(&self.admit.permits).try_acquire_owned() else {
            return refused(Reason::RateLimited, "too many calls are in work");
        };
        let answer = self.inner.call(request);
        Box::pin(async move { Ok(answer.await?.map(|inner| body::keeping(inner, permit))) })
    }
}
