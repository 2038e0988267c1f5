//! Making a person known: the profile and the claim of the address, in one command.

use domain::{
    email::{self, EmailClaim},
    person::{Add, Person},
};
use regions::Resident;
use schemas::{PersonId, StreamName, values::Role};

use super::who;
use crate::{
    execute::{Batch, Done, Failure, Issuer, Refusal},
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

/// Makes a person known. An address that somebody has is refused.
pub(crate) async fn add(desk: &Desk, by: &Issuer, new: &NewPerson) -> Result<(PersonId, Done), ApiError> {
    let person = allocate(desk, &by.resident).await?;
    let batch = decide(Batch::new(desk, by), desk, by, (person, new)).await?;
    match commit(batch).await {
        // Both causes are the same: somebody took the address, before or while this was decided.
        Err(Failure::Conflict { .. }) => Err(email_taken()),
        done => Ok((person, done?)),
    }
}

async fn commit(batch: Result<Batch<'_>, Failure>) -> Result<Done, Failure> {
    batch?.commit().await
}

/// Adds the person and the claim to a command. An address that somebody has is a conflict.
pub(crate) async fn decide<'a>(
    batch: Batch<'a>,
    desk: &Desk,
    by: &Issuer,
    (person, new): (PersonId, &NewPerson),
) -> Result<Result<Batch<'a>, Failure>, ApiError> {
    let NewPerson { name, email, role } = new.clone();
    let add = Add { person, name: name.into(), email: email.clone().into(), role };
    let batch = batch.decide::<Person>(StreamName::Person(person), None, &add.into()).await?;
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
