//! What an auditor may ask for: reads, and nothing else; where the grant names tickets, those and what is about nobody.
//!
//! It is asked in one place, before any handler runs, so that a route which is added later is closed to auditors until it has a
//! row in the table of routes, and whatever it commands is refused without anybody having thought of it.

use axum::{
    extract::MatchedPath,
    http::{Method, request::Parts},
};
use schemas::values::ReadKind;

use crate::{
    access::routes::{self, Reads},
    problem::ApiError,
};

/// The one route of a list that an auditor of certain tickets may ask: it shows only themselves.
const ME: &str = "/api/v2/users/me";

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
        _ => row.path == ME,
    };
    if is_covered { Ok(()) } else { Err(ApiError::forbidden("This grant is about certain tickets only")) }
}
