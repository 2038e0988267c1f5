//! Hints that a tenant has something new, on their way to whoever serves it.

use runtime::QueueMeter;
use schemas::TenantId;
use tokio::sync::mpsc;

/// How many wait at most.
const HINTS_MAX: usize = 1024;

/// Where hints go. They may be lost: what does not fit is found by a sweep.
#[derive(Debug, Clone)]
pub struct Hints {
    sender: mpsc::Sender<TenantId>,
    meter: QueueMeter,
}

impl Hints {
    /// A queue with the meter of that name.
    pub fn new(meter: QueueMeter) -> (Self, mpsc::Receiver<TenantId>) {
        let (sender, receiver) = mpsc::channel(HINTS_MAX);
        (Self { sender, meter }, receiver)
    }

    /// A tenant has something new.
    pub fn give(&self, tenant: TenantId) {
        self.meter.holds(self.sender.max_capacity() - self.sender.capacity());
        if self.sender.try_send(tenant).is_err() {
            self.meter.refused();
        }
    }
}
