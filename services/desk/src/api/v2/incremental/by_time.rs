//! `GET /api/v2/incremental/{tickets,users,ticket_events}?start_time=`.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{exported::Exported, start, taken};
use crate::{
    api::v2::page::PageQuery,
    body::RequestPrint,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::changes::{self, Change, Span},
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

/// Answers a page of what happened to tickets.
pub(crate) async fn ticket_events(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    print: RequestPrint,
) -> ApiResult<Json<Value>> {
    page(&desk, &caller, (&query, &print), Exported::TicketEvents).await
}

/// What a page holds, and where the next begins.
struct Found {
    changes: Vec<Change>,
    /// The position before the first of them.
    after: i64,
    end_time: i64,
    more: bool,
}

async fn page(
    desk: &Desk,
    caller: &Caller,
    (query, print): (&PageQuery, &RequestPrint),
    exported: Exported,
) -> ApiResult<Json<Value>> {
    caller.require_overseer()?;
    let (per_page, now) = (start::per_page(query)?, desk.clock.now());
    let start = start::second(query, now)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let to = changes::shown_to(desk, &mut transaction, &caller.resident, exported.projections()).await?.get();
    let newest =
        changes::first_position(&mut transaction, &caller.resident, now.as_second() - start::NEWEST_S + 1).await?;
    let to = newest.map_or(to, |newest| to.min(newest - 1));
    let found = find(&mut transaction, caller, (exported, to), (start, per_page)).await?;
    drop(transaction);
    let end_time = found.end_time.to_string();
    if !found.changes.is_empty() {
        taken::tell(desk, caller, print, (exported, found.after)).await?;
    }
    let mut answer = exported.shown(desk, caller, &found.changes, query.get("include")).await?;
    answer["count"] = json!(answer[exported.key()].as_array().map(Vec::len));
    answer["end_time"] = json!(found.end_time);
    answer["next_page"] = json!(query.with(caller, &["start_time"], ("start_time", &end_time)));
    answer["end_of_stream"] = json!(!found.more);
    Ok(Json(answer))
}

/// The changes from a second on: `per_page` of them, and the others of the last one's second.
async fn find(
    conn: &mut PgConnection,
    caller: &Caller,
    (exported, to): (Exported, i64),
    (start, per_page): (i64, i64),
) -> Result<Found, ApiError> {
    let Some(first) = changes::first_position(conn, &caller.resident, start).await? else {
        return Ok(Found { changes: Vec::new(), after: 0, end_time: start, more: false });
    };
    let mut found = exported.changes(conn, caller, Span { after: first - 1, to }, per_page).await?;
    let Some(last) = found.last().copied() else {
        return Ok(Found { changes: found, after: first - 1, end_time: start, more: false });
    };
    let next_second = changes::first_position(conn, &caller.resident, last.second + 1).await?;
    let end = next_second.map_or(to, |next| to.min(next - 1));
    found.extend(exported.changes(conn, caller, Span { after: last.position, to: end }, i64::MAX).await?);
    let more = !exported.changes(conn, caller, Span { after: end, to }, 1).await?.is_empty();
    // The last second comes again, in case there is more of it by then; but a page that holds nothing else is told once, or its next one
    // would be itself. There is no more of it once there is a later one.
    let end_time = if more && last.second == start { start + 1 } else { last.second };
    Ok(Found { changes: found, after: first - 1, end_time, more })
}
