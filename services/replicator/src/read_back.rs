//! Read an archive back with the auditor's code: what moves the mark "verified".

use archive::merkle::proof::Tree;
use auditor::{Options, Report, Wrong};
use eventlog::{MarkKind, TreeHead};
use regions::Resident;
use schemas::Position;

use crate::{deps::ReplicatorDeps, error::Error, prove::verify_pinned};

/// What came of reading an archive back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadBack {
    /// It is whole and has the tree that the database sealed; the mark is moved.
    Verified(Report),
    /// A generation was being published meanwhile: look again later.
    NotNow,
    /// Something is wrong; the mark stays.
    Wrong(Report),
}

/// Reads the whole archive of a tenant back and verifies it as an auditor would, with the region's own key pinned: the one that
/// signed what is published, which a newer one may have followed since.
///
/// The roots it comes to are those of trees that this database built from its own events, so an archive that passes holds
/// every event as the log had it when it was sealed. One that ends before the mark "archived" is wrong: an older archive is
/// whole in itself.
///
/// # Errors
/// If a store does not answer. An archive that is wrong is no error.
pub async fn read_back(deps: &ReplicatorDeps, resident: &Resident) -> Result<ReadBack, Error> {
    let objects = deps.objects(resident);
    let known = Known::read(deps, resident).await?;
    let options = Options {
        expected: known.archived_tree(),
        at_least: known.archived.get().unsigned_abs(),
        // The rest of the process has other work, and nobody waits for this.
        threads: 1,
        ..Options::default()
    };
    let report = verify_pinned(deps, &objects, (resident.tenant_id(), options)).await?;
    let now = Known::read(deps, resident).await?;
    // When a generation says that it was made proves nothing of its events: a restore warns of it and goes on.
    let is_sound = report.findings.iter().all(|finding| finding.what == Wrong::OlderThanPrevious);
    if !is_sound {
        let of_checkpoint = [Wrong::CheckpointAhead, Wrong::CheckpointBehind];
        let is_moving = (now.is_under_way() || now.archived != known.archived)
            && report.findings.iter().all(|finding| of_checkpoint.contains(&finding.what));
        return Ok(if is_moving { ReadBack::NotNow } else { ReadBack::Wrong(report) });
    }
    let size = Position::new(report.size as i64);
    if let Some(head) = now.head.filter(|head| head.size == size && Some(head.root) != report.root) {
        return Err(Error::Inconsistent { size: head.size.get() as u64, what: "the root" });
    }
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    match eventlog::put_mark(&mut connection, resident, MarkKind::Verified, size, deps.clock.now()).await {
        // Somebody else verified further meanwhile.
        Ok(()) | Err(eventlog::Error::MarkRefused { .. }) => Ok(ReadBack::Verified(report)),
        Err(error) => Err(Error::Log(error)),
    }
}

/// What the database knows of the archive.
struct Known {
    head: Option<TreeHead>,
    archived: Position,
}

impl Known {
    async fn read(deps: &ReplicatorDeps, resident: &Resident) -> Result<Self, Error> {
        let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
        // The mark follows the head: read in this order, it is never of a head that is not known yet.
        let marks = eventlog::marks(&mut connection, resident).await.map_err(Error::Log)?;
        let head = eventlog::tree_head(&mut connection, resident).await.map_err(Error::Log)?;
        Ok(Self { head, archived: marks.archived.map_or(Position::ZERO, |mark| mark.position) })
    }

    /// Whether a generation is sealed and not marked archived.
    fn is_under_way(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.size > self.archived)
    }

    /// The tree of what is archived, if no further one was sealed yet.
    fn archived_tree(&self) -> Option<Tree> {
        let head = self.head.as_ref().filter(|head| head.size == self.archived)?;
        Some(Tree { size: head.size.get() as u64, root: head.root })
    }
}
