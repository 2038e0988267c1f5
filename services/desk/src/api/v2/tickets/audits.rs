//! `GET /api/v2/tickets/{id}/audits`: what each command changed, oldest first, for agents.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use schemas::TicketId;
use serde_json::Value;

use super::update::in_sight;
use crate::{
    api::v2::{ids::Id, page::PageQuery, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers a page of audits.
pub(crate) async fn audits(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let page = query.page(&caller)?;
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    read::tickets::one(&mut transaction, resident, caller.sight(), ticket).await?.ok_or_else(ApiError::not_found)?;
    let (slice, count) = page.read(&mut transaction, &read::audits::list(Some(ticket))).await?;
    let rows = read::audits::many(&mut transaction, resident, ticket, &slice.ids).await?;
    drop(transaction);
    let audits = present::audit::audits(&desk, &caller, &rows).await?;
    Ok(Json(page.answer("audits", audits, &slice, count)))
}

/// Answers how many audits the ticket has.
pub(crate) async fn count(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    in_sight(&desk, &caller, ticket).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let value = read::audits::list(Some(ticket)).count(&mut transaction, &caller.resident).await?;
    Ok(Json(present::count(value, desk.clock.now())))
}

/// Answers a page of the audits of all tickets, for admins.
pub(crate) async fn all(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_overseer()?;
    let page = query.page(&caller)?;
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    let (slice, count) = page.read(&mut transaction, &read::audits::list(None)).await?;
    let rows = read::audits::of_any_ticket(&mut transaction, resident, &slice.ids).await?;
    drop(transaction);
    let audits = present::audit::audits(&desk, &caller, &rows).await?;
    let tickets: BTreeSet<i64> = rows.iter().map(|row| row.ticket_id).collect();
    caller.reading.of(tickets);
    Ok(Json(page.answer_about("audits", audits, &slice, count)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, GRACE};

    #[tokio::test]
    async fn each_command_is_an_audit() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "y"}})).await;
        let updated = bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"priority": "low"}})).await;
        let listed = bench.get(ALAN, "/api/v2/tickets/1/audits").await.body;
        assert_eq!(listed["count"], 2);
        assert_eq!(listed["audits"][1], updated.body["audit"]);
        let one = format!("/api/v2/tickets/1/audits/{}", updated.body["audit"]["id"]);
        assert_eq!(bench.get(ALAN, &one).await.body["audit"], updated.body["audit"]);
        let page = bench.get(ALAN, "/api/v2/tickets/1/audits?page[size]=1").await.body;
        assert_eq!((&page["meta"]["has_more"], page["audits"].as_array().map(Vec::len)), (&json!(true), Some(1)));
        Ok(())
    }

    #[tokio::test]
    async fn audits_of_all_tickets_are_listed_and_counted() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for _ in 0..3 {
            bench.ticket(ADA, json!({"comment": {"body": "y", "public": true}})).await;
        }
        let page = bench.get(GRACE, "/api/v2/ticket_audits.json?page[size]=2").await.body;
        assert_eq!((&page["meta"]["has_more"], page["audits"].as_array().map(Vec::len)), (&json!(true), Some(2)));
        assert_eq!((&page["audits"][0]["ticket_id"], &page["audits"][1]["ticket_id"]), (&json!(1), &json!(2)));
        assert_eq!(bench.get(ALAN, "/api/v2/ticket_audits").await.status, 403);
        let counted = json!({"count": {"value": 1, "refreshed_at": "2026-11-22T10:00:00+00:00"}});
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/audits/count").await.body, counted);
        assert_eq!(bench.get(ADA, "/api/v2/tickets/1/comments/count.json").await.body, counted);
        bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"comment": {"body": "note", "public": false}}})).await;
        assert_eq!(
            bench.get(ADA, "/api/v2/tickets/1/comments/count").await.body,
            counted,
            "notes are not counted for her"
        );
        Ok(())
    }

    #[tokio::test]
    async fn audits_are_for_agents_and_for_their_own_ticket() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let first = bench.post(ADA, "/api/v2/tickets", json!({"ticket": {"comment": {"body": "y"}}})).await;
        bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "y"}})).await;
        let id = &first.body["audit"]["id"];
        assert_eq!(bench.get(ADA, "/api/v2/tickets/1/audits").await.status, 403);
        assert_eq!(bench.get(ADA, &format!("/api/v2/tickets/1/audits/{id}")).await.status, 403);
        assert_eq!(bench.get(ALAN, &format!("/api/v2/tickets/2/audits/{id}")).await.status, 404, "the other ticket's");
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/9/audits").await.status, 404);
        Ok(())
    }
}
