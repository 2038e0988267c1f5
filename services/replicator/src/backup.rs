//! Backups of a region: every tenant's archive brought up to one moment, and a signed manifest that says where that is.
//!
//! A backup costs what is new since the last one. It copies nothing, because an archive is written once and keeps every
//! event: the manifest names sizes and roots, and whoever restores reads each archive up to its size.

mod create;
mod due;
mod on_request;
pub(crate) mod scheduled;
mod verify;

use archive::{BackupManifest, checkpoint, layout};
use futures::{StreamExt, TryStreamExt, stream};

pub(crate) use self::create::{new_id, publish};
pub use self::{
    create::{Progress, create},
    due::{Kept, end_due},
    on_request::{OnRequest, State, UnderWay, Work},
    verify::{KeyFinding, KeysVerified, TenantVerified, Verified, verify},
};
use crate::{deps::ReplicatorDeps, error::Error};

/// Manifests that are read at the same time.
const READ_AT_ONCE: usize = 8;

/// A backup as listed.
#[derive(Debug)]
pub struct Listed {
    /// Its id, by its place in the bucket.
    pub backup_id: String,
    /// Its manifest, or why what lies there is none of this region's.
    pub manifest: Result<BackupManifest, Error>,
    /// Until when it is kept.
    pub kept: Kept,
}

/// Every backup of the region, oldest first; before them what lies among them and is none.
///
/// # Errors
/// If the bucket does not answer.
pub async fn list(deps: &ReplicatorDeps) -> Result<Vec<Listed>, Error> {
    let listed = deps.bucket.list(layout::BACKUPS).await.map_err(Error::Bucket)?;
    let ids: Vec<_> = listed.iter().filter_map(|object| layout::backup_id(&object.key)).map(str::to_owned).collect();
    let shown = ids.into_iter().map(|backup_id| async move {
        match show(deps, &backup_id).await {
            Err(error) if !error.is_of_one() => Err(error),
            manifest => Ok(Listed { backup_id, manifest, kept: Kept::Unknown }),
        }
    });
    let mut backups: Vec<_> = stream::iter(shown).buffered(READ_AT_ONCE).try_collect().await?;
    backups.sort_by_key(|backup: &Listed| backup.manifest.as_ref().ok().map(|manifest| manifest.cut_at));
    due::keep(&mut backups, (deps.region.backup_keep, deps.clock.now()));
    Ok(backups)
}

/// One backup.
///
/// # Errors
/// If there is none of that id, the bucket does not answer, or it is not signed by the region's key, or for another id.
pub async fn show(deps: &ReplicatorDeps, backup_id: &str) -> Result<BackupManifest, Error> {
    let object = layout::backup(backup_id);
    let found = deps.bucket.get(&object).await.map_err(Error::Bucket)?;
    let found = found.ok_or_else(|| Error::NoSuchBackup { backup_id: backup_id.to_owned() })?;
    let opened = deps.ring()?.chain().backup(&checkpoint::region_name(&deps.region.id), &found.body);
    let manifest = opened.map_err(|source| Error::NotOurs { object: object.clone(), source })?;
    if manifest.backup_id == backup_id && manifest.region == deps.region.id {
        return Ok(manifest);
    }
    Err(Error::AnotherBackup { object, backup_id: manifest.backup_id, region: manifest.region })
}
