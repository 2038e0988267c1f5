//! A whole region into an empty database, from the archives in its bucket.
//!
//! A backup says which tenants there were and which trees they had: what must be there at the least. Each is restored to the end
//! of its archive, which may be further: going back behind what was published would make a second history of it.

use std::collections::BTreeMap;

use archive::{BackupManifest, backup::TenantBackup, merkle::proof::Tree};
use eventlog::restore::{
    self, Source,
    region::{self as noted, Found},
};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use replicator::backup::{self, Kept};
use schemas::TenantId;
use sqlx::PgConnection;

use crate::{
    beside::database,
    deps::RestorerDeps,
    error::Error,
    progress::{Meter, RestoreProgress, Step},
    proven,
    tenant::{RestoredTenant, TenantRestore, restore_in_place},
};

/// Tenants that are restored at the same time.
const TENANTS_AT_ONCE: usize = 4;

/// Published sizes that are asked for at the same time.
const SIZES_AT_ONCE: usize = 16;

/// What the restore of a region is noted as.
const REGION: &str = "region";

/// What is to be restored.
#[derive(Debug, Clone, Default)]
pub struct RegionRestore {
    /// The backup that says what must be there. Without: that of the restore which was interrupted, else the newest that is whole, else
    /// the newest, if there is one.
    pub backup_id: Option<String>,
    /// Whether one that was interrupted, from another backup, is given up for this one.
    pub is_anew: bool,
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

/// Restores a region. `progress` is told how far it is. Called again after it was interrupted, it goes on, from the same backup and whatever happened in between:
/// tenants that were restored by themselves, and those that signed up meanwhile, are left as they are.
///
/// # Errors
/// [`Error::NotEmpty`], [`Error::AnotherBackup`], [`Error::ClockBehind`], [`Error::UnderWay`], if there is no such backup or it is
/// not the region's, or if a store does not answer. What concerns one tenant is in the result.
pub async fn restore_region(
    deps: &RestorerDeps,
    asked: &RegionRestore,
    progress: &(dyn Fn(RestoreProgress) + Sync),
) -> Result<RegionRestored, Error> {
    let claim = database::claim(deps, &format!("region {}", deps.region().id)).await?;
    let restored = restore_claimed(deps, asked, progress).await;
    claim.release().await;
    restored
}

async fn restore_claimed(
    deps: &RestorerDeps,
    asked: &RegionRestore,
    progress: &(dyn Fn(RestoreProgress) + Sync),
) -> Result<RegionRestored, Error> {
    let mut owner = deps.owner().await?;
    let tenants = noted::in_the_way(&mut owner, REGION).await?;
    if !tenants.is_empty() {
        return Err(Error::NotEmpty { region: deps.region().id.clone(), tenants });
    }
    let backup = find(deps, &mut owner, asked).await?;
    let now = deps.replicator.clock.now();
    if let Some(backup) = &backup {
        proven::check_clock(now, format!("backup {}", backup.backup_id), backup.completed_at)?;
    }
    let source = Source { what: REGION.to_owned(), backup_id: backup.as_ref().map(|backup| backup.backup_id.clone()) };
    let plan = plan(deps, backup.as_ref());
    let planned: Vec<_> = plan.keys().copied().collect();
    noted::plan(&mut owner, &planned, &source, now).await?;
    let meter = begin(deps, &mut owner, &planned, progress).await?;
    let meter = &meter;
    drop(owner);
    let restores: Vec<_> = plan
        .into_iter()
        .map(|(tenant_id, expected)| {
            let source = source.clone();
            let asked = TenantRestore { tenant_id, expected, source, sets_aside: false, is_anew: false };
            async move { (tenant_id, one(deps, &asked, meter).await) }.boxed()
        })
        .collect();
    let mut restores = stream::iter(restores).buffer_unordered(TENANTS_AT_ONCE);
    let mut restored = RegionRestored { backup_id: backup.map(|backup| backup.backup_id), tenants: BTreeMap::new() };
    while let Some((tenant_id, outcome)) = restores.next().await {
        restored.tenants.insert(tenant_id, outcome?);
        meter.end(tenant_id);
    }
    Ok(restored)
}

/// Counts what there is to do. Who was brought back before is done already.
async fn begin<'a>(
    deps: &RestorerDeps,
    owner: &mut PgConnection,
    planned: &[TenantId],
    progress: &'a (dyn Fn(RestoreProgress) + Sync),
) -> Result<Meter<'a>, Error> {
    let mut done = Vec::new();
    for tenant_id in planned {
        if noted::found(owner, *tenant_id).await? != Found::Due {
            done.push(*tenant_id);
        }
    }
    let size = async |tenant_id| Ok((tenant_id, replicator::published_size(&deps.replicator, tenant_id).await?));
    let sizes = stream::iter(planned.iter().copied().map(size)).buffer_unordered(SIZES_AT_ONCE);
    Ok(Meter::new(progress, Step::RESTORE, sizes.try_collect::<BTreeMap<_, _>>().await.map_err(Error::Archive)?, &done))
}

/// The backup that says what must be there. While a restore is interrupted, the clock may have made a newer one, of whoever was back
/// by then: that one says nothing.
async fn find(
    deps: &RestorerDeps,
    owner: &mut PgConnection,
    asked: &RegionRestore,
) -> Result<Option<BackupManifest>, Error> {
    let begun = noted::begun(owner, REGION).await?.filter(|_| !asked.is_anew);
    let backup_id = match (&asked.backup_id, begun) {
        (Some(asked), Some(begun)) if begun.source.backup_id.as_ref() != Some(asked) => {
            let (region, begun_at) = (deps.region().id.clone(), begun.at);
            return Err(Error::AnotherBackup { region, begun: begun.source.backup_id, begun_at, asked: asked.clone() });
        }
        (Some(asked), _) => Some(asked.clone()),
        (None, Some(begun)) => begun.source.backup_id,
        (None, None) => {
            // One that lacks somebody says too little, as one does that was made of the emptied database a moment ago.
            let listed = backup::list(&deps.replicator).await?;
            return Ok(listed
                .into_iter()
                .find(|listed| listed.kept == Kept::AsNewest)
                .and_then(|listed| listed.manifest.ok()));
        }
    };
    match backup_id {
        Some(backup_id) => Ok(Some(backup::show(&deps.replicator, &backup_id).await?)),
        None => Ok(None),
    }
}

/// Whom to restore, and the tree that each is known to have had. The backup may be older than the newest signup.
fn plan(deps: &RestorerDeps, backup: Option<&BackupManifest>) -> BTreeMap<TenantId, Option<Tree>> {
    let backed_up = backup.iter().flat_map(|backup| &backup.tenants);
    let mut plan: BTreeMap<_, _> = backed_up.map(|tenant| (tenant.tenant_id, tree_of(tenant))).collect();
    for tenant_id in deps.names.keys() {
        plan.entry(*tenant_id).or_default();
    }
    plan
}

/// A tenant's tree in a backup; nothing for one that had no events.
fn tree_of(tenant: &TenantBackup) -> Option<Tree> {
    (tenant.size > 0).then_some(Tree { size: tenant.size, root: tenant.root })
}

/// What is asked of a tenant by itself, while the restore of its region is not finished: as much as that asks of it. Both bring it
/// back to the end of its archive, and the backup says where that is at the least.
pub(crate) async fn going_on(deps: &RestorerDeps, asked: &TenantRestore) -> Result<TenantRestore, Error> {
    let begun = restore::begun(&mut deps.owner().await?, asked.tenant_id).await?;
    let is_of_region = |source: &Source| source.what == REGION && *source != asked.source && !asked.is_anew;
    let Some(source) = begun.map(|begun| begun.source).filter(is_of_region) else { return Ok(asked.clone()) };
    let backup = match &source.backup_id {
        Some(backup_id) => Some(backup::show(&deps.replicator, backup_id).await?),
        None => None,
    };
    let backed_up = backup.iter().flat_map(|backup| &backup.tenants);
    let expected = backed_up.filter(|tenant| tenant.tenant_id == asked.tenant_id).find_map(tree_of).or(asked.expected);
    Ok(TenantRestore { expected, source, ..asked.clone() })
}

/// One tenant. What concerns it alone is its outcome; a store that fails ends the whole restore, which then goes on later.
async fn one(deps: &RestorerDeps, asked: &TenantRestore, meter: &Meter<'_>) -> Result<TenantOutcome, Error> {
    let mut owner = deps.owner().await?;
    match noted::found(&mut owner, asked.tenant_id).await? {
        Found::Due => drop(owner),
        Found::Restored => return Ok(TenantOutcome::Before),
        Found::New => return Ok(TenantOutcome::New),
    }
    match restore_in_place(deps, asked, meter).await {
        Ok(restored) => Ok(TenantOutcome::Restored(restored)),
        Err(Error::NoArchive { .. }) => {
            noted::forget_planned(&mut deps.owner().await?, asked.tenant_id).await?;
            Ok(TenantOutcome::Empty)
        }
        // By itself, at the same time: the others come back all the same.
        Err(error @ Error::UnderWay { .. }) => Ok(TenantOutcome::Refused(error)),
        Err(error) if error.is_of_one() => {
            noted::refuse(&mut deps.owner().await?, asked.tenant_id, deps.replicator.clock.now()).await?;
            Ok(TenantOutcome::Refused(error))
        }
        Err(error) => Err(error),
    }
}
