//! Refuses calls when there are too many, or when the process is about to stop.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{count, refuse};
use crate::{
    around::{Answering, Around, Call, Request, Wrap},
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
    pub(super) fn layer(calls: usize, draining: CancellationToken) -> Wrap<Self> {
        Wrap(Self {
            permits: Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS))),
            draining,
        })
    }
}

impl Around for Admit {
    fn call<S: Call>(&self, inner: &mut S, request: Request) -> Answering {
        if request.uri().path().starts_with(ALWAYS) {
            return Box::pin(inner.call(request));
        }
        let method = methods::name(request.uri().path());
        let refused = |reason: Reason, message: &str| -> Answering {
            count(method, reason);
            let answer = refuse(Error::unavailable(reason, message));
            Box::pin(async { Ok(answer) })
        };
        if self.draining.is_cancelled() {
            return refused(Reason::Draining, "the process is about to stop");
        }
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return refused(Reason::RateLimited, "too many calls are in work");
        };
        let answer = inner.call(request);
        Box::pin(async move { Ok(answer.await?.map(|inner| body::keeping(inner, permit))) })
    }
}
