//! `PUT /api/v2/groups/{id}`: changes a group, for admins. A private group never becomes public.

use axum::{Json, extract::State, response::IntoResponse};
use domain::{
    tenant::{ChangeGroup, Tenant},
    text,
};
use schemas::{GroupId, StreamName, Version};
use serde_json::json;

use super::create;
use crate::{
    api::{
        settle,
        v2::{ids::Id, present},
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Done, Issuer, execute},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers the group as changed.
pub(crate) async fn update(
    State(desk): State<Desk>,
    caller: Caller,
    Id(group): Id<GroupId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    let done = carry_out(&desk, &caller, &by, (group, None, Fields::root(&body, "group")?)).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::ACCOUNT).await;
    let row = create::now(&desk, &caller, group, &written).await.map_err(ApiError::after_done)?;
    Ok((written, Json(json!({"group": present::group::group(&caller, &row)}))))
}

/// Changes the group as was sent, for admins. Whoever says which version of the tenant they saw is refused when it is another one by now.
pub(crate) async fn carry_out(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (group, seen, fields): (GroupId, Option<Version>, Fields<'_>),
) -> Result<Done, ApiError> {
    caller.require_admin()?;
    let change = read(group, fields)?;
    Ok(execute::<Tenant>(desk, by, StreamName::Tenant, seen, &change.into()).await?)
}

fn read(group: GroupId, mut fields: Fields<'_>) -> Result<ChangeGroup, ApiError> {
    let change = ChangeGroup {
        name: match fields.has("name") {
            true => fields.required("name", text::name).map(Into::into),
            false => None,
        },
        description: create::description(&mut fields),
        is_public: fields.boolean("is_public"),
        is_default: fields.boolean("default"),
        ..ChangeGroup::of(group)
    };
    fields.finish()?;
    Ok(change)
}
