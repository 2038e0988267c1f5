//! Sends what is due: takes it for a while, asks the gate, and records what came of it.

use domain::webhook::Webhook;
use jiff::{SignedDuration, Timestamp};
use regions::Resident;
use runtime::crash;
use schemas::StreamName;

use super::{
    attempt::Ended,
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
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
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
            tracing::debug!(error = runtime::chain(&error), "cannot ask what webhooks are to be told");
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
    let waits = broken_until(store::lately(&mut transaction, key, (now - LOOKS_BACK, now)).await?, now);
    let lease = match waits {
        Some(until) => {
            store::put_off(&mut transaction, key, until).await?;
            None
        }
        None => store::lease(&mut transaction, key, (now, now + LEASE)).await?,
    };
    transaction.commit().await?;
    Ok(lease.map(|lease| Taken { resident, key, lease }))
}

/// Until when the breaker lets nothing to a webhook, if it is open: one that nearly always fails is asked once in a while.
fn broken_until(lately: store::Lately, now: Timestamp) -> Option<Timestamp> {
    let is_open = lately.has_last_failed
        && lately.attempts >= ATTEMPTS_MIN
        && lately.failures * 100 >= lately.attempts * FAILURES_PERCENT;
    let until = lately.last_at.filter(|_| is_open)? + OPEN_FOR;
    match until > now {
        true => Some(until),
        // One is under way, to see whether it is taken.
        false if lately.running > 0 => Some(now + OPEN_FOR),
        false => None,
    }
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
    store::record(&mut transaction, (key, lease.number), (&ended, ended.next(lease.number))).await?;
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
    let Some(payload) = told_again(desk, resident, lease.position).await? else {
        return not_sent("what was to be told is erased");
    };
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
    Ok(Ended::of(result, (version, desk.clock.now())))
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
    fn the_breaker_opens_when_most_fail_and_lets_one_through_in_a_while() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1000);
        let lately = |attempts, failures, ago: i64, running| store::Lately {
            attempts,
            failures,
            last_at: Some(now - SignedDuration::from_secs(ago)),
            has_last_failed: failures > 0,
            running,
        };
        let seconds = |lately| broken_until(lately, now).map(|until| until.duration_since(now).as_secs());
        assert_eq!(seconds(lately(10, 7, 1, 0)), Some(4));
        assert_eq!(seconds(lately(10, 6, 1, 0)), None, "two thirds is not 70 percent");
        assert_eq!(seconds(lately(9, 9, 1, 0)), None, "too few to say");
        assert_eq!(seconds(lately(10, 10, 5, 0)), None, "one is let through");
        assert_eq!(seconds(lately(10, 10, 5, 1)), Some(5), "and one only");
        assert_eq!(seconds(store::Lately { has_last_failed: false, ..lately(10, 9, 1, 0) }), None, "it was taken");
    }
}
