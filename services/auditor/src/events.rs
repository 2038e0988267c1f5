//! An archive's events, segment by segment, for whoever puts them into a log again.
//!
//! Nothing that is read here is believed: the segments are taken as the manifests list them, and [`Events::tree`] is what the
//! events make. It is for the caller to hold it against a size and root that a key has signed ([`verify`](crate::verify())
//! gives them): a tree that has them was made of these very events.

use archive::{Manifest, layout, merkle::Frontier, segment};
use schemas::{Position, Recorded, TenantId};

use crate::source::{self, Source};

/// A reader of an archive's events.
pub struct Events<'source> {
    source: &'source dyn Source,
    tenant_id: TenantId,
    /// The events it is to give: a generation that is published by its checkpoint alone has no manifest to end at.
    size: u64,
    generation: u64,
    /// Segments that are named and not read yet, in order.
    waiting: Vec<String>,
    tree: Frontier,
}

impl<'source> Events<'source> {
    /// The first `size` events of a tenant's archive.
    pub fn new(source: &'source dyn Source, tenant_id: TenantId, size: u64) -> Self {
        Self { source, tenant_id, size, generation: 0, waiting: Vec::new(), tree: Frontier::new() }
    }

    /// The tree over the events that were given so far.
    pub const fn tree(&self) -> &Frontier {
        &self.tree
    }

    /// The next events, in order and without gaps; nothing after the last.
    ///
    /// # Errors
    /// If the source does not answer, or the archive does not hold the events.
    pub async fn next(&mut self) -> Result<Option<Vec<Recorded>>, Error> {
        if self.tree.size() >= self.size {
            return Ok(None);
        }
        let object = self.next_segment().await?;
        let bytes = self.source.get(&object).await?;
        let bytes = bytes.ok_or_else(|| Error::Missing { object: object.clone() })?;
        let unreadable = |source| Error::Segment { object: object.clone(), source };
        let (header, mut events) = segment::read(&bytes).map_err(unreadable)?;
        let is_next = header.first == self.reached().next() && header.tenant_id == self.tenant_id;
        if !is_next || events.iter().any(|event| event.sealed.envelope.tenant_id != self.tenant_id) {
            return Err(Error::AnotherRange { object });
        }
        events.truncate((self.size - self.tree.size()) as usize);
        events.iter().for_each(|event| self.tree.push(event.sealed.leaf));
        Ok(Some(events))
    }

    /// The last position that was given.
    pub fn reached(&self) -> Position {
        Position::new(self.tree.size() as i64)
    }

    /// The segment that follows. Beyond the newest manifest that is the one which a checkpoint was published for, named by its
    /// range.
    async fn next_segment(&mut self) -> Result<String, Error> {
        while self.waiting.is_empty() {
            self.generation += 1;
            let key = layout::manifest(self.generation);
            let Some(bytes) = self.source.get(&key).await? else {
                return Ok(layout::segment(self.reached().next(), Position::new(self.size as i64)));
            };
            let manifest = Manifest::claimed(&bytes).map_err(|source| Error::Manifest { object: key, source })?;
            self.waiting = manifest.segments.into_iter().rev().map(|segment| segment.object).collect();
        }
        Ok(self.waiting.pop().expect("one is waiting"))
    }
}

/// An archive that does not give its events.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not answer.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// An object is not there.
    #[error("{object}: missing")]
    Missing {
        /// Which.
        object: String,
    },
    /// A manifest cannot be read.
    #[error("{object}: not the shape of a manifest")]
    Manifest {
        /// Which.
        object: String,
        /// Why not.
        #[source]
        source: archive::SignedError,
    },
    /// A segment cannot be read.
    #[error("{object}: not the shape of a segment")]
    Segment {
        /// Which.
        object: String,
        /// Why not.
        #[source]
        source: segment::Error,
    },
    /// A segment holds other events than those that come next.
    #[error("{object}: does not hold the events that come next")]
    AnotherRange {
        /// Which.
        object: String,
    },
}
