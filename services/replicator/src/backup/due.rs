//! When backups end: once the region's file has kept them for long enough, but never the newest that is whole.
//!
//! Nobody here deletes. What is over gets a mark, and the bucket's life cycle ends what is marked; a rule by age alone would end the
//! last backup of a region that nobody backs up any more. A lock that lasts holds the bytes whatever is marked.

use archive::{BackupManifest, layout};
use jiff::{SignedDuration, Timestamp};

use super::{Listed, list};
use crate::{deps::ReplicatorDeps, error::Error};

/// Until when a listed backup is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Until this time: then the life cycle may end it.
    Until(Timestamp),
    /// It is over, and the life cycle ends it within a day or two.
    Over,
    /// As long as it is the newest that is whole; where none is whole, the newest.
    AsNewest,
    /// It is none of this region's backups, so nobody here ends it.
    Unknown,
}

/// Marks backups that are over, and gives their ids. Done again, it marks the same ones again.
///
/// # Errors
/// If the bucket does not answer, or refuses the mark.
pub async fn end_due(deps: &ReplicatorDeps) -> Result<Vec<String>, Error> {
    let due: Vec<_> = list(deps).await?.into_iter().filter(|listed| listed.kept == Kept::Over).collect();
    for listed in &due {
        deps.bucket.mark_over(&layout::backup(&listed.backup_id)).await.map_err(Error::Bucket)?;
    }
    Ok(due.into_iter().map(|listed| listed.backup_id).collect())
}

/// Says of each backup, oldest first, until when it is kept.
pub(super) fn keep(backups: &mut [Listed], (keep, now): (SignedDuration, Timestamp)) {
    let is_whole = |manifest: &BackupManifest| manifest.incomplete().next().is_none();
    let newest = |is_kept: &dyn Fn(&BackupManifest) -> bool| {
        backups.iter().rposition(|listed| listed.manifest.as_ref().is_ok_and(is_kept))
    };
    let newest = newest(&is_whole).or_else(|| newest(&|_| true));
    for (place, listed) in backups.iter_mut().enumerate() {
        listed.kept = match &listed.manifest {
            Err(_) => Kept::Unknown,
            Ok(_) if Some(place) == newest => Kept::AsNewest,
            Ok(manifest) => match manifest.completed_at.checked_add(keep) {
                Ok(until) if until <= now => Kept::Over,
                Ok(until) => Kept::Until(until),
                // Kept beyond the end of the calendar.
                Err(_) => Kept::Until(Timestamp::MAX),
            },
        };
    }
}
