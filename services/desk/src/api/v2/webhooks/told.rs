//! `GET /api/v2/webhooks/{id}/invocations`, and the attempts of one: what a webhook was told in the last seven days, and what came of it.
//!
//! What was sent is made from the log anew: of what was erased since, nothing is shown.

use axum::{Json, extract::State};
use schemas::Position;
use serde_json::{Value, json};

use super::{Of, OfInvocation, known};
use crate::{
    api::v2::{page::PageQuery, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{self, webhooks::Attempt},
    state::Desk,
    webhooks::{
        request::{Told, shown},
        told_again, ulid,
    },
};

/// Answers a page of them: with `filter[status]` some.
pub(crate) async fn invocations(
    State(desk): State<Desk>,
    caller: Caller,
    Of(webhook): Of,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_admin()?;
    known(&desk, &caller, webhook).await?;
    let status = query.get("filter[status]").filter(|status| !status.is_empty()).map(str::to_owned);
    let page = query.page(&caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, &read::webhooks::invocations(webhook, status)).await?;
    let rows = read::webhooks::told(&mut transaction, &caller.resident, (webhook, &slice.ids)).await?;
    let shown = rows.iter().map(|row| present::webhook::invocation(webhook, row)).collect();
    caller.reading.of([webhook.get()]);
    Ok(Json(page.answer_about("invocations", shown, &slice, count)))
}

/// Answers the attempts of one.
pub(crate) async fn attempts(
    State(desk): State<Desk>,
    caller: Caller,
    OfInvocation(webhook, invocation): OfInvocation,
) -> ApiResult<Json<Value>> {
    caller.require_admin()?;
    let (known, _) = known(&desk, &caller, webhook).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let told = read::webhooks::told(&mut transaction, &caller.resident, (webhook, &[invocation])).await?;
    let told = told.into_iter().next().ok_or_else(ApiError::not_found)?;
    let attempts = read::webhooks::attempts(&mut transaction, &caller.resident, (webhook, invocation)).await?;
    drop(transaction);
    caller.reading.of([webhook.get()]);
    let payload = told_again(&desk, &caller.resident, Position::new(told.position)).await?;
    let id = ulid::of_invocation(webhook, invocation);
    let one = |attempt: &Attempt| {
        let said = Told {
            resident: &caller.resident,
            webhook: &ulid::of_webhook(webhook),
            invocation: &id,
            idempotency_key: &payload.as_ref().map(|payload| payload.event.to_string()).unwrap_or_default(),
            at: attempt.sent_at,
        };
        json!({
            "id": format!("{id}-{}", attempt.number),
            "invocation_id": id,
            "status": attempt.status,
            "status_code": attempt.status_code,
            "completed_at": present::moment(attempt.completed_at),
            "error": attempt.detail,
            "request": {
                "headers": present::webhook::headers(&shown(&said, known.settings.expose())),
                "payload": payload.as_ref().map(|payload| &payload.body),
            },
            "response": {"headers": attempt.headers, "payload": attempt.body},
        })
    };
    Ok(Json(json!({"attempts": attempts.iter().map(one).collect::<Vec<_>>()})))
}
