//! Erasure: what is erased alone has a data key of its own, and the key is destroyed.
//!
//! ```text
//! command -> events, and keys_destroyed in the stream erasures, in one append -> the keys of that event are destroyed
//! ```
//!
//! The event comes first, because it is the erasure list: a restore destroys again what it names. A crash between the two steps
//! leaves an event whose keys still live; [`run`] carries it out, with the function that does the normal work.

mod organization;
mod person;
mod ticket;
mod webhook;

use std::time::Duration;

use domain::erasure::{Destroy, Erasures};
use futures::FutureExt;
use regions::Resident;
use runtime::{Shutdown, crash};
use schemas::{StreamName, TenantId, erasure::DestroyedKey, values::ErasureReason};
use vault::Scope;

pub(crate) use self::{organization::organization, person::person, ticket::ticket, webhook::webhook};
use crate::{
    caller::provenance::Provenance,
    execute::{Batch, Done, Failure, Issuer, Refusal, retried},
    state::Desk,
};

/// How often to look for erasures that were left half-way, by any process of the region.
const INTERVAL: Duration = Duration::from_secs(30);
/// How many events of the list are carried out at a time.
const PAGE_LENGTH: i64 = 20;

/// Why nothing was erased, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The erasure was not recorded; nothing happened.
    #[error("cannot record the erasure")]
    Record(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The tenant cannot be looked up.
    #[error("cannot look whether the tenant is at home here")]
    Resident(#[source] sqlx::Error),
    /// The erasure list cannot be read.
    #[error("cannot read the erasure list")]
    Read(#[source] eventlog::Error),
    /// The list is recorded, and keys on it live on. They are tried again.
    #[error("cannot destroy the keys on the erasure list")]
    Destroy(#[source] vault::Error),
}

/// Destroys the keys of scopes that need no decision of an aggregate. Returns how many lived; none, if there is nothing left to do.
///
/// # Errors
/// If it cannot be recorded or, once it is, not be carried out now.
pub async fn destroy(desk: &Desk, resident: &Resident, reason: ErasureReason, scopes: &[Scope]) -> Result<u64, Error> {
    let by = Issuer::system(desk, resident, Provenance::system());
    let by = &by;
    let record = || async move {
        let keys = desk.vault.living(resident, scopes).await.map_err(Failure::Keys)?;
        Ok(list(Batch::new(desk, by), reason, keys).await?.commit().await)
    };
    retried(|| record().boxed()).await.map_err(|failure: Failure| Error::Record(Box::new(failure)))?;
    carry_out(desk, resident).await
}

/// Adds to a command that keys are destroyed. Whoever commits it calls [`finish`] then.
async fn list(batch: Batch<'_>, reason: ErasureReason, keys: Vec<DestroyedKey>) -> Result<Batch<'_>, Failure> {
    match batch.decide_unread::<Erasures>(StreamName::Erasures, &Destroy { reason, keys }).await {
        Ok(batch) => Ok(batch),
        Err(Refusal::Rejected(never)) => match never {},
        Err(Refusal::Failed(failure)) => Err(failure),
    }
}

/// An erasure that is recorded.
pub(crate) struct Erased {
    /// The command.
    pub(crate) done: Done,
    /// Whether its keys are destroyed; if not, [`run`] does it in a moment.
    pub(crate) is_carried_out: bool,
}

/// [`carry_out`] for a command that is done.
async fn finish(desk: &Desk, resident: &Resident, done: Done) -> Erased {
    let carried_out = carry_out(desk, resident).await;
    if let Err(error) = &carried_out {
        let tenant_id = resident.tenant_id();
        tracing::error!(tenant.id = %tenant_id, error = runtime::chain(error), "keys on the erasure list still live");
    }
    Erased { done, is_carried_out: carried_out.is_ok() }
}

/// Destroys what the tenant's erasure list names and nobody destroyed yet. Returns how many keys that were.
///
/// # Errors
/// If the list cannot be read or the database fails; what comes before that in the list is done.
pub async fn carry_out(desk: &Desk, resident: &Resident) -> Result<u64, Error> {
    crash::point("desk.erasure_recorded");
    let mut after = desk.vault.erased_to(resident).await.map_err(Error::Destroy)?;
    let mut destroyed = 0;
    loop {
        let mut transaction = regions::begin(&desk.pool, resident).await.map_err(Error::Resident)?;
        let page = eventlog::read_stream(&mut transaction, resident, &StreamName::Erasures, after, PAGE_LENGTH);
        let page = page.await.map_err(Error::Read)?;
        drop(transaction);
        let Some(last) = page.last() else { return Ok(destroyed) };
        after = last.sealed.envelope.version;
        destroyed += desk.vault.carry_out(resident, &page).await.map_err(Error::Destroy)?;
    }
}

/// Looks now and then until the process ends, and at once when it starts.
pub(crate) async fn run(desk: Desk, shutdown: Shutdown) {
    loop {
        pass(&desk).await;
        if !shutdown.sleep(INTERVAL).await {
            return;
        }
    }
}

/// Looks once, and carries out what is due.
async fn pass(desk: &Desk) {
    let due = match desk.vault.erasures_due().await {
        Ok(due) => due,
        Err(error) => return tracing::debug!(error = runtime::chain(&error), "cannot ask which erasures are due"),
    };
    for (tenant_id, since) in due {
        match carry_out_of(desk, tenant_id).await {
            Ok(0) => {}
            Ok(keys) => {
                tracing::info!(tenant.id = %tenant_id, since = since.get(), keys, "carried out an erasure that was left")
            }
            Err(error) => {
                tracing::error!(tenant.id = %tenant_id, since = since.get(), error = runtime::chain(&error), "keys on the erasure list still live");
            }
        }
    }
}

async fn carry_out_of(desk: &Desk, tenant_id: TenantId) -> Result<u64, Error> {
    let mut connection = desk.pool.acquire().await.map_err(Error::Resident)?;
    let resident = Resident::prove_id(&mut connection, &desk.region.id, tenant_id).await.map_err(Error::Resident)?;
    drop(connection);
    match resident {
        Some(resident) => carry_out(desk, &resident).await,
        // It moved away since: its list went along.
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests;
