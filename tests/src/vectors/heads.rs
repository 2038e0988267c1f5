//! Older tree heads, and how they stand to the archives: for readers that prove one history the beginning of another.

use archive::{
    Checkpoint,
    merkle::{proof, root_of},
};
use schemas::Hash;
use serde::{Deserialize, Serialize};

use super::{
    seal::{self, Who},
    written::Written,
};

/// How an older tree head stands to an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It is the beginning.
    Beginning,
    /// It is of another history.
    Fork,
    /// It covers more than the archive holds.
    Shorter,
    /// It says nothing of this log.
    Refused,
}

/// One entry of the list of heads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// What it is, in words.
    pub name: String,
    /// Compared with which archive: `long`, `short` or `rotated`.
    pub archive: String,
    /// The checkpoint.
    pub checkpoint: String,
    /// What a reader must find.
    pub found: Found,
    /// The proof of a beginning (RFC 6962, section 2.1.2).
    pub proof: Option<Vec<Hash>>,
}

/// Every head.
pub(super) fn all(long: &Written, short: &Written, rotated: &Written) -> Vec<Head> {
    let (first, other) = (Who::Region(0), Hash::of(&[b"another history"]));
    let mut heads = Vec::new();
    for size in [0, 1, 2, 3, 7, 8, 200, 255, 256, 257, 260, 269, 270] {
        heads.push(beginning(long, size, first));
    }
    heads.extend((0..=8).map(|size| beginning(short, size, first)));
    // Whoever knows one key of the region reads heads of all of them.
    heads.extend((1..=3).map(|size| beginning(rotated, size, Who::Region(size as u8 - 1))));
    heads.push(beginning(rotated, 1, Who::Region(2)));
    for size in [1, 260, 270] {
        let name = format!("{size} events of another history");
        heads.push(of(long, &name, signed(long, (size, other), first), Found::Fork));
    }
    heads.push(of(rotated, "2 events of another history", signed(rotated, (2, other), Who::Region(1)), Found::Fork));
    heads.push(of(long, "more than there is", signed(long, (271, other), first), Found::Shorter));
    let root = root_of(&long.leaves()[..260]);
    let stranger = signed(long, (260, root), Who::Stranger(0));
    heads.push(of(long, "signed by a stranger", stranger, Found::Refused));
    let elsewhere = signed(short, (8, root_of(&short.leaves())), first);
    heads.push(of(long, "of another log", elsewhere, Found::Refused));
    let grown = signed(long, (260, root), first).replace("\n260\n", "\n261\n");
    heads.push(of(long, "another size than was signed", grown, Found::Refused));
    heads.push(of(long, "no checkpoint", "260\n".to_owned(), Found::Refused));
    heads
}

fn beginning(of_archive: &Written, size: usize, who: Who) -> Head {
    let leaves = of_archive.leaves();
    let checkpoint = signed(of_archive, (size as u64, root_of(&leaves[..size])), who);
    let proof = Some(proof::consistency(&leaves, size as u64));
    Head { proof, ..of(of_archive, &format!("the first {size} events"), checkpoint, Found::Beginning) }
}

fn of(archive: &Written, name: &str, checkpoint: String, found: Found) -> Head {
    Head { name: name.to_owned(), archive: archive.name.to_owned(), checkpoint, found, proof: None }
}

fn signed(archive: &Written, (size, root): (u64, Hash), who: Who) -> String {
    let origin = archive.origin();
    let signer = seal::signer_of(&origin, who);
    Checkpoint { origin, size, root }.sign(&signer)
}
