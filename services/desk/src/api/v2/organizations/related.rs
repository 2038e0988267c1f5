//! `GET /api/v2/organizations/{id}/related`: how much belongs to an organization, for agents.

use axum::{Json, extract::State};
use schemas::OrganizationId;
use serde_json::{Value, json};

use crate::{
    api::v2::ids::Id,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::organizations,
    state::Desk,
};

/// Answers the numbers.
pub(crate) async fn related(
    State(desk): State<Desk>,
    caller: Caller,
    Id(organization): Id<OrganizationId>,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = organizations::one(&mut transaction, &caller.resident, organization).await?;
    row.ok_or_else(ApiError::not_found)?;
    let users = organizations::people(&mut transaction, &caller.resident, organization).await?;
    let tickets = organizations::tickets(&mut transaction, &caller.resident, organization).await?;
    Ok(Json(json!({"organization_related": {"tickets_count": tickets, "users_count": users}})))
}
