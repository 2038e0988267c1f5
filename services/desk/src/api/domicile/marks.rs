//! `GET /api/domicile/v1/marks`: how far the tenant's log is durable, sealed, archived and verified; for agents.

use axum::{Json, extract::State};
use eventlog::Mark;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{caller::Caller, problem::ApiResult, state::Desk};

/// Answers the four marks: each a position, since when, and how long ago that was. One that was never reached is null.
pub(crate) async fn marks(State(desk): State<Desk>, caller: Caller) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = regions::begin(&desk.pool, &caller.resident).await?;
    let marks = eventlog::marks(&mut transaction, &caller.resident).await?;
    let now = desk.clock.now();
    let shown = |mark: Option<&Mark>| mark.map(|mark| mark_at(mark, now));
    Ok(Json(json!({
        "acked": shown(Some(&marks.acked)),
        "sealed": shown(marks.sealed.as_ref()),
        "archived": shown(marks.archived.as_ref()),
        "verified": shown(marks.verified.as_ref()),
    })))
}

fn mark_at(mark: &Mark, now: Timestamp) -> Value {
    let age_seconds = now.duration_since(mark.at).as_secs().max(0);
    json!({"position": mark.position, "time": mark.at, "age_seconds": age_seconds})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench};

    #[tokio::test]
    async fn what_is_durable_has_a_place_and_an_age_and_what_never_was_is_null() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.advance_seconds(7);
        let body = bench.get(ALAN, "/api/domicile/v1/marks").await.body;
        assert_eq!(
            body,
            json!({
                "acked": {"position": 18, "time": "2026-11-22T10:00:00Z", "age_seconds": 7},
                "sealed": null, "archived": null, "verified": null,
            })
        );
        assert_eq!(bench.get(ADA, "/api/domicile/v1/marks").await.status, 403, "how much is written is for agents");
        Ok(())
    }
}
