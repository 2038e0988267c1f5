//! `/api/domicile/v1/auditor_grants`: an admin lets an auditor in, for a while, to read.
//!
//! A grant is a person whose role is auditor, with one token that ends when the grant does. So what an auditor reads is in the access
//! log under their id, their name is sealed under a key of its own, and they are erased as anybody is, once revoked.

pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod revoke;

use jiff::Timestamp;
use serde_json::{Value, json};

/// A grant as the API shows it.
struct Shown<'a> {
    id: i64,
    name: &'a str,
    email: Option<&'a str>,
    expires_at: Timestamp,
    tickets: &'a [i64],
    active: bool,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
}

fn present(grant: &Shown<'_>) -> Value {
    json!({
        "id": grant.id,
        "name": grant.name,
        "email": grant.email,
        "expires_at": grant.expires_at,
        "tickets": grant.tickets,
        "active": grant.active,
        "revoked_at": grant.revoked_at,
        "created_at": grant.created_at,
    })
}

#[cfg(test)]
mod tests;
