//! `GET /api/v2/deleted_users/{id}`: one deleted user, for agents.

use axum::{Json, extract::State};
use schemas::PersonId;
use serde_json::{Value, json};

use crate::{
    api::v2::{ids::Id, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the user, if deleted.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Id(person): Id<PersonId>) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::people::one(&mut transaction, &caller.resident, person).await?;
    let row = row.filter(|row| !row.is_active).ok_or_else(ApiError::not_found)?;
    Ok(Json(json!({"deleted_user": present::user::deleted_user(&caller, &row)})))
}
