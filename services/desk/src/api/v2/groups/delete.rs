//! `DELETE /api/v2/groups/{id}`: puts a group away, for admins. Nobody belongs to it any more; it is still shown where tickets name it.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use domain::tenant::{Command, Tenant};
use schemas::{GroupId, StreamName};

use crate::{
    api::{settle, v2::ids::Id},
    body::RequestPrint,
    caller::Caller,
    execute::{Done, Issuer, execute},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers nothing.
pub(crate) async fn delete(
    State(desk): State<Desk>,
    caller: Caller,
    Id(group): Id<GroupId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &print);
    let done = carry_out(&desk, &caller, &by, group).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::ACCOUNT).await;
    Ok((StatusCode::NO_CONTENT, written, ()))
}

/// Puts the group away, for admins.
pub(crate) async fn carry_out(desk: &Desk, caller: &Caller, by: &Issuer, group: GroupId) -> Result<Done, ApiError> {
    caller.require_admin()?;
    Ok(execute::<Tenant>(desk, by, StreamName::Tenant, None, &Command::DeleteGroup(group)).await?)
}
