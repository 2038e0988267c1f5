//! `GET /api/v2/ticket_metrics`, one of them, and `GET /api/v2/tickets/{id}/metrics`: when things happened to tickets and how long they
//! took, for agents.

use axum::{Json, extract::State};
use schemas::TicketId;
use serde_json::{Value, json};

use super::tickets::update::in_sight;
use crate::{
    api::{
        settle,
        v2::{ids::Id, page::PageQuery, present},
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers a page of them.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let page = query.page(&caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, &read::ticket_metrics::list()).await?;
    let mut rows = read::ticket_metrics::many(&mut transaction, &caller.resident, &slice.ids).await?;
    rows.sort_by_key(|row| slice.ids.iter().position(|id| *id == row.ticket_id));
    let shown = rows.iter().map(|row| present::ticket_metric::metric(&caller, row)).collect();
    Ok(Json(page.answer("ticket_metrics", shown, &slice, count)))
}

/// Answers one, in a list, as the reference does.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Id(ticket): Id<TicketId>) -> ApiResult<Json<Value>> {
    Ok(Json(json!({"ticket_metric": [one(&desk, &caller, ticket).await?]})))
}

/// Answers a ticket's.
pub(crate) async fn of_ticket(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
) -> ApiResult<Json<Value>> {
    Ok(Json(json!({"ticket_metric": one(&desk, &caller, ticket).await?})))
}

async fn one(desk: &Desk, caller: &Caller, ticket: TicketId) -> Result<Value, ApiError> {
    caller.require_insider()?;
    in_sight(desk, caller, ticket).await?;
    let read = async || {
        let mut transaction = desk.reading(&caller.resident).await?;
        read::ticket_metrics::many(&mut transaction, &caller.resident, &[ticket.get()]).await
    };
    // The list may know the ticket a moment before.
    let row = match read().await?.pop() {
        Some(row) => Some(row),
        None => {
            settle::catch_up(desk, &caller.resident, settle::TICKET_METRICS).await?;
            read().await?.pop()
        }
    };
    Ok(present::ticket_metric::metric(caller, &row.ok_or_else(ApiError::not_found)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, SUPPORT};

    #[tokio::test]
    async fn a_ticket_tells_how_long_it_took() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It whistles."}})).await;
        let later = async |seconds, sent| {
            bench.advance_seconds(seconds);
            assert_eq!(bench.put(ALAN, "/api/v2/tickets/1", json!({ "ticket": sent })).await.status, 200);
        };
        later(
            150,
            json!({"status": "pending", "group_id": SUPPORT, "comment": {"body": "Unplug it.", "public": true}}),
        )
        .await;
        later(600, json!({"status": "solved", "assignee_id": ALAN.id})).await;
        later(60, json!({"status": "open"})).await;
        later(120, json!({"status": "solved"})).await;
        bench.settle(&bench.acme).await?;
        let answer = bench.get(ALAN, "/api/v2/tickets/1/metrics").await.body;
        let metric = &answer["ticket_metric"];
        let minutes = |minutes| json!({"calendar": minutes, "business": null});
        for (name, value) in [
            ("reply_time_in_minutes", minutes(2)),
            ("reply_time_in_seconds", json!({"calendar": 150})),
            ("first_resolution_time_in_minutes", minutes(12)),
            ("full_resolution_time_in_minutes", minutes(15)),
            ("agent_wait_time_in_minutes", minutes(10)),
            ("requester_wait_time_in_minutes", minutes(4)),
            ("on_hold_time_in_minutes", minutes(0)),
            ("replies", json!(1)),
            ("reopens", json!(1)),
            ("assignee_stations", json!(1)),
            ("group_stations", json!(1)),
            ("created_at", json!("2026-11-22T10:00:00Z")),
            ("requester_updated_at", json!("2026-11-22T10:00:00Z")),
            ("latest_comment_added_at", json!("2026-11-22T10:02:30Z")),
            ("solved_at", json!("2026-11-22T10:15:30Z")),
        ] {
            assert_eq!(metric[name], value, "{name}");
        }
        assert_eq!(bench.get(ALAN, "/api/v2/ticket_metrics/1.json").await.body["ticket_metric"], json!([metric]));
        let listed = bench.get(ALAN, "/api/v2/ticket_metrics").await.body;
        assert_eq!((&listed["ticket_metrics"], &listed["count"]), (&json!([metric]), &json!(1)));
        assert_eq!(bench.delete(ALAN, "/api/v2/tickets/1").await.status, 204);
        assert_eq!(bench.get(ALAN, "/api/v2/ticket_metrics").await.body["count"], 0, "what is deleted is not there");
        for path in ["/api/v2/tickets/1/metrics", "/api/v2/ticket_metrics/1", "/api/v2/ticket_metrics/9"] {
            assert_eq!(bench.get(ALAN, path).await.status, 404, "{path}");
        }
        assert_eq!(bench.get(ADA, "/api/v2/ticket_metrics").await.status, 403);
        Ok(())
    }

    #[tokio::test]
    async fn pages_by_offset_begin_with_the_newest_and_those_by_cursor_with_the_first() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for subject in ["Kettle", "Toaster", "Mixer"] {
            bench.ticket(ADA, json!({"subject": subject, "comment": {"body": "It is broken."}})).await;
            bench.advance_seconds(60);
        }
        bench.settle(&bench.acme).await?;
        let listed = async |query: &str| {
            let body = bench.get(ALAN, &format!("/api/v2/ticket_metrics?{query}")).await.body;
            let metrics = body["ticket_metrics"].as_array().expect("a list").clone();
            metrics.iter().map(|metric| metric["ticket_id"].as_i64().expect("a number")).collect::<Vec<_>>()
        };
        assert_eq!((listed("per_page=2").await, listed("per_page=2&page=2").await), (vec![3, 2], vec![1]));
        assert_eq!(listed("page[size]=2").await, [1, 2]);
        Ok(())
    }
}
