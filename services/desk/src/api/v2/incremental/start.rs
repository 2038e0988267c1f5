//! What an export is asked for: where to begin, and how much of it.

use jiff::Timestamp;

use crate::{api::v2::page::PageQuery, problem::ApiError};

/// Things of a page by default and at most.
const PER_PAGE_MAX: i64 = 1000;

/// How long a second is past before an export by time tells of it: commands that began in it have ended by then.
pub(super) const NEWEST_S: i64 = 60;

/// `per_page`.
pub(super) fn per_page(query: &PageQuery) -> Result<i64, ApiError> {
    let takes = || ApiError::invalid_parameter("per_page", "an integer from 1");
    match query.get("per_page").filter(|text| !text.is_empty()) {
        None => Ok(PER_PAGE_MAX),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number: &i64| *number >= 1)
            .map(|number| number.min(PER_PAGE_MAX))
            .ok_or_else(takes),
    }
}

/// `start_time`, in seconds since 1970. Some clients send a fraction.
pub(super) fn second(query: &PageQuery, now: Timestamp) -> Result<i64, ApiError> {
    let text = query.get("start_time").unwrap_or_default();
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let second: i64 = whole
        .parse()
        .ok()
        .filter(|second| *second >= 0)
        .ok_or_else(|| ApiError::invalid_parameter("start_time", "an integer"))?;
    if second > now.as_second() - NEWEST_S { Err(ApiError::start_time_too_recent()) } else { Ok(second) }
}
