//! Automations: what changes tickets because time goes by.
//!
//! ```text
//! clock --due--> a tenant's hour --ask--> tickets of which the conditions hold --execute--> the log
//!                     ^                                                            |
//!                     +---------- read models, which know what was done <----------+
//! ```
//!
//! Every tenant with automations in use has each hour gone through once: [`hour`] says by whom and whether it was, [`work`] does it. The
//! conditions are asked as of the beginning of the hour, so that what holds for one hour only holds in one. What an automation does to a
//! ticket is a command like any other, on the version of the ticket of which its conditions held: if anybody changed it since, another
//! process that goes through the same hour included, the command is refused and the ticket is asked about again.
//!
//! *A crash at any place leaves an hour that is begun and not done. Whoever goes on when the lease is over asks everything again; what was
//! done says so itself, in the ticket's row, and is not done again in that hour.* An hour in which no desk runs is not made up for.
//!
//! What was solved four weeks ago is closed in the same pass, whatever rules there are.

mod hour;
mod work;

use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use runtime::Shutdown;

use crate::state::Desk;

/// How often to look whose hour is to be gone through.
const INTERVAL: Duration = Duration::from_secs(10);
/// How many tenants' at a time.
const AT_ONCE: usize = 4;

/// Goes through the hours of all tenants until the process ends.
pub(crate) async fn run(desk: Desk, shutdown: Shutdown) {
    loop {
        pass(&desk, &shutdown).await;
        if !shutdown.sleep(INTERVAL).await {
            return;
        }
    }
}

/// Goes through what is due of this hour.
async fn pass(desk: &Desk, shutdown: &Shutdown) {
    let now = desk.clock.now();
    let hour = beginning(now);
    let due = match hour::due(desk, (hour, now, work::solved_before(hour))).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(error = runtime::chain(&error), "cannot ask whose automations are to be asked");
            return;
        }
    };
    let working = futures::stream::iter(due).for_each_concurrent(AT_ONCE, async |tenant| {
        if !shutdown.is_requested()
            && let Err(error) = work::go_through(desk, (tenant, hour), shutdown).await
        {
            tracing::warn!(tenant.id = %tenant, error = runtime::chain(&error), "automations are left for later");
        }
    });
    working.await;
}

/// When the hour of a moment began.
fn beginning(moment: Timestamp) -> Timestamp {
    const HOUR: i64 = 60 * 60;
    Timestamp::from_second(moment.as_second().div_euclid(HOUR) * HOUR)
        .expect("earlier than a moment, by less than an hour")
}

#[cfg(test)]
mod tests;
