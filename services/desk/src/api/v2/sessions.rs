//! Where people are signed in: `/api/v2/sessions` and below `/api/v2/users/{id}`. Admins see and end everybody's sessions, everybody
//! their own.

mod end;
mod list;

use axum::{Router, routing::delete, routing::get};
use jiff::Timestamp;
use schemas::{PersonId, SessionId};
use serde_json::{Value, json};

use crate::{api::who, caller::Caller, problem::ApiError, read::sessions::Session, state::Desk};

/// The routes.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/api/v2/sessions", get(list::all))
        .route("/api/v2/users/me/session", get(list::current))
        .route("/api/v2/users/me/logout", delete(end::current))
        .route("/api/v2/users/{id}/sessions", get(list::of_user).delete(end::all))
        .route("/api/v2/users/{id}/sessions/{session_id}", get(list::show).delete(end::one))
}

/// Whose sessions somebody may look at and end. Whether others exist is a secret to those who may not.
async fn require_sight(desk: &Desk, caller: &Caller, person: PersonId) -> Result<(), ApiError> {
    if person == caller.person {
        return Ok(());
    }
    caller.require_overseer().map_err(|_| ApiError::not_found())?;
    who::profile(desk, &caller.resident, person).await?.map(drop).ok_or_else(ApiError::not_found)
}

fn present(desk: &Desk, caller: &Caller, row: &Session) -> Value {
    let path = format!("/api/v2/users/{}/sessions/{}.json", row.person_id, row.session_id);
    json!({
        "id": row.session_id,
        "url": caller.origin.url(&path),
        "user_id": row.person_id,
        "authenticated_at": seconds(row.started_at),
        "last_seen_at": seconds(last_seen(desk, caller, row)),
    })
}

/// As far as this process knows; otherwise when somebody signed in.
pub(crate) fn last_seen(desk: &Desk, caller: &Caller, row: &Session) -> Timestamp {
    desk.seen().last(caller.resident.tenant_id(), SessionId::new(row.session_id)).unwrap_or(row.started_at)
}

fn seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
