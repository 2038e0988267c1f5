//! Randomness, as a value: ids and secrets.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::rand;
use uuid::{ContextV7, Uuid};

use crate::clock::Clock;

/// Makes ids and secrets.
pub trait Ids: Send + Sync + 'static {
    /// A UUIDv7 (RFC 9562), increasing within a process.
    fn uuid(&self) -> Uuid;

    /// 32 bytes nobody can guess: keys and tokens.
    fn secret(&self) -> [u8; 32];
}

/// Ids from the machine's clock and generator.
pub struct SystemIds {
    clock: Arc<dyn Clock>,
    context: std::sync::Mutex<ContextV7>,
}

impl SystemIds {
    /// Ids stamped by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, context: std::sync::Mutex::new(ContextV7::new()) }
    }
}

impl Ids for SystemIds {
    fn uuid(&self) -> Uuid {
        let now = self.clock.now();
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
        let context = self.context.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, nanoseconds))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's generator")]
    fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).expect("the operating system's generator never fails once it is seeded");
        bytes
    }
}

/// The same ids in every run. For tests.
#[derive(Debug)]
pub struct SeededIds(AtomicU64);

impl SeededIds {
    /// Ids that depend on `seed` only.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed << 32))
    }
}

impl Ids for SeededIds {
    fn uuid(&self) -> Uuid {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128((0x7_u128 << 76) | (0b10_u128 << 62) | u128::from(count))
    }

    fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn uuids_increase_within_a_process() {
        let ids = SystemIds::new(Arc::new(SystemClock));
        let made: Vec<_> = (0..1000).map(|_| ids.uuid()).collect();
        assert!(made.is_sorted());
        assert!(made.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
