//! Verify an archive from its objects alone.
//!
//! The manifests are a signed chain; each names new segments by hash; the events in them rebuild the Merkle tree, whose root
//! every manifest and the published checkpoint sign, and whose tiles lie beside. So there are three accounts of the same
//! history (segments, tree, signatures), and where one was changed the others tell at which position.
//!
//! Generations are read and decoded a few at a time, in parallel, and then walked in order; memory is bounded by those and by
//! one number a stream. Reading order: `identity` (whose archive, which key), `load`, `examine` (decode, in threads),
//! `walk` (positions, streams, roots), `tree` (tiles), `attached` (audit lines, files, schemas), `finish`.

mod attached;
mod chain;
mod counted;
mod examine;
mod finish;
mod identity;
mod known;
mod listing;
mod load;
mod tree;
mod walk;
mod witnessed;

use archive::{Manifest, layout, merkle::proof::Tree, note::Verifier};
use futures::{StreamExt, TryStreamExt, stream};
use schemas::{Position, TenantId};

pub use self::witnessed::cosigned;
pub(crate) use self::{chain::Chain, load::SIZE_MAX};
use self::{counted::Counted, examine::examine_all, identity::Identity, listing::Listing, load::load, walk::Walk};
use crate::{
    report::{Report, Wrong},
    source::{Error, Source},
};

/// Generations that are fetched ahead.
const GENERATIONS_AHEAD: usize = 4;

/// What a verification takes besides the archive.
#[derive(Debug, Clone)]
pub struct Options {
    /// The key to check against: of the tenant's log, or of its region. Without one, the key that the archive names is used,
    /// which shows only that one and the same key signed everything.
    pub verifier: Option<Verifier>,
    /// Keys of other regions, to check their cosignatures with.
    pub witnesses: Vec<Verifier>,
    /// A tree the archive is known to have had, from whoever calls.
    pub expected: Option<Tree>,
    /// A tree head that was kept from an earlier look, as it was published.
    pub older: Option<String>,
    /// Tree heads of the log that somebody refused to cosign, as they were signed, each with who says so.
    pub refused: Vec<(String, String)>,
    /// The manifest of a backup, as it was written: the tree that the tenant had then.
    pub backup: Option<Vec<u8>>,
    /// Whether attachments are read. Otherwise only that they are there is checked.
    pub reads_attachments: bool,
    /// A size the archive is known to have reached: one that ends before has lost its end.
    pub at_least: u64,
    /// Whose archive it must be.
    pub tenant_id: Option<TenantId>,
    /// Generations that are decoded at the same time, each in a thread of its own.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            verifier: None,
            witnesses: Vec::new(),
            expected: None,
            older: None,
            refused: Vec::new(),
            backup: None,
            reads_attachments: true,
            at_least: 0,
            tenant_id: None,
            threads,
        }
    }
}

/// How far a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Manifests walked.
    pub generation: u64,
    /// Manifests there are.
    pub generations: u64,
    /// Events walked.
    pub events: u64,
    /// Events there are, as the newest manifest says: a hint, until it was walked.
    pub events_total: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// Verifies an archive. An error says that the source could not be read, never that the archive is wrong.
pub async fn verify(
    source: &dyn Source,
    options: &Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Error> {
    let cosigned = cosigned(source).await?;
    let source = Counted::new(source);
    cosigned.iter().for_each(|(_, note)| source.count(note));
    // A manifest follows its checkpoint. So a checkpoint that was read before the listing is ahead of it at most for the moment
    // between the two, and one that is read after it is never behind: an archive that grows is not taken for a wrong one.
    let before = source.get(layout::CHECKPOINT).await?;
    let listing = Listing::new(source.list().await?);
    let mut report = Report::default();
    let events_total = claimed_size(&source, &listing).await?;
    let newest = listing.newest_generation();
    let Some(identity) = Identity::establish(&source, &listing, options, &mut report).await? else {
        if newest == 0 {
            report.add(None, layout::MANIFESTS, Wrong::NoArchive);
            if options.at_least > 0 {
                report.add(Position::new(1), layout::MANIFESTS, Wrong::Truncated);
            }
        }
        report.conclude(options);
        return Ok(report);
    };
    let threads = options.threads.max(1);
    let mut loads = stream::iter(listing.generations_with_gaps())
        .map(|generation| load(&source, &identity, generation))
        .buffered(GENERATIONS_AHEAD.max(threads))
        .try_chunks(threads);
    let mut walk = Walk::new(&source, &identity, options, listing, report);
    walk.take_cosigned(cosigned);
    while let Some(chunk) = loads.next().await {
        let chunk = chunk.map_err(|failed| failed.1)?;
        let examined = examine_all(&chunk, &identity);
        for (loaded, examined) in chunk.into_iter().zip(examined) {
            let generation = loaded.generation;
            walk.generation(loaded, examined).await?;
            progress(Progress {
                generation,
                generations: newest,
                events: walk.size(),
                events_total,
                bytes: source.bytes(),
            });
        }
    }
    let after = source.get(layout::CHECKPOINT).await?;
    let mut report = walk.finish(finish::Published { before, after }).await?;
    report.objects = source.objects();
    report.bytes = source.bytes();
    report.conclude(options);
    Ok(report)
}

/// How many events the newest manifest speaks of. Whether that is so is found on the way.
async fn claimed_size(source: &Counted<'_>, listing: &Listing) -> Result<u64, Error> {
    let newest = source.peek(&layout::manifest(listing.newest_generation())).await?;
    Ok(newest.and_then(|bytes| Manifest::claimed(&bytes).ok()).map_or(0, |manifest| manifest.size))
}
