//! `GET /api/v2/audit_logs`: for admins, newest first, in both kinds of pages. Filters: `filter[source_type]`, `filter[source_id]`,
//! `filter[actor_id]`, `filter[ip_address]`, `filter[created_at]` twice, `filter[action]`.

use axum::{Json, extract::State};
use serde_json::Value;

use super::{filter, present};
use crate::{api::v2::page::PageQuery, caller::Caller, problem::ApiResult, read, state::Desk};

/// Answers a page of entries.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_overseer()?;
    let filter = filter::read(&query)?;
    let page = query.page(&caller)?;
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    let slice = page.slice(read::audit_log::keys(&mut transaction, resident, &filter, page.window()).await?);
    let count = match page.is_counted() {
        true => Some(read::audit_log::count(&mut transaction, resident, &filter).await?),
        false => None,
    };
    let rows = read::audit_log::many(&mut transaction, resident, &slice.ids).await?;
    let names = present::names(&mut transaction, resident, &rows).await?;
    let entries = rows.iter().map(|row| present::entry(&caller, row, &names)).collect();
    Ok(Json(page.answer("audit_logs", entries, &slice, count)))
}

#[cfg(test)]
mod tests;
