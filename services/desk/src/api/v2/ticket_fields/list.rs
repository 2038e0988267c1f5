//! `GET /api/v2/ticket_fields`, `ticket_fields/count` and `ticket_fields/{id}`: the fields, for agents.

use axum::{Json, extract::State};
use schemas::TicketFieldId;
use serde_json::{Value, json};

use crate::{
    api::v2::{ids::Id, page::PageQuery, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers a page of fields, by id.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let page = query.page(&caller)?;
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    let (slice, count) = page.read(&mut transaction, &read::ticket_fields::list()).await?;
    let rows = read::ticket_fields::many(&mut transaction, resident, &slice.ids).await?;
    let fields = rows.iter().map(|row| present::ticket_field::ticket_field(&caller, row)).collect();
    Ok(Json(page.answer("ticket_fields", fields, &slice, count)))
}

/// Answers how many there are.
pub(crate) async fn count(State(desk): State<Desk>, caller: Caller) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let value = read::ticket_fields::list().count(&mut transaction, &caller.resident).await?;
    Ok(Json(present::count(value, desk.clock.now())))
}

/// Answers one field.
pub(crate) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Id(field): Id<TicketFieldId>,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::ticket_fields::many(&mut transaction, &caller.resident, &[field.get()]).await?.pop();
    let row = row.ok_or_else(ApiError::not_found)?;
    Ok(Json(json!({"ticket_field": present::ticket_field::ticket_field(&caller, &row)})))
}
