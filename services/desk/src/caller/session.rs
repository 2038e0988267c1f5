//! Coming in with a session.

use axum::http::{HeaderName, Method, header, request::Parts};
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{PersonId, SessionId, values::Means};

use super::{Identity, Proof};
use crate::{
    access::Reader,
    api::settle,
    problem::ApiError,
    session::{IDLE_FOR, RENEWED_AFTER, cookie::Presented, layer::Taken},
    state::Desk,
    visible::Visible,
};

const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Whose session the request bears, if it is not over. Where the read models do not show it, it may be a new one, as with tokens.
pub(super) async fn by(desk: &Desk, resident: &Resident, parts: &Parts) -> Result<Proof, ApiError> {
    let Some(taken) = parts.extensions.get::<Taken>() else { return Ok(Err(None)) };
    let (presented, now) = (&taken.presented, desk.clock.now());
    let seen_at = presented.seen_at(desk, resident).await?.filter(|at| now.duration_since(*at) < IDLE_FOR);
    let Some(seen_at) = seen_at else { return Ok(Err(None)) };
    let mut found = look_up(desk, resident, presented).await?;
    if found.is_none() {
        let _place = desk.guard().unknown_token()?;
        if settle::catch_up(desk, resident, settle::SIGNED_IN).await? == Visible::NotYet {
            return Err(ApiError::unavailable("the read models do not show yet who is signed in"));
        }
        found = look_up(desk, resident, presented).await?;
    }
    let Some((session, identity)) = found else { return Ok(Err(None)) };
    desk.seen().note(resident.tenant_id(), session, now);
    if now.duration_since(seen_at) >= RENEWED_AFTER && !is_by_itself(parts) {
        taken.renew(presented.renewed(desk, resident, parts).await?);
    }
    Ok(Ok(identity))
}

/// Whether a page asks that is open, and perhaps nobody before it: that somebody came is said by what they open and by what they send.
fn is_by_itself(parts: &Parts) -> bool {
    let is = |name: HeaderName, value: &str| {
        parts.headers.get(name).is_some_and(|found| found.as_bytes() == value.as_bytes())
    };
    parts.method == Method::GET && (is(FETCH_DEST, "empty") || is(header::ACCEPT, "text/event-stream"))
}

async fn look_up(
    desk: &Desk,
    resident: &Resident,
    presented: &Presented,
) -> Result<Option<(SessionId, Identity)>, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    let row = sqlx::query!(
        "select person.person_id, person.role, person.email, session.session_id
         from session join person on person.tenant_id = session.tenant_id and person.person_id = session.person_id
         where session.tenant_id = $1 and session.secret_sha256 = $2 and session.expires_at > $3
           and person.deleted_at is null and person.suspended_at is null and person.role <> 'auditor'",
        resident.tenant_id().get(),
        presented.secret_sha256(),
        desk.clock.now().to_sqlx() as _,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let session = SessionId::new(row.session_id);
    let reader = Reader { person: PersonId::new(row.person_id), means: Means::Session, token: None };
    let identity = Identity {
        reader,
        role: super::role(&row.role)?,
        email: row.email,
        granted_tickets: Vec::new(),
        session: Some(session),
    };
    Ok(Some((session, identity)))
}
