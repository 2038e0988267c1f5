//! `PUT /api/v2/groups/{id}`: changes a group, for admins. A private group never becomes public.

use axum::{Json, extract::State, response::IntoResponse};
use domain::{
    tenant::{ChangeGroup, Tenant},
    text,
};
use schemas::{GroupId, StreamName};
use serde_json::json;

use super::create;
use crate::{
    api::{
        settle,
        v2::{ids::Id, present},
    },
    body::{Body, Fields},
    caller::Caller,
    execute::execute,
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
    let change = read(group, &body)?;
    let done = execute::<Tenant>(&desk, &by, StreamName::Tenant, None, &change.into()).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::ACCOUNT).await;
    let row = create::now(&desk, &caller, group, &written).await.map_err(ApiError::after_done)?;
    Ok((written, Json(json!({"group": present::group::group(&caller, &row)}))))
}

fn read(group: GroupId, body: &Body) -> Result<ChangeGroup, ApiError> {
    let mut fields = Fields::root(body, "group")?;
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
