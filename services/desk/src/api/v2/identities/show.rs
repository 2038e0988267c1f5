//! `GET /api/v2/users/{id}/identities/{id}`: one thing that a user is known by, for agents and the user.

use axum::{Json, extract::State};
use schemas::{IdentityId, PersonId};
use serde_json::{Value, json};

use super::{find, require_sight};
use crate::{
    api::v2::{ids::TwoIds, present},
    caller::Caller,
    problem::ApiResult,
    state::Desk,
};

/// Answers the identity.
pub(crate) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, identity): TwoIds<PersonId, IdentityId>,
) -> ApiResult<Json<Value>> {
    require_sight(&caller, person)?;
    let row = find(&desk, &caller, (person, identity)).await?;
    Ok(Json(json!({"identity": present::identity::identity(&caller, &row)})))
}
