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

use std::sync::LazyLock;

use opentelemetry::KeyValue;

use crate::{
    around::Response,
    error::Reason,
    telemetry::{self, Counter, names},
};

/// The answer of a call that ends with an error before or instead of a message.
fn refuse(error: crate::error::Error) -> Response {
    tonic::Status::from(error).into_http()
}

static REFUSED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    telemetry::meter()
        .u64_counter(names::CALLS_REFUSED)
        .with_description("calls that ended with a documented reason")
        .build()
});

/// Counts a call that ended with a reason.
fn count(method: &'static str, reason: Reason) {
    let attributes = [
        KeyValue::new(names::RPC_METHOD, method),
        KeyValue::new(names::REASON, reason.code()),
    ];
    REFUSED.add(1, &attributes);
}

/// The reason that an answer without a message gives, such as `RATE_LIMITED`.
fn reason(answer: &Response) -> Option<Reason> {
    use tonic_types::StatusExt as _;
    let status = tonic::Status::from_header_map(answer.headers())?;
    let details = status.get_error_details();
    let info = details
        .error_info()
        .filter(|i| i.domain == crate::error::DOMAIN)?;
    Reason::from_code(&info.reason)
}
