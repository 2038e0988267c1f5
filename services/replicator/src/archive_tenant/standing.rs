//! Where database and bucket stand, and whether they tell the same history.

use archive::{
    Checkpoint, Manifest, SignedError,
    checkpoint::{Error as CheckpointError, origin},
    layout, merkle,
};
use eventlog::{Mark, TreeHead};
use jiff::{SignedDuration, Timestamp};
use regions::Resident;
use schemas::{Hash, Position};

use super::Archived;
use crate::{deps::ReplicatorDeps, error::Error, signing::KeyRing, store::TenantObjects};

/// What was found, and found to fit together.
pub(super) struct Standing {
    /// The newest tree head that the database sealed.
    pub(super) head: Option<TreeHead>,
    /// The newest manifest in the bucket, and the hash of its object.
    pub(super) manifest: Option<(Manifest, Hash)>,
    /// The published checkpoint.
    pub(super) checkpoint: Option<Published>,
    /// The mark "archived".
    pub(super) marked: Position,
    /// When it was set.
    marked_at: Option<Timestamp>,
}

/// The published checkpoint.
pub(crate) struct Published {
    pub(crate) checkpoint: Checkpoint,
    /// The same, as it was signed.
    pub(crate) note: String,
    /// The number of the key that signed it.
    pub(crate) key_number: usize,
    /// Its tag for the swap.
    pub(super) etag: String,
}

impl Standing {
    /// Reads and compares. The order matters: the bucket only moves on after the database, so what is read first, in the
    /// database, is never ahead of what is read after it, unless somebody else is at work or the database is an old one.
    pub(super) async fn find(deps: &ReplicatorDeps, resident: &Resident, ring: &KeyRing) -> Result<Self, Error> {
        let (head, mark) = in_database(deps, resident).await?;
        let objects = deps.objects(resident);
        let origin = origin(&deps.region.id, resident.tenant_id());
        let standing = Self {
            manifest: newest_manifest(&objects, (ring, &origin)).await?,
            checkpoint: published(&objects, (ring, &origin)).await?,
            head,
            marked: mark.map_or(Position::ZERO, |mark| mark.position),
            marked_at: mark.map(|mark| mark.at),
        };
        let ahead = standing.published().max(standing.size_number());
        if ahead > standing.sealed_number() {
            let (head_now, _) = in_database(deps, resident).await?;
            let sealed = head_now.map_or(0, |head| head.size.get() as u64);
            return Err(if ahead > sealed {
                Error::PublishedAhead { published: ahead, sealed }
            } else {
                Error::Contended
            });
        }
        standing.compare()?;
        Ok(standing)
    }

    /// Events in the newest generation and before.
    pub(super) fn size(&self) -> Position {
        Position::new(self.size_number() as i64)
    }

    /// Events under the newest tree head.
    pub(super) fn sealed(&self) -> Position {
        Position::new(self.sealed_number() as i64)
    }

    /// The newest generation.
    pub(super) fn generation(&self) -> u64 {
        self.manifest.as_ref().map_or(0, |(manifest, _)| manifest.generation)
    }

    /// Whether a head is sealed whose generation is not published.
    pub(super) fn is_under_way(&self) -> bool {
        self.sealed() > self.size()
    }

    /// When the head of the generation under way was sealed.
    pub(super) fn sealed_at_if_under_way(&self) -> Option<Timestamp> {
        self.head.as_ref().filter(|_| self.is_under_way()).map(|head| head.sealed_at)
    }

    /// When a head that is sealed now is said to be sealed: never before the newest generation was. Heads follow one another, and a
    /// reader finds a manifest that is older than the one before it; only a machine's clock can be behind.
    pub(super) fn sealed_next_at(&self, now: Timestamp) -> Timestamp {
        self.newest_at().map_or(now, |newest_at| newest_at.max(now))
    }

    /// How far the clock is behind the newest generation, if nobody was told. The mark of a generation bears the clock's own time:
    /// where it is older than the manifest, the clock was behind already.
    pub(super) fn clock_found_behind(&self, now: Timestamp) -> Option<SignedDuration> {
        let newest_at = self.newest_at().filter(|newest_at| now < *newest_at)?;
        let was_behind = self.marked_at.is_some_and(|marked_at| marked_at < newest_at);
        (!was_behind).then(|| newest_at.duration_since(now))
    }

    fn newest_at(&self) -> Option<Timestamp> {
        self.manifest.as_ref().map(|(manifest, _)| manifest.created_at)
    }

    pub(super) fn archived(&self) -> Archived {
        Archived {
            generation: self.generation(),
            size: self.size(),
            root: self.manifest.as_ref().map_or_else(merkle::empty_root, |(manifest, _)| manifest.root),
            manifest_sha256: self.manifest.as_ref().map(|(_, sha256)| *sha256),
            published: 0,
        }
    }

    fn size_number(&self) -> u64 {
        self.manifest.as_ref().map_or(0, |(manifest, _)| manifest.size)
    }

    fn sealed_number(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.size.get() as u64)
    }

    fn published(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |published| published.checkpoint.size)
    }

    fn compare(&self) -> Result<(), Error> {
        let (size, sealed, published) = (self.size_number(), self.sealed_number(), self.published());
        if self.marked > self.size() {
            return Err(Error::ArchiveLost { archived: self.marked, published: size });
        }
        // The checkpoint is that of the newest manifest, or already that of the generation under way.
        if published != size && published != sealed {
            return Err(Error::Inconsistent { size: published, what: "the checkpoint is of neither" });
        }
        let roots = [
            (size, self.manifest.as_ref().map(|(manifest, _)| manifest.root), "the manifest's root"),
            (published, self.checkpoint.as_ref().map(|published| published.checkpoint.root), "the checkpoint's root"),
        ];
        let known = [
            (size, self.manifest.as_ref().map(|(manifest, _)| manifest.root)),
            (sealed, self.head.as_ref().map(|head| head.root)),
        ];
        for (at, root, what) in roots {
            let differs = |(size, known): &(u64, Option<Hash>)| *size == at && known.is_some() && *known != root;
            if root.is_some() && known.iter().any(differs) {
                return Err(Error::Inconsistent { size: at, what });
            }
        }
        Ok(())
    }
}

async fn in_database(deps: &ReplicatorDeps, resident: &Resident) -> Result<(Option<TreeHead>, Option<Mark>), Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let marks = eventlog::marks(&mut connection, resident).await.map_err(Error::Log)?;
    let head = eventlog::tree_head(&mut connection, resident).await.map_err(Error::Log)?;
    Ok((head, marks.archived))
}

pub(crate) async fn published(
    objects: &TenantObjects,
    (ring, origin): (&KeyRing, &str),
) -> Result<Option<Published>, Error> {
    let Some(object) = objects.get(layout::CHECKPOINT).await? else { return Ok(None) };
    let note = std::str::from_utf8(&object.body).map_err(|_| Error::Checkpoint(CheckpointError::Line("text")))?;
    let (checkpoint, key_number) = ring.chain().checkpoint(origin, note).map_err(Error::Checkpoint)?;
    Ok(Some(Published { checkpoint, note: note.to_owned(), key_number, etag: object.etag }))
}

/// The newest manifest, and the hash of its object; it must be ours.
pub(crate) async fn newest_manifest(
    objects: &TenantObjects,
    key: (&KeyRing, &str),
) -> Result<Option<(Manifest, Hash)>, Error> {
    match newest_generation(objects).await? {
        0 => Ok(None),
        generation => manifest_of(objects, key, generation).await.map(Some),
    }
}

/// A manifest, and the hash of its object; it must be there and ours.
pub(crate) async fn manifest_of(
    objects: &TenantObjects,
    (ring, origin): (&KeyRing, &str),
    generation: u64,
) -> Result<(Manifest, Hash), Error> {
    let key = layout::manifest(generation);
    let Some(object) = objects.get(&key).await? else { return Err(Error::TreeDamaged { object: key }) };
    let opened = ring.chain().manifest(origin, &object.body);
    let (manifest, _) = opened.map_err(|source: SignedError| Error::NotOurs { object: key, source })?;
    Ok((manifest, Hash::of(&[&object.body])))
}

/// The newest generation there is a manifest of. Generations have no gaps, so doubling and halving finds it in few steps,
/// where a listing would grow with every generation.
async fn newest_generation(objects: &TenantObjects) -> Result<u64, Error> {
    let (mut there, mut step) = (0, 1);
    while exists(objects, there + step).await? {
        there += step;
        step *= 2;
    }
    while step > 1 {
        step /= 2;
        if exists(objects, there + step).await? {
            there += step;
        }
    }
    Ok(there)
}

async fn exists(objects: &TenantObjects, generation: u64) -> Result<bool, Error> {
    Ok(objects.size(&layout::manifest(generation)).await?.is_some())
}
