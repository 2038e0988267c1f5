//! By what users are reached and known: addresses and telephone numbers.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod update;

#[cfg(test)]
mod tests;

use domain::person::{Person, Profile};
use schemas::{
    IdentityId, PersonId, StreamName, Version,
    values::{IdentityKind, Role},
};

use crate::{
    api::settle,
    caller::Caller,
    execute::load,
    problem::ApiError,
    read::identities::{self, Identity},
    state::Desk,
};

/// Agents change by what end users are known, admins also agents' and their own.
async fn changeable(desk: &Desk, caller: &Caller, person: PersonId) -> Result<(Profile, Version), ApiError> {
    caller.require_agent()?;
    let (state, version) = load::<Person>(desk, &caller.resident, &StreamName::Person(person)).await?;
    let profile = state.profile().filter(|profile| !profile.is_deleted).ok_or_else(ApiError::not_found)?.clone();
    if profile.role != Role::EndUser && caller.role != Role::Admin {
        return Err(ApiError::forbidden("Only admins change agents and admins"));
    }
    Ok((profile, version))
}

/// The kind and the value of an identity.
fn known(profile: &Profile, identity: IdentityId) -> Result<(IdentityKind, String), ApiError> {
    let known = profile.identities.get(&identity).ok_or_else(ApiError::not_found)?;
    Ok((known.kind, known.value.expose().clone()))
}

/// Users see their own, agents everybody's.
fn require_sight(caller: &Caller, person: PersonId) -> Result<(), ApiError> {
    if caller.is_insider() || caller.person == person { Ok(()) } else { Err(ApiError::not_found()) }
}

/// The identity as it can be read, also one of a moment ago.
async fn find(desk: &Desk, caller: &Caller, which: (PersonId, IdentityId)) -> Result<Identity, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    if let Some(row) = identities::one(&mut transaction, &caller.resident, which).await? {
        return Ok(row);
    }
    drop(transaction);
    settle::catch_up(desk, &caller.resident, settle::PEOPLE).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    identities::one(&mut transaction, &caller.resident, which).await?.ok_or_else(ApiError::not_found)
}

/// An identity from the log, for an answer that cannot wait for the read models.
async fn folded(desk: &Desk, caller: &Caller, (person, id): (PersonId, IdentityId)) -> Result<Identity, ApiError> {
    let (state, _) = load::<Person>(desk, &caller.resident, &StreamName::Person(person)).await?;
    let profile = state.profile().ok_or_else(ApiError::not_found)?;
    let identity = profile.identities.get(&id).ok_or_else(ApiError::not_found)?;
    let now = desk.clock.now();
    Ok(Identity {
        identity_id: id.get(),
        person_id: person.get(),
        kind: identity.kind.to_string(),
        value: identity.value.expose().clone(),
        is_primary: profile.primary() == Some(id),
        is_verified: identity.is_verified,
        created_at: now,
        updated_at: now,
    })
}
