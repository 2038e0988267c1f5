//! An outage is told twice: when it begins and when it is over.

use std::{error::Error as StdError, time::Duration};

use runtime::RegionMetrics;

const WAIT_MIN: Duration = Duration::from_millis(250);
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Whether a client of the topic works, as operators see it.
#[derive(Debug)]
pub struct Outage {
    client: &'static str,
    metrics: RegionMetrics,
    /// What was said last; `None` while all is well.
    said: Option<String>,
    wait: Duration,
}

impl Outage {
    /// Nothing is known yet of the client, which is shown as not working.
    pub fn new(client: &'static str, metrics: RegionMetrics) -> Self {
        metrics.topic_connected.with_label_values(&[client]).set(0);
        Self { client, metrics, said: None, wait: WAIT_MIN }
    }

    /// The client works.
    pub fn over(&mut self) {
        self.metrics.topic_connected.with_label_values(&[self.client]).set(1);
        self.wait = WAIT_MIN;
        if self.said.take().is_some() {
            tracing::info!(client = self.client, "the topic is back");
        }
    }

    /// The client does not work; tells how long to wait before the next attempt. Said once an outage, and again when the reason
    /// is another one.
    pub fn note(&mut self, error: &(dyn StdError + 'static)) -> Duration {
        self.metrics.topic_connected.with_label_values(&[self.client]).set(0);
        let reason = error.to_string();
        if self.said.as_ref() != Some(&reason) {
            tracing::error!(client = self.client, error, "no topic: the log is read until it is back");
            self.said = Some(reason);
        }
        let wait = self.wait;
        self.wait = (wait * 2).min(WAIT_MAX);
        wait
    }
}
