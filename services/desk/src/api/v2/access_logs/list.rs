//! `GET /api/v2/access_logs`: who read what, for admins. Filters: `filter[start]`, `filter[end]`, `filter[path]`,
//! `filter[user_id]`, `filter[browser_url]`, `filter[graphql]`, and of our own `filter[ip_address]`, `filter[status]`,
//! `filter[category]` and `filter[read_id]`. Oldest first, or `sort=-created_at`. Pages by cursor.

use std::str::FromStr;

use axum::{Json, extract::State};
use jiff::Timestamp;
use schemas::values::ReadKind;
use serde_json::{Value, json};

use super::present;
use crate::{
    api::v2::page::{PageQuery, encode},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::accesses::{self, Entry, Found, Place, Wanted, Way},
    state::Desk,
};

const SIZE_DEFAULT: usize = 1000;
const SIZE_MAX: usize = 2500;

/// Which entries are wanted.
#[derive(Default)]
struct Filter {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    path: Option<String>,
    user: Option<i64>,
    referer: Option<String>,
    graphql: Option<String>,
    address: Option<std::net::IpAddr>,
    status: Option<u16>,
    category: Option<ReadKind>,
    read_id: Option<i64>,
}

/// Answers a page of entries.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_overseer()?;
    let filter = Filter::read(&query)?;
    let page = Page::read(&query, &caller)?;
    let wanted = Wanted {
        from: filter.start,
        to: filter.end,
        beyond: page.beyond,
        way: page.way(),
        limit: page.size,
        passes: &|entry| filter.passes(entry),
    };
    let found = accesses::find(&desk, &caller.resident, &wanted).await?;
    Ok(Json(page.answer(&caller, &query, found)))
}

impl Filter {
    fn read(query: &PageQuery) -> Result<Self, ApiError> {
        let text = |name: &str| query.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Self {
            start: parsed(query, "filter[start]", "a time such as 2026-11-22T10:00:00Z")?,
            end: parsed(query, "filter[end]", "a time such as 2026-11-22T10:00:00Z")?,
            path: text("filter[path]"),
            user: parsed(query, "filter[user_id]", "an integer")?,
            referer: text("filter[browser_url]"),
            graphql: text("filter[graphql]"),
            address: parsed(query, "filter[ip_address]", "an IP address")?,
            status: parsed(query, "filter[status]", "an HTTP status")?,
            category: parsed(query, "filter[category]", ReadKind::TAKES)?,
            read_id: parsed(query, "filter[read_id]", "an integer")?,
        })
    }

    /// What is left of an erased entry passes, unless something is asked that it cannot tell any more.
    fn passes(&self, entry: &Entry) -> bool {
        let Some(access) = &entry.access else { return self.asks_for_nothing() };
        let path = access.url.split('?').next().unwrap_or_default();
        self.path.as_deref().is_none_or(|wanted| path.starts_with(wanted.strip_suffix(".json").unwrap_or(wanted)))
            && self.user.is_none_or(|user| access.actor.is_some_and(|actor| actor.get() == user))
            && self.referer.as_deref().is_none_or(|wanted| access.referer.as_deref() == Some(wanted))
            // There is no such API here, so nothing was read by it.
            && self.graphql.is_none()
            && self.address.is_none_or(|address| access.address == Some(address))
            && self.status.is_none_or(|status| access.status == status)
            && self.category.is_none_or(|kind| access.kind == kind)
            && self.read_id.is_none_or(|id| access.ids.contains(&id))
    }

    fn asks_for_nothing(&self) -> bool {
        let texts = [&self.path, &self.referer, &self.graphql];
        let numbers = [self.user, self.read_id, self.status.map(i64::from)];
        texts.iter().all(|text| text.is_none())
            && numbers.iter().all(Option::is_none)
            && self.address.is_none()
            && self.category.is_none()
    }
}

/// A page by cursor, in either order.
struct Page {
    size: usize,
    is_newest_first: bool,
    is_backward: bool,
    beyond: Option<Place>,
}

impl Page {
    fn read(query: &PageQuery, caller: &Caller) -> Result<Self, ApiError> {
        let size: Option<usize> = parsed(query, "page[size]", "an integer from 1")?;
        let is_newest_first = match query.get("sort") {
            None | Some("" | "created_at") => false,
            Some("-created_at") => true,
            Some(_) => return Err(ApiError::invalid_parameter("sort", "created_at or -created_at")),
        };
        let cursor = |name: &str| {
            let text = query.get(name).filter(|text| !text.is_empty());
            let place = text.map(|text| present::place(text, &caller.resident).ok_or(name));
            place.transpose().map_err(|name| ApiError::invalid_parameter(name, "a cursor of an answer of this list"))
        };
        let (after, before) = (cursor("page[after]")?, cursor("page[before]")?);
        let size = match size.unwrap_or(SIZE_DEFAULT) {
            0 => return Err(ApiError::invalid_parameter("page[size]", "an integer from 1")),
            size => size.min(SIZE_MAX),
        };
        Ok(Self { size, is_newest_first, is_backward: after.is_none() && before.is_some(), beyond: after.or(before) })
    }

    fn way(&self) -> Way {
        if self.is_newest_first == self.is_backward { Way::Onward } else { Way::Back }
    }

    fn answer(&self, caller: &Caller, query: &PageQuery, found: Found) -> Value {
        let Found { mut entries, stopped_at } = found;
        let is_cut = stopped_at.is_some();
        // Where looking stopped, even if nothing was found there: the way on leads from it.
        let reached = stopped_at.or(entries.last().map(|entry| entry.place)).or(self.beyond);
        let begun = entries.first().map(|entry| entry.place).or(self.beyond);
        let (after, before) = if self.is_backward { (begun, reached) } else { (reached, begun) };
        if self.is_backward {
            entries.reverse();
        }
        let (has_more, has_before) = if self.is_backward { (true, is_cut) } else { (is_cut, self.beyond.is_some()) };
        let cursor = |place: Option<Place>| place.map(|place| present::cursor(place, &caller.resident));
        let (after, before) = (cursor(after), cursor(before));
        let rows: Vec<Value> = entries.iter().map(|entry| present::entry(caller, entry)).collect();
        let link = |name: &str, cursor: &Option<String>| {
            cursor.as_deref().map(|cursor| format!("{}{}={}", query.address(caller), encode(name), encode(cursor)))
        };
        json!({
            "access_logs": rows,
            "links": {"next": link("page[after]", &after), "prev": link("page[before]", &before)},
            "meta": {"has_more": has_more, "has_before": has_before, "after_cursor": after, "before_cursor": before},
        })
    }
}

/// A parameter that takes a certain form.
fn parsed<T: FromStr>(query: &PageQuery, name: &str, takes: &str) -> Result<Option<T>, ApiError> {
    let text = query.get(name).filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(|_| ApiError::invalid_parameter(name, takes))).transpose()
}
