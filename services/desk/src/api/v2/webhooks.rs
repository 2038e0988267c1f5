//! Webhooks, for admins: making and changing them, what they sign with, what they were told, and trying one out.

pub(crate) mod list;
pub(crate) mod replay;
mod request;
pub(crate) mod secret;
pub(crate) mod told;
pub(crate) mod try_out;
pub(crate) mod write;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use domain::webhook::{Known, Webhook};
use schemas::{StreamName, Version, WebhookId};

use crate::{
    caller::Caller,
    execute::load,
    problem::ApiError,
    state::Desk,
    webhooks::{
        secrets::{self, Secrets},
        ulid,
    },
};

/// The webhook of a path. What is no id of one leads nowhere.
#[derive(Debug)]
pub(crate) struct Of(pub(crate) WebhookId);

impl FromRequestParts<Desk> for Of {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, desk).await;
        let Path(text) = path.map_err(|_| ApiError::not_found())?;
        ulid::webhook(&text).map(Self).ok_or_else(ApiError::not_found)
    }
}

/// The invocation of a path, and of which webhook.
#[derive(Debug)]
pub(crate) struct OfInvocation(pub(crate) WebhookId, pub(crate) i64);

impl FromRequestParts<Desk> for OfInvocation {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, desk).await;
        let Path((webhook, invocation)) = path.map_err(|_| ApiError::not_found())?;
        let webhook = ulid::webhook(&webhook).ok_or_else(ApiError::not_found)?;
        let invocation = ulid::invocation(webhook, &invocation).ok_or_else(ApiError::not_found)?;
        Ok(Self(webhook, invocation))
    }
}

/// A webhook by the log itself, and the version that is.
async fn known(desk: &Desk, caller: &Caller, webhook: WebhookId) -> Result<(Known, Version), ApiError> {
    let (state, version) = load::<Webhook>(desk, &caller.resident, &StreamName::Webhook(webhook)).await?;
    Ok((state.known().cloned().ok_or_else(ApiError::not_found)?, version))
}

/// What it proves itself with.
async fn opened(desk: &Desk, caller: &Caller, known: &Known) -> Result<Secrets, ApiError> {
    let opened = secrets::open(desk, &caller.resident, (known.webhook, known.secrets.expose())).await?;
    opened.ok_or_else(|| ApiError::internal("the secrets of a webhook do not open"))
}

#[cfg(test)]
mod tests;
