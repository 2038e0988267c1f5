//! Looks now and then whose exported keys are to be written anew. Of several replicators one does: whoever holds the region's lock, until
//! its connection ends.

use runtime::Shutdown;

use crate::{
    deps::ReplicatorDeps,
    error::Error,
    renew_keys::{oldest, renew_keys},
};

/// Intervals from one look to the next.
const INTERVALS: u32 = 30;

pub(super) async fn run(deps: &ReplicatorDeps, shutdown: &Shutdown) {
    while shutdown.sleep(deps.interval * INTERVALS).await {
        let round = tokio::select! {
            round = round(deps) => round,
            // What was written stays; the tenant under way begins anew.
            () = shutdown.requested() => return,
        };
        if let Err(error) = round {
            tracing::warn!(error = runtime::chain(&error), "cannot renew exported keys");
        }
    }
}

async fn round(deps: &ReplicatorDeps) -> Result<(), Error> {
    let mut age = oldest(deps).await?;
    if age >= deps.region.storage.deletion.keys_renewed_after()
        && let Some(_lock) = deps.try_lock("key renewal").await?
    {
        renew_keys(deps).await?;
        age = oldest(deps).await?;
    }
    let life_hours = 24 * u32::from(deps.region.storage.deletion.keys_days);
    deps.metrics.key_export_life_seconds.set(3600.0 * f64::from(life_hours));
    deps.metrics.key_export_age_seconds.set(age.as_secs_f64().max(0.0));
    Ok(())
}
