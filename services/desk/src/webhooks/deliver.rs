//! Sends what is due: takes it for a while, asks the gate, and records what came of it.

use domain::webhook::Webhook;
use jiff::SignedDuration;
use regions::Resident;
use runtime::crash;
use schemas::StreamName;

use super::{
    attempt::Ended,
    checkpoint,
    payload::told_again,
    request::{Told, outgoing},
    secrets,
    store::{self, Key, Lease},
    ulid,
};
use crate::{
    execute::{Failure, load},
    home::{Home, home},
    read::log,
    state::Desk,
};

/// How many of one webhook are sent at a time, and of one tenant: whoever is slow holds up nobody else.
const OF_WEBHOOK: i32 = 5;
const OF_TENANT: i32 = 10;
/// For how long an invocation is taken: longer than any attempt lasts.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// After so long it is given up, however few attempts there were.
pub(super) const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// The breaker looks back so far, at so many attempts at least, of which so many in a hundred failed.
const LOOKS_BACK: SignedDuration = SignedDuration::from_mins(5);
const ATTEMPTS_MIN: i64 = 10;
const FAILURES_PERCENT: i64 = 70;
/// For how long nothing is sent while it is open: then one is, and what becomes of that decides.
const OPEN_FOR: SignedDuration = SignedDuration::from_secs(5);

/// Why an attempt cannot be begun, or its end not be recorded.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot ask the database")]
    Database(#[from] sqlx::Error),
    #[error("cannot read the webhook")]
    Webhook(#[from] Failure),
    #[error("cannot read what is to be told")]
    Payload(#[from] log::Error),
    #[error("cannot open what it proves itself with")]
    Secrets(#[from] vault::Error),
}

/// An invocation that this process has for a while.
pub(crate) struct Taken {
    resident: Resident,
    key: Key,
    lease: Lease,
}

/// Takes what is due, so much at most.
pub(crate) async fn take(desk: &Desk, at_most: usize) -> Vec<Taken> {
    let at_most = i32::try_from(at_most).unwrap_or(i32::MAX);
    if at_most == 0 {
        return Vec::new();
    }
    let due = match store::due(desk, (at_most, OF_WEBHOOK, OF_TENANT)).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(error = runtime::chain(&error), "cannot ask what webhooks are to be told");
            return Vec::new();
        }
    };
    let mut taken = Vec::with_capacity(due.len());
    for key in due {
        match take_one(desk, key).await {
            Ok(one) => taken.extend(one),
            Err(error) => {
                tracing::warn!(tenant.id = %key.tenant, error = runtime::chain(&error), "a webhook is not told yet");
            }
        }
    }
    taken
}

async fn take_one(desk: &Desk, key: Key) -> Result<Option<Taken>, Error> {
    let Home::Open(resident) = home(desk, key.tenant).await? else { return Ok(None) };
    let now = desk.clock.now();
    let mut transaction = regions::begin(&desk.pool, &resident).await?;
    // What was noted of a log that was brought back since may mean another event now.
    if !checkpoint::is_current(&mut transaction, &resident).await? {
        return Ok(None);
    }
    let lease = store::lease(&mut transaction, key, (now, now + LEASE)).await?;
    transaction.commit().await?;
    Ok(lease.map(|lease| Taken { resident, key, lease }))
}

/// Whether the breaker is open after a failure: for one that nearly always fails, and as long as nothing is taken.
const fn is_broken(lately: store::Lately) -> bool {
    lately.is_open || lately.attempts >= ATTEMPTS_MIN && lately.failures * 100 >= lately.attempts * FAILURES_PERCENT
}

/// Sends it, and records what came of it. Where that cannot be, it is sent again when its while is over.
pub(crate) async fn send(desk: &Desk, taken: Taken) {
    let key = taken.key;
    if let Err(error) = attempt(desk, taken).await {
        tracing::warn!(tenant.id = %key.tenant, webhook.id = %key.webhook, error = runtime::chain(&error), "a webhook is told once more, later");
    }
}

async fn attempt(desk: &Desk, Taken { resident, key, lease }: Taken) -> Result<(), Error> {
    let ended = sent(desk, &resident, (key, lease)).await?;
    crash::point("webhooks.sent");
    let mut transaction = regions::begin(&desk.pool, &resident).await?;
    store::record(&mut transaction, (key, lease), (&ended, ended.next(lease.number))).await?;
    if ended.status == "success" {
        store::close_breaker(&mut transaction, key).await?;
    }
    transaction.commit().await?;
    if ended.status != "failed" {
        return Ok(());
    }
    // After that: of some that fail at the same moment, whoever looks last sees them all.
    let mut transaction = regions::begin(&desk.pool, &resident).await?;
    if is_broken(store::lately(&mut transaction, key, ended.at - LOOKS_BACK).await?) {
        store::open_breaker(&mut transaction, key, ended.at + OPEN_FOR).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn sent(desk: &Desk, resident: &Resident, (key, lease): (Key, Lease)) -> Result<Ended, Error> {
    let (now, version) = (desk.clock.now(), desk.gate().policy_version());
    let not_sent = |detail: &str| Ok(Ended::not_sent("terminated", detail, (version, now)));
    if now.duration_since(lease.created_at) > GIVEN_UP_AFTER {
        return not_sent("it was not taken within a day");
    }
    let (webhook, _) = load::<Webhook>(desk, resident, &StreamName::Webhook(key.webhook)).await?;
    let Some(known) = webhook.known().filter(|known| known.settings.expose().is_active) else {
        return not_sent("the webhook is not in use any more");
    };
    let sealed = (key.webhook, known.secrets.expose());
    let Some(secrets) = secrets::open(desk, resident, sealed).await? else {
        return not_sent("what the webhook proves itself with is gone");
    };
    let payload = match told_again(desk, resident, lease.position).await {
        // Nor would it be later.
        Err(error @ log::Error::Decode { .. }) => {
            tracing::error!(tenant.id = %key.tenant, webhook.id = %key.webhook, error = runtime::chain(&error), "a webhook is never told");
            return not_sent("what was to be told cannot be read");
        }
        read => read?,
    };
    let Some(payload) = payload else {
        return not_sent("what was to be told is erased");
    };
    if !known.settings.expose().subscriptions.iter().any(|name| name == payload.kind.name()) {
        return not_sent("the webhook is not told such things any more");
    }
    let told = Told {
        resident,
        webhook: &ulid::of_webhook(key.webhook),
        invocation: &ulid::of_invocation(key.webhook, key.invocation),
        idempotency_key: &payload.event.to_string(),
        at: now,
    };
    let request = outgoing(&told, known.settings.expose(), &secrets, payload.body);
    let result = desk.gate().send(request).await;
    if let Err(regions::SendError::Held(held)) = &result {
        tracing::warn!(tenant.id = %key.tenant, webhook.id = %key.webhook, why = reason(held), "the gate let something not out");
    }
    Ok(Ended::of(result, (version, desk.clock.now())).sent_at(now))
}

/// Why, without the address.
const fn reason(held: &regions::Held) -> &'static str {
    match held {
        regions::Held::Policy { .. } => "policy",
        regions::Held::Url => "url",
        regions::Held::Address { .. } => "address",
        regions::Held::Name => "name",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_opens_when_most_fail_and_stays_so_until_one_is_taken() {
        let after = |attempts, failures, is_open| is_broken(store::Lately { attempts, failures, is_open });
        assert!(after(10, 7, false));
        assert!(!after(10, 6, false), "two thirds is not 70 percent");
        assert!(!after(9, 9, false), "too few to say");
        assert!(after(1, 1, true), "the one that was let through failed");
    }
}
