//! That an export was begun is in the audit log, before its first page leaves; its pages are in the access log, each with what it held.
//!
//! Clients ask for the next page every minute, for months. So of the same token, or the same person by the same means, and of the same
//! kind of things there is at most an entry an hour, unless one reaches further back than the last entry tells: whoever takes more than
//! that takes something else. A page that holds nothing takes nothing.
//!
//! What was told is known to the process alone. Another desk, or the same one after a restart, tells once more.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use schemas::{
    PersonId, TenantId, TokenId,
    audit::{ChangeNoted, FieldChange},
    values::{AuditAction, AuditSource, Means},
};

use super::exported::Exported;
use crate::{body::RequestPrint, caller::Caller, execute::note, problem::ApiError, state::Desk};

/// How long an entry stands for what follows.
const ENTRY_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How many are remembered in all. Beyond that each page is an entry: rather too many than one too few.
const KEYS_MAX: usize = 10_000;

/// Whose exports are told together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    person: PersonId,
    means: Means,
    token: Option<TokenId>,
    exported: Exported,
}

/// What the last entry told.
#[derive(Debug, Clone, Copy)]
struct Told {
    at: Timestamp,
    after: i64,
}

/// Exports that the audit log knows of.
#[derive(Default)]
pub(crate) struct Taken(Mutex<HashMap<Key, Told>>);

impl Taken {
    /// Whether an entry stands for a page of what comes after a position.
    fn is_told(&self, key: &Key, (after, now): (i64, Timestamp)) -> bool {
        self.all().get(key).is_some_and(|told| told.after <= after && !told.is_over(now))
    }

    fn tell(&self, key: Key, told: Told) {
        let mut all = self.all();
        if all.len() >= KEYS_MAX {
            all.retain(|_, earlier| !earlier.is_over(told.at));
        }
        if all.len() < KEYS_MAX || all.contains_key(&key) {
            all.insert(key, told);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) >= ENTRY_EVERY
    }
}

/// Tells that a page of what comes after a position is about to leave, if that is to be told. What cannot be recorded is not given.
pub(super) async fn tell(
    desk: &Desk,
    caller: &Caller,
    print: &RequestPrint,
    (exported, after): (Exported, i64),
) -> Result<(), ApiError> {
    let (means, token) = (caller.provenance.means, caller.provenance.token);
    let key = Key { tenant: caller.resident.tenant_id(), person: caller.person, means, token, exported };
    let by = caller.issuer(desk, print);
    if desk.taken().is_told(&key, (after, by.at)) {
        return Ok(());
    }
    let said = |field: &str, new: String| FieldChange { field: field.to_owned(), old: None, new: Some(new) };
    let taken = ChangeNoted {
        action: AuditAction::Exported,
        source: exported.source(),
        source_id: 0,
        person: None,
        label: "Incremental export".to_owned().into(),
        changes: vec![said("contents", exported.key().to_owned()), said("from", format!("event {}", after + 1))].into(),
    };
    note(desk, &by, &taken).await?;
    desk.taken().tell(key, Told { at: by.at, after });
    Ok(())
}

impl Exported {
    /// What leaves: all of its kind, so that the entry names none.
    const fn source(self) -> AuditSource {
        match self {
            Self::Tickets | Self::TicketEvents => AuditSource::Ticket,
            Self::Users => AuditSource::User,
        }
    }
}

#[cfg(test)]
mod tests;
