//! Gives a documented reason to what tonic itself refuses, before a handler sees it.

use tonic::{Code, Status};

use super::refuse;
use crate::{
    around::{Answering, Around, Call, Request, Response, Wrap},
    error::{Error, Kind, Reason},
    limits::MESSAGE_BYTES,
};

#[derive(Clone, Copy)]
pub(super) struct Words;

impl Words {
    pub(super) fn layer() -> Wrap<Self> {
        Wrap(Self)
    }
}

impl Around for Words {
    fn call<S: Call>(&self, inner: &mut S, request: Request) -> Answering {
        let answer = inner.call(request);
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
