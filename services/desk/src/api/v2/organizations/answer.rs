//! What a write to an organization answers.

use domain::{Aggregate, organization};
use schemas::{OrganizationId, StreamName, Version};
use serde_json::{Value, json};

use crate::{
    api::{settle, v2::present},
    caller::Caller,
    execute::Done,
    problem::ApiError,
    read::{self, organizations::Organization},
    state::Desk,
    visible::{Visible, Written},
};

/// Waits until the write can be read, and shows it; what cannot be read in time is folded from the log.
pub(super) async fn written(
    desk: &Desk,
    caller: &Caller,
    organization: OrganizationId,
    done: &Done,
) -> Result<(Written, Value), ApiError> {
    let written = settle::settled(desk, &caller.resident, done, settle::PEOPLE).await;
    let row = match written.visible {
        Visible::Yes => {
            let mut transaction = desk.reading(&caller.resident).await?;
            read::organizations::one(&mut transaction, &caller.resident, organization).await?
        }
        Visible::NotYet => folded(desk, caller, organization).await?,
    };
    let row = row.ok_or_else(ApiError::not_found)?;
    caller.reading.of([row.organization_id]);
    Ok((written, json!({"organization": present::organization::organization(caller, &row)})))
}

async fn folded(desk: &Desk, caller: &Caller, organization: OrganizationId) -> Result<Option<Organization>, ApiError> {
    let stream = StreamName::Organization(organization);
    let logged = read::log::whole_stream(desk, &caller.resident, &stream, Version::ZERO).await?;
    let times: Vec<_> = logged.iter().map(|logged| logged.envelope.recorded_at).collect();
    let events: Vec<_> =
        logged.into_iter().filter_map(|logged| organization::Organization::pick(logged.event?)).collect();
    let state = organization::Organization::after(&events);
    let Some((profile, (first, last))) = state.profile().zip(times.first().zip(times.last())) else { return Ok(None) };
    let details = profile.details.iter().map(|(detail, value)| (detail.to_string(), json!(value.expose())));
    Ok(Some(Organization {
        organization_id: organization.get(),
        name: profile.name.expose().clone(),
        details: Value::Object(details.collect()),
        domain_names: profile.domain_names.expose().clone(),
        tags: profile.tags.expose().clone(),
        group_id: profile.group.map(schemas::GroupId::get),
        created_at: *first,
        updated_at: *last,
    }))
}
