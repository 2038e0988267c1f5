//! Webhooks, from the projection `webhooks`, and what they were told, from the desk's own tables.

use jiff_sqlx::Timestamp;
use regions::Resident;
use schemas::{WebhookId, webhook::WebhookSettings};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::List;

/// One webhook.
#[derive(Clone)]
pub(crate) struct Webhook {
    pub(crate) webhook_id: i64,
    pub(crate) settings: Json<WebhookSettings>,
    pub(crate) since: i64,
    pub(crate) created_by: Option<i64>,
    pub(crate) updated_by: Option<i64>,
    pub(crate) created_at: jiff::Timestamp,
    pub(crate) updated_at: jiff::Timestamp,
}

/// Something that a webhook was told.
#[derive(Clone)]
pub(crate) struct Invocation {
    pub(crate) invocation_id: i64,
    pub(crate) position: i64,
    pub(crate) status: String,
    pub(crate) status_code: Option<i32>,
    pub(crate) completed_at: jiff::Timestamp,
}

/// How often, and what came of it.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) number: i32,
    pub(crate) status: String,
    pub(crate) status_code: Option<i32>,
    pub(crate) detail: Option<String>,
    pub(crate) headers: Value,
    pub(crate) body: String,
    pub(crate) sent_at: jiff::Timestamp,
    pub(crate) completed_at: jiff::Timestamp,
}

/// The webhooks, with a part of a name, in a state.
pub(crate) fn list(name: Option<String>, is_active: Option<bool>) -> List {
    List::new(("webhook", "webhook_id"), move |statement| {
        if let Some(name) = &name {
            statement
                .push(" and position(lower(")
                .push_bind(name.clone())
                .push(") in lower(webhook.settings ->> 'name')) > 0");
        }
        if let Some(is_active) = is_active {
            statement.push(" and webhook.is_active = ").push_bind(is_active);
        }
    })
}

/// What a webhook was told, as far as anything came of it.
pub(crate) fn invocations(webhook: WebhookId, status: Option<String>) -> List {
    List::new(("deliveries.invocation", "invocation_id"), move |statement| {
        statement.push(" and webhook_id = ").push_bind(webhook.get()).push(" and status is not null");
        if let Some(status) = &status {
            statement.push(" and status = ").push_bind(status.clone());
        }
    })
}

/// Those of these webhooks that there are, by id.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Webhook>, sqlx::Error> {
    sqlx::query_as!(
        Webhook,
        r#"select webhook_id, settings as "settings: Json<WebhookSettings>", since, created_by, updated_by,
                  created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp"
           from webhook where tenant_id = $1 and webhook_id = any($2) order by webhook_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// Those that are in use.
pub(crate) async fn active(conn: &mut PgConnection, resident: &Resident) -> Result<Vec<Webhook>, sqlx::Error> {
    sqlx::query_as!(
        Webhook,
        r#"select webhook_id, settings as "settings: Json<WebhookSettings>", since, created_by, updated_by,
                  created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp"
           from webhook where tenant_id = $1 and is_active order by webhook_id"#,
        resident.tenant_id().get(),
    )
    .fetch_all(conn)
    .await
}

/// Those of these invocations that there are, by id.
pub(crate) async fn told(
    conn: &mut PgConnection,
    resident: &Resident,
    (webhook, ids): (WebhookId, &[i64]),
) -> Result<Vec<Invocation>, sqlx::Error> {
    sqlx::query_as!(
        Invocation,
        r#"select invocation_id, position, status as "status!", status_code,
                  coalesce(completed_at, created_at) as "completed_at!: Timestamp"
           from deliveries.invocation
           where tenant_id = $1 and webhook_id = $2 and invocation_id = any($3) and status is not null order by invocation_id"#,
        resident.tenant_id().get(),
        webhook.get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// The attempts of an invocation, in order.
pub(crate) async fn attempts(
    conn: &mut PgConnection,
    resident: &Resident,
    (webhook, invocation): (WebhookId, i64),
) -> Result<Vec<Attempt>, sqlx::Error> {
    sqlx::query_as!(
        Attempt,
        r#"select number, status, status_code, detail, headers, body, coalesce(sent_at, completed_at) as "sent_at!: Timestamp",
                  completed_at as "completed_at: Timestamp"
           from deliveries.attempt where tenant_id = $1 and webhook_id = $2 and invocation_id = $3 order by number"#,
        resident.tenant_id().get(),
        webhook.get(),
        invocation,
    )
    .fetch_all(conn)
    .await
}

/// Has an invocation sent once more, if it is not under way. Whether there is such a one.
pub(crate) async fn send_again(
    conn: &mut PgConnection,
    resident: &Resident,
    ((webhook, invocation), now): ((WebhookId, i64), Timestamp),
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update deliveries.invocation set is_open = true, due_at = $4, created_at = $4
         where tenant_id = $1 and webhook_id = $2 and invocation_id = $3 and not is_open",
        resident.tenant_id().get(),
        webhook.get(),
        invocation,
        now as _,
    );
    Ok(done.execute(conn).await?.rows_affected() > 0)
}
