//! The newest checkpoint over HTTP, where C2SP tlog-tiles has it.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};

use crate::app::Log;

/// The log's read-only pages.
pub fn pages(log: Log) -> Router {
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .with_state(log)
}

/// The last checkpoint that was signed, even while nothing more is signed.
async fn checkpoint(State(log): State<Log>) -> Response {
    match log.published().await {
        Ok(Some(signed)) => {
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, signed.note).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::warn!(%error, "the checkpoint can't be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
