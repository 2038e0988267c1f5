//! What a verification found, and before that, what it did not look at.

mod not_checked;
mod page;
mod text;

use std::fmt;

use jiff::Timestamp;
use schemas::{Hash, Position, RegionId, TenantId, TicketId};
use serde::{Serialize, Serializer};

pub use self::{
    not_checked::NotChecked,
    page::{About, page},
    text::{size, words},
};

/// Findings kept at most; the rest is counted.
pub const FINDINGS_MAX: usize = 1000;

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was not checked; what weighs most comes first.
    pub not_checked: Vec<NotChecked>,
    /// Whose archive, as its manifests say.
    pub tenant_id: Option<TenantId>,
    /// Where it is at home, as its manifests say.
    pub region: Option<RegionId>,
    /// The ticket, where it was a ticket's bundle: then there are proofs, and no manifests, tiles or audit lines.
    pub ticket: Option<TicketId>,
    /// The C2SP verifier key everything was checked against.
    pub verifier: Option<String>,
    /// Every key of the log, oldest first, as the archive's successions lead from that key to the others.
    pub verifiers: Vec<String>,
    /// Whether that key was given by the auditor. If not, it is the one the archive names, and a stranger who re-signed the
    /// whole archive would not be found.
    pub is_key_pinned: bool,
    /// Manifests read.
    pub generations: u64,
    /// Events in the archive: the size of the newest tree.
    pub size: u64,
    /// The root of that tree.
    pub root: Option<Hash>,
    /// Attachments whose hash was checked.
    pub attachments: u64,
    /// Objects read.
    pub objects: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What other regions have cosigned.
    pub witnesses: Vec<Witnessed>,
    /// What was kept from elsewhere and the archive was held against. Where they differ, that is among the findings.
    pub held_against: Vec<HeldAgainst>,
    /// What is wrong, by position, findings without one first.
    pub findings: Vec<Finding>,
    /// Further findings that were not kept.
    pub findings_left_off: u64,
    /// What is worth knowing and not wrong.
    pub notes: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The first position that is wrong, if something is and has a position.
    pub fn first_wrong(&self) -> Option<Position> {
        self.findings.iter().filter_map(|finding| finding.position).min()
    }

    pub(crate) fn add(&mut self, position: impl Into<Option<Position>>, object: impl Into<String>, what: Wrong) {
        if self.findings.len() == FINDINGS_MAX {
            self.findings_left_off += 1;
            return;
        }
        self.findings.push(Finding { position: position.into(), object: object.into(), what });
    }
}

/// A tree head of the log that another region has cosigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witnessed {
    /// The name of its key.
    pub name: String,
    /// Events under it.
    pub size: u64,
    /// When it was cosigned. Nothing: no key of that region was given, so it is a claim.
    pub at: Option<Timestamp>,
}

impl fmt::Display for Witnessed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, size, at } = self;
        match at {
            Some(at) => write!(formatter, "{name} up to position {size} at {at}"),
            None => write!(formatter, "{name} up to position {size}, as the archive says"),
        }
    }
}

/// A tree that somebody kept, and that the archive must hold as its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldAgainst {
    /// Where it is known from.
    pub what: String,
    /// Events under it.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

impl fmt::Display for HeldAgainst {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {} events with the root {}", self.what, self.size, self.root)
    }
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The first position it concerns, where it concerns positions.
    pub position: Option<Position>,
    /// In which object.
    pub object: String,
    /// What.
    pub what: Wrong,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(formatter, "position {position}: {}: {}", self.object.escape_debug(), self.what),
            None => write!(formatter, "{}: {}", self.object.escape_debug(), self.what),
        }
    }
}

/// What can be wrong with an object or an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// There is no manifest at all.
    NoArchive,
    /// The object is not there.
    Missing,
    /// The object is there and nothing names it.
    Extra,
    /// Its bytes are not those that the manifest, or its name, has the hash of.
    HashDiffers,
    /// It cannot be read; in words without data.
    Unreadable(String),
    /// It is not signed by the key.
    Signature(String),
    /// It is no statement that one key of the log follows another.
    Succession(String),
    /// It is signed by a key whose successor has signed before.
    KeyRetired,
    /// It was signed for another log, region or generation.
    Belongs(&'static str),
    /// The manifest does not carry the hash of the one before it.
    ChainBroken,
    /// The manifest says that it was sealed before the one before it.
    OlderThanPrevious,
    /// No segment holds these positions.
    Gap,
    /// Two segments hold this position.
    Overlap,
    /// The event is not the one the Merkle tree was built over.
    EventDiffers,
    /// The event is another tenant's.
    AnotherTenant,
    /// A version of the event's stream is missing before it, or comes twice.
    StreamVersion,
    /// The tree over the events has another root than the one that was signed.
    RootDiffers,
    /// A tile or bundle is not that of the events.
    TreeDiffers,
    /// The published checkpoint covers more events than there are.
    CheckpointAhead,
    /// The published checkpoint covers fewer events than were published.
    CheckpointBehind,
    /// The steps by hand are none that this product published for this log and key.
    GuideDiffers,
    /// The audit lines are not those of the events.
    AuditDiffers,
    /// The manifest names other attachments than the events do.
    AttachmentsDiffer,
    /// The archive ends before a size it is known to have had.
    Truncated,
    /// It is not as the bundle's list says.
    NotAsListed,
    /// The bundle's list does not name it.
    Unlisted,
    /// Another region has cosigned another history.
    Forked,
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoArchive => "there is no manifest, so no archive",
            Self::Missing => "missing",
            Self::Extra => "not named by any manifest",
            Self::HashDiffers => "not the bytes that were signed",
            Self::Unreadable(why) => return write!(formatter, "cannot be read: {why}"),
            Self::Signature(why) => return write!(formatter, "not signed by the key: {why}"),
            Self::Succession(why) => return write!(formatter, "no key follows another by it: {why}"),
            Self::KeyRetired => "signed by a key that was retired before",
            Self::Forked => "another region has cosigned another history under the same key",
            Self::Belongs(what) => return write!(formatter, "belongs to another {what}"),
            Self::ChainBroken => "does not follow the manifest before it",
            Self::OlderThanPrevious => "older than the manifest before it",
            Self::Gap => "no segment holds the event",
            Self::Overlap => "a second segment holds the event",
            Self::EventDiffers => "not the event that was signed",
            Self::AnotherTenant => "the event of another tenant",
            Self::StreamVersion => "its stream's versions have a gap or a double here",
            Self::RootDiffers => "the tree over the events has another root",
            Self::TreeDiffers => "not the tree over the events",
            Self::CheckpointAhead => "covers events that no manifest holds",
            Self::CheckpointBehind => "older than the newest manifest",
            Self::GuideDiffers => "not the steps by hand that were published for this key",
            Self::AuditDiffers => "not the lines of the events",
            Self::AttachmentsDiffer => "names other attachments than the events",
            Self::NotAsListed => "not the bytes that BUNDLE.json lists",
            Self::Unlisted => "not listed in BUNDLE.json",
            Self::Truncated => "the archive ends here and is known to have held more",
        })
    }
}

impl Serialize for Wrong {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
