//! People whom a request names: by id, or by an address that leads to somebody, or to somebody made known in the same command.

use domain::{text, ticket::By};
use regions::Resident;
use schemas::{PersonId, values::Role};
use serde_json::Value;

use super::{
    add_person::{self, NewPerson},
    comment::unknown_user,
    who,
};
use crate::{
    execute::{Batch, Failure, Issuer},
    problem::ApiError,
    state::Desk,
};

/// Somebody, as a client named them.
#[derive(Clone)]
pub(crate) enum Named {
    /// By id.
    Known(PersonId),
    /// By address, with a name for whoever is made known.
    Addressed(NewPerson),
}

impl Named {
    /// Somebody with an address (as a client sent it) and perhaps a name. None, if it is no address.
    pub(crate) fn addressed(email: &str, name: Option<&str>) -> Option<Self> {
        let email = text::email(email).ok()?;
        let name = name.and_then(|name| text::name(name).ok());
        let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
        Some(Self::Addressed(NewPerson { name, email: Some(email), role: Role::EndUser }))
    }

    /// An item of a list: an id, an address, or an object with `user_id` or `id`, or `user_email` or `email` and perhaps a name.
    pub(crate) fn read(item: &Value) -> Option<Self> {
        let known = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok()).map(PersonId::new);
        if let Value::Object(fields) = item {
            let field =
                |names: [&str; 2]| names.into_iter().find_map(|name| fields.get(name).filter(|sent| !sent.is_null()));
            if let Some(id) = field(["user_id", "id"]) {
                return known(id).map(Self::Known);
            }
            let name = field(["user_name", "name"]).and_then(Value::as_str);
            return Self::addressed(field(["user_email", "email"])?.as_str()?, name);
        }
        known(item).map(Self::Known).or_else(|| Self::addressed(item.as_str()?, None))
    }

    /// Who it is, if anybody is.
    pub(crate) async fn find(&self, desk: &Desk, resident: &Resident) -> Result<Option<By>, ApiError> {
        let person = match self {
            Self::Known(person) => Some(*person),
            Self::Addressed(new) => match &new.email {
                Some(email) => who::holder(desk, resident, email).await?,
                None => None,
            },
        };
        match person {
            Some(person) => who::by_id(desk, resident, person).await,
            None => Ok(None),
        }
    }

    /// Who it is. An id that names nobody is refused; whoever has no address yet is one of the newcomers.
    pub(crate) async fn resolve(
        &self,
        desk: &Desk,
        resident: &Resident,
        (field, newcomers): (&str, &mut Newcomers),
    ) -> Result<By, ApiError> {
        if let Some(known) = self.find(desk, resident).await? {
            return Ok(known);
        }
        match self {
            Self::Known(_) => Err(unknown_user(field)),
            Self::Addressed(new) => newcomers.add(desk, resident, new).await,
        }
    }
}

/// People who are made known in the same command as what names them.
#[derive(Default)]
pub(crate) struct Newcomers(Vec<(PersonId, NewPerson)>);

impl Newcomers {
    async fn add(&mut self, desk: &Desk, resident: &Resident, new: &NewPerson) -> Result<By, ApiError> {
        let person = match self.0.iter().find(|(_, known)| known.email == new.email) {
            Some((person, _)) => *person,
            None => {
                let person = add_person::allocate(desk, resident).await?;
                self.0.push((person, new.clone()));
                person
            }
        };
        Ok(By { person, role: new.role })
    }

    /// Adds them to a command. A conflict, when somebody took an address meanwhile.
    pub(crate) async fn add_to<'a>(
        &self,
        mut batch: Batch<'a>,
        desk: &Desk,
        by: &Issuer,
    ) -> Result<Result<Batch<'a>, Failure>, ApiError> {
        for (person, new) in &self.0 {
            batch = match add_person::decide(batch, desk, by, (*person, new)).await? {
                Ok(batch) => batch,
                Err(failure) => return Ok(Err(failure)),
            };
        }
        Ok(Ok(batch))
    }
}
