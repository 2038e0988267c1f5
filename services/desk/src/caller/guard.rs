//! Passwords: where they are hashed and checked, and the brake on guessing them.
//!
//! Argon2 takes tens of milliseconds and 19 MiB on purpose, so it runs off the async threads in a bounded number of
//! places; more requests than that wait their turn, and only for a while.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use jiff::{SignedDuration, Timestamp};
use schemas::Hash;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::problem::ApiError;

/// How many passwords are hashed at the same time.
const PLACES: usize = 4;
const PLACE_PATIENCE: Duration = Duration::from_secs(5);
/// How many wrong passwords one client may send for one address before it has to wait.
const FAILURES_MAX: u32 = 10;
/// How long failures count.
const MEMORY: SignedDuration = SignedDuration::from_mins(5);
/// How many pairs of address and client are remembered; beyond, the oldest are forgotten first.
const REMEMBERED_MAX: usize = 10_000;
const SALT_LENGTH: usize = 16;

/// The brake, and the places.
pub(crate) struct Guard {
    places: Arc<Semaphore>,
    failures: Mutex<HashMap<Hash, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: Timestamp,
}

impl Guard {
    pub(crate) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), failures: Mutex::default() }
    }

    /// Refuses an attempt (address and client, hashed) that failed too often lately.
    pub(crate) fn check(&self, attempt: Hash, now: Timestamp) -> Result<(), ApiError> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failures) = failures.get(&attempt) else { return Ok(()) };
        let left = MEMORY - now.duration_since(failures.since);
        if failures.count < FAILURES_MAX || !left.is_positive() {
            return Ok(());
        }
        Err(ApiError::too_many_attempts(left.as_secs().max(1)))
    }

    /// Notes how an attempt ended.
    pub(crate) fn note(&self, attempt: Hash, succeeded: bool, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if succeeded {
            failures.remove(&attempt);
            return;
        }
        if failures.len() >= REMEMBERED_MAX && !failures.contains_key(&attempt) {
            forget(&mut failures, now);
        }
        let entry = failures.entry(attempt).or_insert(Failures { count: 0, since: now });
        if now.duration_since(entry.since) >= MEMORY {
            *entry = Failures { count: 0, since: now };
        }
        entry.count += 1;
    }

    /// Whether `password` is the one behind `phc`. Without a `phc`, it takes as long and is wrong.
    pub(crate) async fn verify(&self, password: String, phc: Option<String>) -> Result<bool, ApiError> {
        let password = Zeroizing::new(password);
        self.run(move || {
            let known = phc.as_deref().unwrap_or(&NOBODYS);
            let is_right = PasswordHash::new(known)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            is_right && phc.is_some()
        })
        .await
    }

    /// Argon2id of `password` in PHC string format, salted from `secret`.
    pub(crate) async fn hash(&self, password: String, secret: [u8; 32]) -> Result<String, ApiError> {
        let password = Zeroizing::new(password);
        self.run(move || hash(password.as_bytes(), &secret[..SALT_LENGTH])).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let place: OwnedSemaphorePermit = tokio::time::timeout(PLACE_PATIENCE, self.places.clone().acquire_owned())
            .await
            .map_err(ApiError::unavailable)?
            .expect("the places are never closed");
        // The place is given back when the work ends, not when its caller stops waiting.
        let work = move || {
            let _place = place;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
    }
}

/// Drops what no longer counts, and if that is nothing, everything: a flood must not grow the memory.
fn forget(failures: &mut HashMap<Hash, Failures>, now: Timestamp) {
    failures.retain(|_, failures| now.duration_since(failures.since) < MEMORY);
    if failures.len() >= REMEMBERED_MAX {
        failures.clear();
    }
}

/// What an unknown address's password is compared with.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash(b"nobody's password", &[0; SALT_LENGTH]));

fn hash(password: &[u8], salt: &[u8]) -> String {
    let hash: Result<argon2::PasswordHash, _> = Argon2::default().hash_password_with_salt(password, salt);
    hash.expect("the parameters are the default ones and the salt has 16 bytes").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn the_brake_holds_after_ten_failures_and_lets_go_after_a_while() {
        let (guard, attempt) = (Guard::new(), Hash::of(&[b"a"]));
        for _ in 0..FAILURES_MAX {
            assert!(guard.check(attempt, START).is_ok());
            guard.note(attempt, false, START);
        }
        assert_eq!(guard.check(attempt, START).map_err(|error| error.status().as_u16()), Err(429));
        assert!(guard.check(Hash::of(&[b"another"]), START).is_ok());
        assert!(guard.check(attempt, START + MEMORY).is_ok());
        guard.note(attempt, true, START);
        assert!(guard.check(attempt, START).is_ok());
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_the_memory() {
        let guard = Guard::new();
        for number in 0..=REMEMBERED_MAX {
            guard.note(Hash::of(&[&number.to_be_bytes()]), false, START);
        }
        assert!(guard.failures.lock().expect("no test panicked").len() <= REMEMBERED_MAX);
    }

    #[tokio::test]
    async fn a_password_is_right_for_its_own_hash_only() {
        let guard = Guard::new();
        let phc = guard.hash("correct horse".to_owned(), [7; 32]).await.expect("a hash");
        assert!(phc.starts_with("$argon2id$v=19$"));
        assert!(guard.verify("correct horse".to_owned(), Some(phc.clone())).await.expect("checked"));
        assert!(!guard.verify("wrong horse".to_owned(), Some(phc)).await.expect("checked"));
        assert!(!guard.verify("nobody's password".to_owned(), None).await.expect("checked"));
    }
}
