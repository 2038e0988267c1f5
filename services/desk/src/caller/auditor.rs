//! What an auditor may ask for: reads, and nothing else; where the grant names tickets, those and what is about nobody.
//!
//! It is asked in one place, before any handler runs, so that a route which is added later is closed to auditors until it has a
//! row in the table of routes, and whatever it commands is refused without anybody having thought of it.

use axum::{
    extract::MatchedPath,
    http::{Method, request::Parts},
};
use domain::person::Person;
use regions::Resident;
use schemas::{StreamName, values::ReadKind};

use crate::{
    access::{
        Reader,
        routes::{self, Reads},
    },
    execute::load,
    problem::ApiError,
    state::Desk,
};

/// The routes of many things that an auditor of certain tickets may ask: the first shows only themselves, the second looks whether the event
/// is one of a granted ticket's.
const GRANTED: [&str; 2] = ["/api/v2/users/me", "/api/domicile/v1/audit/proof"];

/// Refuses what a grant does not cover. Of tickets beyond it, nobody learns whether they exist.
pub(super) fn check(granted_tickets: &[i64], parts: &Parts) -> Result<(), ApiError> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(ApiError::forbidden("Auditors read, and change nothing"));
    }
    let row = parts.extensions.get::<MatchedPath>().map(|path| routes::row(path.as_str()));
    let Some(row) = row.filter(|row| !row.path.is_empty()) else {
        return Err(ApiError::forbidden("Not for auditors"));
    };
    let is_covered = match row.reads {
        _ if granted_tickets.is_empty() => true,
        Reads::One(ReadKind::Ticket) => row.id_in(parts.uri.path()).is_some_and(|id| granted_tickets.contains(&id)),
        // Whether it belongs to one of the tickets is known when it is found.
        Reads::One(ReadKind::Attachment) | Reads::Many(ReadKind::Attachment) | Reads::Nothing(_) => true,
        _ => GRANTED.contains(&row.path),
    };
    if is_covered { Ok(()) } else { Err(ApiError::forbidden("This grant is about certain tickets only")) }
}

/// Whether the log says so, too: a grant that was revoked ends at once, also while the read models are behind or halted.
pub(super) async fn is_granted(desk: &Desk, resident: &Resident, reader: Reader) -> Result<bool, ApiError> {
    let (person, _) = load::<Person>(desk, resident, &StreamName::Person(reader.person)).await?;
    let profile = person.profile().filter(|profile| !profile.is_deleted);
    let now = desk.clock.now();
    Ok(profile.is_some_and(|profile| {
        reader.token.is_some_and(|token| profile.tokens.contains_key(&token))
            && profile.grant.as_ref().is_some_and(|grant| grant.expires_at > now)
    }))
}
