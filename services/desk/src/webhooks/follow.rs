//! Looks through the logs for what webhooks are to be told.

use domain::webhook::Kind;
use futures::StreamExt;
use regions::Resident;
use runtime::{Shutdown, crash};
use schemas::{DecodeError, Position, Recorded, StreamName, TenantId, TenantLogEvent, WebhookId};

use super::{
    MINUTE, TRIAL_A_MINUTE,
    checkpoint::{self, Checkpoint, Noted},
};
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
/// How many such pages of one log in a pass: a long one holds up no other.
const PAGES_A_PASS: usize = 4;

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
    let behind = match checkpoint::behind(desk).await {
        Ok(behind) => behind,
        Err(error) => {
            tracing::warn!(error = runtime::chain(&error), "cannot ask whose log has something new");
            return;
        }
    };
    // One that waits for its read model holds up few others.
    let looking = futures::stream::iter(behind).for_each_concurrent(AT_ONCE, async |tenant| {
        if !shutdown.is_requested()
            && let Err(error) = follow(desk, tenant, shutdown).await
        {
            tracing::warn!(tenant.id = %tenant, error = runtime::chain(&error), "a log is not looked through for webhooks yet");
        }
    });
    looking.await;
}

/// Looks through one log, to its end if that is not far.
async fn follow(desk: &Desk, tenant: TenantId, shutdown: &Shutdown) -> Result<(), Error> {
    // Elsewhere, the desk of that region does it; closed, nothing is told.
    let Home::Open(resident) = home(desk, tenant).await? else { return Ok(()) };
    let mut at = begin(desk, &resident).await?;
    let mut transaction = regions::begin(&desk.pool, &resident).await?;
    let head = eventlog::head(&mut transaction, &resident).await?;
    drop(transaction);
    // Which webhooks there were at the end of what is looked through, and no fewer.
    if settle::catch_up(desk, &resident, settle::WEBHOOKS).await.map_err(Error::Settle)? == Visible::NotYet {
        return Ok(());
    }
    let mut transaction = desk.reading(&resident).await?;
    let webhooks = read::webhooks::active(&mut transaction, &resident).await?;
    let account = read::account::one(&mut transaction, &resident).await?;
    drop(transaction);
    if webhooks.is_empty() {
        return Ok(());
    }
    let is_trial = account.is_some_and(|account| account.is_trial());
    for _ in 0..PAGES_A_PASS {
        if at.position >= head || shutdown.is_requested() {
            break;
        }
        let Some(moved) = page(desk, &resident, (at, head), (&webhooks, is_trial)).await? else { break };
        at = moved;
    }
    Ok(())
}

/// Where to go on: at the checkpoint, or where the log ended when it was brought back after that.
async fn begin(desk: &Desk, resident: &Resident) -> Result<Checkpoint, Error> {
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let mut at = checkpoint::hold(&mut transaction, resident).await?;
    if let Some(restored) = checkpoint::restored(&mut transaction, resident, at.restore).await? {
        at = checkpoint::begin_anew(&mut transaction, resident, (restored, desk.clock.now())).await?;
    }
    transaction.commit().await?;
    Ok(at)
}

/// Looks at some events, and notes what is to be told of them. Where that ended; nothing, if somebody else looked at them, or the log was
/// brought back meanwhile.
async fn page(
    desk: &Desk,
    resident: &Resident,
    (at, head): (Checkpoint, Position),
    (webhooks, is_trial): (&[read::webhooks::Webhook], bool),
) -> Result<Option<Checkpoint>, Error> {
    // Before the first of them was in use there is nothing to tell.
    let first = webhooks.iter().map(|webhook| webhook.since).min().unwrap_or_default();
    let after = at.position.max(Position::new(first)).min(head);
    let recorded = match head.get() - after.get() {
        0 => Vec::new(),
        ahead => {
            let mut transaction = regions::begin(&desk.pool, resident).await?;
            eventlog::read_log(&mut transaction, resident, after, PAGE_LENGTH.min(ahead)).await?
        }
    };
    let last = recorded.last().map_or(head, |event| event.position);
    let told = told(desk, resident, recorded).await?;
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let held = checkpoint::hold(&mut transaction, resident).await?;
    if held != at || checkpoint::restored(&mut transaction, resident, at.restore).await?.is_some() {
        return Ok(None);
    }
    let now = desk.clock.now();
    let mut breakers = checkpoint::breakers(&mut transaction, resident, now).await?;
    let mut room = match is_trial {
        true => TRIAL_A_MINUTE - checkpoint::noted_since(&mut transaction, resident, now - MINUTE).await?,
        false => i64::MAX,
    };
    let mut noted = Vec::new();
    for (position, kind) in told {
        let subscribed = |webhook: &&read::webhooks::Webhook| {
            webhook.since < position.get() && webhook.settings.0.subscriptions.iter().any(|name| name == kind.name())
        };
        for webhook in webhooks.iter().filter(subscribed).map(|webhook| WebhookId::new(webhook.webhook_id)) {
            let closed = match breakers.get_mut(&webhook) {
                Some(takes_one) if !*takes_one => Some("circuit broken"),
                _ if room <= 0 => Some("throttled"),
                breaker => {
                    room -= 1;
                    // One alone, to see whether it is taken.
                    breaker.into_iter().for_each(|takes_one| *takes_one = false);
                    None
                }
            };
            noted.push(Noted { webhook, position, closed });
        }
    }
    checkpoint::note(&mut transaction, resident, (&noted, now)).await?;
    checkpoint::advance(&mut transaction, resident, last).await?;
    crash::point("webhooks.noted");
    transaction.commit().await?;
    Ok(Some(Checkpoint { position: last, ..at }))
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
