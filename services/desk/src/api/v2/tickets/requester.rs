//! For whom a ticket is.

use domain::text;

use crate::{api::named::Named, body::Fields, caller::Caller, problem::ApiError};

/// Reads `requester_id` or `requester`, who is made known if nobody has the address. What is wrong is noted in `fields`.
pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Named> {
    if let Some(id) = fields.integer("requester_id") {
        return Some(Named::Known(schemas::PersonId::new(id)));
    }
    let mut inner = fields.object("requester")?;
    let email = inner.required("email", text::email);
    let name = inner.checked("name", text::name);
    fields.absorb(inner);
    Named::addressed(&email?, name.as_deref())
}

/// Only agents speak for others.
pub(crate) fn check(requester: Option<&Named>, caller: &Caller) -> Result<(), ApiError> {
    let is_caller = match requester {
        None => true,
        Some(Named::Known(person)) => *person == caller.person,
        Some(Named::Addressed(new)) => caller.email == new.email,
    };
    if is_caller || caller.is_agent() {
        return Ok(());
    }
    Err(ApiError::forbidden("requester: only agents may open tickets for others"))
}
