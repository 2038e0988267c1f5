//! What a client tells of a user besides name, address and role, as part of the command that adds or changes them.

use domain::{
    email::{self, EmailClaim},
    person::{self, Change, Person, Profile, affiliation, identity},
};
use schemas::{
    IdentityId, MembershipId, OrganizationId, PersonId, StreamName,
    values::{IdentityKind, PersonDetail},
};

use super::request::UserRequest;
use crate::{
    api::{
        add_person::{self, allocate_id},
        unique::Unique,
        who,
    },
    caller::Caller,
    execute::{Batch, Issuer},
    problem::ApiError,
    state::Desk,
};

/// Refuses ids that name no organization and no group.
pub(super) async fn check(desk: &Desk, caller: &Caller, request: &UserRequest) -> Result<(), ApiError> {
    let wrong = |field: &str, what: &str| ApiError::invalid(field, format!("{field}: takes {what}"), "InvalidValue");
    if let Some(organization) = request.organization.flatten()
        && !who::is_organization(desk, &caller.resident, organization).await?
    {
        return Err(wrong("organization_id", "the id of an organization"));
    }
    match request.default_group {
        Some(group) if !who::is_group(desk, &caller.resident, group).await? => {
            Err(wrong("default_group_id", "the id of a group"))
        }
        _ => Ok(()),
    }
}

/// What is told of somebody who is being added.
pub(super) async fn decide_new<'a>(
    batch: Batch<'a>,
    (desk, by): (&Desk, &Issuer),
    (person, request): (PersonId, &UserRequest),
) -> Result<Batch<'a>, ApiError> {
    let stream = StreamName::Person(person);
    let mut batch = batch.decide::<Person>(stream.clone(), None, &told(request).into()).await?;
    for (kind, value) in &request.identities {
        if request.email.as_ref() != Some(&Some(value.clone())) {
            batch = add_identity(batch, (desk, by), (person, *kind, value)).await?;
        }
    }
    if request.is_verified == Some(true) && request.email.as_ref().is_some_and(Option::is_some) {
        let verify = identity::Command::Verify(identity::first_of(person)).into();
        batch = batch.decide::<Person>(stream.clone(), None, &verify).await?;
    }
    if request.is_suspended == Some(true) {
        batch = batch.decide::<Person>(stream.clone(), None, &person::Command::Suspend(true)).await?;
    }
    if let Some(group) = request.default_group {
        let membership = MembershipId::new(allocate_id(desk, &by.resident).await?);
        let join = affiliation::Command::JoinGroup(membership, group).into();
        batch = batch.decide::<Person>(stream, None, &join).await?;
    }
    let ids = (None, request.external_id());
    Unique::UserExternalId.move_to(batch, (desk, by, person.get()), ids).await
}

/// What is told of somebody who is known.
pub(super) async fn decide_known<'a>(
    batch: Batch<'a>,
    (desk, by): (&Desk, &Issuer),
    (profile, request): (&Profile, &UserRequest),
) -> Result<Batch<'a>, ApiError> {
    let person = profile.person;
    let stream = StreamName::Person(person);
    let mut batch = batch.decide::<Person>(stream.clone(), None, &told(request).into()).await?;
    if let Some(email) = another_address(profile, request) {
        batch = add_identity(batch, (desk, by), (person, IdentityKind::Email, &email)).await?;
    }
    if let Some(primary) = profile.primary().filter(|_| request.is_verified == Some(true)) {
        batch = batch.decide::<Person>(stream.clone(), None, &identity::Command::Verify(primary).into()).await?;
    }
    if let Some(is_suspended) = request.is_suspended {
        batch = batch.decide::<Person>(stream.clone(), None, &person::Command::Suspend(is_suspended)).await?;
    }
    if let Some(asked) = request.organization {
        batch = decide_organization(batch, (desk, by), (profile, asked)).await?;
    }
    if let Some(group) = request.default_group {
        let choose = affiliation::Command::ChooseGroup(group).into();
        batch = batch.decide::<Person>(stream, None, &choose).await?;
    }
    if request.details.contains_key(&PersonDetail::ExternalId) {
        let ids = (profile.detail(PersonDetail::ExternalId), request.external_id());
        batch = Unique::UserExternalId.move_to(batch, (desk, by, person.get()), ids).await?;
    }
    Ok(batch)
}

fn told(request: &UserRequest) -> Change {
    let tags = request.tags.clone().map(Into::into);
    Change { details: request.details.clone(), tags, ..Change::default() }
}

/// An address that is sent for somebody who has one is one more.
fn another_address(profile: &Profile, request: &UserRequest) -> Option<String> {
    let email = request.email.clone().flatten()?;
    let is_known = profile.identity_of(IdentityKind::Email, &email).is_some();
    (profile.email.expose().is_some() && !is_known).then_some(email)
}

/// Adds by what a user is known too, and claims it. What another is known by is refused.
pub(crate) async fn add_identity<'a>(
    batch: Batch<'a>,
    (desk, by): (&Desk, &Issuer),
    (person, kind, value): (PersonId, IdentityKind, &str),
) -> Result<Batch<'a>, ApiError> {
    let identity = IdentityId::new(allocate_id(desk, &by.resident).await?);
    let add = identity::Command::Add(identity, kind, value.to_owned().into()).into();
    let batch = batch.decide::<Person>(StreamName::Person(person), None, &add).await?;
    claim(batch, (desk, by), (person, kind, value)).await
}

/// Adds the claim of what a user is known by.
pub(crate) async fn claim<'a>(
    batch: Batch<'a>,
    (desk, by): (&Desk, &Issuer),
    (person, kind, value): (PersonId, IdentityKind, &str),
) -> Result<Batch<'a>, ApiError> {
    match kind {
        IdentityKind::Email => {
            let stream = who::email_stream(desk, &by.resident, value).await?;
            add_person::claim(batch, stream, person).await?.map_err(|_| add_person::email_taken())
        }
        IdentityKind::PhoneNumber => {
            Unique::PhoneNumber.move_to(batch, (desk, by, person.get()), (None, Some(value))).await
        }
    }
}

/// Adds that a user is known by something no longer.
pub(crate) async fn release<'a>(
    batch: Batch<'a>,
    (desk, by): (&Desk, &Issuer),
    (person, kind, value): (PersonId, IdentityKind, &str),
) -> Result<Batch<'a>, ApiError> {
    match kind {
        IdentityKind::Email => {
            let stream = who::email_stream(desk, &by.resident, value).await?;
            let release = email::Command::Release { person };
            Ok(batch.decide::<EmailClaim>(stream, None, &release).await?)
        }
        IdentityKind::PhoneNumber => {
            Unique::PhoneNumber.move_to(batch, (desk, by, person.get()), (Some(value), None)).await
        }
    }
}

/// Another default organization, to which the user belongs then; with null, the default one no longer.
async fn decide_organization<'a>(
    mut batch: Batch<'a>,
    (desk, by): (&Desk, &Issuer),
    (profile, asked): (&Profile, Option<OrganizationId>),
) -> Result<Batch<'a>, ApiError> {
    let (stream, organizations) = (StreamName::Person(profile.person), &profile.organizations);
    let Some(organization) = asked else {
        let there = there(desk, by, profile).await?;
        let default = organizations.default_of(|organization| there.contains(&organization));
        let Some(membership) = default.and_then(|default| organizations.to(default)) else { return Ok(batch) };
        let leave = affiliation::Command::LeaveOrganization(membership).into();
        return Ok(batch.decide::<Person>(stream, None, &leave).await?);
    };
    if organizations.to(organization).is_none() {
        let membership = MembershipId::new(allocate_id(desk, &by.resident).await?);
        let join = affiliation::Command::JoinOrganization(membership, organization).into();
        batch = batch.decide::<Person>(stream.clone(), None, &join).await?;
    }
    let choose = affiliation::Command::ChooseOrganization(organization).into();
    Ok(batch.decide::<Person>(stream, None, &choose).await?)
}

/// Those of the user's organizations that were not deleted.
async fn there(desk: &Desk, by: &Issuer, profile: &Profile) -> Result<Vec<OrganizationId>, ApiError> {
    let mut there = Vec::new();
    for organization in profile.organizations.memberships.values() {
        if who::is_organization(desk, &by.resident, *organization).await? {
            there.push(*organization);
        }
    }
    Ok(there)
}
