//! The brake on guessing passwords.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use schemas::Hash;

use crate::problem::ApiError;

/// How many wrong passwords one client may send for one address before it has to wait.
const FAILURES_MAX: u32 = 10;
/// How long failures count.
const MEMORY: SignedDuration = SignedDuration::from_mins(5);
/// How many pairs of address and client are remembered; beyond, the oldest are forgotten first.
const REMEMBERED_MAX: usize = 10_000;

/// Counts attempts by address and client, hashed.
#[derive(Default)]
pub(crate) struct Brake {
    failures: Mutex<HashMap<Hash, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: Timestamp,
}

impl Brake {
    /// Refuses an attempt that failed too often lately, and counts every other as a failure until [`Brake::take_back`]
    /// says that it was none: attempts sent at the same time do not slip past together while the first is being checked.
    pub(crate) fn count(&self, attempt: Hash, now: Timestamp) -> Result<(), ApiError> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED_MAX && !failures.contains_key(&attempt) {
            forget(&mut failures, now);
        }
        let entry = failures.entry(attempt).or_insert(Failures { count: 0, since: now });
        let left = MEMORY - now.duration_since(entry.since);
        if !left.is_positive() {
            *entry = Failures { count: 0, since: now };
        } else if entry.count >= FAILURES_MAX {
            return Err(ApiError::too_many_attempts(left.as_secs().max(1)));
        }
        entry.count += 1;
        Ok(())
    }

    /// The attempt was no failure: the password was right, or never looked at.
    pub(crate) fn take_back(&self, attempt: Hash) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = failures.get_mut(&attempt) else { return };
        entry.count = entry.count.saturating_sub(1);
        if entry.count == 0 {
            failures.remove(&attempt);
        }
    }
}

/// Drops what no longer counts, and if that is nothing, the oldest: a flood must neither grow the memory nor empty it.
fn forget(failures: &mut HashMap<Hash, Failures>, now: Timestamp) {
    failures.retain(|_, failures| now.duration_since(failures.since) < MEMORY);
    if failures.len() >= REMEMBERED_MAX {
        let oldest = failures.iter().min_by_key(|(_, failures)| failures.since).map(|(attempt, _)| *attempt);
        oldest.and_then(|oldest| failures.remove(&oldest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn numbered(number: usize) -> Hash {
        Hash::of(&[&number.to_be_bytes()])
    }

    fn exhaust(brake: &Brake, attempt: Hash, now: Timestamp) {
        for _ in 0..FAILURES_MAX {
            assert!(brake.count(attempt, now).is_ok());
        }
    }

    #[test]
    fn the_brake_holds_after_ten_attempts_and_lets_go_after_a_while() {
        let (brake, attempt) = (Brake::default(), Hash::of(&[b"a"]));
        exhaust(&brake, attempt, START);
        assert_eq!(brake.count(attempt, START).map_err(|error| error.status().as_u16()), Err(429));
        assert!(brake.count(Hash::of(&[b"another"]), START).is_ok());
        assert!(brake.count(attempt, START + MEMORY).is_ok());
    }

    #[test]
    fn an_attempt_that_succeeded_does_not_count() {
        let (brake, attempt) = (Brake::default(), Hash::of(&[b"a"]));
        for _ in 0..3 * FAILURES_MAX {
            assert!(brake.count(attempt, START).is_ok());
            brake.take_back(attempt);
        }
        exhaust(&brake, attempt, START);
        brake.take_back(attempt);
        assert!(brake.count(attempt, START).is_ok());
        assert!(brake.count(attempt, START).is_err());
    }

    #[test]
    fn a_flood_of_addresses_neither_grows_the_memory_nor_empties_it() {
        let (brake, second) = (Brake::default(), SignedDuration::from_secs(1));
        brake.count(numbered(0), START).expect("the first attempt");
        exhaust(&brake, numbered(1), START + second);
        for number in 2..=REMEMBERED_MAX {
            brake.count(numbered(number), START + second * 2).expect("a first attempt");
        }
        assert!(brake.count(numbered(1), START + second * 2).is_err(), "only the oldest was forgotten");
        let failures = brake.failures.lock().expect("no test panicked");
        assert_eq!((failures.len(), failures.contains_key(&numbered(0))), (REMEMBERED_MAX, false));
    }
}
