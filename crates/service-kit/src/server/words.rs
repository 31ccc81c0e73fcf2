//! Gives a documented reason to what tonic itself refuses, before a handler sees it.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::{Call, Request, Response, refuse};
use crate::{
    error::{Error, Kind, Reason},
    limits::MESSAGE_BYTES,
};

#[derive(Clone, Copy)]
pub(super) struct Words;

impl Words {
    pub(super) fn layer() -> Self {
        Self
    }
}

impl<S> Layer<S> for Words {
    type Service = Worded<S>;

    fn layer(&self, inner: S) -> Worded<S> {
        Worded(inner)
    }
}

#[derive(Clone)]
pub(super) struct Worded<S>(S);

impl<S: Call> Service<Request> for Worded<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(translate(&answer).map_or(answer, refuse))
        })
    }
}

/// Our words for an answer that is none of ours.
fn translate(answer: &Response) -> Option<Error> {
    let status = Status::from_header_map(answer.headers())?;
    if !status.details().is_empty() {
        return None;
    }
    let message = status.message();
    match status.code() {
        Code::OutOfRange if message.contains("message length too large") => {
            let problem = format!("a message is larger than {MESSAGE_BYTES} bytes");
            Some(Error::new(Kind::OutOfRange, Reason::TooLarge, problem))
        }
        Code::Internal if message.contains("decode Protobuf") => {
            let problem = "the message is not of the method's request type";
            Some(Error::new(
                Kind::InvalidArgument,
                Reason::InvalidArgument,
                problem,
            ))
        }
        _ => None,
    }
}
