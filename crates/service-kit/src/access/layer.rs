//! The tower layer that asks for the permission of a method, at the scope that the
//! request names where it names one; and counts and records what is refused, be it here
//! or by the use case.

use std::sync::Arc;

use governance::Scope;
use tonic::{Code, Status};

use super::{
    Method, Refusal,
    body::{Peeked, peek, string_at},
};
use crate::{
    around::{Answering, Around, Call, Request, Response, ready},
    error::{Error, Kind, Reason, Result},
    identity::{Caller, Shared},
};

/// Lets only requests through whose caller holds what the method needs.
#[derive(Clone)]
pub(crate) struct Authorize(pub(crate) Arc<Shared>);

impl Around for Authorize {
    fn call<S: Call>(&self, inner: &mut S, request: Request) -> Answering {
        let method = self.0.methods.get(request.uri().path());
        // Not in the contracts: health and reflection, or no handler either, and the router
        // says so.
        let Some(method) = method.filter(|method| !method.public).cloned() else {
            return Box::pin(inner.call(request));
        };
        let Some(caller) = request.extensions().get::<Arc<Caller>>().cloned() else {
            let error = Error::new(
                Kind::Unauthenticated,
                Reason::TokenMissing,
                "no token was sent",
            );
            return Box::pin(async { Ok(Status::from(error).into_http()) });
        };
        let mut inner = ready(inner);
        Box::pin(async move {
            let answer = match admit(&caller, &method, request).await {
                Ok(Admitted::Here(request)) => inner.call(request).await?,
                Ok(Admitted::Nowhere(request, error)) => {
                    let answer = inner.call(request).await?;
                    if refuses(&answer, &error) {
                        answer
                    } else {
                        Status::from(error).into_http()
                    }
                }
                Err(error) => Status::from(error).into_http(),
            };
            record(&caller, &method, &answer);
            Ok(answer)
        })
    }
}

/// A request that its handler may have, whole.
enum Admitted {
    /// The caller holds the permission where the request says, or somewhere where it
    /// doesn't say.
    Here(Request),
    /// The request names what can't be a scope, so that no permission holds there. Its
    /// handler says so, with all else that is wrong with it; whatever else the handler
    /// answers, this is told in its place.
    Nowhere(Request, Error),
}

/// Asks for the permission.
async fn admit(caller: &Caller, method: &Method, request: Request) -> Result<Admitted> {
    let Some(field) = &method.scope_field else {
        caller.require_somewhere(&method.permission)?;
        return Ok(Admitted::Here(request));
    };
    // Who holds the permission nowhere need not send a megabyte to be told.
    caller.require_somewhere(&method.permission)?;
    let (parts, body) = request.into_parts();
    let Peeked { message, body } = peek(body).await?;
    let text = string_at(&message, &method.scope_path)
        .map_err(|problem| Error::new(Kind::InvalidArgument, Reason::InvalidArgument, problem))?;
    let request = Request::from_parts(parts, body);
    match Scope::parse(&text.unwrap_or_default()) {
        Ok(scope) => {
            caller.require(&method.permission, &scope)?;
            Ok(Admitted::Here(request))
        }
        Err(problem) => {
            let error = Error::invalid(field, problem.to_string());
            Ok(Admitted::Nowhere(request, error))
        }
    }
}

/// Whether an answer names the fields of this error among those it refuses. A handler's
/// refusal is in the headers of its answer, since nothing follows it.
fn refuses(answer: &Response, error: &Error) -> bool {
    let Some(status) = Status::from_header_map(answer.headers()) else {
        return false;
    };
    let told = Error::from_status(status, "own");
    let mut fields = error.violations().iter().map(|wanted| &wanted.field);
    fields.all(|wanted| told.violations().iter().any(|own| own.field == *wanted))
}

/// Records an answer that refuses; a handler's refusal is in the headers of its answer,
/// since nothing follows it.
fn record(caller: &Caller, method: &Method, answer: &Response) {
    let headers = answer.headers();
    if headers.get("grpc-status").is_none_or(|code| code != "7") {
        return;
    }
    let Some(status) = Status::from_header_map(headers) else {
        return;
    };
    debug_assert_eq!(status.code(), Code::PermissionDenied, "grpc-status 7");
    let error = Error::from_status(status, "own");
    let text = |key: &str| error.metadata(key).unwrap_or_default().to_owned();
    caller.refusals().record(Refusal {
        permission: method.permission.clone(),
        resource: text("resource"),
        scope: text("scope"),
        ..Refusal::new(caller, error.reason(), error.message())
    });
}
