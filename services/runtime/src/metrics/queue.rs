//! What a bounded queue says of itself: every queue of the product has a bound, a name, and one of these.

use prometheus::{IntCounter, IntGauge};

use super::RegionMetrics;

/// The length of a queue and what it had no room for. Several queues of one name are counted together.
#[derive(Debug, Clone)]
pub struct QueueMeter {
    length: IntGauge,
    refusals: IntCounter,
}

impl RegionMetrics {
    /// The meter of the queue of this name.
    pub fn queue(&self, name: &str) -> QueueMeter {
        QueueMeter {
            length: self.queue_length.with_label_values(&[name]),
            refusals: self.queue_refusals.with_label_values(&[name]),
        }
    }
}

/// One who is in a queue for as long as this lives.
#[derive(Debug)]
pub struct Queued(IntGauge);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl QueueMeter {
    /// One came in, and leaves when what is returned is dropped, however that comes.
    pub fn enter(&self) -> Queued {
        self.length.inc();
        Queued(self.length.clone())
    }

    /// So many came in.
    pub fn came(&self, count: usize) {
        self.length.add(signed(count));
    }

    /// So many left.
    pub fn left(&self, count: usize) {
        self.length.sub(signed(count));
    }

    /// For the one queue of its name: so many are in it now.
    pub fn holds(&self, count: usize) {
        self.length.set(signed(count));
    }

    /// There was no room for one.
    pub fn refused(&self) {
        self.refusals.inc();
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
