//! The HTTP listener's pages: liveness, readiness, metrics, and what the parts add.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{health::Health, limits::HTTP_BODY_BYTES, telemetry};

/// How long a page may take until its body begins.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// What Prometheus' text format calls itself.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All pages of a process.
pub(super) fn router(health: Health, parts: impl Iterator<Item = Router>) -> Router {
    let own = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health);
    parts
        .fold(own, Router::merge)
        .layer(DefaultBodyLimit::max(HTTP_BODY_BYTES))
}

async fn ready(State(health): State<Health>) -> Response {
    let report = health.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report)).into_response()
}

async fn metrics() -> Response {
    match telemetry::prometheus_text() {
        Ok(text) => ([(CONTENT_TYPE, PROMETHEUS)], text).into_response(),
        Err(cause) => {
            tracing::error!(%cause, "metrics can't be gathered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
