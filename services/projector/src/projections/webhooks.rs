//! The projection `webhooks`: one row a webhook that somebody made and nobody deleted. Secrets stay in the log, sealed.

use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{
    StreamName, TenantId, TenantLogEvent, WebhookId,
    webhook::{WebhookEvent, WebhookSettings},
};
use serde_json::json;

use crate::{
    batch::{Applied, Payload},
    build::OpenBuild,
    error::ApplyError,
    projections::{Projection, apply_span, person_of},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "webhooks",
    shape: 1,
    tables_sql: include_str!("../../sql/webhooks/tables.sql"),
    indexes_sql: include_str!("../../sql/webhooks/indexes.sql"),
    tables: &[Table { name: "webhook", key: "webhook_id" }],
    reads: |stream| matches!(stream, StreamName::Webhook(_)),
    passes_over: &[],
    span: || apply_span!("projection.webhooks.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

/// A tenant has a handful of these events in a day: one statement each.
async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    for applied in events {
        let (StreamName::Webhook(webhook), Payload::Event(TenantLogEvent::Webhook(event))) =
            (&applied.envelope.stream, &applied.payload)
        else {
            continue;
        };
        let of = (tenant, *webhook);
        match event {
            WebhookEvent::WebhookMade(made) => make(build, of, made.settings.expose(), applied).await?,
            WebhookEvent::WebhookChanged(changed) => change(build, of, changed.settings.expose(), applied).await?,
            WebhookEvent::WebhookSecretRenewed(_) => renew(build, of, applied).await?,
            WebhookEvent::WebhookDeleted(_) => delete(build, of).await?,
        }
    }
    Ok(())
}

async fn make(
    build: &mut OpenBuild,
    (tenant, webhook): (TenantId, WebhookId),
    settings: &WebhookSettings,
    applied: &Applied,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into webhook
             (tenant_id, webhook_id, settings, is_active, since, created_by, updated_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $6, $7, $7)",
        tenant.get(),
        webhook.get(),
        json!(settings),
        settings.is_active,
        applied.position.get(),
        person_of(applied.envelope.actor),
        applied.envelope.recorded_at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

/// One that was not in use, and is now, begins here.
async fn change(
    build: &mut OpenBuild,
    (tenant, webhook): (TenantId, WebhookId),
    settings: &WebhookSettings,
    applied: &Applied,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "update webhook
         set settings = $3, is_active = $4, since = case when is_active then since else $5 end, updated_by = $6, updated_at = $7
         where tenant_id = $1 and webhook_id = $2",
        tenant.get(),
        webhook.get(),
        json!(settings),
        settings.is_active,
        applied.position.get(),
        person_of(applied.envelope.actor),
        applied.envelope.recorded_at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn renew(
    build: &mut OpenBuild,
    (tenant, webhook): (TenantId, WebhookId),
    applied: &Applied,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "update webhook set updated_by = $3, updated_at = $4 where tenant_id = $1 and webhook_id = $2",
        tenant.get(),
        webhook.get(),
        person_of(applied.envelope.actor),
        applied.envelope.recorded_at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn delete(build: &mut OpenBuild, (tenant, webhook): (TenantId, WebhookId)) -> Result<(), ApplyError> {
    sqlx::query!("delete from webhook where tenant_id = $1 and webhook_id = $2", tenant.get(), webhook.get())
        .execute(build)
        .await?;
    Ok(())
}
