//! `GET /api/v2/deleted_tickets`: the tickets that can be restored, sorted by id.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{
    api::v2::{page::PageQuery, present::moment},
    caller::Caller,
    problem::ApiResult,
    read::tickets::{self, Deleted},
    state::Desk,
};

/// Answers a page of deleted tickets.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let page = query.page(&caller)?;
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    let slice = page.slice(tickets::deleted_ids(&mut transaction, resident, page.window()).await?);
    let count = match page.is_counted() {
        true => Some(tickets::count_deleted(&mut transaction, resident).await?),
        false => None,
    };
    let rows = tickets::deleted(&mut transaction, resident, &slice.ids).await?;
    let deleted = rows.iter().map(row).collect();
    Ok(Json(page.answer("deleted_tickets", deleted, &slice, count)))
}

fn row(row: &Deleted) -> Value {
    json!({
        "id": row.ticket_id,
        "subject": row.subject,
        "description": row.description,
        "actor": {"id": row.deleted_by, "name": row.actor},
        "deleted_at": moment(row.deleted_at),
        "previous_state": row.status,
    })
}
