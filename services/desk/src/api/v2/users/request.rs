//! A user as a client sends it, for every operation that takes one.

use domain::text;
use schemas::values::Role;

use crate::{
    body::{Body, Fields},
    caller::Caller,
    problem::ApiError,
};

/// The attributes of a user that a client may send. `None` was not sent.
#[derive(Clone)]
pub(crate) struct UserRequest {
    pub(crate) name: Option<String>,
    /// `Some(None)` was sent as null: no address.
    pub(crate) email: Option<Option<String>>,
    pub(crate) role: Option<Role>,
}

/// Whether a name must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// A new user has one.
    Required,
    /// A change may leave it out.
    Optional,
}

/// A role of people who work here. An auditor's comes with a grant, not with a profile.
fn role(word: &str) -> Result<Role, &'static str> {
    let found = word.parse().ok().filter(|role| *role != Role::Auditor);
    found.ok_or("takes one of end-user, agent, admin")
}

impl UserRequest {
    /// Reads the object under `user`.
    pub(crate) fn read(body: &Body, name: Name) -> Result<Self, ApiError> {
        let mut fields = Fields::root(body, "user")?;
        let request = Self {
            name: match name {
                Name::Required => fields.required("name", text::name),
                Name::Optional => fields.checked("name", text::name),
            },
            email: fields.has("email").then(|| fields.checked("email", text::email)),
            role: if fields.value("role").is_some_and(|sent| sent == "") { None } else { fields.checked("role", role) },
        };
        fields.finish()?;
        Ok(request)
    }

    /// Refuses roles the caller may not give: agents add end users, admins whom they want.
    pub(crate) fn check_role(&self, caller: &Caller) -> Result<(), ApiError> {
        match self.role {
            Some(role) if role != Role::EndUser && caller.role != Role::Admin => {
                Err(ApiError::forbidden("role: only admins make agents and admins"))
            }
            _ => Ok(()),
        }
    }
}
