//! `GET /api/domicile/v1/tickets/{id}?as_of=2026-11-22T10:00:00Z`: a ticket as it was at a moment, for agents.

use axum::{Json, extract::State};
use jiff::Timestamp;
use schemas::{StreamName, TicketId, Version};
use serde_json::{Value, json};

use crate::{
    api::{
        fold::Fold,
        v2::{ids::Id, page::PageQuery, present},
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{self, Sight},
    state::Desk,
};

/// Answers the ticket and its comments, folded from the events recorded up to the moment; without one, as it is.
pub(crate) async fn ticket_as_of(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let as_of = match query.get("as_of").filter(|text| !text.is_empty()) {
        Some(text) => {
            text.parse().map_err(|_| ApiError::invalid_parameter("as_of", "a time such as 2026-11-22T10:00:00Z"))?
        }
        None => desk.clock.now(),
    };
    let stream = StreamName::Ticket(ticket);
    let mut logged = read::log::whole_stream(&desk, &caller.resident, &stream, Version::ZERO).await?;
    logged.retain(|logged| logged.envelope.recorded_at <= as_of);
    let fold = Fold::of(ticket, &logged);
    let row = fold.row(ticket, Sight::Everything).ok_or_else(ApiError::not_found)?;
    let comments = present::comment::comments(&desk, &caller, &fold.comments).await?;
    Ok(Json(answer(&caller, (&fold, as_of), &row, comments)))
}

fn answer(
    caller: &Caller,
    (fold, as_of): (&Fold, Timestamp),
    row: &read::tickets::Ticket,
    comments: Vec<Value>,
) -> Value {
    json!({
        "as_of": as_of,
        "position": fold.position,
        "version": fold.version,
        "ticket": present::ticket::ticket(caller, row),
        "comments": comments,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench};

    #[tokio::test]
    async fn a_ticket_is_shown_as_it_was() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
        let then = bench.get(ALAN, "/api/v2/tickets/1").await.body;
        bench.advance_seconds(60);
        bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"status": "open", "comment": {"body": "Gone"}}})).await;
        let now = bench.get(ALAN, "/api/v2/tickets/1").await.body;

        let path = "/api/domicile/v1/tickets/1";
        let was = bench.get(ALAN, &format!("{path}?as_of=2026-11-22T10:00:30Z")).await.body;
        assert_eq!((&was["ticket"], &was["version"]), (&then["ticket"], &json!(2)));
        assert_eq!(was["comments"].as_array().map(Vec::len), Some(1));
        let is = bench.get(ALAN, path).await.body;
        assert_eq!(is["ticket"], now["ticket"], "what is folded is what is projected");
        let thread = bench.get(ALAN, "/api/v2/tickets/1/comments").await.body;
        assert_eq!(is["comments"], thread["comments"]);
        Ok(())
    }

    #[tokio::test]
    async fn before_it_was_opened_there_is_no_ticket() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
        let path = "/api/domicile/v1/tickets/1";
        assert_eq!(bench.get(ALAN, &format!("{path}?as_of=2020-01-01T00:00:00Z")).await.status, 404);
        assert_eq!(bench.get(ALAN, &format!("{path}?as_of=yesterday")).await.status, 400);
        assert_eq!(bench.get(ADA, path).await.status, 403);
        Ok(())
    }
}
