//! `DELETE /api/v2/organizations/{id}`: deletes an organization for good, for admins. Its name, details and notes are gone from the log,
//! every copy of it and every archive; nobody belongs to it any more.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use schemas::OrganizationId;

use crate::{
    api::{settle, v2::ids::Id},
    body::RequestPrint,
    caller::Caller,
    erase,
    problem::ApiResult,
    state::Desk,
};

/// Answers nothing.
pub(crate) async fn delete(
    State(desk): State<Desk>,
    caller: Caller,
    Id(organization): Id<OrganizationId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &print);
    let done = erase::organization(&desk, &by, organization).await?.done;
    let written = settle::settled(&desk, &caller.resident, &done, settle::PEOPLE_TEXTS).await;
    Ok((StatusCode::NO_CONTENT, written, ()))
}
