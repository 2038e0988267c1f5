//! `GET /api/v2/tickets/{id}/collaborators`, `email_ccs` and `followers`: who gets copies of a ticket's mails or follows it, for agents.

use axum::{Json, extract::State};
use schemas::TicketId;
use serde_json::Value;

use super::update::in_sight;
use crate::{
    api::v2::{ids::Id, page::PageQuery, present},
    caller::Caller,
    problem::ApiResult,
    read::{self, tickets::Ticket},
    state::Desk,
};

/// Answers who gets copies or follows.
pub(crate) async fn collaborators(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    let ids = |row: &Ticket| row.email_cc_ids.iter().chain(&row.follower_ids).copied().collect();
    answer(&desk, &caller, (ticket, query), ids).await
}

/// Answers who gets copies.
pub(crate) async fn email_ccs(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    answer(&desk, &caller, (ticket, query), |row| row.email_cc_ids.clone()).await
}

/// Answers who follows.
pub(crate) async fn followers(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    answer(&desk, &caller, (ticket, query), |row| row.follower_ids.clone()).await
}

async fn answer(
    desk: &Desk,
    caller: &Caller,
    (ticket, query): (TicketId, PageQuery),
    ids: impl Fn(&Ticket) -> Vec<i64>,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let ids = ids(&in_sight(desk, caller, ticket).await?);
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::people::many(&mut transaction, &caller.resident, &ids).await?;
    let users = rows.iter().map(|row| present::user::user(caller, row)).collect();
    let found = rows.iter().map(|row| row.person_id).collect();
    Ok(Json(query.offset_page(caller)?.all("users", users, found)))
}
