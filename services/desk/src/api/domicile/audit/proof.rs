//! `GET /api/domicile/v1/audit/proof?event=42`: that an event is in the tenant's log, for admins and auditors, as a file that anybody can
//! check (<https://c2sp.org/tlog-proof>). An auditor of certain tickets gets those of their events.

use auditor::Wanted;
use axum::{extract::State, http::header, response::IntoResponse};
use schemas::{Entry, EventId, Position, StreamName};

use super::{Archived, refused};
use crate::{
    api::v2::page::PageQuery,
    caller::Caller,
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers the proof.
pub(crate) async fn proof(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<impl IntoResponse> {
    caller.require_overseer()?;
    let wanted = query.get("event").and_then(wanted);
    let wanted =
        wanted.ok_or_else(|| ApiError::invalid_parameter("event", "a position such as 42, or an event's id"))?;
    let archived = Archived::of(&desk, &caller.resident)?;
    let proof = archived.log().await?.prove(wanted).await;
    // Whoever may not see all learns of other events not even where they end.
    let proof = match proof {
        Err(auditor::log::Error::NoSuchEvent { .. }) if !caller.is_granted(None) => return Err(beyond_grant()),
        proof => proof.map_err(refused)?,
    };
    let entry: Entry = serde_json::from_slice(&proof.entry).map_err(ApiError::internal)?;
    let ticket = if let StreamName::Ticket(ticket) = entry.envelope.stream { Some(ticket.get()) } else { None };
    if !caller.is_granted(ticket) {
        return Err(beyond_grant());
    }
    let position = proof.index + 1;
    caller.reading.of(i64::try_from(position));
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{position}.tlog-proof\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, proof.to_string()))
}

fn wanted(text: &str) -> Option<Wanted> {
    let position = || text.parse::<Position>().ok().map(Wanted::Position);
    position().or_else(|| text.parse::<EventId>().ok().map(Wanted::Id))
}

fn beyond_grant() -> ApiError {
    ApiError::forbidden("This grant is about certain tickets only")
}
