//! Ends every call: unary ones at their deadline, streams when they have rested too long.

use std::{convert::Infallible, time::Duration};

use tokio::time::Instant;

use super::refuse;
use crate::{
    around::{Answering, Around, Call, Request, Response, Wrap},
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
    pub(super) fn layer(limits: &Limits) -> Wrap<Self> {
        Wrap(Self {
            default: limits.deadline,
            max: limits.max_deadline,
            idle: limits.stream_idle,
        })
    }
}

impl Around for Deadlines {
    fn call<S: Call>(&self, inner: &mut S, mut request: Request) -> Answering {
        // tonic passes over a header it can't read: the caller would wait for longer than
        // it said.
        let requested = match deadline::requested(request.headers()) {
            Ok(requested) => requested,
            Err(error) => return Box::pin(async { Ok(refuse(error)) }),
        };
        let Deadlines { default, max, idle } = *self;
        let streaming = methods::find(request.uri().path()).is_some_and(|m| m.streaming);
        if streaming {
            let activity = Activity::new(idle);
            request = request.map(|inner| activity.request(inner));
            let at = requested.map(|timeout| Instant::now() + timeout);
            let answer = deadline::within(at, inner.call(request));
            return Box::pin(stream(answer, activity, at));
        }
        let at = Instant::now() + requested.unwrap_or(default).min(max);
        Box::pin(unary(deadline::within(Some(at), inner.call(request)), at))
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
