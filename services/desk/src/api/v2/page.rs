//! Both kinds of pages of a list: by offset (`page`, `per_page`) and by cursor (`page[size]`, `page[after]`, `page[before]`).
//!
//! A cursor names the tenant and the id it stands beside, so that one tenant's cursor is none of another's.

use axum::{
    extract::{FromRequestParts, OriginalUri, Query},
    http::request::Parts,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use regions::Resident;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::PgConnection;

use crate::{
    access::Reading,
    caller::Caller,
    problem::ApiError,
    read::{List, Window},
    state::Desk,
};

/// Rows of a page by default and at most.
const PER_PAGE_MAX: i64 = 100;
/// The row beyond which only cursors lead: reading and throwing away more rows helps nobody.
const OFFSET_MAX: i64 = 10_000;

/// The query of a list, not yet understood.
#[derive(Debug)]
pub(crate) struct PageQuery {
    path: String,
    pairs: Vec<(String, String)>,
}

impl FromRequestParts<Desk> for PageQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, desk).await.expect("it cannot fail");
        let Query(pairs): Query<Vec<_>> =
            Query::try_from_uri(&uri).map_err(|_| ApiError::invalid_parameter("query", "percent-encoded UTF-8"))?;
        refuse_null_characters(&pairs)?;
        let path = uri.path();
        Ok(Self { path: path.strip_suffix(".json").unwrap_or(path).to_owned(), pairs })
    }
}

/// No text of ours holds U+0000, and Postgres takes none that does.
fn refuse_null_characters(pairs: &[(String, String)]) -> Result<(), ApiError> {
    let takes = "text without the character U+0000";
    match pairs.iter().find(|(key, value)| key.contains('\0') || value.contains('\0')) {
        Some((key, _)) if key.contains('\0') => Err(ApiError::invalid_parameter("query", takes)),
        Some((key, _)) => Err(ApiError::invalid_parameter(key, takes)),
        None => Ok(()),
    }
}

impl PageQuery {
    /// A query parameter that is not about paging.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn all_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The address of the same list at another cursor: all but the cursor.
    pub(crate) fn address(&self, caller: &Caller) -> String {
        let kept = self.pairs.iter().filter(|(key, _)| !matches!(key.as_str(), "page[after]" | "page[before]"));
        let query: String = kept.map(|(key, value)| format!("{}={}&", encode(key), encode(value))).collect();
        format!("{}?{query}", caller.origin.url(&format!("{}.json", self.path)))
    }

    /// The address of the same list, with one parameter set and others left out.
    pub(crate) fn with(&self, caller: &Caller, without: &[&str], (name, value): (&str, &str)) -> String {
        let is_kept = |key: &str| key != name && !without.contains(&key);
        let kept = self.pairs.iter().filter(|(key, _)| is_kept(key));
        let query: String = kept.map(|(key, value)| format!("{}={}&", encode(key), encode(value))).collect();
        format!("{}?{query}{}={}", caller.origin.url(&format!("{}.json", self.path)), encode(name), encode(value))
    }

    /// The page asked for.
    pub(crate) fn page(self, caller: &Caller) -> Result<Page, ApiError> {
        let kind = match self.get("page[size]") {
            Some(size) => {
                let size = number("page[size]", Some(size), PER_PAGE_MAX)?.min(PER_PAGE_MAX);
                let cursor = |name| self.get(name).map(|text| read_cursor(name, text, &caller.resident)).transpose();
                Kind::Cursor { size, after: cursor("page[after]")?, before: cursor("page[before]")? }
            }
            None => {
                if self.depth()? > OFFSET_MAX {
                    return Err(ApiError::too_deep(OFFSET_MAX));
                }
                let per_page = number("per_page", self.get("per_page"), PER_PAGE_MAX)?.min(PER_PAGE_MAX);
                let page = number("page", self.get("page"), 1)?;
                Kind::Offset { page, per_page }
            }
        };
        let address = caller.origin.url(&format!("{}.json", self.path));
        let (resident, reading) = (caller.resident.clone(), caller.reading.clone());
        Ok(Page { kind, address, pairs: self.pairs, resident, reading })
    }

    /// The last row of the page by offset that is asked for.
    pub(crate) fn depth(&self) -> Result<i64, ApiError> {
        let per_page = number("per_page", self.get("per_page"), PER_PAGE_MAX)?.min(PER_PAGE_MAX);
        Ok(number("page", self.get("page"), 1)?.saturating_mul(per_page))
    }

    /// The same list by cursor, whatever was asked, with more rows on a page: for exports.
    pub(crate) fn cursor_page(mut self, caller: &Caller, size_max: i64) -> Result<Page, ApiError> {
        let asked = number("page[size]", self.get("page[size]"), PER_PAGE_MAX)?.min(size_max);
        self.pairs.retain(|(key, _)| key != "page[size]");
        self.pairs.push(("page[size]".to_owned(), asked.to_string()));
        let mut page = self.page(caller)?;
        if let Kind::Cursor { size, .. } = &mut page.kind {
            *size = asked;
        }
        Ok(page)
    }

    /// The same list by offset, whatever was asked: for lists that have no cursor pages.
    pub(crate) fn offset_page(mut self, caller: &Caller) -> Result<Page, ApiError> {
        self.pairs.retain(|(key, _)| !key.starts_with("page["));
        self.page(caller)
    }
}

/// One page of a list, and how to come to its neighbours.
pub(crate) struct Page {
    kind: Kind,
    address: String,
    pairs: Vec<(String, String)>,
    resident: Resident,
    reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Offset { page: i64, per_page: i64 },
    Cursor { size: i64, after: Option<i64>, before: Option<i64> },
}

/// The ids on a page, and whether there are more in the direction of travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slice {
    /// In the order of the list.
    pub(crate) ids: Vec<i64>,
    has_more: bool,
}

impl Page {
    /// What to read: one row more than the page holds, to know whether there are more.
    pub(crate) fn window(&self) -> Window {
        match self.kind {
            Kind::Offset { page, per_page } => Window {
                after: 0,
                before: None,
                limit: per_page + 1,
                offset: (page - 1) * per_page,
                is_by_offset: true,
            },
            Kind::Cursor { size, after, before } => Window {
                after: after.unwrap_or(0),
                before: before.filter(|_| after.is_none()),
                limit: size + 1,
                offset: 0,
                is_by_offset: false,
            },
        }
    }

    /// Whether the answer tells how many rows there are in all: pages by offset do.
    pub(crate) fn is_counted(&self) -> bool {
        matches!(self.kind, Kind::Offset { .. })
    }

    /// Cuts what [`Page::window`] found to the page.
    pub(crate) fn slice(&self, mut ids: Vec<i64>) -> Slice {
        let window = self.window();
        let has_more = i64::try_from(ids.len()).is_ok_and(|found| found == window.limit);
        if has_more && window.before.is_some() {
            ids.remove(0);
        } else if has_more {
            ids.pop();
        }
        Slice { ids, has_more }
    }

    /// The ids on the page of a list, and how many there are in all, if the answer tells.
    pub(crate) async fn read(&self, conn: &mut PgConnection, list: &List) -> Result<(Slice, Option<i64>), sqlx::Error> {
        let slice = self.slice(list.ids(conn, &self.resident, self.window()).await?);
        let count = if self.is_counted() { Some(list.count(conn, &self.resident).await?) } else { None };
        Ok((slice, count))
    }

    /// The answer: the rows under their key, and the way to the neighbours. `count` is needed for pages by offset.
    pub(crate) fn answer<T: Serialize>(&self, key: &str, rows: Vec<T>, slice: &Slice, count: Option<i64>) -> Value {
        self.reading.of(slice.ids.iter().copied());
        self.answer_about(key, rows, slice, count)
    }

    /// The same of rows whose ids are not what was read: whoever asks for it notes that.
    pub(crate) fn answer_about<T: Serialize>(
        &self,
        key: &str,
        rows: Vec<T>,
        slice: &Slice,
        count: Option<i64>,
    ) -> Value {
        let mut answer = Map::new();
        answer.insert(key.to_owned(), json!(rows));
        match self.kind {
            Kind::Offset { page, .. } => {
                answer.insert("count".to_owned(), json!(count.unwrap_or_default()));
                answer.insert(
                    "next_page".to_owned(),
                    json!(slice.has_more.then(|| self.url(&[("page", &(page + 1).to_string())]))),
                );
                let previous = (page > 1).then(|| self.url(&[("page", &(page - 1).to_string())]));
                answer.insert("previous_page".to_owned(), json!(previous));
            }
            Kind::Cursor { .. } => self.answer_cursors(&mut answer, slice),
        }
        Value::Object(answer)
    }

    /// The answer of a list that has one page: by ids, by search of one.
    pub(crate) fn all<T: Serialize>(&self, key: &str, rows: Vec<T>, ids: Vec<i64>) -> Value {
        let count = i64::try_from(rows.len()).ok();
        self.answer(key, rows, &Slice { ids, has_more: false }, count)
    }

    /// On every page with rows both cursors and both links are set, on the first and the last too; on an empty one none.
    fn answer_cursors(&self, answer: &mut Map<String, Value>, slice: &Slice) {
        let after = slice.ids.last().map(|id| write_cursor(*id, &self.resident));
        let before = slice.ids.first().map(|id| write_cursor(*id, &self.resident));
        let next = after.as_deref().map(|cursor| self.url(&[("page[after]", cursor)]));
        let previous = before.as_deref().map(|cursor| self.url(&[("page[before]", cursor)]));
        answer.insert(
            "meta".to_owned(),
            json!({"has_more": slice.has_more, "after_cursor": after, "before_cursor": before}),
        );
        answer.insert("links".to_owned(), json!({"next": next, "prev": previous}));
    }

    /// The same list at another page: all other parameters are kept.
    fn url(&self, place: &[(&str, &str)]) -> String {
        let replaced = |key: &str| matches!(key, "page" | "page[after]" | "page[before]");
        let kept =
            self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).filter(|(key, _)| !replaced(key));
        let query: Vec<String> = kept
            .chain(place.iter().copied())
            .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
            .collect();
        format!("{}?{}", self.address, query.join("&"))
    }
}

fn number(name: &str, text: Option<&str>, default: i64) -> Result<i64, ApiError> {
    match text {
        None | Some("") => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number >= 1)
            .ok_or_else(|| ApiError::invalid_parameter(name, "an integer from 1")),
    }
}

/// A place in a list of this tenant, as clients are given it.
pub(crate) fn write_cursor(id: i64, resident: &Resident) -> String {
    let mut bytes = resident.tenant_id().get().as_bytes().to_vec();
    bytes.extend_from_slice(&id.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a cursor stands for, if it is this tenant's.
pub(crate) fn read_cursor(name: &str, text: &str, resident: &Resident) -> Result<i64, ApiError> {
    let id = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| {
        let id = bytes.strip_prefix(resident.tenant_id().get().as_bytes())?;
        Some(i64::from_be_bytes(id.try_into().ok()?))
    });
    id.ok_or_else(|| ApiError::invalid_parameter(name, "a cursor of an answer of this list"))
}

/// Percent-encodes all but the unreserved characters (RFC 3986, section 2.3).
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::api::testing::{ALAN, Bench};

    #[tokio::test]
    async fn a_null_character_in_a_query_is_refused_by_the_name_of_its_parameter() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for (path, name) in [
            ("/api/v2/users/search?query=a%00b", "query"),
            ("/api/v2/users/search.json?external_id=%00", "external_id"),
            ("/api/v2/tickets?sort_by=%00", "sort_by"),
            ("/api/v2/tickets?a%00b=1", "query"),
        ] {
            let answer = bench.get(ALAN, path).await;
            assert_eq!(answer.status, 400, "{path}");
            let message = answer.body["error"]["message"].as_str().unwrap_or_default();
            assert!(message.ends_with(&format!("{name} must be text without the character U+0000")), "{message}");
        }
        Ok(())
    }
}
