//! When sessions were last in use, as far as this process saw it: for people who look where they are signed in. Nothing depends on it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use schemas::{SessionId, TenantId};

use super::IDLE_FOR;

/// How many sessions are remembered; beyond, those that nobody used for long are forgotten, and no others are taken up.
const REMEMBERED_MAX: usize = 50_000;

/// When sessions were last in use.
#[derive(Default)]
pub(crate) struct Seen {
    at: Mutex<HashMap<(TenantId, SessionId), Timestamp>>,
}

impl Seen {
    /// One is in use.
    pub(crate) fn note(&self, tenant: TenantId, session: SessionId, now: Timestamp) {
        let mut all = self.all();
        if all.len() >= REMEMBERED_MAX && !all.contains_key(&(tenant, session)) {
            all.retain(|_, at| now.duration_since(*at) < IDLE_FOR);
        }
        if all.len() < REMEMBERED_MAX || all.contains_key(&(tenant, session)) {
            all.insert((tenant, session), now);
        }
    }

    /// When one was, if this process saw it.
    pub(crate) fn last(&self, tenant: TenantId, session: SessionId) -> Option<Timestamp> {
        self.all().get(&(tenant, session)).copied()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(TenantId, SessionId), Timestamp>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
