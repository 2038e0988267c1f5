//! `GET /api/v2/search?query=`: a page of what is found, the best first, or in another order.

use axum::{Json, extract::State};
use domain::search::asked::OrderBy;
use schemas::values::SortOrder;
use serde_json::{Value, json};

use super::{asked, shown};
use crate::{
    api::v2::page::PageQuery,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::search::Search,
    state::Desk,
};

/// The result beyond which only exports lead.
const RESULTS_MAX: i64 = 1_000;

/// Answers a page.
pub(crate) async fn results(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let asked = asked(&desk, &caller, &query)?;
    let by = query.get("sort_by").filter(|word| !word.is_empty()).map(|word| {
        let takes = "relevance, created_at, updated_at, priority, status or ticket_type";
        OrderBy::of(word).ok_or_else(|| ApiError::invalid_parameter("sort_by", takes))
    });
    let direction = query
        .get("sort_order")
        .filter(|word| !word.is_empty())
        .map(|word| word.parse::<SortOrder>().map_err(|_| ApiError::invalid_parameter("sort_order", "asc or desc")));
    let order = (
        by.transpose()?.or(asked.order_by).unwrap_or(OrderBy::Relevance),
        direction.transpose()?.or(asked.sort_order).unwrap_or(SortOrder::Descending),
    );
    if query.depth()? > RESULTS_MAX {
        return Err(ApiError::search_too_deep(RESULTS_MAX));
    }
    let page = query.offset_page(&caller)?;
    let _turn = desk.searches().turn().await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let search = Search::of(&mut transaction, &caller.resident, &asked).await?;
    let mut found = search.page(&mut transaction, order, page.window()).await?;
    let count = search.count(&mut transaction).await?;
    let slice = page.slice(found.iter().map(|(_, id)| *id).collect());
    found.truncate(slice.ids.len());
    let results = shown(&mut transaction, &caller, &found).await?;
    let mut answer = page.answer_about("results", results, &slice, Some(count));
    answer["facets"] = json!(null);
    Ok(Json(answer))
}
