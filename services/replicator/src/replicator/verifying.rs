//! Reads archives back, one after another, the one that waits longest first.

use std::time::Duration;

use jiff::SignedDuration;
use runtime::Shutdown;
use schemas::TenantId;
use tokio::time::Instant;

use crate::{
    deps::ReplicatorDeps,
    error::Error,
    lag,
    read_back::{ReadBack, read_back},
};

/// How long an archive that grows is not read back again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// How long one that stays as it is: rot and a bucket that was put back leave the log alone.
const ANYWAY_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How long one that could not be verified is left alone.
const SET_ASIDE: Duration = Duration::from_secs(600);
/// Intervals that one in motion is left alone.
const IN_MOTION_INTERVALS: u32 = 5;

pub(super) async fn run(deps: &ReplicatorDeps, shutdown: &Shutdown) {
    let mut set_aside: Vec<(TenantId, Instant)> = Vec::new();
    while shutdown.sleep(deps.interval).await {
        set_aside.retain(|(_, until)| *until > Instant::now());
        let except: Vec<_> = set_aside.iter().map(|(tenant_id, _)| *tenant_id).collect();
        let tenant_id = match next(deps, &except).await {
            Ok(Some(tenant_id)) => tenant_id,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(error = runtime::chain(&error), "cannot choose an archive to read back");
                continue;
            }
        };
        // Reading back can take long and leaves nothing half done: it does not hold up the end of the process.
        let rest = tokio::select! {
            rest = one(deps, tenant_id) => rest,
            () = shutdown.requested() => return,
        };
        set_aside.push((tenant_id, Instant::now() + rest));
    }
}

async fn next(deps: &ReplicatorDeps, except: &[TenantId]) -> Result<Option<TenantId>, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let now = deps.clock.now();
    lag::least_verified(&mut connection, (now - AGAIN_AFTER, now - ANYWAY_AFTER), except).await.map_err(Error::Database)
}

/// Reads one archive back and says in the log what is wrong with it. Gives how long to leave it alone.
async fn one(deps: &ReplicatorDeps, tenant_id: TenantId) -> Duration {
    let read = async { read_back(deps, &deps.resident(tenant_id).await?).await };
    match read.await {
        Ok(ReadBack::Verified(_)) => Duration::ZERO,
        Ok(ReadBack::NotNow) => deps.interval * IN_MOTION_INTERVALS,
        Ok(ReadBack::Wrong(report)) => {
            let (first, count) = (report.findings[0].to_string(), report.findings.len());
            tracing::error!(tenant.id = %tenant_id, first, count, "the archive of a tenant is wrong");
            SET_ASIDE
        }
        Err(error) => {
            let error = runtime::chain(&error);
            tracing::warn!(tenant.id = %tenant_id, error, "an archive could not be read back");
            SET_ASIDE
        }
    }
}
