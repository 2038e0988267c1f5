//! Finishes signups that a crash left half-way.
//!
//! A signup claims its name at the directory, appends the tenant's first events, and confirms the name. Whatever a crash
//! leaves between is told apart by one question to this region's own log: are there events?
//!
//! ```text
//! claimed, events    -> confirm, at once: the tenant exists
//! claimed, no events -> release, after a while: somebody may still be at it
//! ```

use std::time::Duration;

use directory::Claim;
use runtime::Shutdown;

use crate::state::Desk;

/// How often to look.
const INTERVAL: Duration = Duration::from_secs(5);
/// How old a claim without events is before nobody can be at it any more: longer than any signup lives.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks now and then until the process ends.
pub(crate) async fn run(desk: Desk, shutdown: Shutdown) {
    loop {
        pass(&desk, PATIENCE).await;
        if !shutdown.sleep(INTERVAL).await {
            return;
        }
    }
}

/// Looks once. Claims without events are released if they are at least `patience` old.
pub(crate) async fn pass(desk: &Desk, patience: Duration) {
    let claims = match desk.directory.pending(&desk.region.id).await {
        Ok(claims) => claims,
        // Nothing is lost while the directory is down; the next pass asks again.
        Err(error) => return tracing::debug!(error = runtime::chain(&error), "cannot ask for pending claims"),
    };
    for claim in claims {
        if let Err(error) = settle(desk, &claim, patience).await {
            tracing::warn!(tenant.id = %claim.tenant_id, error = runtime::chain(&error), "cannot settle a claim");
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot look whether the tenant exists")]
    Look(#[source] sqlx::Error),
    #[error("cannot confirm the name")]
    Confirm(#[source] directory::ClaimError),
    #[error("cannot release the name")]
    Release(#[source] directory::ClaimError),
}

async fn settle(desk: &Desk, claim: &Claim, patience: Duration) -> Result<(), Error> {
    let has_events = sqlx::query_scalar!(
        r#"select exists (select from log.tenant where tenant_id = $1 and position > 0) as "has_events!""#,
        claim.tenant_id.get()
    );
    let has_events = has_events.fetch_one(&desk.pool).await.map_err(Error::Look)?;
    if has_events {
        desk.directory.confirm(&claim.slug, claim.tenant_id).await.map_err(Error::Confirm)?;
        tracing::info!(tenant.id = %claim.tenant_id, "confirmed a name whose signup had not");
    } else if claim.age() >= patience {
        desk.directory.release(&claim.slug, claim.tenant_id).await.map_err(Error::Release)?;
        tracing::info!(tenant.id = %claim.tenant_id, "released a name whose signup never finished");
    }
    Ok(())
}
