//! `GET /api/v2/search/export?query=&filter[type]=`: all that is found of one kind, by cursor and by their numbers, so that none is skipped
//! and none comes twice.

use axum::{Json, extract::State};
use domain::search::Kind;
use serde_json::{Value, json};

use super::{asked, shown};
use crate::{
    api::v2::page::PageQuery,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::search::{Found, Search},
    state::Desk,
};

/// Results of a page at most.
const SIZE_MAX: i64 = 1_000;

/// Answers a page.
pub(crate) async fn export(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut asked = asked(&desk, &caller, &query)?;
    let takes = "ticket, user, organization or group, and the query names no other type";
    // Clients say the type in both places.
    let is_meant = |kind: &Kind| !asked.names_kinds || asked.kinds == [*kind];
    let kind = query.get("filter[type]").and_then(Kind::of).filter(is_meant);
    let kind = kind.ok_or_else(|| ApiError::invalid_parameter("filter[type]", takes))?;
    asked.kinds = vec![kind];
    let page = query.cursor_page(&caller, SIZE_MAX)?;
    let _turn = desk.searches().turn().await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let search = Search::of(&mut transaction, &caller.resident, &asked).await?;
    let slice = page.slice(search.export(&mut transaction, page.window()).await?);
    let found: Vec<Found> = slice.ids.iter().map(|id| (kind, *id)).collect();
    let results = shown(&mut transaction, &caller, &found).await?;
    let mut answer = page.answer_about("results", results, &slice, None);
    answer["facets"] = json!(null);
    Ok(Json(answer))
}
