//! Passwords: where they are hashed and checked, and the brake on guessing them.
//!
//! Argon2 takes tens of milliseconds and 19 MiB on purpose, so it runs off the async threads in a bounded number of
//! places; more requests than that wait their turn, and only for a while.

mod brake;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use runtime::{QueueMeter, RegionMetrics};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use zeroize::Zeroizing;

use self::brake::Brake;
use super::client::Client;
use crate::problem::ApiError;

/// How many passwords are hashed at the same time.
const PLACES: usize = 4;
/// How many of them one client has at most: a flood from one address leaves places for everybody else.
const PLACES_OF_CLIENT: usize = 2;
/// How many requests wait at the same time until it is known whether a token that nobody knows is a new one. More of them are told to
/// try again: a flood of wrong tokens while the read models are behind holds this many places, and nobody's who has a right one.
const UNKNOWN_TOKENS: usize = 64;
const PLACE_PATIENCE: Duration = Duration::from_secs(5);
const SALT_LENGTH: usize = 16;

/// The brake, and the places.
pub(crate) struct Guard {
    pub(crate) brake: Brake,
    places: Arc<Semaphore>,
    /// The places of the clients that hold one or wait for one.
    clients: Mutex<HashMap<Client, Arc<Semaphore>>>,
    patience: Duration,
    unknown_tokens: Semaphore,
    /// Who waits for a place.
    meter: QueueMeter,
}

/// A client's turn to have one password hashed.
pub(crate) struct Turn {
    _place: OwnedSemaphorePermit,
}

impl Guard {
    pub(crate) fn new(metrics: &RegionMetrics) -> Self {
        Self {
            brake: Brake::default(),
            places: Arc::new(Semaphore::new(PLACES)),
            clients: Mutex::default(),
            patience: PLACE_PATIENCE,
            unknown_tokens: Semaphore::new(UNKNOWN_TOKENS),
            meter: metrics.queue("desk_passwords"),
        }
    }

    /// Waits until fewer than [`PLACES_OF_CLIENT`] of a client's passwords are being hashed.
    pub(crate) async fn turn(&self, client: Client) -> Result<Turn, ApiError> {
        let places = self.places_of(client);
        Ok(Turn { _place: self.place(places).await? })
    }

    /// A place to wait in for a token that the read models do not show, if there is one.
    pub(super) fn unknown_token(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.unknown_tokens.try_acquire().map_err(ApiError::unavailable)
    }

    fn places_of(&self, client: Client) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if !clients.contains_key(&client) {
            // Places that only the map knows are nobody's; so it holds no more clients than there are requests.
            clients.retain(|_, places| Arc::strong_count(places) > 1);
        }
        clients.entry(client).or_insert_with(|| Arc::new(Semaphore::new(PLACES_OF_CLIENT))).clone()
    }

    async fn place(&self, places: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
        let _waits = self.meter.enter();
        let place = tokio::time::timeout(self.patience, places.acquire_owned()).await.map_err(|late| {
            self.meter.refused();
            ApiError::unavailable(late)
        })?;
        Ok(place.expect("the places are never closed"))
    }

    /// Whether `password` is the one behind `phc`. Without a `phc`, it takes as long and is wrong.
    pub(crate) async fn verify(&self, turn: Turn, password: String, phc: Option<String>) -> Result<bool, ApiError> {
        let password = Zeroizing::new(password);
        self.run(turn, move || {
            let known = phc.as_deref().unwrap_or(&NOBODYS);
            let is_right = PasswordHash::new(known)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            is_right && phc.is_some()
        })
        .await
    }

    /// Argon2id of `password` in PHC string format, salted from `secret`.
    pub(crate) async fn hash(&self, turn: Turn, password: String, secret: [u8; 32]) -> Result<String, ApiError> {
        let password = Zeroizing::new(password);
        self.run(turn, move || hash(password.as_bytes(), &secret[..SALT_LENGTH])).await
    }

    async fn run<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = self.place(self.places.clone()).await?;
        // Both are given back when the work ends, not when its caller stops waiting.
        let work = move || {
            let _held = (place, turn);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
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
    use std::net::IpAddr;

    use super::*;

    fn client(last: u8) -> Client {
        Client::new(Some(IpAddr::from([192, 0, 2, last])))
    }

    #[tokio::test]
    async fn a_password_is_right_for_its_own_hash_only() -> Result<(), ApiError> {
        let guard = Guard::new(&RegionMetrics::new("eu"));
        let phc = guard.hash(guard.turn(client(1)).await?, "correct horse".to_owned(), [7; 32]).await?;
        assert!(phc.starts_with("$argon2id$v=19$"));
        for (password, phc, is_right) in [
            ("correct horse", Some(&phc), true),
            ("wrong horse", Some(&phc), false),
            ("nobody's password", None, false),
        ] {
            let turn = guard.turn(client(1)).await?;
            assert_eq!(guard.verify(turn, password.to_owned(), phc.cloned()).await?, is_right, "{password}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn one_client_does_not_take_the_places_of_all() -> Result<(), ApiError> {
        let guard = Guard { patience: Duration::from_millis(50), ..Guard::new(&RegionMetrics::new("eu")) };
        let first = guard.turn(client(1)).await?;
        let _second = guard.turn(client(1)).await?;
        assert_eq!(guard.turn(client(1)).await.err().map(|error| error.status().as_u16()), Some(503));
        drop(guard.turn(client(2)).await?);
        drop(first);
        drop(guard.turn(client(1)).await?);
        drop(guard.turn(client(3)).await?);
        let clients = guard.clients.lock().expect("no test panicked");
        assert!(!clients.contains_key(&client(2)), "who waits for nothing is forgotten");
        Ok(())
    }
}
