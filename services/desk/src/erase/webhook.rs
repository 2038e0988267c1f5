//! A webhook that is deleted: what it proved itself with has a key of its own, which goes with it.

use domain::webhook::{Command, Webhook};
use futures::FutureExt;
use schemas::{StreamName, WebhookId, values::ErasureReason};
use vault::Scope;

use super::{Erased, finish, list};
use crate::{
    execute::{Batch, Issuer, replayed, retried},
    problem::ApiError,
    state::Desk,
};

/// Deletes a webhook for good.
pub(crate) async fn webhook(desk: &Desk, by: &Issuer, webhook: WebhookId) -> Result<Erased, ApiError> {
    let attempt = || async move { Ok::<_, ApiError>(record(desk, by, webhook).await?.commit().await) };
    let done = match replayed(desk, by).await? {
        Some(done) => done,
        None => retried(|| attempt().boxed()).await?,
    };
    Ok(finish(desk, &by.resident, done).await)
}

async fn record<'a>(desk: &'a Desk, by: &'a Issuer, id: WebhookId) -> Result<Batch<'a>, ApiError> {
    let stream = StreamName::Webhook(id);
    let batch = Batch::new(desk, by).decide::<Webhook>(stream, None, &Command::Delete).await?;
    let keys = desk.vault.living(&by.resident, &[Scope::Webhook(id)]).await?;
    Ok(list(batch, ErasureReason::WebhookDeleted, keys).await?)
}
