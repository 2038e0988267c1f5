//! `GET /api/v2/tickets/count`: how many tickets are in sight.

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{
    api::v2::present,
    caller::Caller,
    problem::ApiResult,
    read::{self, tickets::Filter},
    state::Desk,
};

/// Answers the number, counted now.
pub(crate) async fn count(State(desk): State<Desk>, caller: Caller) -> ApiResult<Json<Value>> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let in_sight = Filter::of(caller.sight());
    let value = read::tickets::count(&mut transaction, &caller.resident, in_sight).await?;
    Ok(Json(present::count(value, desk.clock.now())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, EVE};

    #[tokio::test]
    async fn everybody_counts_what_they_see() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "x"}})).await;
        for (who, value) in [(ALAN, 1), (ADA, 1), (EVE, 0)] {
            let answer = bench.get(who, "/api/v2/tickets/count.json").await;
            assert_eq!(answer.body, json!({"count": {"value": value, "refreshed_at": "2026-11-22T10:00:00+00:00"}}));
        }
        Ok(())
    }
}
