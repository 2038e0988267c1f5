//! `GET /api/v2/organizations/{id}/users` and `/api/v2/groups/{id}/users`: who belongs to one, sorted by id, for agents.

use axum::{Json, extract::State};
use schemas::{GroupId, OrganizationId};
use serde_json::Value;

use crate::{
    api::v2::{ids::Id, page::PageQuery, users},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{self, memberships::Kind, organizations},
    state::Desk,
};

/// Answers a page of an organization's users.
pub(crate) async fn of_organization(
    State(desk): State<Desk>,
    caller: Caller,
    Id(organization): Id<OrganizationId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = organizations::one(&mut transaction, &caller.resident, organization).await?;
    row.ok_or_else(ApiError::not_found)?;
    drop(transaction);
    let page = query.page(&caller)?;
    users::list::members(&desk, &caller, &page, (Kind::Organization, organization.get())).await
}

/// Answers a page of a group's agents.
pub(crate) async fn of_group(
    State(desk): State<Desk>,
    caller: Caller,
    Id(group): Id<GroupId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::groups::one(&mut transaction, &caller.resident, group).await?;
    row.filter(|row| !row.is_deleted).ok_or_else(ApiError::not_found)?;
    drop(transaction);
    let page = query.page(&caller)?;
    users::list::members(&desk, &caller, &page, (Kind::Group, group.get())).await
}
