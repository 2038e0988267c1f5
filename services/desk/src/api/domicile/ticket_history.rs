//! `GET /api/domicile/v1/tickets/{id}/history?after=&limit=`: everything that happened to a ticket, oldest first, for agents.

use axum::{Json, extract::State};
use schemas::{StreamName, TicketId, Version};
use serde_json::Value;

use super::timeline::Span;
use crate::{
    api::v2::{ids::Id, page::PageQuery},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the ticket's events after a version of it.
pub(crate) async fn ticket_history(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let span = Span::read(&query)?;
    let after = Version::new(span.after);
    let stream = StreamName::Ticket(ticket);
    let logged = read::log::stream(&desk, &caller.resident, &stream, (after, span.limit)).await?;
    // A stream begins with version 1: nothing after 0 means that there is no such ticket.
    if logged.is_empty() && after == Version::ZERO {
        return Err(ApiError::not_found());
    }
    Ok(Json(span.answer(&logged, |logged| logged.envelope.version.get())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, without_ids};

    #[tokio::test]
    async fn a_history_tells_every_event() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
        bench.advance_seconds(60);
        bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"priority": "low"}})).await;
        let path = "/api/domicile/v1/tickets/1/history";
        let body = bench.get(ALAN, path).await.body;
        let types: Vec<_> =
            body["events"].as_array().into_iter().flatten().map(|event| event["type"].clone()).collect();
        assert_eq!(types, ["ticket_opened", "comment_added", "priority_set"]);
        assert_eq!(
            without_ids(body["events"][2].clone(), &["position", "event_id", "command_id"]),
            json!({
                "position": "…", "stream": "ticket-1", "version": 3, "event_id": "…", "type": "priority_set", "schema_version": 1,
                "recorded_at": "2026-11-22T10:01:00Z", "actor": "person-2", "command_id": "…", "causation_id": null,
                "is_erased": false, "data": {"priority": "low"},
            })
        );
        assert_eq!(body["next_after"], json!(null));
        let page = bench.get(ALAN, &format!("{path}?limit=2")).await.body;
        assert_eq!(page["next_after"], 2);
        let rest = bench.get(ALAN, &format!("{path}?limit=2&after=2")).await.body;
        assert_eq!(rest["events"][0], body["events"][2]);
        Ok(())
    }

    #[tokio::test]
    async fn histories_are_for_agents_and_of_tickets_that_are() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
        let path = "/api/domicile/v1/tickets/1/history";
        assert_eq!(bench.get(ADA, path).await.status, 403);
        assert_eq!(bench.get(ALAN, "/api/domicile/v1/tickets/9/history").await.status, 404);
        for query in ["after=-1", "after=x", "limit=0", "limit=1001"] {
            assert_eq!(bench.get(ALAN, &format!("{path}?{query}")).await.status, 400, "{query}");
        }
        Ok(())
    }
}
