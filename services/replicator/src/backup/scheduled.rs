//! Backups by the clock, as often as the region's file says.
//!
//! Whether one is due is asked of the bucket, so a restart needs no state and forgets nothing. Of several replicators one makes
//! it: whoever holds the region's lock, until its connection ends.

use archive::{BackupManifest, layout};
use jiff::SignedDuration;
use runtime::Shutdown;

use super::{create, create::CLOCK_TOLERANCE, end_due, show};
use crate::{deps::ReplicatorDeps, error::Error, lag};

/// Intervals from one look for the newest backup to the next. The listing grows by one for each.
const INTERVALS: u32 = 30;

/// How soon a backup that lacks a tenant is followed by another: what stood in its way may be over. One that lacks the same tenants as
/// the one before it is not: that would be a manifest an hour, each read again and again, for as long as somebody is lost.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Looks from one for backups that are over to the next, which reads every manifest.
const LOOKS: u32 = 60;

/// Makes backups until shutdown, shows how old the newest is, and marks those that are over. Where backups are made on request only,
/// the rest is done all the same.
pub(crate) async fn run(deps: &ReplicatorDeps, shutdown: &Shutdown) {
    let mut looks_left = 0;
    while shutdown.sleep(deps.interval * INTERVALS).await {
        tokio::select! {
            () = round(deps, &mut looks_left) => {}
            // What was archived for a backup that has no manifest yet stays archived.
            () = shutdown.requested() => return,
        }
    }
}

/// Neither keeps the other from being done.
async fn round(deps: &ReplicatorDeps, looks_left: &mut u32) {
    for failed in [back_up(deps).await, end_over(deps, looks_left).await].into_iter().filter_map(Result::err) {
        tracing::warn!(error = runtime::chain(&failed), "cannot look after backups");
    }
}

/// Marks what is over when its turn has come, and waits for the next one only after it succeeded.
async fn end_over(deps: &ReplicatorDeps, looks_left: &mut u32) -> Result<(), Error> {
    if *looks_left > 0 {
        *looks_left -= 1;
        return Ok(());
    }
    let over = end_due(deps).await?;
    if !over.is_empty() {
        tracing::info!(backups = over.join(", "), "backups are over, and the bucket's life cycle ends them");
    }
    *looks_left = LOOKS - 1;
    Ok(())
}

async fn back_up(deps: &ReplicatorDeps) -> Result<(), Error> {
    let newest = newest(deps).await?;
    measure(deps, newest.as_ref()).await?;
    let Some(every) = deps.region.backup_every else { return Ok(()) };
    if !is_due(deps, newest.as_ref(), every).await? {
        return Ok(());
    }
    let Some(_lock) = deps.try_lock("scheduled backup").await? else { return Ok(()) };
    // Asked again under the lock: another replicator may just have made it.
    let mut newest = self::newest(deps).await?;
    if is_due(deps, newest.as_ref(), every).await? {
        let manifest = create(deps, &mut |_| ()).await?;
        let (id, events, incomplete) = (&manifest.backup_id, manifest.events(), manifest.incomplete().count());
        tracing::info!(backup.id = %id, events, incomplete, "the region was backed up");
        newest = Some(manifest);
    }
    measure(deps, newest.as_ref()).await
}

/// The newest backup of the region; what lies among them and is none is passed over.
pub(super) async fn newest(deps: &ReplicatorDeps) -> Result<Option<BackupManifest>, Error> {
    newest_before(deps, None).await
}

/// The newest that is older than this one.
async fn newest_before(deps: &ReplicatorDeps, than: Option<&str>) -> Result<Option<BackupManifest>, Error> {
    let listed = deps.bucket.list(layout::BACKUPS).await.map_err(Error::Bucket)?;
    let ids = listed.iter().filter_map(|object| layout::backup_id(&object.key));
    let mut ids: Vec<_> = ids.filter(|id| than.is_none_or(|than| *id < than)).collect();
    ids.sort_unstable();
    for id in ids.into_iter().rev() {
        match show(deps, id).await {
            Err(error) if error.is_of_one() => {}
            found => return found.map(Some),
        }
    }
    Ok(None)
}

async fn is_due(deps: &ReplicatorDeps, newest: Option<&BackupManifest>, every: SignedDuration) -> Result<bool, Error> {
    let Some(newest) = newest else { return Ok(true) };
    let age = deps.clock.now().duration_since(newest.cut_at);
    // After one from the future it is due too: that it is refused is then said.
    if age >= every || is_ahead(deps, newest) {
        return Ok(true);
    }
    let lacking: Vec<_> = newest.incomplete().map(|tenant| tenant.tenant_id).collect();
    if lacking.is_empty() || age < AGAIN {
        return Ok(false);
    }
    let before = newest_before(deps, Some(&newest.backup_id)).await?;
    Ok(before.is_none_or(|before| !before.incomplete().map(|tenant| tenant.tenant_id).eq(lacking)))
}

/// Whether a backup is from the future, and this machine's clock behind the one that made it.
fn is_ahead(deps: &ReplicatorDeps, newest: &BackupManifest) -> bool {
    newest.cut_at > deps.clock.now() + CLOCK_TOLERANCE
}

/// Shows how old the newest backup is, how old it may get, and how many tenants it lacks. Where there is none, or only time will
/// tell how old it is, what there is to back up is as old as the first tenant.
async fn measure(deps: &ReplicatorDeps, newest: Option<&BackupManifest>) -> Result<(), Error> {
    let since = match newest {
        Some(newest) if !is_ahead(deps, newest) => Some(newest.cut_at),
        _ => {
            let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
            lag::first_tenant(&mut connection).await.map_err(Error::Database)?
        }
    };
    let age = since.map_or(SignedDuration::ZERO, |since| deps.clock.now().duration_since(since));
    deps.metrics.backup_age_seconds.set(age.as_secs_f64().max(0.0));
    let incomplete = newest.map_or(0, |newest| newest.incomplete().count());
    deps.metrics.backup_incomplete_tenants.set(incomplete as i64);
    let every = deps.region.backup_every.unwrap_or_default();
    deps.metrics.backup_interval_seconds.set(every.as_secs_f64());
    Ok(())
}
