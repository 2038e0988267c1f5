//! `PUT /api/v2/deleted_tickets/{id}/restore` and `restore_many?ids=`: deleted tickets are back as they were.

use axum::{Json, extract::State, response::IntoResponse};
use domain::ticket::{Command, Ticket};
use schemas::{StreamName, TicketId};
use serde_json::{Value, json};

use crate::{
    api::{
        settle,
        v2::{
            ids::{self, Id},
            page::PageQuery,
        },
    },
    body::RequestPrint,
    caller::Caller,
    execute::{Batch, replayed},
    problem::{ApiError, ApiResult},
    state::Desk,
    visible::Written,
};

/// Answers nothing, as an empty object.
pub(crate) async fn restore(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    all(&desk, &caller, &print, &[ticket.get()]).await
}

/// The same for up to 100 tickets: all of them, or, if one is not deleted, none.
pub(crate) async fn restore_many(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    let mut tickets = ids::listed(query.get("ids"))?;
    tickets.sort_unstable();
    tickets.dedup();
    all(&desk, &caller, &print, &tickets).await
}

async fn all(desk: &Desk, caller: &Caller, print: &RequestPrint, tickets: &[i64]) -> ApiResult<(Written, Json<Value>)> {
    caller.require_agent()?;
    if tickets.is_empty() {
        return Err(ApiError::invalid_parameter("ids", "a comma-separated list of integers"));
    }
    let by = caller.issuer(desk, print);
    let done = match replayed(desk, &by).await? {
        Some(done) => done,
        None => {
            let mut batch = Batch::new(desk, &by);
            for ticket in tickets {
                let stream = StreamName::Ticket(TicketId::new(*ticket));
                batch = batch.decide::<Ticket>(stream, None, &Command::Restore(caller.by())).await?;
            }
            batch.commit().await?
        }
    };
    let written = settle::settled(desk, &caller.resident, &done, settle::TICKET).await;
    Ok((written, Json(json!({}))))
}
