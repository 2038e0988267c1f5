//! `GET /api/v2/users/{id}/identities`: by what a user is known, for agents and the user.

use axum::{Json, extract::State};
use schemas::PersonId;
use serde_json::Value;

use super::require_sight;
use crate::{
    api::{
        v2::{
            ids::Id,
            page::{Page, PageQuery},
            present,
        },
        who,
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::identities,
    state::Desk,
};

/// Answers a page of them.
pub(crate) async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    require_sight(&caller, person)?;
    who::profile(&desk, &caller.resident, person).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(page(&desk, &caller, &query.page(&caller)?, person).await?))
}

/// A page of a user's.
pub(super) async fn page(desk: &Desk, caller: &Caller, page: &Page, person: PersonId) -> Result<Value, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, &identities::list(person)).await?;
    let rows = identities::many(&mut transaction, &caller.resident, &slice.ids).await?;
    let shown = rows.iter().map(|row| present::identity::identity(caller, row)).collect();
    Ok(page.answer("identities", shown, &slice, count))
}
