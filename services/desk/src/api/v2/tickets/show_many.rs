//! `GET /api/v2/tickets/show_many?ids=1,2`: those of the tickets that are in sight.

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{
    api::v2::{ids, include::Include, page::PageQuery, present},
    caller::Caller,
    problem::ApiResult,
    read,
    state::Desk,
};

/// Answers the tickets; ids that name none, or none in sight, are left out.
pub(crate) async fn show_many(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    let ids = ids::listed(query.get("ids"))?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::tickets::many(&mut transaction, &caller.resident, caller.sight(), &ids).await?;
    let tickets = rows.iter().map(|row| present::ticket::ticket(&caller, row)).collect();
    let found = rows.iter().map(|row| row.ticket_id).collect();
    drop(transaction);
    let include = Include::of(query.get("include"), &caller);
    let mut answer = query.offset_page(&caller)?.all("tickets", tickets, found);
    include.beside_tickets(&desk, &caller, &mut answer).await?;
    Ok(Json(answer))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, EVE};

    #[tokio::test]
    async fn those_in_sight_are_shown() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for who in [ADA, EVE] {
            bench.ticket(who, json!({"subject": "x", "comment": {"body": "x"}})).await;
        }
        for (who, count) in [(ALAN, 2), (ADA, 1)] {
            let answer = bench.get(who, "/api/v2/tickets/show_many?ids=2,1,99").await;
            assert_eq!(answer.body["tickets"].as_array().map(Vec::len), Some(count));
            assert_eq!((&answer.body["count"], &answer.body["next_page"]), (&json!(count), &json!(null)));
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_list_that_is_none_or_too_long_is_a_bad_request() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for query in ["", "?ids=", "?ids=1,x"] {
            assert_eq!(bench.get(ALAN, &format!("/api/v2/tickets/show_many{query}")).await.status, 400, "{query}");
        }
        let many: Vec<String> = (0..=100).map(|id| id.to_string()).collect();
        let answer = bench.get(ALAN, &format!("/api/v2/tickets/show_many?ids={}", many.join(","))).await;
        assert_eq!((answer.status.as_u16(), &answer.body["error"]), (400, &json!("TooManyValues")));
        Ok(())
    }
}
