//! What a query asks for.

use std::str::FromStr;

use jiff::Timestamp;

use crate::{api::v2::page::PageQuery, problem::ApiError, read::audit_log::Filter};

const RANGE: &str = "given twice: the start and the end, such as 2026-11-22T10:00:00Z";

/// The filter of a query, and its order.
pub(super) fn read(query: &PageQuery) -> Result<Filter, ApiError> {
    let text = |name: &str| query.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let (source_type, source_id) = (text("filter[source_type]"), parsed(query, "filter[source_id]", "an integer")?);
    if source_id.is_some() && source_type.is_none() {
        return Err(ApiError::invalid_parameter("filter[source_id]", "given with filter[source_type]"));
    }
    Ok(Filter {
        source_type,
        source_id,
        actor_id: parsed(query, "filter[actor_id]", "an integer")?,
        ip_address: text("filter[ip_address]"),
        action: text("filter[action]"),
        created: created(query)?,
        is_oldest_first: is_oldest_first(query)?,
    })
}

fn created(query: &PageQuery) -> Result<Option<(Timestamp, Timestamp)>, ApiError> {
    let wrong = || ApiError::invalid_parameter("filter[created_at]", RANGE);
    let texts: Vec<&str> = query.all_of("filter[created_at]").chain(query.all_of("filter[created_at][]")).collect();
    match texts.as_slice() {
        [] => Ok(None),
        [from, to] => Ok(Some((from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?))),
        _ => Err(wrong()),
    }
}

/// By offset `sort_by` and `sort_order`, by cursor `sort`; newest first unless somebody says otherwise.
fn is_oldest_first(query: &PageQuery) -> Result<bool, ApiError> {
    if !matches!(query.get("sort_by"), None | Some("" | "created_at")) {
        return Err(ApiError::invalid_parameter("sort_by", "created_at"));
    }
    match (query.get("sort"), query.get("sort_order")) {
        (Some("created_at"), _) | (None | Some(""), Some("asc")) => Ok(true),
        (Some("-created_at"), _) | (None | Some(""), None | Some("" | "desc")) => Ok(false),
        (None | Some(""), _) => Err(ApiError::invalid_parameter("sort_order", "asc or desc")),
        _ => Err(ApiError::invalid_parameter("sort", "created_at or -created_at")),
    }
}

fn parsed<T: FromStr>(query: &PageQuery, name: &str, takes: &str) -> Result<Option<T>, ApiError> {
    let text = query.get(name).filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(|_| ApiError::invalid_parameter(name, takes))).transpose()
}
