//! Ends every call: unary ones at their deadline, streams when they have rested too long.

use std::{
    convert::Infallible,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::{Call, Request, Response, refuse};
use crate::{
    body::{self, Activity},
    deadline, methods,
    settings::Limits,
};

#[derive(Clone, Copy)]
pub(super) struct Deadlines {
    default: Duration,
    max: Duration,
    idle: Duration,
}

impl Deadlines {
    pub(super) fn layer(limits: &Limits) -> Self {
        Self {
            default: limits.deadline,
            max: limits.max_deadline,
            idle: limits.stream_idle,
        }
    }
}

impl<S> Layer<S> for Deadlines {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed {
            limits: *self,
            inner,
        }
    }
}

#[derive(Clone)]
pub(super) struct Timed<S> {
    limits: Deadlines,
    inner: S,
}

impl<S: Call> Service<Request> for Timed<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        // tonic passes over a header it can't read: the caller would wait for longer than
        // it said.
        let requested = match deadline::requested(request.headers()) {
            Ok(requested) => requested,
            Err(error) => return Box::pin(async { Ok(refuse(error)) }),
        };
        let Deadlines { default, max, idle } = self.limits;
        let streaming = methods::find(request.uri().path()).is_some_and(|m| m.streaming);
        if streaming {
            let activity = Activity::new(idle);
            request = request.map(|inner| activity.request(inner));
            let at = requested.map(|timeout| Instant::now() + timeout);
            let answer = deadline::within(at, self.inner.call(request));
            return Box::pin(stream(answer, activity, at));
        }
        let at = Instant::now() + requested.unwrap_or(default).min(max);
        Box::pin(unary(
            deadline::within(Some(at), self.inner.call(request)),
            at,
        ))
    }
}

async fn unary(
    answer: impl Future<Output = Result<Response, Infallible>>,
    at: Instant,
) -> Result<Response, Infallible> {
    match tokio::time::timeout_at(at, answer).await {
        Ok(answer) => Ok(answer?.map(|inner| body::answer_until(inner, at))),
        Err(_) => Ok(refuse(deadline::exceeded(
            "the call did not end within its deadline",
        ))),
    }
}

async fn stream(
    answer: impl Future<Output = Result<Response, Infallible>>,
    activity: Activity,
    at: Option<Instant>,
) -> Result<Response, Infallible> {
    let late = async {
        match at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        answer = answer => Ok(answer?.map(|inner| {
            let inner = activity.answer(inner);
            match at {
                Some(at) => body::answer_until(inner, at),
                None => inner,
            }
        })),
        () = late => Ok(refuse(deadline::exceeded("the call did not end within its deadline"))),
        () = activity.rested() => Ok(refuse(activity.error())),
    }
}
