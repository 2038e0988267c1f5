//! Sign-ins, those that failed and those by password, on their way into the tenant's audit log: counted, because a flood of wrong
//! passwords must not become a flood of entries, and a script that sends its password with every request signs in with every request.
//!
//! Of one client and one account there is at most an entry a minute of failures and one an hour of the others, which says how many it
//! stands for; and of a tenant's failures at most [`FAILED_OF_TENANT_MAX`] and one for all the others. A request with an API token is
//! no sign-in: what it changed and what it read is in the logs with the token's id.
//!
//! Where an attempt came from is kept for an account that is somebody's: it is sealed under that person's key, and erased with it. Of an
//! attempt for nobody only the number is kept, since there is no key that would ever be destroyed.
//!
//! An entry whose append perhaps happened is sent again as it is until that is known, and no other one meanwhile: an entry too few
//! would hide attempts, and one too many make them up.
//!
//! A process that is killed loses what it counted since its last entries; one that is asked to end writes it first.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use regions::Resident;
use runtime::Shutdown;
use schemas::{
    Actor, PersonId, TenantId,
    audit::{ChangeNoted, FieldChange},
    values::{AuditAction, AuditSource},
};

use super::{client::Client, provenance::Provenance};
use crate::{
    execute::{Failure, Issuer, note},
    home::{Home, home},
    state::Desk,
};

/// How often to look for entries that are due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many pairs of client and account are told apart in a tenant where they failed.
const FAILED_OF_TENANT_MAX: usize = 100;
/// How many are remembered in all.
const KEYS_MAX: usize = 10_000;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    /// They are who they say.
    Proven,
    /// They did not prove it.
    Failed,
}

impl Outcome {
    /// How often there may be an entry of the same client and account.
    const fn entry_every(self) -> SignedDuration {
        match self {
            Self::Proven => SignedDuration::from_hours(1),
            Self::Failed => SignedDuration::from_mins(1),
        }
    }

    const fn action(self) -> AuditAction {
        match self {
            Self::Proven => AuditAction::Login,
            Self::Failed => AuditAction::LoginFailed,
        }
    }
}

/// Whose attempts are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    outcome: Outcome,
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

/// Somebody who came and said who they are.
pub(super) struct Attempt {
    pub(super) outcome: Outcome,
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

/// Counts attempts.
#[derive(Default)]
pub(crate) struct SignIns {
    counted: Mutex<HashMap<Key, Counted>>,
    /// Sent, and perhaps written.
    doubtful: Mutex<Vec<Told>>,
}

impl SignIns {
    /// Counts one.
    pub(super) fn count(&self, resident: &Resident, attempt: Attempt) {
        let mut all = self.all();
        let (tenant, outcome) = (resident.tenant_id(), attempt.outcome);
        let mut key = Key { tenant, outcome, pair: Some((attempt.client, attempt.person)) };
        let failed = || all.keys().filter(|key| key.tenant == tenant && key.outcome == Outcome::Failed).count();
        let is_full = || all.len() >= KEYS_MAX || (outcome == Outcome::Failed && failed() >= FAILED_OF_TENANT_MAX);
        let is_other = !all.contains_key(&key) && is_full();
        if is_other {
            key.pair = None;
        }
        let (account, from) = if is_other || attempt.person.is_none() {
            (String::new(), Provenance { address: None, client: None, ..attempt.from })
        } else {
            (attempt.account, attempt.from)
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
        let is_over = |key: &Key, counted: &Counted| {
            counted.told_at.is_none_or(|at| now.duration_since(at) >= key.outcome.entry_every())
        };
        all.retain(|key, counted| counted.attempts > 0 || !is_over(key, counted));
        let due = all.iter_mut().filter(|(key, counted)| counted.attempts > 0 && (is_last || is_over(key, counted)));
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
pub(crate) async fn tell(desk: &Desk, is_last: bool) {
    let doubtful = std::mem::take(&mut *desk.sign_ins().doubtful());
    for told in doubtful {
        send(desk, told).await;
    }
    if !desk.sign_ins().doubtful().is_empty() {
        return;
    }
    for (key, counted) in desk.sign_ins().due(desk.clock.now(), is_last) {
        let by = issuer(desk, &key, &counted);
        send(desk, Told { key, counted, by }).await;
    }
}

async fn send(desk: &Desk, mut told: Told) {
    let failure = match note(desk, &told.by, &entry(&told.key, &told.counted)).await {
        Ok(_) => return,
        // Erased since: there is nobody left to tell of.
        Err(Failure::Keys(vault::Error::Erased { .. })) => return,
        Err(failure) => failure,
    };
    tracing::warn!(tenant.id = %told.key.tenant, error = runtime::chain(&failure), "sign-ins are not recorded yet");
    match failure {
        Failure::OutcomeUnknown(_) => return desk.sign_ins().doubtful().push(told),
        Failure::NotAtHome { .. } => match home(desk, told.key.tenant).await {
            Ok(Home::Open(resident)) => told.counted.resident = resident,
            Ok(Home::Elsewhere) => {
                let attempts = told.counted.attempts;
                return tracing::error!(tenant.id = %told.key.tenant, attempts, "sign-ins are not recorded: the tenant is gone");
            }
            Ok(Home::Closed) | Err(_) => {}
        },
        _ => {}
    }
    desk.sign_ins().put_back(told);
}

/// Whoever proved who they are did it themselves; the others are nobody we know.
fn issuer(desk: &Desk, key: &Key, counted: &Counted) -> Issuer {
    let by = Issuer::system(desk, &counted.resident, counted.from.clone());
    match (key.outcome, person(key)) {
        (Outcome::Proven, Some(person)) => Issuer { actor: Actor::Person(person), ..by },
        _ => by,
    }
}

fn person(key: &Key) -> Option<PersonId> {
    key.pair.and_then(|(_, person)| person)
}

fn entry(key: &Key, counted: &Counted) -> ChangeNoted {
    let person = person(key);
    let attempts = FieldChange { field: "attempts".to_owned(), old: None, new: Some(counted.attempts.to_string()) };
    ChangeNoted {
        action: key.outcome.action(),
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
    for (key, counted) in desk.sign_ins().due(desk.clock.now(), true) {
        let by = issuer(desk, &key, &counted);
        note(desk, &by, &entry(&key, &counted)).await.expect("the log takes it");
        desk.sign_ins().doubtful().push(Told { key, counted, by });
    }
}
