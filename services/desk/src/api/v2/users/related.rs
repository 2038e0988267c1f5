//! `GET /api/v2/users/{id}/related`: how much belongs to a user, for agents.

use axum::{Json, extract::State};
use schemas::PersonId;
use serde_json::{Value, json};

use crate::{
    api::{v2::ids::Id, who},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::tickets,
    state::Desk,
};

/// Answers the numbers.
pub(crate) async fn related(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    who::profile(&desk, &caller.resident, person).await?.ok_or_else(ApiError::not_found)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let (requested, assigned) = tickets::of_person(&mut transaction, &caller.resident, person).await?;
    Ok(Json(json!({"user_related": {
        "assigned_tickets": assigned,
        "requested_tickets": requested,
        "ccd_tickets": 0,
        "organization_subscriptions": 0,
    }})))
}
