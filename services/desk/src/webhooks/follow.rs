//! Looks through the logs for what webhooks are to be told.

use domain::webhook::Kind;
use futures::StreamExt;
use jiff::SignedDuration;
use regions::Resident;
use runtime::{Shutdown, crash};
use schemas::{DecodeError, Position, Recorded, StreamName, TenantId, TenantLogEvent, WebhookId, values::Plan};

use super::store;
use crate::{
    api::settle,
    home::{Home, home},
    problem::ApiError,
    read,
    state::Desk,
    visible::Visible,
};

/// How many events are looked at in one transaction.
const PAGE_LENGTH: i64 = 500;
/// How many logs are looked through at a time.
const AT_ONCE: usize = 4;
/// How many a tenant that tries the product out is told in a minute.
const TRIAL_A_MINUTE: i64 = 60;

/// Why a log is not looked through now.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot ask the database")]
    Database(#[from] sqlx::Error),
    #[error("cannot read the log")]
    Read(#[from] eventlog::Error),
    #[error("cannot open events")]
    Open(#[from] vault::Error),
    #[error("an event cannot be decoded")]
    Decode(#[from] DecodeError),
    #[error("cannot ask how far the read models are: {}", .0.status())]
    Settle(ApiError),
}

/// Looks through every log that has something new.
pub(super) async fn pass(desk: &Desk, shutdown: &Shutdown) {
    let behind = match store::behind(desk).await {
        Ok(behind) => behind,
        Err(error) => {
            tracing::debug!(error = runtime::chain(&error), "cannot ask whose log has something new");
            return;
        }
    };
    // One that waits for its read model holds up few others.
    let looking = futures::stream::iter(behind).for_each_concurrent(AT_ONCE, async |tenant| {
        if !shutdown.is_requested()
            && let Err(error) = follow(desk, tenant).await
        {
            tracing::warn!(tenant.id = %tenant, error = runtime::chain(&error), "a log is not looked through for webhooks yet");
        }
    });
    looking.await;
}

/// Looks through one log to its end.
async fn follow(desk: &Desk, tenant: TenantId) -> Result<(), Error> {
    // Elsewhere, the desk of that region does it; closed, nothing is told.
    let Home::Open(resident) = home(desk, tenant).await? else { return Ok(()) };
    let mut transaction = regions::begin(&desk.pool, &resident).await?;
    let head = eventlog::head(&mut transaction, &resident).await?;
    drop(transaction);
    // Which webhooks there were at the end of what is looked through, and no fewer.
    if settle::catch_up(desk, &resident, settle::WEBHOOKS).await.map_err(Error::Settle)? == Visible::NotYet {
        return Ok(());
    }
    let mut transaction = desk.reading(&resident).await?;
    let webhooks = read::webhooks::active(&mut transaction, &resident).await?;
    let plan = read::account::one(&mut transaction, &resident).await?.and_then(|account| account.plan);
    drop(transaction);
    let Some(first) = webhooks.iter().map(|webhook| webhook.since).min() else { return Ok(()) };
    let is_trial = plan.as_deref() == Some(Plan::Trial.as_str());
    let mut position = Position::new(begin(desk, &resident).await?.max(first));
    while position < head {
        position = page(desk, &resident, (position, head), (&webhooks, is_trial)).await?;
    }
    Ok(())
}

/// Where to go on: at the checkpoint, or where the log ended when it was brought back after that.
async fn begin(desk: &Desk, resident: &Resident) -> Result<i64, Error> {
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let known = store::checkpoint(&mut transaction, resident).await?.unwrap_or_default();
    let Some(restored) = store::restored(&mut transaction, resident).await?.filter(|it| it.restore != known.restore)
    else {
        return Ok(known.position);
    };
    store::begin_anew(&mut transaction, resident, (restored, desk.clock.now())).await?;
    transaction.commit().await?;
    Ok(restored.position)
}

/// Looks at some events, and notes what is to be told of them. Where that ended.
async fn page(
    desk: &Desk,
    resident: &Resident,
    (after, head): (Position, Position),
    (webhooks, is_trial): (&[read::webhooks::Webhook], bool),
) -> Result<Position, Error> {
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let limit = PAGE_LENGTH.min(head.get() - after.get());
    let recorded = eventlog::read_log(&mut transaction, resident, after, limit).await?;
    drop(transaction);
    let Some(last) = recorded.last().map(|event| event.position) else { return Ok(head) };
    let told = told(desk, resident, recorded).await?;
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let now = desk.clock.now();
    let minute_ago = now - SignedDuration::from_mins(1);
    for (position, kind) in told {
        let subscribed = |webhook: &&read::webhooks::Webhook| {
            webhook.since < position.get() && webhook.settings.0.subscriptions.iter().any(|name| name == kind.name())
        };
        for webhook in webhooks.iter().filter(subscribed) {
            let is_throttled =
                is_trial && store::noted_since(&mut transaction, resident, minute_ago).await? >= TRIAL_A_MINUTE;
            let what = (WebhookId::new(webhook.webhook_id), position);
            store::note(&mut transaction, resident, what, (now, is_throttled)).await?;
        }
    }
    store::advance(&mut transaction, resident, last).await?;
    crash::point("webhooks.noted");
    transaction.commit().await?;
    Ok(last)
}

/// The events that anybody may be told of, and as what. What was erased already is told to nobody.
async fn told(desk: &Desk, resident: &Resident, mut recorded: Vec<Recorded>) -> Result<Vec<(Position, Kind)>, Error> {
    recorded.retain(|event| {
        let stream = &event.sealed.envelope.stream;
        matches!(stream, StreamName::Ticket(_) | StreamName::Person(_) | StreamName::Organization(_))
    });
    let opened = desk.vault.open_all(resident, &recorded).await?;
    let mut told = Vec::new();
    for (event, plaintext) in recorded.iter().zip(opened) {
        let Some(plaintext) = plaintext else { continue };
        let envelope = &event.sealed.envelope;
        let decoded = TenantLogEvent::decode(&envelope.event_type, envelope.schema_version, &plaintext)?;
        told.extend(Kind::of(&decoded).map(|kind| (event.position, kind)));
    }
    Ok(told)
}
