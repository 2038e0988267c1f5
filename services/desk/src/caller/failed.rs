//! Those who did not prove who they are, on their way into the tenant's audit log: counted, because a flood of wrong passwords must not
//! become a flood of entries. Of one client and one account there is at most an entry a minute, which says how many attempts it stands
//! for; and of a tenant at most [`KEYS_OF_TENANT_MAX`] and one for all the others.
//!
//! Where an attempt came from is kept for an account that is somebody's: it is sealed under that person's key, and erased with it. Of an
//! attempt for nobody only the number is kept, since there is no key that would ever be destroyed.
//!
//! An entry whose append perhaps happened is sent again as it is until that is known, and no other one meanwhile: an entry too few
//! would hide attempts, and one too many make them up.
//!
//! A process that is killed loses what it counted since its last entries, which is a minute's; one that is asked to end writes it first.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use regions::Resident;
use runtime::Shutdown;
use schemas::{
    PersonId, TenantId,
    audit::{ChangeNoted, FieldChange},
    values::{AuditAction, AuditSource},
};

use super::{client::Client, provenance::Provenance};
use crate::{
    execute::{Failure, Issuer, note},
    home::{Home, home},
    problem::render::chain,
    state::Desk,
};

/// How often there may be an entry of the same client and account.
const ENTRY_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How often to look for entries that are due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many pairs of client and account are told apart in a tenant.
const KEYS_OF_TENANT_MAX: usize = 100;
/// How many are remembered in all.
const KEYS_MAX: usize = 10_000;

/// Whose attempts are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    /// From where, and for whom; nothing for all those that are not told apart.
    pair: Option<(Client, Option<PersonId>)>,
}

/// Attempts that wait to be told.
#[derive(Clone)]
struct Counted {
    resident: Resident,
    /// Of the last of them.
    from: Provenance,
    account: String,
    attempts: u64,
    /// When there was an entry last.
    told_at: Option<Timestamp>,
}

/// An attempt that failed.
pub(super) struct Failed {
    pub(super) client: Client,
    /// The person whose address was given, if there is one.
    pub(super) person: Option<PersonId>,
    /// That address; empty for nobody.
    pub(super) account: String,
    pub(super) from: Provenance,
}

/// An entry on its way into the log.
struct Told {
    key: Key,
    counted: Counted,
    by: Issuer,
}

/// Counts attempts that failed.
#[derive(Default)]
pub(crate) struct FailedLogins {
    counted: Mutex<HashMap<Key, Counted>>,
    /// Sent, and perhaps written.
    doubtful: Mutex<Vec<Told>>,
}

impl FailedLogins {
    /// Counts one.
    pub(super) fn count(&self, resident: &Resident, failed: Failed) {
        let mut all = self.all();
        let tenant = resident.tenant_id();
        let mut key = Key { tenant, pair: Some((failed.client, failed.person)) };
        let is_full =
            || all.len() >= KEYS_MAX || all.keys().filter(|key| key.tenant == tenant).count() >= KEYS_OF_TENANT_MAX;
        let is_other = !all.contains_key(&key) && is_full();
        if is_other {
            key.pair = None;
        }
        let (account, from) = if is_other || failed.person.is_none() {
            (String::new(), Provenance { address: None, client: None, ..failed.from })
        } else {
            (failed.account, failed.from)
        };
        let counted = all.entry(key).or_insert_with(|| Counted {
            resident: resident.clone(),
            from: from.clone(),
            account,
            attempts: 0,
            told_at: None,
        });
        counted.attempts += 1;
        counted.from = from;
    }

    /// What is due to be told, and forgets those who have been quiet since their last entry. At the end of the process all of it is.
    fn due(&self, now: Timestamp, is_last: bool) -> Vec<(Key, Counted)> {
        let mut all = self.all();
        let is_over = |counted: &Counted| counted.told_at.is_none_or(|at| now.duration_since(at) >= ENTRY_EVERY);
        all.retain(|_, counted| counted.attempts > 0 || !is_over(counted));
        let due = all.iter_mut().filter(|(_, counted)| counted.attempts > 0 && (is_last || is_over(counted)));
        due.map(|(key, counted)| {
            let told = counted.clone();
            (counted.attempts, counted.told_at) = (0, Some(now));
            (*key, told)
        })
        .collect()
    }

    /// What could not be told is told later.
    fn put_back(&self, Told { key, counted: told, .. }: Told) {
        let mut all = self.all();
        let counted = all.entry(key).or_insert_with(|| Counted { attempts: 0, ..told.clone() });
        (counted.attempts, counted.resident) = (counted.attempts + told.attempts, told.resident);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Counted>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn doubtful(&self) -> MutexGuard<'_, Vec<Told>> {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what is due, until the process ends, and then all of it.
pub(crate) async fn run(desk: Desk, last: impl Future<Output = ()>, shutdown: Shutdown) {
    let _open = desk.appender.keep_open();
    tokio::pin!(last);
    loop {
        let is_over = tokio::select! {
            () = &mut last => true,
            is_running = shutdown.sleep(LOOK_EVERY) => {
                if !is_running {
                    last.as_mut().await;
                }
                !is_running
            }
        };
        tell(&desk, is_over).await;
        if is_over {
            return;
        }
    }
}

/// Writes the entries that are due.
pub(super) async fn tell(desk: &Desk, is_last: bool) {
    let doubtful = std::mem::take(&mut *desk.failed_logins().doubtful());
    for told in doubtful {
        send(desk, told).await;
    }
    if !desk.failed_logins().doubtful().is_empty() {
        return;
    }
    for (key, counted) in desk.failed_logins().due(desk.clock.now(), is_last) {
        // Nobody we know.
        let by = Issuer::system(desk, &counted.resident, counted.from.clone());
        send(desk, Told { key, counted, by }).await;
    }
}

async fn send(desk: &Desk, mut told: Told) {
    let person = told.key.pair.and_then(|(_, person)| person);
    let failure = match note(desk, &told.by, &entry(person, &told.counted)).await {
        Ok(_) => return,
        // Erased since: there is nobody left to tell of.
        Err(Failure::Keys(vault::Error::Erased { .. })) => return,
        Err(failure) => failure,
    };
    tracing::warn!(tenant.id = %told.key.tenant, error = chain(&failure), "failed logins are not recorded yet");
    match failure {
        Failure::OutcomeUnknown(_) => return desk.failed_logins().doubtful().push(told),
        Failure::NotAtHome { .. } => match home(desk, told.key.tenant).await {
            Ok(Home::Open(resident)) => told.counted.resident = resident,
            Ok(Home::Elsewhere) => {
                let attempts = told.counted.attempts;
                return tracing::error!(tenant.id = %told.key.tenant, attempts, "failed logins are lost: the tenant is gone");
            }
            Ok(Home::Closed) | Err(_) => {}
        },
        _ => {}
    }
    desk.failed_logins().put_back(told);
}

fn entry(person: Option<PersonId>, counted: &Counted) -> ChangeNoted {
    let attempts = FieldChange { field: "attempts".to_owned(), old: None, new: Some(counted.attempts.to_string()) };
    ChangeNoted {
        action: AuditAction::LoginFailed,
        source: if person.is_some() { AuditSource::User } else { AuditSource::Account },
        source_id: person.map_or(0, PersonId::get),
        person,
        label: counted.account.clone().into(),
        changes: vec![attempts].into(),
    }
}

/// Tells what is due as [`tell`] does when the answers were lost.
#[cfg(test)]
pub(super) async fn answered_too_late(desk: &Desk) {
    for (key, counted) in desk.failed_logins().due(desk.clock.now(), true) {
        let by = Issuer::system(desk, &counted.resident, counted.from.clone());
        let person = key.pair.and_then(|(_, person)| person);
        note(desk, &by, &entry(person, &counted)).await.expect("the log takes it");
        desk.failed_logins().doubtful().push(Told { key, counted, by });
    }
}
