//! `GET /api/v2/views`, `macros` and `triggers`, `active`, and one of them: those that the caller may see, by their places.

use axum::{Json, extract::State};
use schemas::{GroupId, RuleId};
use serde_json::{Value, json};

use super::{Resource, fields, one};
use crate::{
    api::v2::{
        ids::{self, Id},
        page::{Page, PageQuery},
        present,
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{
        self,
        rules::{Access, Filter},
    },
    state::Desk,
};

/// How many a short list holds.
const SHORT: usize = 32;

/// Answers a page of them: with `active=`, `access=` and `group_id=` some.
pub(crate) async fn list<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let filter = filter::<R>(&caller, &query)?;
    answer::<R>(&desk, &caller, (&query.page(&caller)?, filter)).await
}

/// Answers a page of those that are in use.
pub(crate) async fn active<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let filter = Filter { is_active: Some(true), ..filter::<R>(&caller, &query)? };
    answer::<R>(&desk, &caller, (&query.page(&caller)?, filter)).await
}

/// Answers the first of those that are in use, on one page.
pub(crate) async fn compact<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let filter = Filter { is_active: Some(true), ..Filter::of(R::KIND, caller.by()) };
    let page = query.offset_page(&caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let mut ids = read::rules::list(filter).ids(&mut transaction, &caller.resident, page.window()).await?;
    ids.truncate(SHORT);
    let rows = read::rules::many(&mut transaction, &caller.resident, (filter, &ids)).await?;
    let known = read::ticket_fields::known(&mut transaction, &caller.resident).await?;
    Ok(Json(page.all(R::PLURAL, rows.iter().map(|row| R::shown(&caller, row, &known)).collect(), ids)))
}

/// Answers those with the `ids`.
pub(crate) async fn show_many<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let ids = ids::listed(query.get("ids"))?;
    let filter = Filter::of(R::KIND, caller.by());
    let page = query.offset_page(&caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::rules::many(&mut transaction, &caller.resident, (filter, &ids)).await?;
    let known = read::ticket_fields::known(&mut transaction, &caller.resident).await?;
    // Those that were found, and not those that were asked for, are what is read.
    let ids = rows.iter().map(|row| row.rule_id).collect();
    Ok(Json(page.all(R::PLURAL, rows.iter().map(|row| R::shown(&caller, row, &known)).collect(), ids)))
}

/// Answers how many there are.
pub(crate) async fn count<R: Resource>(State(desk): State<Desk>, caller: Caller) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let list = read::rules::list(Filter::of(R::KIND, caller.by()));
    let value = list.count(&mut transaction, &caller.resident).await?;
    Ok(Json(present::count(value, desk.clock.now())))
}

/// Answers one.
pub(crate) async fn show<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    Id(rule): Id<RuleId>,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let row = one::<R>(&desk, &caller, rule).await?;
    let known = fields(&desk, &caller.resident).await?;
    Ok(Json(json!({ R::ROOT: R::shown(&caller, &row, &known) })))
}

fn filter<R: Resource>(caller: &Caller, query: &PageQuery) -> Result<Filter, ApiError> {
    let access = match query.get("access") {
        None | Some("") => None,
        Some("shared") => Some(Access::Shared),
        Some("account") => Some(Access::Account),
        Some("personal") => Some(Access::Personal),
        Some(_) => return Err(ApiError::invalid_parameter("access", "account, personal or shared")),
    };
    let is_active = query.get("active").map(str::parse).transpose();
    let group = query.get("group_id").map(str::parse).transpose();
    Ok(Filter {
        is_active: is_active.map_err(|_| ApiError::invalid_parameter("active", "true or false"))?,
        access,
        group: group.map_err(|_| ApiError::invalid_parameter("group_id", "an integer"))?.map(GroupId::new),
        ..Filter::of(R::KIND, caller.by())
    })
}

async fn answer<R: Resource>(desk: &Desk, caller: &Caller, (page, filter): (&Page, Filter)) -> ApiResult<Json<Value>> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, &read::rules::list(filter)).await?;
    let rows = read::rules::many(&mut transaction, &caller.resident, (filter, &slice.ids)).await?;
    let known = read::ticket_fields::known(&mut transaction, &caller.resident).await?;
    let shown = rows.iter().map(|row| R::shown(caller, row, &known)).collect();
    Ok(Json(page.answer(R::PLURAL, shown, &slice, count)))
}
