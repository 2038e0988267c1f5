//! `GET /api/v2/incremental/tickets/cursor` and `.../users/cursor`: first with `start_time`, then with `cursor`.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{exported::Exported, start, taken};
use crate::{
    api::v2::page::{PageQuery, read_cursor, write_cursor},
    body::RequestPrint,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::changes::{self, Span},
    state::Desk,
};

/// Answers a page of tickets.
pub(crate) async fn tickets(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    print: RequestPrint,
) -> ApiResult<Json<Value>> {
    page(&desk, &caller, (&query, &print), Exported::Tickets).await
}

/// Answers a page of users.
pub(crate) async fn users(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    print: RequestPrint,
) -> ApiResult<Json<Value>> {
    page(&desk, &caller, (&query, &print), Exported::Users).await
}

async fn page(
    desk: &Desk,
    caller: &Caller,
    (query, print): (&PageQuery, &RequestPrint),
    exported: Exported,
) -> ApiResult<Json<Value>> {
    caller.require_overseer()?;
    let per_page = start::per_page(query)?;
    let after = after(desk, caller, query).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let to = changes::shown_to(desk, &mut transaction, &caller.resident, exported.projections()).await?.get();
    let mut found = exported.changes(&mut transaction, caller, Span { after, to }, per_page + 1).await?;
    drop(transaction);
    let more = i64::try_from(found.len()).is_ok_and(|found| found > per_page);
    found.truncate(usize::try_from(per_page).map_err(ApiError::internal)?);
    // What comes next comes after what was found, and after all that was looked through where nothing more was found.
    let end = if more { found.last().map_or(after, |last| last.position) } else { to.max(after) };
    let cursor = write_cursor(end, &caller.resident);
    if !found.is_empty() {
        taken::tell(desk, caller, print, (exported, after)).await?;
    }
    let mut answer = exported.shown(desk, caller, &found, query.get("include")).await?;
    answer["after_url"] = json!(query.with(caller, &["start_time"], ("cursor", &cursor)));
    answer["after_cursor"] = json!(cursor);
    answer["before_url"] = Value::Null;
    answer["before_cursor"] = Value::Null;
    answer["end_of_stream"] = json!(!more);
    Ok(Json(answer))
}

/// The position to go on after.
async fn after(desk: &Desk, caller: &Caller, query: &PageQuery) -> Result<i64, ApiError> {
    // A well-known client asks for its first page with a start and with `cursor=undefined`.
    let is_first = query.get("start_time").is_some();
    let cursor = query.get("cursor").map(|cursor| read_cursor("cursor", cursor, &caller.resident));
    if let Some(cursor) = cursor.filter(|cursor| cursor.is_ok() || !is_first) {
        return cursor;
    }
    let second = start::second(query, desk.clock.now())?;
    let mut transaction = desk.reading(&caller.resident).await?;
    // Where nothing is as young, whatever comes is after all there is.
    let shown = changes::shown_to(desk, &mut transaction, &caller.resident, &["changes"]).await?.get();
    let first = changes::first_position(&mut transaction, &caller.resident, second).await?;
    Ok(first.map_or(shown, |first| first - 1))
}
