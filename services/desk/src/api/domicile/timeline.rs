//! Events as this API shows them, and the pages they come in (`after`, `limit`).

use serde_json::{Value, json};

use crate::{api::v2::page::PageQuery, problem::ApiError, read::log::Logged};

/// Events of a page by default.
const LIMIT: i64 = 100;
/// Events of a page at most.
const LIMIT_MAX: i64 = 1000;

/// The events after a place, at most so many.
pub(crate) struct Span {
    pub(crate) after: i64,
    pub(crate) limit: i64,
}

impl Span {
    /// Reads `after` (0 unless said) and `limit` (100 unless said, 1000 at most).
    pub(crate) fn read(query: &PageQuery) -> Result<Self, ApiError> {
        let after = integer(query, "after", 0)?;
        let limit = integer(query, "limit", LIMIT)?;
        if after < 0 {
            return Err(ApiError::invalid_parameter("after", "an integer from 0"));
        }
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(ApiError::invalid_parameter("limit", "an integer from 1 to 1000"));
        }
        Ok(Self { after, limit })
    }

    /// The page: its events, and `after` of the next page, if this one is full.
    pub(crate) fn answer(&self, logged: &[Logged], place: impl Fn(&Logged) -> i64) -> Value {
        let is_full = i64::try_from(logged.len()).is_ok_and(|length| length == self.limit);
        let next = logged.last().filter(|_| is_full).map(place);
        json!({"events": logged.iter().map(event).collect::<Vec<_>>(), "next_after": next})
    }
}

fn integer(query: &PageQuery, name: &str, default: i64) -> Result<i64, ApiError> {
    let text = query.get(name).filter(|text| !text.is_empty());
    text.map_or(Ok(default), |text| text.parse().map_err(|_| ApiError::invalid_parameter(name, "an integer")))
}

/// An event: where it is, what surrounds it, what it says. One whose key was destroyed says nothing any more.
fn event(logged: &Logged) -> Value {
    let envelope = &logged.envelope;
    json!({
        "position": logged.position,
        "stream": envelope.stream,
        "version": envelope.version,
        "event_id": envelope.event_id,
        "type": envelope.event_type,
        "schema_version": envelope.schema_version,
        "recorded_at": envelope.recorded_at,
        "actor": envelope.actor,
        "command_id": envelope.command_id,
        "causation_id": envelope.causation_id,
        "is_erased": logged.event.is_none(),
        "data": logged.data,
    })
}
