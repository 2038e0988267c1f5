//! Who is signed in: sessions of operators, in the memory of this process. When it starts again everybody signs in again.
//!
//! A session ends when nobody comes for a while, when it is old, and at once when its operator ends: the list of operators is asked at
//! every request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use runtime::Ids;
use schemas::Hash;

use crate::operators::{Error, Operator, Operators};

/// How long nobody may come until a session is over.
const IDLE_FOR: SignedDuration = SignedDuration::from_mins(30);
/// How long one lasts at most.
const LASTS_FOR: SignedDuration = SignedDuration::from_hours(12);
/// How many there are at most: beyond, the one that was used longest ago ends.
const SESSIONS_MAX: usize = 200;

/// The sessions of a console. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Arc<Mutex<HashMap<Hash, Session>>>);

#[derive(Clone)]
struct Session {
    key_sha256: Hash,
    since: Timestamp,
    seen: Timestamp,
}

/// What a browser's secret is known by.
fn known_by(secret: &str) -> Hash {
    Hash::of(&[secret.as_bytes()])
}

/// What our forms send back: nobody who does not have the cookie can make it, and the cookie cannot be made from it.
pub(crate) fn csrf(secret: &str) -> String {
    Hash::of(&[b"csrf\0", secret.as_bytes()]).to_string()
}

impl Sessions {
    /// Signs in whoever has this key, and gives the secret that their browser holds from now on.
    pub(crate) fn start(
        &self,
        operators: &Operators,
        key: &str,
        (ids, now): (&dyn Ids, Timestamp),
    ) -> Result<Option<String>, Error> {
        let Some(operator) = operators.whose(&Hash::of(&[key.as_bytes()]))? else { return Ok(None) };
        let secret = hex::encode(ids.secret());
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.is_in_use(now));
        if sessions.len() >= SESSIONS_MAX
            && let Some(oldest) = sessions.iter().min_by_key(|(_, session)| session.seen).map(|(id, _)| *id)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(known_by(&secret), Session { key_sha256: operator.key_sha256, since: now, seen: now });
        Ok(Some(secret))
    }

    /// Whose browser it is, if the session is not over; from now on it was just used.
    pub(crate) fn whose(&self, operators: &Operators, secret: &str, now: Timestamp) -> Result<Option<Operator>, Error> {
        let key_sha256 = {
            let mut sessions = self.lock();
            let Some(session) = sessions.get_mut(&known_by(secret)) else { return Ok(None) };
            if !session.is_in_use(now) {
                sessions.remove(&known_by(secret));
                return Ok(None);
            }
            session.seen = now;
            session.key_sha256
        };
        operators.whose(&key_sha256)
    }

    /// Signs it out.
    pub(crate) fn end(&self, secret: &str) {
        self.lock().remove(&known_by(secret));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Session>> {
        // Entries are whole at every moment, so a panic elsewhere leaves them as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn is_in_use(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen) < IDLE_FOR && now.duration_since(self.since) < LASTS_FOR
    }
}

#[cfg(test)]
mod tests {
    use runtime::SeededIds;

    use super::*;

    #[test]
    fn a_session_ends_when_nobody_comes_when_it_is_old_and_with_its_operator() -> Result<(), Box<dyn std::error::Error>>
    {
        let folder = tempfile::tempdir()?;
        let (operators, sessions, ids) = (Operators::new(folder.path()), Sessions::default(), SeededIds::new(1));
        let mut now: Timestamp = "2026-11-22T10:00:00Z".parse()?;
        let key = operators.add("Ada", &ids, now)?;
        assert!(sessions.start(&operators, "another", (&ids, now))?.is_none());
        let start = |now| sessions.start(&operators, &key, (&ids, now)).map(Option::unwrap_or_default);
        let is_in = |secret: &str, now| sessions.whose(&operators, secret, now).map(|operator| operator.is_some());

        let idle = start(now)?;
        assert!(is_in(&idle, now + SignedDuration::from_mins(29))?, "it was used");
        assert!(!is_in(&idle, now + SignedDuration::from_mins(59))?, "nobody came");

        let old = start(now)?;
        for _ in 0..24 {
            assert!(is_in(&old, now)?);
            now += SignedDuration::from_mins(29);
        }
        now += SignedDuration::from_mins(25);
        assert!(!is_in(&old, now)?, "it is twelve hours old");

        let (ended, other) = (start(now)?, start(now)?);
        sessions.end(&ended);
        assert!(!is_in(&ended, now)? && is_in(&other, now)?);
        operators.end("Ada", now)?;
        assert!(!is_in(&other, now)?, "the operator ended");
        Ok(())
    }
}
