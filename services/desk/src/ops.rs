//! Health and metrics, on the region's host and on the port for ops.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::state::Desk;

/// `/healthz`, `/readyz`, `/metrics`.
pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).route("/metrics", get(metrics))
}

/// The process answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The region can take commands: its database answers, is this region's, and has what this program reads.
async fn readyz(State(desk): State<Desk>) -> Response {
    if desk.is_draining() {
        return not_ready("the process is ending\n");
    }
    match sqlx::query_scalar!("select region from log.home").fetch_optional(&desk.pool).await {
        Ok(Some(region)) if region == desk.region.id.as_str() => {}
        Ok(_) => return not_ready("the database is not this region's\n"),
        Err(error) => return silent(&error),
    }
    match unserved(&desk).await {
        Ok(unserved) if unserved.is_empty() => "ready\n".into_response(),
        Ok(unserved) => not_ready(format!("waits until these read models are built: {}\n", unserved.join(", "))),
        Err(error) => silent(&error),
    }
}

/// The read models of which no build serves this program's shape yet.
async fn unserved(desk: &Desk) -> Result<Vec<String>, sqlx::Error> {
    let (names, shapes) = desk.read_models.columns();
    sqlx::query_scalar!(
        r#"select known.name || ' (shape ' || known.shape || ')' as "name!"
           from unnest($1::text[], $2::integer[]) with ordinality as known (name, shape, place)
           where not exists (select from read.serving as serving
                             where serving.projection = known.name and serving.shape = known.shape)
           order by known.place"#,
        &names as _,
        &shapes,
    )
    .fetch_all(&desk.pool)
    .await
}

fn silent(error: &sqlx::Error) -> Response {
    tracing::warn!(error = runtime::chain(error), "the database does not answer");
    not_ready("the database does not answer\n")
}

fn not_ready(why: impl Into<String>) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, why.into()).into_response()
}

/// Prometheus, text format 0.0.4.
async fn metrics(State(desk): State<Desk>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], desk.metrics.page()).into_response()
}
