//! The gRPC and HTTP servers of a process, the same for all services: listeners, limits,
//! layers, health, and an end that comes.

mod admit;
mod connection;
mod deadlines;
mod health;
mod http;
mod observe;
mod panics;
mod rate;
mod run;
mod speak;
mod stack;
mod words;

pub use connection::Listeners;
pub(crate) use run::Server;

use std::convert::Infallible;

use tonic::body::Body;

/// A gRPC call, as the layers see it.
type Request = ::http::Request<Body>;
/// Its answer.
type Response = ::http::Response<Body>;

/// What every layer wraps and is.
trait Call:
    tower::Service<
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
    S: tower::Service<
            Request,
            Response = Response,
            Error = Infallible,
            Future: Future<Output = Result<Response, Infallible>> + Send + 'static,
        > + Clone
        + Send
        + 'static
{
}

/// The answer of a call that ends with an error before or instead of a message.
fn refuse(error: crate::error::Error) -> Response {
    tonic::Status::from(error).into_http()
}

/// The reason that an answer without a message gives, such as `RATE_LIMITED`.
fn reason(answer: &Response) -> Option<contracts::types::ErrorReason> {
    use tonic_types::StatusExt as _;
    let status = tonic::Status::from_header_map(answer.headers())?;
    let details = status.get_error_details();
    let info = details
        .error_info()
        .filter(|i| i.domain == crate::error::DOMAIN)?;
    crate::error::Reason::from_code(&info.reason)
}
