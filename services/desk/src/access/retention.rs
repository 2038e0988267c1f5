//! The end of a day of the access log: when the policy's days are over, its key is destroyed, and the day cannot be opened any
//! more, wherever its events lie. The events stay, and every proof over them.

use std::time::Duration;

use jiff::Timestamp;
use regions::Resident;
use runtime::Shutdown;
use schemas::{Day, StreamName, TenantId, values::ErasureReason};
use vault::Scope;

use crate::{erase, state::Desk};

/// How often to look for days that are over.
const INTERVAL: Duration = Duration::from_hours(1);

/// Why a tenant's days were not ended.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot look whether the tenant is at home here")]
    Resident(#[source] sqlx::Error),
    #[error("cannot look which days there are")]
    Days(#[source] eventlog::Error),
    #[error("cannot destroy their keys")]
    Destroy(#[source] erase::Error),
}

/// Looks now and then until the process ends, and at once when it starts.
pub(crate) async fn run(desk: Desk, shutdown: Shutdown) {
    loop {
        pass(&desk, &shutdown).await;
        if !shutdown.sleep(INTERVAL).await {
            return;
        }
    }
}

/// Looks once at every tenant.
pub(super) async fn pass(desk: &Desk, shutdown: &Shutdown) {
    let tenants = match tenants(desk).await {
        Ok(tenants) => tenants,
        Err(error) => return tracing::debug!(error = runtime::chain(&error), "cannot ask for the tenants"),
    };
    for tenant in tenants {
        if shutdown.is_requested() {
            return;
        }
        match end(desk, tenant).await {
            Ok(0) => {}
            Ok(days) => tracing::info!(tenant.id = %tenant, days, "destroyed the keys of days of the access log"),
            Err(error) => {
                tracing::error!(tenant.id = %tenant, error = runtime::chain(&error), "days of the access log live too long");
            }
        }
    }
}

async fn tenants(desk: &Desk) -> Result<Vec<TenantId>, eventlog::Error> {
    let mut connection = desk.pool.acquire().await.map_err(eventlog::Error::Heads)?;
    Ok(eventlog::heads(&mut connection).await?.into_iter().map(|head| head.tenant_id).collect())
}

/// Ends the days of a tenant that are over; how many those were.
async fn end(desk: &Desk, tenant: TenantId) -> Result<u64, Error> {
    let mut connection = desk.pool.acquire().await.map_err(Error::Resident)?;
    let resident = Resident::prove_id(&mut connection, &desk.region.id, tenant).await.map_err(Error::Resident)?;
    drop(connection);
    // Elsewhere somebody else looks after it.
    let Some(resident) = resident else { return Ok(0) };
    // A day is over when the last of it is as old as the policy says.
    let last = Day::of(desk.clock.now()).before(desk.regions.policy().access_log_days() + 1);
    let mut transaction = regions::begin(&desk.pool, &resident).await.map_err(Error::Resident)?;
    let over = (&StreamName::Access(Day::of(Timestamp::UNIX_EPOCH)), &StreamName::Access(last));
    let streams = eventlog::streams_between(&mut transaction, &resident, over).await.map_err(Error::Days)?;
    drop(transaction);
    let day = |stream: &StreamName| match stream {
        StreamName::Access(day) => Some(Scope::Access(*day)),
        _ => None,
    };
    let days: Vec<Scope> = streams.iter().filter_map(day).collect();
    if days.is_empty() {
        return Ok(0);
    }
    erase::destroy(desk, &resident, ErasureReason::AccessLogExpired, &days).await.map_err(Error::Destroy)
}
