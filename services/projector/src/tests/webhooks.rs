//! Webhooks: what is known of each, since when it is in use, and no secret.

use std::collections::BTreeMap;

use schemas::{
    KeyId, WebhookId,
    values::{WebhookMethod, WebhookRequestFormat},
    webhook::{
        SealedSecrets, WebhookChanged, WebhookDeleted, WebhookEvent, WebhookMade, WebhookSecretRenewed, WebhookSettings,
    },
};
use uuid::Uuid;

use super::world::{Draft, World};
use crate::{Selection, rebuild};

fn settings(name: &str, is_active: bool) -> WebhookSettings {
    WebhookSettings {
        name: name.to_owned(),
        description: None,
        endpoint: "https://hooks.example/".to_owned(),
        method: WebhookMethod::Post,
        format: WebhookRequestFormat::Json,
        is_active,
        subscriptions: Vec::new(),
        authentication: None,
        headers: BTreeMap::new(),
    }
}

fn secrets() -> SealedSecrets {
    SealedSecrets { key_id: KeyId::new(Uuid::nil()), sealed: "c2VhbGVkLXNlY3JldA==".to_owned() }
}

fn draft(event: impl Into<WebhookEvent>) -> Draft {
    let event: WebhookEvent = event.into();
    event.into()
}

fn made(id: i64, name: &str, is_active: bool) -> Draft {
    let (settings, secrets) = (settings(name, is_active).into(), secrets().into());
    draft(WebhookMade { webhook: WebhookId::new(id), settings, secrets })
}

fn changed(name: &str, is_active: bool) -> Draft {
    draft(WebhookChanged { settings: settings(name, is_active).into(), secrets: secrets().into() })
}

#[tokio::test]
async fn a_webhook_is_in_use_since_it_was_last_turned_on_and_its_secrets_are_not_there() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "webhook-11", vec![made(11, "On from the first", true)]).await?;
    world.say(&acme, "webhook-12", vec![made(12, "Off at first", false)]).await?;
    world.say(&acme, "webhook-13", vec![made(13, "Gone", true)]).await?;
    world.say(&acme, "webhook-11", vec![changed("Still on", true)]).await?;
    world.say(&acme, "webhook-12", vec![changed("On later", true)]).await?;
    world.say(&acme, "webhook-12", vec![draft(WebhookSecretRenewed { secrets: secrets().into() })]).await?;
    world.say(&acme, "webhook-13", vec![draft(WebhookDeleted {})]).await?;
    world.catch_up(&acme).await?;
    let rows = sqlx::query_scalar!(
        r#"select concat_ws(' ', webhook_id, settings ->> 'name', is_active, since) as "row!" from webhook order by webhook_id"#
    );
    assert_eq!(rows.fetch_all(&mut world.reader().await?).await?, ["11 Still on t 1", "12 On later t 5"]);
    let secrets = sqlx::query_scalar!(
        r#"select count(*) as "count!" from webhook where position('c2VhbGVk' in webhook::text) > 0"#
    );
    assert_eq!(secrets.fetch_one(&mut world.reader().await?).await?, 0);
    let live = world.fingerprints(&acme).await?;
    rebuild(&world.deps, &Selection::all(), &|_| {}).await?;
    assert_eq!(world.fingerprints(&acme).await?, live);
    Ok(())
}
