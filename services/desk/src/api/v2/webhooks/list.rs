//! `GET /api/v2/webhooks` and one of them: where, what, and in which state; no secret.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::Of;
use crate::{
    api::{
        settle,
        v2::{page::PageQuery, present},
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers a page of them: with `filter[name_contains]` and `filter[status]` some.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_admin()?;
    let is_active = match query.get("filter[status]") {
        None | Some("") => None,
        Some("active") => Some(true),
        Some("inactive") => Some(false),
        Some(_) => return Err(ApiError::invalid_parameter("filter[status]", "active or inactive")),
    };
    let name = query.get("filter[name_contains]").filter(|name| !name.is_empty()).map(str::to_owned);
    let page = query.page(&caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, &read::webhooks::list(name, is_active)).await?;
    let rows = read::webhooks::many(&mut transaction, &caller.resident, &slice.ids).await?;
    Ok(Json(page.answer("webhooks", rows.iter().map(present::webhook::webhook).collect(), &slice, count)))
}

/// Answers one.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Of(webhook): Of) -> ApiResult<Json<Value>> {
    caller.require_admin()?;
    let read = async || {
        let mut transaction = desk.reading(&caller.resident).await?;
        read::webhooks::many(&mut transaction, &caller.resident, &[webhook.get()]).await
    };
    let row = match read().await?.pop() {
        Some(row) => row,
        None => {
            settle::catch_up(&desk, &caller.resident, settle::WEBHOOKS).await?;
            read().await?.pop().ok_or_else(ApiError::not_found)?
        }
    };
    caller.reading.of([webhook.get()]);
    Ok(Json(json!({"webhook": present::webhook::webhook(&row)})))
}
