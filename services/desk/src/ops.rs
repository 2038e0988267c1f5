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
    match ready(&desk).await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// Whether the region can take commands through this process, or why not.
///
/// # Errors
/// The reason.
pub async fn ready(desk: &Desk) -> Result<(), String> {
    if desk.is_draining() {
        return Err("the process is ending".to_owned());
    }
    match sqlx::query_scalar!("select region from log.home").fetch_optional(&desk.pool).await {
        Ok(Some(region)) if region == desk.region.id.as_str() => {}
        Ok(_) => return Err("the database is not this region's".to_owned()),
        Err(error) => return Err(silent(&error)),
    }
    match unserved(desk).await {
        Ok(unserved) if unserved.is_empty() => Ok(()),
        Ok(unserved) => Err(format!("waits until these read models are built: {}", unserved.join(", "))),
        Err(error) => Err(silent(&error)),
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

fn silent(error: &sqlx::Error) -> String {
    tracing::warn!(error = runtime::chain(error), "the database does not answer");
    "the database does not answer".to_owned()
}

/// Prometheus, text format 0.0.4.
async fn metrics(State(desk): State<Desk>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], desk.metrics.page()).into_response()
}
