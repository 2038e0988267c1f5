//! `GET /api/v2/organizations/{id}`: one organization, for agents.

use axum::{Json, extract::State};
use schemas::OrganizationId;
use serde_json::{Value, json};

use crate::{
    api::v2::{ids::Id, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::organizations,
    state::Desk,
};

/// Answers the organization.
pub(crate) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Id(organization): Id<OrganizationId>,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = organizations::one(&mut transaction, &caller.resident, organization).await?;
    let row = row.ok_or_else(ApiError::not_found)?;
    Ok(Json(json!({"organization": present::organization::organization(&caller, &row)})))
}
