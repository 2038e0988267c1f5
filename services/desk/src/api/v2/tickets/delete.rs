//! `DELETE /api/v2/tickets/{id}`: puts a ticket away, for agents. It can be restored; erasing it is another step.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use domain::ticket::{Command, Ticket};
use schemas::{StreamName, TicketId};

use crate::{
    api::{settle, v2::ids::Id},
    body::RequestPrint,
    caller::Caller,
    execute::execute,
    problem::ApiResult,
    state::Desk,
};

/// Answers nothing.
pub(crate) async fn delete(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    let by = caller.issuer(&desk, &print);
    let command = Command::Delete(caller.by());
    let done = execute::<Ticket>(&desk, &by, StreamName::Ticket(ticket), None, &command).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::TICKET).await;
    Ok((StatusCode::NO_CONTENT, written, ()))
}
