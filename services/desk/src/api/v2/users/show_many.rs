//! `GET /api/v2/users/show_many?ids=1,2` or `?external_ids=a,b`: those of the users that exist, for agents.

use axum::{Json, extract::State};
use serde_json::Value;

use super::list;
use crate::{
    api::v2::{ids, page::PageQuery, present},
    caller::Caller,
    problem::ApiResult,
    read::{self, people::Which},
    state::Desk,
};

/// Answers the users; ids that name none are left out.
pub(crate) async fn show_many(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    if query.get("ids").is_none()
        && let Some(sent) = query.get("external_ids")
    {
        let which = Which::External(ids::texts("external_ids", sent)?);
        return list::listed(&desk, &caller, &query.offset_page(&caller)?, &read::people::list(which)).await;
    }
    let ids = ids::listed(query.get("ids"))?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::people::many(&mut transaction, &caller.resident, &ids).await?;
    let users = rows.iter().map(|row| present::user::user(&caller, row)).collect();
    let found = rows.iter().map(|row| row.person_id).collect();
    Ok(Json(query.offset_page(&caller)?.all("users", users, found)))
}
