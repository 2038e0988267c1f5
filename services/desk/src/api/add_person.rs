//! Making a person known: the profile and the claim of the address, in one command.

use domain::{
    email::{self, EmailClaim},
    person::{Add, Person, affiliation},
};
use regions::Resident;
use schemas::{MembershipId, OrganizationId, PersonId, StreamName, values::Role};

use super::who;
use crate::{
    execute::{Batch, Failure, Issuer, Refusal},
    problem::ApiError,
    state::Desk,
};

/// Somebody to be made known; name and address are as the rules of texts give them.
#[derive(Clone)]
pub(crate) struct NewPerson {
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) role: Role,
}

/// An id for a person.
pub(crate) async fn allocate(desk: &Desk, resident: &Resident) -> Result<PersonId, ApiError> {
    Ok(PersonId::new(allocate_id(desk, resident).await?))
}

/// The next id of a person, group or file.
pub(crate) async fn allocate_id(desk: &Desk, resident: &Resident) -> Result<i64, ApiError> {
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let id = eventlog::allocate_ids(&mut transaction, resident, 1).await?;
    transaction.commit().await?;
    Ok(id)
}

/// Adds the person and the claim to a command, and the membership of the organization that has the address's domain. An address that
/// somebody has is a conflict.
pub(crate) async fn decide<'a>(
    batch: Batch<'a>,
    desk: &Desk,
    by: &Issuer,
    (person, new): (PersonId, &NewPerson),
) -> Result<Result<Batch<'a>, Failure>, ApiError> {
    let organization = match &new.email {
        Some(email) => who::organization_of(desk, &by.resident, email).await?,
        None => None,
    };
    decide_joining(batch, desk, by, (person, new, organization)).await
}

/// The same, for somebody of whom it is known where they belong.
pub(crate) async fn decide_joining<'a>(
    batch: Batch<'a>,
    desk: &Desk,
    by: &Issuer,
    (person, new, organization): (PersonId, &NewPerson, Option<OrganizationId>),
) -> Result<Result<Batch<'a>, Failure>, ApiError> {
    let NewPerson { name, email, role } = new.clone();
    let stream = StreamName::Person(person);
    let add = Add { person, name: name.into(), email: email.clone().into(), role };
    let mut batch = batch.decide::<Person>(stream.clone(), None, &add.into()).await?;
    if let Some(organization) = organization {
        let membership = MembershipId::new(allocate_id(desk, &by.resident).await?);
        let join = affiliation::Command::JoinOrganization(membership, organization);
        batch = batch.decide::<Person>(stream, None, &join.into()).await?;
    }
    match email {
        Some(email) => claim(batch, who::email_stream(desk, &by.resident, &email).await?, person).await,
        None => Ok(Ok(batch)),
    }
}

/// Adds the claim of an address to a command. One that somebody has is a conflict.
pub(crate) async fn claim(
    batch: Batch<'_>,
    stream: StreamName,
    person: PersonId,
) -> Result<Result<Batch<'_>, Failure>, ApiError> {
    match batch.decide::<EmailClaim>(stream.clone(), None, &email::Command::Claim { person }).await {
        Ok(batch) => Ok(Ok(batch)),
        Err(Refusal::Rejected(email::Rejection::Taken { .. })) => Ok(Err(Failure::Conflict { stream })),
        Err(Refusal::Failed(failure)) => Err(failure.into()),
    }
}

/// The refusal of an address that another person has.
pub(crate) fn email_taken() -> ApiError {
    ApiError::invalid("email", "email: is already being used by another user", "DuplicateValue")
}
