//! A lost connection: reconnecting, and why sending everything again is right.
//!
//! When a connection breaks, the appends on it are *unknown*: committed, rolled back, or still to be run by a backend that has
//! not noticed yet. The lane reconnects and sends them again, and `log.append` finds out. It locks the tenant's head row and
//! looks up (stream, version, command) under that lock:
//!
//! - *The first try is committed.* The stream is past the expected version, and the event right behind it carries our command:
//!   the answer is its positions. Nothing is appended twice, because both tries want the same version of the same stream.
//! - *It is rolled back.* Then the second try is the first.
//! - *A zombie holds the head row.* The second try waits for its lock, and so for its end, and is in one of the cases above.
//! - *A zombie has not come to the lock yet.* The second try goes first and succeeds. The zombie then finds the expected version
//!   taken (by its own command), appends nothing, and answers into a closed socket.
//!
//! Appends that came too long ago are not sent again but answered as unknown, so nobody waits for ever for a connection that
//! breaks time and again.
//!
//! Refusals that stay true whatever a zombie does (a wrong expected version, a reused key) are passed on. One that may not (the
//! tenant is just moving, the store is just full) becomes [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown), because the
//! zombie might meet better times.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::appender::{lane::Lane, waiting::Waiting};

const BACKOFF_FIRST: Duration = Duration::from_millis(20);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How long callers wait, counted from when the first of them came, for a database that is away before they are told so.
const PATIENCE: Duration = Duration::from_secs(10);

impl Lane {
    /// Connects again, however many tries it takes. Past [`PATIENCE`], whoever waits is answered, and so is whoever comes meanwhile.
    /// `false` if the process is to end first.
    pub(crate) async fn reconnect(&mut self, batches: &mut VecDeque<Vec<Waiting>>) -> bool {
        // A silent connection may have used up their patience already, and so may earlier losses.
        let since = batches.iter().flatten().map(|waiting| waiting.arrived).min().unwrap_or_else(Instant::now);
        let mut backoff = BACKOFF_FIRST;
        loop {
            // Bounded, so that a request to end is seen soon.
            match self.config.connect(&self.region).await {
                Ok(connection) => {
                    // The old connection closes here: a backend that still runs learns of it when it next writes or reads.
                    self.connection = connection;
                    tracing::info!(region = %self.region.id, "appender lane reconnected");
                    return true;
                }
                Err(error) => {
                    tracing::warn!(error = runtime::chain(&error), region = %self.region.id, "cannot reconnect");
                }
            }
            let ending = !self.shutdown.sleep(backoff).await;
            if ending || since.elapsed() > PATIENCE {
                batches.drain(..).flatten().for_each(Waiting::give_up);
                self.turn_away();
            }
            if ending {
                return false;
            }
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    fn turn_away(&self) {
        self.queue().drain().into_iter().for_each(Waiting::give_up);
    }
}
