//! An organization that is deleted: it has a key of its own, which goes with it, so that what was noted about it and its people does not
//! outlive it.

use domain::organization::{Command, Organization, Rejection};
use futures::FutureExt;
use schemas::{
    OrganizationId, StreamName,
    values::{ErasureReason, OrganizationDetail},
};
use vault::Scope;

use super::{Erased, finish, list};
use crate::{
    api::unique::Unique,
    execute::{Batch, Issuer, load, replayed, retried},
    problem::ApiError,
    state::Desk,
};

/// Deletes an organization for good.
pub(crate) async fn organization(desk: &Desk, by: &Issuer, organization: OrganizationId) -> Result<Erased, ApiError> {
    let attempt = || async move { Ok::<_, ApiError>(record(desk, by, organization).await?.commit().await) };
    let done = match replayed(desk, by).await? {
        Some(done) => done,
        None => retried(|| attempt().boxed()).await?,
    };
    Ok(finish(desk, &by.resident, done).await)
}

async fn record<'a>(desk: &'a Desk, by: &'a Issuer, id: OrganizationId) -> Result<Batch<'a>, ApiError> {
    let stream = StreamName::Organization(id);
    let (state, version) = load::<Organization>(desk, &by.resident, &stream).await?;
    let profile = state.profile().ok_or(Rejection::Unknown)?;
    let batch = Batch::new(desk, by).decide::<Organization>(stream, Some(version), &Command::Delete).await?;
    let (name, id_elsewhere) = (profile.name.expose().as_str(), profile.detail(OrganizationDetail::ExternalId));
    let batch = Unique::OrganizationName.move_to(batch, (desk, by, id.get()), (Some(name), None)).await?;
    let given_up = (id_elsewhere, None);
    let batch = Unique::OrganizationExternalId.move_to(batch, (desk, by, id.get()), given_up).await?;
    let keys = desk.vault.living(&by.resident, &[Scope::Organization(id)]).await?;
    Ok(list(batch, ErasureReason::OrganizationDeleted, keys).await?)
}
