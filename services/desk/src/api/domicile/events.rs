//! `GET /api/domicile/v1/events?after=&limit=`: the tenant's whole log, oldest first, for admins.

use axum::{Json, extract::State};
use schemas::Position;
use serde_json::Value;

use super::timeline::Span;
use crate::{api::v2::page::PageQuery, caller::Caller, problem::ApiResult, read, state::Desk};

/// Answers the events after a position. Credentials in them are hashes; those stay out all the same.
pub(crate) async fn events(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_overseer()?;
    let span = Span::read(&query)?;
    let mut logged = read::log::page(&desk, &caller.resident, Position::new(span.after), span.limit).await?;
    logged.iter_mut().for_each(withhold_credentials);
    caller.reading.of(logged.iter().map(|logged| logged.position.get()));
    Ok(Json(span.answer(&logged, |logged| logged.position.get())))
}

/// Hashes of passwords and tokens serve whoever guesses offline, and nobody else.
fn withhold_credentials(logged: &mut read::log::Logged) {
    let Some(Value::Object(data)) = &mut logged.data else { return };
    for field in ["phc", "token_sha256"] {
        if let Some(value) = data.get_mut(field) {
            *value = Value::Null;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use crate::api::testing::{ALAN, Bench, GRACE, request};

    #[tokio::test]
    async fn an_admin_reads_the_whole_log_without_credentials() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let first = bench.get(GRACE, "/api/domicile/v1/events?limit=10").await.body;
        let rest = bench.get(GRACE, &format!("/api/domicile/v1/events?after={}", first["next_after"])).await.body;
        let events: Vec<_> =
            [&first, &rest].iter().flat_map(|page| page["events"].as_array().expect("events").clone()).collect();
        let positions: Vec<_> = events.iter().filter_map(|event| event["position"].as_i64()).collect();
        assert_eq!(positions, (1..=18).collect::<Vec<_>>(), "dense, from 1");
        let issued = events.iter().find(|event| event["type"] == "api_token_issued").expect("one");
        assert!(issued["data"]["token_sha256"].is_null());
        assert!(!rest.to_string().contains("globex"));
        Ok(())
    }

    #[tokio::test]
    async fn the_log_is_for_admins_of_its_tenant() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        assert_eq!(bench.get(ALAN, "/api/domicile/v1/events").await.status, 403);
        let nobody = bench.send(request("GET", "acme", None, "/api/domicile/v1/events", Body::empty())).await;
        assert_eq!((nobody.status.as_u16(), nobody.header("content-type")), (401, "application/problem+json"));
        Ok(())
    }
}
