//! `GET /api/v2/webhooks/{id}/signing_secret` and `POST`, which makes another: what receivers check signatures with.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use domain::webhook::Command;
use serde_json::{Value, json};

use super::{Of, known, opened, write};
use crate::{
    api::settle,
    body::RequestPrint,
    caller::Caller,
    execute::replayed,
    problem::{ApiError, ApiResult},
    state::Desk,
    webhooks::secrets,
};

/// Answers it: the one secret of a webhook that is shown, because receivers have to have it.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Of(webhook): Of) -> ApiResult<Json<Value>> {
    caller.require_admin()?;
    let (known, _) = known(&desk, &caller, webhook).await?;
    let secrets = opened(&desk, &caller, &known).await?;
    caller.reading.of([webhook.get()]);
    Ok(Json(shown(&secrets.signing)))
}

/// Answers the one that it signs with from now on.
pub(crate) async fn renew(
    State(desk): State<Desk>,
    caller: Caller,
    Of(webhook): Of,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            let (now, version) = known(&desk, &caller, webhook).await?;
            let mut renewed = opened(&desk, &caller, &now).await?;
            renewed.signing = secrets::new_signing_secret(&desk);
            let sealed = secrets::seal(&desk, &caller.resident, (webhook, &renewed)).await?;
            write::apply(&desk, &by, (webhook, Some(version)), &Command::Renew(sealed.into())).await?
        }
    };
    let written = settle::settled(&desk, &caller.resident, &done, settle::WEBHOOKS).await;
    let (known, _) = known(&desk, &caller, webhook).await.map_err(ApiError::after_done)?;
    let secrets = opened(&desk, &caller, &known).await.map_err(ApiError::after_done)?;
    Ok((StatusCode::CREATED, written, Json(shown(&secrets.signing))))
}

fn shown(secret: &str) -> Value {
    json!({"signing_secret": {"algorithm": "SHA256", "secret": secret}})
}
