//! An archive's events, segment by segment, for whoever puts them into a log again.
//!
//! Nothing that is read here is believed: the segments are taken as the manifests list them, and [`Events::tree`] is what the
//! events make. It is for the caller to hold it against a size and root that a key has signed ([`verify`](crate::verify())
//! gives them): a tree that has them was made of these very events.

use std::collections::VecDeque;

use archive::{Manifest, layout, merkle::Frontier, segment};
use bytes::Bytes;
use futures::future::try_join_all;
use schemas::{Position, Recorded, TenantId};

use crate::source::{self, Source};

/// Manifests, and then segments, that are fetched at the same time: an archive of many small generations would else take two answers
/// of the store for each.
const OBJECTS_AHEAD: usize = 16;
/// Bytes of segments that are fetched at the same time, unless a single one is larger.
const BYTES_AHEAD: u64 = 32 << 20;

/// A reader of an archive's events.
pub struct Events<'source> {
    source: &'source dyn Source,
    tenant_id: TenantId,
    /// The events it is to give: a generation that is published by its checkpoint alone has no manifest to end at.
    size: u64,
    /// The last one whose manifest was read.
    generation: u64,
    /// Segments that are named and not read yet, in order, each with its length; at their end perhaps why no more are named.
    named: VecDeque<Result<(String, u64), Error>>,
    /// Segments that are read and not given yet.
    read: VecDeque<(String, Option<Bytes>)>,
    tree: Frontier,
}

impl<'source> Events<'source> {
    /// The first `size` events of a tenant's archive.
    pub fn new(source: &'source dyn Source, tenant_id: TenantId, size: u64) -> Self {
        let (named, read) = (VecDeque::new(), VecDeque::new());
        Self { source, tenant_id, size, generation: 0, named, read, tree: Frontier::new() }
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
        if self.read.is_empty() {
            self.read_ahead().await?;
        }
        let (object, bytes) = self.read.pop_front().expect("one was read");
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

    /// Reads the segments that come next. What is wrong with a manifest is told when everything before it was given.
    async fn read_ahead(&mut self) -> Result<(), Error> {
        if self.named.is_empty() {
            self.name_ahead().await?;
        }
        let (mut keys, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.named.pop_front_if(|next| match next {
            Ok((_, length)) => {
                keys.is_empty() || (keys.len() < OBJECTS_AHEAD && bytes <= BYTES_AHEAD.saturating_sub(*length))
            }
            Err(_) => keys.is_empty(),
        }) {
            let (key, length) = next?;
            bytes = length.saturating_add(bytes);
            keys.push(key);
        }
        let found = self.get_all(&keys).await?;
        self.read = keys.into_iter().zip(found).collect();
        Ok(())
    }

    /// Reads the manifests that come next, for the segments they name. Beyond the newest there is the one which a checkpoint was
    /// published for, named by its range.
    async fn name_ahead(&mut self) -> Result<(), Error> {
        while self.named.is_empty() {
            let keys: Vec<_> =
                (1..=OBJECTS_AHEAD as u64).map(|ahead| layout::manifest(self.generation + ahead)).collect();
            let found = self.get_all(&keys).await?;
            let there: Vec<_> = keys.into_iter().zip(found).map_while(|(key, bytes)| Some((key, bytes?))).collect();
            if there.is_empty() {
                let unpublished = layout::segment(self.reached().next(), Position::new(self.size as i64));
                self.named.push_back(Ok((unpublished, 0)));
            }
            for (key, bytes) in there {
                self.generation += 1;
                match Manifest::claimed(&bytes) {
                    Ok(manifest) => {
                        let wanted = manifest.segments.into_iter().filter(|next| next.first.get() as u64 <= self.size);
                        self.named.extend(wanted.map(|segment| Ok((segment.object, segment.size_bytes))));
                    }
                    Err(source) => self.named.push_back(Err(Error::Manifest { object: key, source })),
                }
            }
        }
        Ok(())
    }

    async fn get_all(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, Error> {
        Ok(try_join_all(keys.iter().map(|key| self.source.get(key))).await?)
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
