//! `GET /api/v2/tickets/{id}/related`: what other tickets are about it, for agents.

use axum::{Json, extract::State};
use schemas::TicketId;
use serde_json::{Value, json};

use super::update::in_sight;
use crate::{
    api::v2::ids::Id,
    caller::Caller,
    problem::ApiResult,
    read::{self, tickets::Filter},
    state::Desk,
};

/// Answers how many incidents it has, and which closed ticket it follows up.
pub(crate) async fn related(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let row = in_sight(&desk, &caller, ticket).await?;
    let filter = Filter { problem: Some(ticket), ..Filter::of(caller.sight()) };
    let mut transaction = desk.reading(&caller.resident).await?;
    let incidents = read::tickets::count(&mut transaction, &caller.resident, filter).await?;
    let sources: Vec<String> = row.followup_source_id.iter().map(i64::to_string).collect();
    Ok(Json(json!({
        "incidents": incidents, "topic_id": null, "followup_source_ids": sources, "from_archive": false, "twitter": {},
    })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench};

    #[tokio::test]
    async fn a_problem_tells_how_many_incidents_it_has() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ALAN, json!({"comment": {"body": "x"}, "type": "problem"})).await;
        bench.ticket(ALAN, json!({"comment": {"body": "x"}, "type": "incident", "problem_id": 1})).await;
        let expected = |incidents: i64| json!({"incidents": incidents, "topic_id": null, "followup_source_ids": [], "from_archive": false, "twitter": {}});
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/related.json").await.body, expected(1));
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/2/related").await.body, expected(0));
        assert_eq!(bench.get(ADA, "/api/v2/tickets/1/related").await.status, 403);
        Ok(())
    }
}
