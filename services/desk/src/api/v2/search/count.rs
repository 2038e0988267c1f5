//! `GET /api/v2/search/count?query=`: how much is found.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::asked;
use crate::{api::v2::page::PageQuery, caller::Caller, problem::ApiResult, read::search::Search, state::Desk};

/// Answers the number, counted now.
pub(crate) async fn count(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let asked = asked(&desk, &caller, &query)?;
    let _turn = desk.searches().turn().await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let search = Search::of(&mut transaction, &caller.resident, &asked).await?;
    Ok(Json(json!({ "count": search.count(&mut transaction).await? })))
}
