//! An archive's events by position, for those who mean to read them.
//!
//! The chain of manifests is checked at the start, signatures and all, and each segment against its hash in them when it is
//! read; the Merkle tree is for [`crate::verify`]. A few segments are held decoded, the rest stays where it is.

use std::sync::{Arc, Mutex, PoisonError};

use archive::{Verifier, layout, manifest::Segment, segment};
use schemas::{Hash, Position, Recorded, TenantId};

use crate::{
    report::{Finding, Report, Wrong},
    source::{self, Source},
    verify::{Chain, Options},
};

/// Segments that are held decoded, some 20 MB each.
const SEGMENTS_HELD: usize = 3;

/// A tenant's events as its archive holds them.
pub struct History {
    source: Box<dyn Source>,
    tenant_id: TenantId,
    segments: Vec<Segment>,
    size: i64,
    /// The segments read last, newest at the end, by their place in the list.
    held: Mutex<Vec<(usize, Arc<Vec<Recorded>>)>>,
}

impl History {
    /// Opens an archive with the key to trust. Without one, the key that the archive names is used.
    ///
    /// # Errors
    /// If there is no archive, or its manifests are not what the key signed.
    pub async fn open(source: Box<dyn Source>, verifier: Option<Verifier>) -> Result<Self, Error> {
        let mut report = Report::default();
        let options = Options { verifier, ..Options::default() };
        let chain = Chain::read(&*source, &options, &mut report).await?;
        if let Some(finding) = report.findings.into_iter().next() {
            return Err(Error::Wrong(finding));
        }
        let Some(chain) = chain else { return Err(Error::NoArchive) };
        let size = chain.segments.last().map_or(0, |segment| segment.last.get());
        Ok(Self { source, tenant_id: chain.tenant_id, segments: chain.segments, size, held: Mutex::default() })
    }

    /// Whose events.
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// The last position.
    pub fn head(&self) -> Position {
        Position::new(self.size)
    }

    /// The next events after a position, at most `limit`, and at least one where there is one.
    ///
    /// # Errors
    /// If the segment that holds them is not there or not what was signed.
    pub async fn after(&self, position: Position, limit: usize) -> Result<Vec<Recorded>, Error> {
        let next = position.next();
        let place = self.segments.partition_point(|segment| segment.last < next);
        let Some(named) = self.segments.get(place) else { return Ok(Vec::new()) };
        let events = self.segment(place, named).await?;
        let start = usize::try_from(next.get() - named.first.get()).unwrap_or(0);
        Ok(events.iter().skip(start).take(limit).cloned().collect())
    }

    async fn segment(&self, place: usize, named: &Segment) -> Result<Arc<Vec<Recorded>>, Error> {
        if let Some(events) = self.held_segment(place) {
            return Ok(events);
        }
        let wrong = |what| Error::Wrong(Finding { position: Some(named.first), object: named.object.clone(), what });
        let object = self.source.get(&named.object).await?.ok_or_else(|| wrong(Wrong::Missing))?;
        if Hash::of(&[&object]) != named.sha256 {
            return Err(wrong(Wrong::HashDiffers));
        }
        let (header, events) = segment::read(&object).map_err(|error| wrong(Wrong::Unreadable(error.to_string())))?;
        if (header.tenant_id, header.first, header.last) != (self.tenant_id, named.first, named.last) {
            return Err(wrong(Wrong::Belongs("tenant or range")));
        }
        let events = Arc::new(events);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() == SEGMENTS_HELD {
            held.remove(0);
        }
        held.push((place, Arc::clone(&events)));
        Ok(events)
    }

    fn held_segment(&self, place: usize) -> Option<Arc<Vec<Recorded>>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.iter().position(|(held, _)| *held == place)?;
        held[found..].rotate_left(1);
        held.last().map(|(_, events)| Arc::clone(events))
    }
}

/// A history that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not answer.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// There are no manifests.
    #[error("{}: {}", layout::MANIFESTS, Wrong::NoArchive)]
    NoArchive,
    /// Something is not what was signed.
    #[error("{0}; `domicile audit verify` says all that is wrong")]
    Wrong(Finding),
}
