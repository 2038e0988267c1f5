//! `POST /api/v2/organizations/create_or_update`: the organization with this id, or this id elsewhere, is changed, or made known; for
//! admins.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use schemas::{OrganizationId, StreamName, TenantLogEvent, organization::OrganizationEvent};

use super::{answer, create, request::OrganizationRequest, update};
use crate::{
    api::unique::Unique,
    body::Body,
    caller::Caller,
    execute::{Done, replayed},
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the organization: 200 when there was one, 201 when not.
pub(crate) async fn create_or_update(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    let request = OrganizationRequest::read(&body)?;
    if let Some(done) = replayed(&desk, &by).await? {
        return again(&desk, &caller, &done, &request).await;
    }
    request.check(&desk, &caller).await?;
    match known(&desk, &caller, &request).await? {
        Some(organization) => {
            let done = update::change(&desk, &by, (organization, &request)).await?;
            changed(&desk, &caller, organization, &done).await
        }
        None => create::created(&desk, &caller, &create::add(&desk, &by, &request).await?).await,
    }
}

/// The answer to a repeated request: 201 if it was the one that made the organization known.
async fn again(desk: &Desk, caller: &Caller, done: &Done, request: &OrganizationRequest) -> ApiResult {
    let before = schemas::Position::new(done.first.get() - 1);
    let first = read::log::page(desk, &caller.resident, before, 1).await?.pop();
    let is_added = first.is_some_and(|logged| {
        matches!(logged.event, Some(TenantLogEvent::Organization(OrganizationEvent::OrganizationAdded(_))))
    });
    match done.stream {
        Some(StreamName::Organization(_)) if is_added => create::created(desk, caller, done).await,
        Some(StreamName::Organization(organization)) => changed(desk, caller, organization, done).await,
        // The first one changed nothing.
        _ => {
            let organization = known(desk, caller, request).await?.ok_or_else(ApiError::not_found)?;
            changed(desk, caller, organization, done).await
        }
    }
}

async fn changed(desk: &Desk, caller: &Caller, organization: OrganizationId, done: &Done) -> ApiResult {
    let (written, body) = answer::written(desk, caller, organization, done).await.map_err(ApiError::after_done)?;
    Ok((StatusCode::OK, written, Json(body)).into_response())
}

async fn known(
    desk: &Desk,
    caller: &Caller,
    request: &OrganizationRequest,
) -> Result<Option<OrganizationId>, ApiError> {
    let holder = match (request.id, request.external_id()) {
        (Some(id), _) => Some(id),
        (None, Some(id)) => Unique::OrganizationExternalId.holder(desk, &caller.resident, id).await?,
        (None, None) => None,
    };
    Ok(holder.map(OrganizationId::new))
}
