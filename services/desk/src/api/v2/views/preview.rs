//! `POST /api/v2/views/preview` and `preview/count`: what a view would show, without making it.

use axum::{Extension, Json, extract::State, response::IntoResponse};
use domain::rule;
use schemas::{rule::RuleDefinition, values::RuleKind};
use serde_json::{Value, json};

use super::{count, execute, rules};
use crate::{
    api::v2::page::PageQuery,
    body::{Body, Fields},
    caller::Caller,
    problem::{ApiError, ApiResult},
    state::Desk,
    visible::WroteNothing,
};

/// Answers a page of rows. Nothing is written, so that it is recorded as the read it is.
pub(crate) async fn preview(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    let definition = asked(&desk, &caller, &body).await?;
    let page = query.offset_page(&caller)?;
    let answer = execute::rows(&desk, &caller, (&definition, &page)).await?;
    Ok((Extension(WroteNothing), Json(answer)))
}

/// Answers how many tickets it would have.
pub(crate) async fn preview_count(
    State(desk): State<Desk>,
    caller: Caller,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    let definition = asked(&desk, &caller, &body).await?;
    let counted: Value = count::counted(&desk, &caller, (None, &definition)).await?;
    Ok((Extension(WroteNothing), Json(json!({ "view_count": counted }))))
}

/// The view, held against the same rules as one that is made. It needs no title.
async fn asked(desk: &Desk, caller: &Caller, body: &Body) -> Result<RuleDefinition, ApiError> {
    caller.require_agent()?;
    let mut sent = Fields::root(body, "view")?;
    let untitled = RuleDefinition {
        title: "Preview".to_owned(),
        description: None,
        position: 0,
        is_active: true,
        conditions: schemas::rule::RuleConditions::default(),
        actions: Vec::new(),
        output: None,
    };
    let definition = rules::definition(&mut sent, RuleKind::View, Some(&untitled));
    sent.finish()?;
    let fields = rules::fields(desk, &caller.resident).await?;
    Ok(rule::checked(RuleKind::View, &definition, None, &fields)?)
}
