//! `GET /api/v2/organizations/show_many?ids=1,2` or `?external_ids=a,b`: those of the organizations that exist, for agents.

use axum::{Json, extract::State};
use serde_json::Value;

use super::list;
use crate::{
    api::v2::{ids, page::PageQuery, present},
    caller::Caller,
    problem::ApiResult,
    read::organizations::{self, Which},
    state::Desk,
};

/// Answers the organizations; ids that name none are left out.
pub(crate) async fn show_many(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    if query.get("ids").is_none()
        && let Some(sent) = query.get("external_ids")
    {
        let which = Which::External(ids::texts("external_ids", sent)?);
        return list::answer(&desk, &caller, &query.offset_page(&caller)?, which).await;
    }
    let ids = ids::listed(query.get("ids"))?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = organizations::many(&mut transaction, &caller.resident, &ids).await?;
    let shown = rows.iter().map(|row| present::organization::organization(&caller, row)).collect();
    let found = rows.iter().map(|row| row.organization_id).collect();
    Ok(Json(query.offset_page(&caller)?.all("organizations", shown, found)))
}
