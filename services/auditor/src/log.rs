//! The Merkle log of an archive under its published tree head, of which only those objects are read that a proof takes.
//!
//! Nothing that lies there is believed: what is made of it is checked against the root that the key signed before it is given
//! away. So a damaged archive gives no proof, never a wrong one.

mod consistency;
mod inclusion;

use std::{collections::BTreeMap, ops::Range};

use archive::{
    Checkpoint, KeyChain, Manifest, Verifier, checkpoint, layout, proof,
    tile::{self, Tile, WIDTH, subtree},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use schemas::Hash;

pub use self::{consistency::Consistency, inclusion::Wanted};
use crate::{
    source::{self, Source},
    verify::SIZE_MAX,
};

/// Objects that are fetched at the same time.
const OBJECTS_AHEAD: usize = 8;

/// More keys than any region ever had; a bound.
const SUCCESSIONS_MAX: u64 = 10_000;

/// A tenant's log as of its published tree head.
pub struct Log<'source> {
    source: &'source dyn Source,
    note: String,
    head: Checkpoint,
    keys: KeyChain,
    key: Verifier,
}

impl<'source> Log<'source> {
    /// Opens the log with the key to trust, the log's own or its region's, or any that the archive's successions lead to or from.
    /// Without one, the key that the archive names is used.
    ///
    /// # Errors
    /// If there is no tree head, or the key has not signed it.
    pub async fn open(source: &'source dyn Source, key: Option<&Verifier>) -> Result<Self, Error> {
        let key = match key {
            Some(key) => key.clone(),
            None => named_key(source).await?,
        };
        let missing = || Error::Missing { object: layout::CHECKPOINT.to_owned() };
        let note = source.get(layout::CHECKPOINT).await?.ok_or_else(missing)?;
        let note = String::from_utf8(note.into()).map_err(|_| Error::Head(checkpoint::Error::Line("text")))?;
        let keys = key_chain(source, &key).await?;
        let (head, number) = keys.checkpoint(key.name(), &note).map_err(Error::Head)?;
        if head.size > SIZE_MAX {
            return Err(Error::Head(checkpoint::Error::Line("size")));
        }
        let key = keys.verifiers(&head.origin).nth(number).expect("a key of the chain has signed");
        Ok(Self { source, note, head, keys, key })
    }

    /// The published tree head.
    pub fn head(&self) -> &Checkpoint {
        &self.head
    }

    /// The signed note of it.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The key that signed it, under the log's name.
    pub fn key(&self) -> &Verifier {
        &self.key
    }

    /// The roots of subtrees, as the tiles have them.
    async fn hashes(&self, subtrees: &[Range<u64>]) -> Result<Vec<Hash>, Error> {
        let tiles = subtree::tiles(subtrees, self.head.size);
        // Collected first: a borrowed closure in a boxed stream asks more of lifetimes than the compiler can see.
        let gets: Vec<_> = tiles.into_iter().map(|tile| self.tile(tile)).collect();
        let held: BTreeMap<_, _> = stream::iter(gets).buffered(OBJECTS_AHEAD).try_collect().await?;
        subtree::hashes(subtrees, self.head.size, &held).ok_or(Error::TreeDiffers)
    }

    async fn tile(&self, tile: Tile) -> Result<(Tile, Vec<Hash>), Error> {
        let bytes = self.object(tile, Tile::path).await?;
        Ok((tile, tile::decode(&bytes).ok_or(Error::TreeDiffers)?))
    }

    /// A tile or bundle as it was at the head's size, or the full one that followed it.
    async fn object(&self, tile: Tile, path: fn(&Tile) -> String) -> Result<Bytes, Error> {
        let full = Tile { width: WIDTH as u16, ..tile };
        for tile in [tile, full] {
            if let Some(bytes) = self.source.get(&layout::log(&path(&tile))).await? {
                return Ok(bytes);
            }
        }
        Err(Error::Missing { object: layout::log(&path(&tile)) })
    }
}

/// The keys that a key and the successions of an archive make. Statements that say nothing lead to no key.
///
/// # Errors
/// If the source does not answer.
pub async fn key_chain(source: &dyn Source, key: &Verifier) -> Result<KeyChain, source::Error> {
    let mut statements = BTreeMap::new();
    for number in 1..=SUCCESSIONS_MAX {
        let Some(statement) = source.get(&layout::succession(number)).await? else { break };
        statements.insert(number, statement.to_vec());
    }
    // A region's name, or a log's below it.
    let region_name = key.name().splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
    Ok(KeyChain::through(*key.public_key(), &region_name, &statements).0)
}

/// The key that the first manifest names.
async fn named_key(source: &dyn Source) -> Result<Verifier, Error> {
    let manifest = source.get(&layout::manifest(1)).await?.ok_or(Error::NoKey)?;
    let claimed = Manifest::claimed(&manifest).ok().and_then(|manifest| manifest.verifier.parse().ok());
    claimed.ok_or(Error::NoKey)
}

/// A log that gives no proof.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not answer.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// No key was given, and the archive names none.
    #[error("{}: missing, or not the shape of a manifest: the archive names no key", layout::manifest(1))]
    NoKey,
    /// An object is not there.
    #[error("{object}: missing")]
    Missing {
        /// Which.
        object: String,
    },
    /// The published tree head cannot be trusted or read.
    #[error("{}: cannot be trusted", layout::CHECKPOINT)]
    Head(#[source] checkpoint::Error),
    /// The older tree head cannot be trusted or read.
    #[error("the older tree head cannot be trusted")]
    OldHead(#[source] checkpoint::Error),
    /// The tiles are not of the tree whose root was signed.
    #[error("{}: the tiles do not make the root that was signed", layout::TILES)]
    TreeDiffers,
    /// Tiles and entry do not lead to the root that was signed.
    #[error("{}: what lies there proves nothing of the event", layout::TILES)]
    NotProven(#[source] proof::Error),
    /// The log holds no such event.
    #[error("the log holds no such event; its positions are 1 to {size}")]
    NoSuchEvent {
        /// Events in the log.
        size: u64,
    },
}
