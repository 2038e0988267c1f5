//! `PUT /api/v2/organizations/{id}`: changes an organization, for admins; agents change its notes.

use axum::{Json, extract::State, response::IntoResponse};
use domain::organization::{Organization, Profile, Rejection};
use futures::FutureExt;
use schemas::{OrganizationId, StreamName, values::OrganizationDetail};

use super::{answer, request::OrganizationRequest};
use crate::{
    api::{unique::Unique, v2::ids::Id},
    body::Body,
    caller::Caller,
    execute::{Batch, Done, Issuer, load, replayed, retried},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers the organization as changed.
pub(crate) async fn update(
    State(desk): State<Desk>,
    caller: Caller,
    Id(organization): Id<OrganizationId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            let request = OrganizationRequest::read(&body)?;
            if !request.is_notes_only() {
                caller.require_admin()?;
            }
            request.check(&desk, &caller).await?;
            change(&desk, &by, (organization, &request)).await?
        }
    };
    let (written, body) = answer::written(&desk, &caller, organization, &done).await.map_err(ApiError::after_done)?;
    Ok((written, Json(body)))
}

/// Changes the organization. When its name or its id elsewhere changes, the claim moves in the same command.
pub(super) async fn change(
    desk: &Desk,
    by: &Issuer,
    (organization, request): (OrganizationId, &OrganizationRequest),
) -> Result<Done, ApiError> {
    retried(|| async move { Ok(decide(desk, by, (organization, request)).await?.commit().await) }.boxed()).await
}

async fn decide<'a>(
    desk: &'a Desk,
    by: &'a Issuer,
    (organization, request): (OrganizationId, &OrganizationRequest),
) -> Result<Batch<'a>, ApiError> {
    let stream = StreamName::Organization(organization);
    let (state, version) = load::<Organization>(desk, &by.resident, &stream).await?;
    let profile: &Profile = state.profile().ok_or(Rejection::Unknown)?;
    let change = request.change().into();
    let mut batch = Batch::new(desk, by).decide::<Organization>(stream, Some(version), &change).await?;
    let holder = organization.get();
    if let Some(name) = &request.name {
        let names = (Some(profile.name.expose().as_str()), Some(name.as_str()));
        batch = Unique::OrganizationName.move_to(batch, (desk, by, holder), names).await?;
    }
    if request.details.contains_key(&OrganizationDetail::ExternalId) {
        let ids = (profile.detail(OrganizationDetail::ExternalId), request.external_id());
        batch = Unique::OrganizationExternalId.move_to(batch, (desk, by, holder), ids).await?;
    }
    Ok(batch)
}
