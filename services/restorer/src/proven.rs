//! An archive before it is believed: verified as an auditor would, with the region's key pinned.

use archive::{
    Manifest, layout,
    merkle::{Frontier, proof::Tree},
};
use auditor::{Report, Source as _, Wrong, report::Finding};
use jiff::{SignedDuration, Timestamp};
use replicator::TenantObjects;
use schemas::TenantId;

use crate::{
    deps::RestorerDeps,
    error::Error,
    progress::{Meter, Step},
};

/// How far this machine's clock may be behind the one that made the archive.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// What an archive holds, as the region has signed it.
#[derive(Debug, Clone)]
pub(crate) struct Proven {
    /// The published tree: what the restored events must make.
    pub(crate) tree: Tree,
    /// The signed note of that tree.
    pub(crate) note: String,
    /// How far the newest manifest reaches: less than the tree if the process died between publishing the two.
    pub(crate) archived: u64,
    /// When that manifest was made.
    pub(crate) made_at: Option<Timestamp>,
    /// Whether that is what its machine's clock said, and not the time of the one before it.
    pub(crate) is_by_the_clock: bool,
    /// What is wrong with what other regions have cosigned.
    pub(crate) wrong_witnesses: Vec<Finding>,
}

/// Verifies a tenant's archive. `expected`: a tree that it is known to have had.
///
/// What another region has cosigned wrongly is told and stops nothing: the events are those that this region signed, and no other
/// copy of them is any better. One that was cosigned with more events than there are has lost its end, and is refused. A manifest that
/// is older than the one before it was made by a machine whose clock was behind, and stops nothing either: no event hangs on it.
///
/// # Errors
/// [`Error::NoArchive`], [`Error::WrongArchive`], or if a store does not answer.
pub(crate) async fn prove(
    deps: &RestorerDeps,
    (tenant_id, expected): (TenantId, Option<Tree>),
    meter: &Meter<'_>,
) -> Result<Proven, Error> {
    let mut progress = |at: auditor::Progress| meter.reach(tenant_id, Step::Verified, at.events);
    let verified = replicator::verify_archive(&deps.replicator, tenant_id, expected, &mut progress).await?;
    let (mut report, published) = verified;
    let (wrong_witnesses, findings): (_, Vec<Finding>) =
        std::mem::take(&mut report.findings).into_iter().partition(is_of_witness);
    let (older, findings): (Vec<Finding>, _) =
        findings.into_iter().partition(|found| found.what == Wrong::OlderThanPrevious);
    report.findings = findings;
    // A process that died before the manifest leaves a generation that is whole but for it.
    let is_unpublished = |what: &Wrong| match what {
        Wrong::CheckpointAhead => true,
        Wrong::NoArchive => expected.is_none(),
        _ => false,
    };
    let is_sound = report.findings.iter().all(|found| is_unpublished(&found.what));
    let under_way = if is_sound { replicator::under_way(&deps.replicator, tenant_id).await? } else { None };
    let newest = published.into_iter().chain(under_way).max_by_key(|(head, _)| head.size);
    let Some((head, note)) = newest else {
        // Without a head nothing was ever written.
        return Err(if report.generations == 0 && expected.is_none() {
            Error::NoArchive { tenant_id }
        } else {
            wrong(tenant_id, &report)
        });
    };
    let is_between = is_sound && head.size > report.size;
    if !report.is_clean() && !is_between {
        return Err(wrong(tenant_id, &report));
    }
    for found in &wrong_witnesses {
        tracing::warn!(tenant.id = %tenant_id, %found, "what another region has cosigned is wrong, and stops no restore");
    }
    for found in &older {
        tracing::warn!(tenant.id = %tenant_id, %found, "the clock was behind when an archive was written, which stops no restore");
    }
    let tree = Tree { size: head.size, root: head.root };
    let made_at = made_at(deps, tenant_id, report.generations).await?;
    // One that bears the time of the one before it was made by a clock that was behind that, and says nothing of the clock any more.
    let is_by_the_clock = made_at != self::made_at(deps, tenant_id, report.generations.saturating_sub(1)).await?;
    Ok(Proven { tree, note, archived: report.size, made_at, is_by_the_clock, wrong_witnesses })
}

/// When a generation says that it was made.
async fn made_at(deps: &RestorerDeps, tenant_id: TenantId, generation: u64) -> Result<Option<Timestamp>, Error> {
    let manifest = objects(deps, tenant_id).get(&layout::manifest(generation)).await;
    let manifest = manifest.map_err(|error| Error::Events(error.into()))?;
    Ok(manifest.and_then(|bytes| Manifest::claimed(&bytes).ok()).map(|manifest| manifest.created_at))
}

fn is_of_witness(found: &Finding) -> bool {
    layout::witness_region(&found.object).is_some() && matches!(found.what, Wrong::Signature(_) | Wrong::Forked)
}

fn wrong(tenant_id: TenantId, report: &Report) -> Error {
    let finding = report.findings.first().map_or_else(|| "there is no checkpoint".to_owned(), ToString::to_string);
    let more = report.findings.len().saturating_sub(1) + report.findings_left_off as usize;
    Error::WrongArchive { tenant_id, finding, more }
}

/// Refuses to work with a clock that is behind what was made.
pub(crate) fn check_clock(now: Timestamp, what: impl Into<String>, made_at: Timestamp) -> Result<(), Error> {
    if made_at <= now + CLOCK_TOLERANCE { Ok(()) } else { Err(Error::ClockBehind { now, what: what.into(), made_at }) }
}

/// A tenant's objects in the region's bucket.
pub(crate) fn objects(deps: &RestorerDeps, tenant_id: TenantId) -> TenantObjects {
    TenantObjects::new(deps.replicator.bucket.clone(), tenant_id)
}

impl Proven {
    /// Refuses events that have not made the published tree.
    pub(crate) fn check(&self, tenant_id: TenantId, made: &Frontier) -> Result<(), Error> {
        let is_of_it = (self.tree.size, self.tree.root) == (made.size(), made.root());
        if is_of_it { Ok(()) } else { Err(Error::ArchiveChanged { tenant_id }) }
    }
}
