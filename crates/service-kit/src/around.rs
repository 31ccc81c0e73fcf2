//! What the layers around every call have in common; each says only what it does to one.

use std::{
    convert::Infallible,
    mem,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use tonic::body::Body;
use tower::{Layer, Service};

/// A gRPC call, as the layers see it.
pub(crate) type Request = http::Request<Body>;
/// Its answer.
pub(crate) type Response = http::Response<Body>;
/// The answer to come. An error is a [`Response`] too, with its status.
pub(crate) type Answering = BoxFuture<'static, Result<Response, Infallible>>;

/// What every layer wraps and is.
pub(crate) trait Call:
    Service<
        Request,
        Response = Response,
        Error = Infallible,
        Future: Future<Output = Result<Response, Infallible>> + Send + 'static,
    > + Clone
    + Send
    + 'static
{
}

impl<S> Call for S where
    S: Service<
            Request,
            Response = Response,
            Error = Infallible,
            Future: Future<Output = Result<Response, Infallible>> + Send + 'static,
        > + Clone
        + Send
        + 'static
{
}

/// What a layer does to a call.
pub(crate) trait Around: Clone {
    /// Answers a call, by way of what is inside or in its place. `inner` is ready for one
    /// call.
    fn call<S: Call>(&self, inner: &mut S, request: Request) -> Answering;
}

/// The layer of an [`Around`].
#[derive(Clone)]
pub(crate) struct Wrap<A>(pub(crate) A);

impl<A: Around, S> Layer<S> for Wrap<A> {
    type Service = Wrapped<A, S>;

    fn layer(&self, inner: S) -> Wrapped<A, S> {
        Wrapped {
            around: self.0.clone(),
            inner,
        }
    }
}

/// A service with an [`Around`] around it.
#[derive(Clone)]
pub(crate) struct Wrapped<A, S> {
    around: A,
    inner: S,
}

impl<A: Around, S: Call> Service<Request> for Wrapped<A, S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Answering {
        self.around.call(&mut self.inner, request)
    }
}

/// The service that is ready, to be called later; a clone that isn't takes its place.
pub(crate) fn ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    mem::replace(inner, clone)
}
