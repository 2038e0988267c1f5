//! A whole region into an empty database, from the archives in its bucket.
//!
//! A backup says which tenants there were and which trees they had: what must be there at the least. Each is restored to the end
//! of its archive, which may be further: going back behind what was published would make a second history of it.

use std::collections::{BTreeMap, BTreeSet};

use archive::{BackupManifest, merkle::proof::Tree};
use eventlog::restore::{self, Found};
use futures::{FutureExt, StreamExt, stream};
use replicator::backup;
use schemas::TenantId;

use crate::{
    deps::RestorerDeps,
    error::Error,
    proven,
    tenant::{RestoredTenant, TenantRestore, restore_tenant},
};

/// Tenants that are restored at the same time.
const TENANTS_AT_ONCE: usize = 4;

/// What the restore of a region is noted as. The backup is no part of it: while a restore is interrupted, the clock may have made a
/// newer one, of whoever was back by then.
const SOURCE: &str = "region";

/// How far the restore of a region has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionProgress {
    /// It begins.
    Begun {
        /// Tenants there are.
        tenants: u64,
        /// Events of theirs that are published.
        events: u64,
    },
    /// So many more events are in the log.
    Events(u64),
    /// One more tenant is done, whatever became of it.
    Tenant,
}

/// What became of one tenant of a region.
#[derive(Debug)]
pub enum TenantOutcome {
    /// It is open.
    Restored(RestoredTenant),
    /// It was restored before, with the region or by itself.
    Before,
    /// It signed up while the restore was interrupted, and is left as it is.
    New,
    /// It had no events.
    Empty,
    /// It is not restored.
    Refused(Error),
}

/// What became of a region.
#[derive(Debug)]
pub struct RegionRestored {
    /// The backup that said what must be there, if there is one.
    pub backup_id: Option<String>,
    /// Every tenant of the backup and of the directory, by id.
    pub tenants: BTreeMap<TenantId, TenantOutcome>,
}

impl RegionRestored {
    /// Whether every tenant is back.
    pub fn is_whole(&self) -> bool {
        !self.tenants.values().any(|outcome| matches!(outcome, TenantOutcome::Refused(_)))
    }
}

/// Restores a region. Without an id, the newest backup says what must be there, if there is one. Called again after it was
/// interrupted, it goes on, whatever happened in between: tenants that were restored by themselves, and those that signed up
/// meanwhile, are left as they are.
///
/// # Errors
/// [`Error::NotEmpty`], [`Error::ClockBehind`], if there is no such backup or it is not the region's, or if a store does not
/// answer. What concerns one tenant is in the result.
pub async fn restore_region(
    deps: &RestorerDeps,
    backup_id: Option<&str>,
    progress: &(dyn Fn(RegionProgress) + Sync),
) -> Result<RegionRestored, Error> {
    let backup = find(deps, backup_id).await?;
    let now = deps.replicator.clock.now();
    if let Some(backup) = &backup {
        proven::check_clock(now, format!("backup {}", backup.backup_id), backup.completed_at)?;
    }
    let plan = plan(deps, backup.as_ref());
    let planned: Vec<_> = plan.keys().copied().collect();
    let tenants = restore::plan(&mut deps.owner().await?, &planned, SOURCE, now).await?;
    if !tenants.is_empty() {
        return Err(Error::NotEmpty { region: deps.region().id.clone(), tenants });
    }
    let mut events = 0;
    for tenant_id in plan.keys() {
        events += replicator::published_size(&deps.replicator, *tenant_id).await?;
    }
    progress(RegionProgress::Begun { tenants: plan.len() as u64, events });
    let restores: Vec<_> = plan
        .into_iter()
        .map(|(tenant_id, expected)| {
            let asked = TenantRestore { tenant_id, expected, source: SOURCE.to_owned(), sets_aside: false };
            async move { (tenant_id, one(deps, &asked, progress).await) }.boxed()
        })
        .collect();
    let mut restores = stream::iter(restores).buffer_unordered(TENANTS_AT_ONCE);
    let mut restored = RegionRestored { backup_id: backup.map(|backup| backup.backup_id), tenants: BTreeMap::new() };
    while let Some((tenant_id, outcome)) = restores.next().await {
        progress(RegionProgress::Tenant);
        restored.tenants.insert(tenant_id, outcome?);
    }
    Ok(restored)
}

async fn find(deps: &RestorerDeps, backup_id: Option<&str>) -> Result<Option<BackupManifest>, Error> {
    match backup_id {
        Some(backup_id) => Ok(Some(backup::show(&deps.replicator, backup_id).await?)),
        None => {
            let listed = backup::list(&deps.replicator).await?;
            Ok(listed.into_iter().filter_map(|listed| listed.manifest.ok()).next_back())
        }
    }
}

/// Whom to restore, and the tree that each is known to have had. The backup may be older than the newest signup.
fn plan(deps: &RestorerDeps, backup: Option<&BackupManifest>) -> BTreeMap<TenantId, Option<Tree>> {
    let backed_up = backup.iter().flat_map(|backup| &backup.tenants);
    let mut plan: BTreeMap<_, _> = backed_up
        .map(|tenant| (tenant.tenant_id, (tenant.size > 0).then_some(Tree { size: tenant.size, root: tenant.root })))
        .collect();
    let named: BTreeSet<_> = deps.names.keys().copied().collect();
    for tenant_id in named {
        plan.entry(tenant_id).or_default();
    }
    plan
}

/// One tenant. What concerns it alone is its outcome; a store that fails ends the whole restore, which then goes on later.
async fn one(
    deps: &RestorerDeps,
    asked: &TenantRestore,
    progress: &(dyn Fn(RegionProgress) + Sync),
) -> Result<TenantOutcome, Error> {
    let mut owner = deps.owner().await?;
    match restore::found(&mut owner, asked.tenant_id).await? {
        Found::Due => drop(owner),
        Found::Restored => return Ok(TenantOutcome::Before),
        Found::New => return Ok(TenantOutcome::New),
    }
    match restore_tenant(deps, asked, &|events| progress(RegionProgress::Events(events))).await {
        Ok(restored) => Ok(TenantOutcome::Restored(restored)),
        Err(Error::NoArchive { .. }) => {
            restore::forget_planned(&mut deps.owner().await?, asked.tenant_id).await?;
            Ok(TenantOutcome::Empty)
        }
        // By itself, at the same time: the others come back all the same.
        Err(error) if error.is_of_one() || matches!(error, Error::UnderWay { .. }) => Ok(TenantOutcome::Refused(error)),
        Err(error) => Err(error),
    }
}
