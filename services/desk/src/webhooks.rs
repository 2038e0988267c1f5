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
//! before is sent, also not what had not been sent yet.

mod attempt;
pub(crate) mod deliver;
mod follow;
mod payload;
pub(crate) mod request;
pub(crate) mod secrets;
mod store;
pub(crate) mod ulid;

use std::time::Duration;

use futures::{StreamExt, stream::FuturesUnordered};
use jiff::SignedDuration;
use runtime::Shutdown;

pub(crate) use self::payload::told_again;
use crate::state::Desk;

/// How often to look for what is new, and for what is due.
const INTERVAL: Duration = Duration::from_millis(500);
/// How often to delete what is old.
const FORGET_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// For how long it is kept what was told, and what was answered.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long an answer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(12);
/// How many are sent at a time, by this process.
const AT_ONCE: usize = 64;

/// Follows the logs and sends until the process ends. What is under way then is waited for.
pub(crate) async fn run(desk: Desk, shutdown: Shutdown) {
    let following = async {
        let mut forgotten_at = desk.clock.now();
        loop {
            follow::pass(&desk, &shutdown).await;
            let now = desk.clock.now();
            if now.duration_since(forgotten_at) >= FORGET_EVERY {
                forgotten_at = now;
                if let Err(error) = store::forget(&desk, now - KEPT).await {
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
                under_way.push(deliver::send(&desk, taken));
            }
            tokio::select! {
                Some(()) = under_way.next() => {}
                _ = shutdown.sleep(INTERVAL) => {}
            }
        }
        while under_way.next().await.is_some() {}
    };
    tokio::join!(following, delivering);
}

#[cfg(test)]
mod tests;
