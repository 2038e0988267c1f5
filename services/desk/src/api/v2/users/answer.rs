//! What a write to a user answers.

use domain::{Aggregate, person};
use jiff::Timestamp;
use schemas::{PersonId, StreamName, Version};
use serde_json::{Value, json};

use crate::{
    api::{settle, v2::present},
    caller::Caller,
    execute::Done,
    problem::ApiError,
    read::{self, people::Person},
    state::Desk,
    visible::{Visible, Written},
};

/// Waits until the write can be read, and shows it; what cannot be read in time is folded from the log.
pub(crate) async fn written(
    desk: &Desk,
    caller: &Caller,
    person: PersonId,
    done: &Done,
) -> Result<(Written, Value), ApiError> {
    let written = settle::settled(desk, &caller.resident, done, settle::PEOPLE).await;
    let row = match written.visible {
        Visible::Yes => {
            let mut transaction = desk.reading(&caller.resident).await?;
            read::people::one(&mut transaction, &caller.resident, person).await?
        }
        Visible::NotYet => folded(desk, caller, person).await?.map(|(row, _)| row),
    };
    let row = row.ok_or_else(ApiError::not_found)?;
    caller.reading.of([row.person_id]);
    Ok((written, json!({"user": present::user::user(caller, &row)})))
}

/// A person straight from the log, and the version of their stream: no read model is between a change and what it changes.
pub(crate) async fn folded(
    desk: &Desk,
    caller: &Caller,
    person: PersonId,
) -> Result<Option<(Person, Version)>, ApiError> {
    let stream = StreamName::Person(person);
    let logged = read::log::whole_stream(desk, &caller.resident, &stream, Version::ZERO).await?;
    let times: Vec<Timestamp> = logged.iter().map(|logged| logged.envelope.recorded_at).collect();
    let version = logged.last().map_or(Version::ZERO, |logged| logged.envelope.version);
    let events: Vec<_> = logged.into_iter().filter_map(|logged| person::Person::pick(logged.event?)).collect();
    let state = person::Person::after(&events);
    let Some((profile, (first, last))) = state.profile().zip(times.first().zip(times.last())) else { return Ok(None) };
    let row = Person {
        person_id: person.get(),
        name: profile.name.expose().clone(),
        email: profile.email.expose().clone(),
        role: profile.role.to_string(),
        created_at: *first,
        updated_at: *last,
        is_active: !profile.is_deleted,
        is_suspended: profile.is_suspended,
        is_verified: profile.primary().is_some_and(|primary| profile.identities[&primary].is_verified),
        details: Value::Object(
            profile.details.iter().map(|(detail, value)| (detail.to_string(), json!(value.expose()))).collect(),
        ),
        tags: profile.tags.expose().clone(),
        organization_id: profile.organizations.default_of(|_| true).map(schemas::OrganizationId::get),
        default_group_id: profile.groups.default_of(|_| true).map(schemas::GroupId::get),
    };
    Ok(Some((row, version)))
}
