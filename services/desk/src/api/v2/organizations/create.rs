//! `POST /api/v2/organizations`: makes an organization known, for admins.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use domain::organization::{Add, Organization};
use futures::FutureExt;
use schemas::{OrganizationId, StreamName};

use super::{answer, request::OrganizationRequest};
use crate::{
    api::{add_person::allocate_id, unique::Unique, v2::present},
    body::Body,
    caller::Caller,
    execute::{Batch, Done, Issuer, replayed, retried},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers the organization as added.
pub(crate) async fn create(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            let request = OrganizationRequest::read(&body)?;
            request.check(&desk, &caller).await?;
            add(&desk, &by, &request).await?
        }
    };
    created(&desk, &caller, &done).await
}

/// Makes the organization known. A name or an id elsewhere that another has is refused.
pub(super) async fn add(desk: &Desk, by: &Issuer, request: &OrganizationRequest) -> Result<Done, ApiError> {
    let blank = || ApiError::invalid("name", "name: cannot be blank", "BlankValue");
    let name = request.name.as_deref().ok_or_else(blank)?;
    let organization = OrganizationId::new(allocate_id(desk, &by.resident).await?);
    retried(|| async move { Ok(decide(desk, by, (organization, name, request)).await?.commit().await) }.boxed()).await
}

async fn decide<'a>(
    desk: &'a Desk,
    by: &'a Issuer,
    (organization, name, request): (OrganizationId, &str, &OrganizationRequest),
) -> Result<Batch<'a>, ApiError> {
    let stream = StreamName::Organization(organization);
    let add = Add { organization, name: name.to_owned().into() }.into();
    let change = request.change().into();
    let batch = Batch::new(desk, by).decide::<Organization>(stream.clone(), None, &add).await?;
    let batch = batch.decide::<Organization>(stream, None, &change).await?;
    let holder = organization.get();
    let batch = Unique::OrganizationName.move_to(batch, (desk, by, holder), (None, Some(name))).await?;
    let external_id = (None, request.external_id());
    Unique::OrganizationExternalId.move_to(batch, (desk, by, holder), external_id).await
}

/// 201 with the organization that a command made known, and where it is.
pub(super) async fn created(desk: &Desk, caller: &Caller, done: &Done) -> ApiResult {
    let Some(StreamName::Organization(organization)) = done.stream else {
        return Err(ApiError::idempotency_key_reused());
    };
    let (written, body) = answer::written(desk, caller, organization, done).await.map_err(ApiError::after_done)?;
    let location = [(LOCATION, present::organization::url(caller, organization.get()))];
    Ok((StatusCode::CREATED, location, written, Json(body)).into_response())
}
