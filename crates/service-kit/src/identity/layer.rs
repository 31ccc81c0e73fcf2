//! The tower layer that authenticates: it leaves `Arc<Caller>` in the extensions, or
//! answers UNAUTHENTICATED. A layer and no interceptor, since verifying may have to
//! wait for a key.

use std::{
    convert::Infallible,
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use super::guards::Shared;

/// Makes [`Authenticate`] of a service.
#[derive(Clone)]
pub struct AuthenticateLayer(pub(super) Arc<Shared>);

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Authenticate<S>;
    fn layer(&self, inner: S) -> Authenticate<S> {
        Authenticate {
            shared: self.0.clone(),
            inner,
        }
    }
}

/// Lets only authenticated requests through, and those of public methods.
#[derive(Clone)]
pub struct Authenticate<S> {
    shared: Arc<Shared>,
    inner: S,
}

impl<S> Service<Request<Body>> for Authenticate<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // What was polled ready is what must be called.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        if self.shared.methods.is_public(request.uri().path()) {
            return Box::pin(inner.call(request));
        }
        let shared = self.shared.clone();
        Box::pin(async move {
            match shared.authenticator.authenticate(request.headers()).await {
                Ok(caller) => {
                    let refusals = shared.refusals.of_path(request.uri());
                    let caller = caller.with_refusals(refusals);
                    request.extensions_mut().insert(Arc::new(caller));
                    inner.call(request).await
                }
                Err(error) => Ok(Status::from(error).into_http()),
            }
        })
    }
}
