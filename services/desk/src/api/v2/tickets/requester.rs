//! For whom a ticket is opened.

use domain::text;
use schemas::{PersonId, values::Role};

use crate::{
    api::{
        add_person::{self, NewPerson},
        comment::unknown_user,
        who,
    },
    body::Fields,
    caller::Caller,
    execute::{Batch, Failure, Issuer},
    problem::ApiError,
    state::Desk,
};

/// For whom, as a client said it.
pub(crate) enum Requester {
    /// For the caller.
    Caller,
    /// For a known person.
    Known(PersonId),
    /// For whoever has this address; made known under this name if nobody has.
    Named(NewPerson, String),
}

impl Requester {
    /// Reads `requester_id` or `requester`. What is wrong is noted in `fields`.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        if let Some(id) = fields.integer("requester_id") {
            return Self::Known(PersonId::new(id));
        }
        let Some(mut inner) = fields.object("requester") else { return Self::Caller };
        let email = inner.required("email", text::email);
        let name = inner.checked("name", text::name);
        fields.absorb(inner);
        let Some(email) = email else { return Self::Caller };
        let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
        Self::Named(NewPerson { name, email: Some(email.clone()), role: Role::EndUser }, email)
    }

    /// Only agents speak for others.
    pub(crate) fn check(&self, caller: &Caller) -> Result<(), ApiError> {
        let is_caller = match self {
            Self::Caller => true,
            Self::Known(person) => *person == caller.person,
            Self::Named(_, email) => caller.email.as_ref() == Some(email),
        };
        if is_caller || caller.is_agent() {
            return Ok(());
        }
        Err(ApiError::forbidden("requester: only agents may open tickets for others"))
    }

    /// Finds the person, or the id under which to make them known.
    pub(crate) async fn resolve<'a>(
        &'a self,
        desk: &'a Desk,
        by: &'a Issuer,
        caller: PersonId,
    ) -> Result<Found<'a>, ApiError> {
        let known = |person| Found { person, new: None, desk, by };
        match self {
            Self::Caller => Ok(known(caller)),
            Self::Known(person) if *person == caller => Ok(known(caller)),
            Self::Known(person) => match who::by_id(desk, &by.resident, *person).await? {
                Some(_) => Ok(known(*person)),
                None => Err(unknown_user("requester_id")),
            },
            Self::Named(new, email) => match who::holder(desk, &by.resident, email).await? {
                Some(person) => Ok(known(person)),
                None => Ok(Found { person: add_person::allocate(desk, &by.resident).await?, new: Some(new), desk, by }),
            },
        }
    }
}

/// The requester, who may have to be made known.
pub(crate) struct Found<'a> {
    /// Who.
    pub(crate) person: PersonId,
    new: Option<&'a NewPerson>,
    desk: &'a Desk,
    by: &'a Issuer,
}

impl Found<'_> {
    /// Adds the person to the command, if need be. A conflict when somebody took the address meanwhile.
    pub(crate) async fn add_to<'b>(&self, batch: Batch<'b>) -> Result<Result<Batch<'b>, Failure>, ApiError> {
        match self.new {
            None => Ok(Ok(batch)),
            Some(new) => add_person::decide(batch, self.desk, self.by, (self.person, new)).await,
        }
    }
}
