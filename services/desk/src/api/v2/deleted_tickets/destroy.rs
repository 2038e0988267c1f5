//! `DELETE /api/v2/deleted_tickets/{id}` and `destroy_many?ids=`: erases deleted tickets for good, with their comments and files.

use axum::{Json, extract::State, response::IntoResponse};
use schemas::TicketId;
use serde_json::{Value, json};

use crate::{
    api::{
        settle,
        v2::{
            ids::{self, Id},
            job_statuses::Job,
            page::PageQuery,
        },
    },
    body::RequestPrint,
    caller::Caller,
    erase::{self, Erased},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers the status of a job that is done already; of one that works on, if its keys could not be destroyed at once.
pub(crate) async fn destroy(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &print);
    let Erased { done, is_carried_out } = erase::ticket(&desk, &by, caller.by(), ticket).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::TICKET_TEXTS).await;
    let job = Job { last: done.last, total: None, is_done: is_carried_out };
    let job = job.shown(&caller, json!({"success": true}));
    Ok((written, Json(job)))
}

/// The same for up to 100 tickets, one after the other. One that is not deleted does not keep the others; the results name it.
pub(crate) async fn destroy_many(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let tickets = ids::listed(query.get("ids"))?;
    let mut results = Vec::with_capacity(tickets.len());
    let (mut last, mut is_done) = (None, true);
    for (index, ticket) in tickets.iter().enumerate() {
        // Each is a command of its own, with no key of the client's: sent again, what is erased already is named as unknown.
        let mut by = caller.issuer(&desk, &print);
        by.idempotency = None;
        match erase::ticket(&desk, &by, caller.by(), TicketId::new(*ticket)).await {
            Ok(Erased { done, is_carried_out }) => {
                results.push(json!({"index": index, "id": ticket, "success": true}));
                // Whoever carries out later does all that is left.
                (last, is_done) = (Some(done), is_carried_out);
            }
            Err(error) => results.push(refused(index, *ticket, error)?),
        }
    }
    let Some(done) = last else { return Err(ApiError::not_found()) };
    let written = settle::settled(&desk, &caller.resident, &done, settle::TICKET_TEXTS).await;
    let job = Job { last: done.last, total: Some(tickets.len()), is_done };
    let job = job.shown(&caller, Value::Array(results));
    Ok((written, Json(job)))
}

/// What the results say of a ticket that is not deleted; anything else ends the request.
fn refused(index: usize, ticket: i64, error: ApiError) -> Result<Value, ApiError> {
    if error.status() != axum::http::StatusCode::NOT_FOUND {
        return Err(error);
    }
    let details = "there is no such deleted ticket";
    Ok(json!({"index": index, "id": ticket, "success": false, "error": "TicketNotFound", "details": details}))
}
