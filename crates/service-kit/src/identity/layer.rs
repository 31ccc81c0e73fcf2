//! The tower layer that authenticates: it leaves `Arc<Caller>` in the extensions, or
//! answers UNAUTHENTICATED. A layer and no interceptor, since verifying may have to
//! wait for a key.

use std::sync::Arc;

use tonic::Status;

use super::guards::Shared;
use crate::around::{Answering, Around, Call, Request, ready};

/// Lets only authenticated requests through, and those of public methods.
#[derive(Clone)]
pub(crate) struct Authenticate(pub(super) Arc<Shared>);

impl Around for Authenticate {
    fn call<S: Call>(&self, inner: &mut S, mut request: Request) -> Answering {
        if self.0.methods.is_public(request.uri().path()) {
            return Box::pin(inner.call(request));
        }
        let shared = self.0.clone();
        let mut inner = ready(inner);
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
