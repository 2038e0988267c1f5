//! Read an archive back with the auditor's code: what moves the mark "verified".

use auditor::{Options, Report, Wrong};
use eventlog::MarkKind;
use regions::Resident;
use schemas::Position;

use crate::{deps::ReplicatorDeps, error::Error};

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

/// Reads the whole archive of a tenant back and verifies it as an auditor would, with the region's own key pinned.
///
/// The roots it comes to are those of trees that this database built from its own events, so an archive that passes holds
/// every event as the log had it when it was sealed.
///
/// # Errors
/// If a store does not answer. An archive that is wrong is no error.
pub async fn read_back(deps: &ReplicatorDeps, resident: &Resident) -> Result<ReadBack, Error> {
    let objects = deps.objects(resident);
    let verifier = deps.signer_of(resident).verifier().clone();
    // One thread: the rest of the process has other work, and nobody waits for this.
    let options = Options { verifier: Some(verifier), threads: 1, ..Options::default() };
    let report = auditor::verify(&objects, &options, &mut |_| ()).await.map_err(Error::ReadBack)?;
    if !report.is_clean() {
        let is_moving = report.findings.iter().all(|finding| finding.what == Wrong::CheckpointAhead);
        return Ok(if is_moving { ReadBack::NotNow } else { ReadBack::Wrong(report) });
    }
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let head = eventlog::tree_head(&mut connection, resident).await.map_err(Error::Log)?;
    let size = Position::new(report.size as i64);
    if let Some(head) = head.filter(|head| head.size == size && Some(head.root) != report.root) {
        return Err(Error::Inconsistent { size: head.size.get() as u64, what: "the root" });
    }
    match eventlog::put_mark(&mut connection, resident, MarkKind::Verified, size, deps.clock.now()).await {
        // Somebody else verified further meanwhile.
        Ok(()) | Err(eventlog::Error::MarkRefused { .. }) => Ok(ReadBack::Verified(report)),
        Err(error) => Err(Error::Log(error)),
    }
}
