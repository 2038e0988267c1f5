//! Webhooks: servers outside that are told what happens.
//!
//! ```text
//! log --follow--> invocations (a row each, once) --deliver--> gate --> a server outside
//!                      ^                                                    |
//!                      +------------- attempts, each recorded <-------------+
//! ```
//!
//! [`follow`] looks through each log from a checkpoint and notes what is to be told: the rows and the checkpoint move in one transaction,
//! and a row's id is made of the webhook and the event's position, so that finding it twice is finding it once. [`deliver`] sends: it takes
//! a row for a while, asks the gate (`regions::Gate`), and records what came of it. *A crash between sending and recording: the row is
//! taken again when its while is over, and the same id and key are sent again.* What is told is made from the log anew each time
//! ([`payload`]), so nothing of it is kept, and what was erased meanwhile is told to nobody.
//!
//! A read model that is built anew changes nothing here. A log that was brought back is followed from where it ends then: nothing of
//! before is sent, also not what had not been sent yet ([`checkpoint`] has the lock under which that is seen).
//!
//! Where a server nearly always fails, its breaker opens: what comes then is closed at once, but for one at a time that is sent.

mod attempt;
mod checkpoint;
pub(crate) mod deliver;
mod follow;
mod payload;
pub(crate) mod request;
pub(crate) mod secrets;
mod store;
pub(crate) mod ulid;

use std::time::Duration;

use futures::{StreamExt, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use regions::Resident;
use runtime::Shutdown;

pub(crate) use self::payload::told_again;
use crate::state::Desk;

/// How often to look for what is new, and for what is due.
const INTERVAL: Duration = Duration::from_millis(500);
/// How often to close and delete what is old.
const TIDY_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How many rows of it at a time.
const TIDIED_AT_A_TIME: i32 = 10_000;
/// For how long it is kept what was told, and what was answered.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long an answer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(12);
/// How many are sent at a time, by this process.
const AT_ONCE: usize = 64;
/// How many a tenant that tries the product out is told in a minute, what it sends by hand counted.
const TRIAL_A_MINUTE: i64 = 60;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Follows the logs and sends until the process ends. What is under way then is waited for.
pub(crate) async fn run(desk: Desk, shutdown: Shutdown) {
    let following = async {
        let mut tidied_at = None;
        loop {
            follow::pass(&desk, &shutdown).await;
            let now = desk.clock.now();
            if tidied_at.is_none_or(|tidied_at| now.duration_since(tidied_at) >= TIDY_EVERY) {
                tidied_at = Some(now);
                if let Err(error) = tidy(&desk, &shutdown, TIDIED_AT_A_TIME).await {
                    tracing::warn!(
                        error = runtime::chain(&error),
                        "what webhooks were told long ago is not deleted yet"
                    );
                }
            }
            if !shutdown.sleep(INTERVAL).await {
                return;
            }
        }
    };
    let delivering = async {
        let mut under_way = FuturesUnordered::new();
        while !shutdown.is_requested() {
            for taken in deliver::take(&desk, AT_ONCE - under_way.len()).await {
                let desk = desk.clone();
                // A task each: it goes on, and gives back what it has, while more is taken.
                under_way.push(shutdown.spawn(async move { deliver::send(&desk, taken).await }));
            }
            tokio::select! {
                Some(_) = under_way.next() => {}
                _ = shutdown.sleep(INTERVAL) => {}
            }
        }
        while under_way.next().await.is_some() {}
    };
    tokio::join!(following, delivering);
}

/// Closes what waits for longer than a day, and deletes what is older than it is kept: all of it, some at a time.
async fn tidy(desk: &Desk, shutdown: &Shutdown, at_a_time: i32) -> Result<(), sqlx::Error> {
    let now = desk.clock.now();
    while !shutdown.is_requested()
        && store::give_up(desk, (now, now - deliver::GIVEN_UP_AFTER), at_a_time).await? >= i64::from(at_a_time)
    {}
    while !shutdown.is_requested() && store::forget(desk, now - KEPT, at_a_time).await? >= i64::from(at_a_time) {}
    Ok(())
}

/// Whether a tenant that tries the product out may send one more by hand now; it is counted then.
pub(crate) async fn may_try(desk: &Desk, resident: &Resident, now: Timestamp) -> Result<bool, sqlx::Error> {
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    // Of two at the same time each counts the other.
    checkpoint::hold(&mut transaction, resident).await?;
    if checkpoint::noted_since(&mut transaction, resident, now - MINUTE).await? >= TRIAL_A_MINUTE {
        return Ok(false);
    }
    checkpoint::count_one(&mut transaction, resident, now).await?;
    transaction.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
