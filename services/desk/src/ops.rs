//! Health and metrics, on the region's host and on the port for ops.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{problem::render::chain, state::Desk};

/// `/healthz`, `/readyz`, `/metrics`.
pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).route("/metrics", get(metrics))
}

/// The process answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The region can take commands: its database answers, and is this region's.
async fn readyz(State(desk): State<Desk>) -> Response {
    if desk.is_draining() {
        return not_ready("the process is ending\n");
    }
    match sqlx::query_scalar!("select region from log.home").fetch_optional(&desk.pool).await {
        Ok(Some(region)) if region == desk.region.id.as_str() => "ready\n".into_response(),
        Ok(_) => not_ready("the database is not this region's\n"),
        Err(error) => {
            tracing::warn!(error = chain(&error), "the database does not answer");
            not_ready("the database does not answer\n")
        }
    }
}

fn not_ready(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

/// Prometheus, text format 0.0.4.
async fn metrics(State(desk): State<Desk>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], desk.metrics.page()).into_response()
}
