//! What a verification did not look at. It comes before what was found: a clean report says no more than what was checked.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{Report, Witnessed};
use crate::verify::Options;

/// A check that was not made, because nothing was given to make it with, or for what lies in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotChecked {
    /// Nothing could be read, so nothing was checked.
    Everything,
    /// No key was given: the one that the archive names was used.
    Key,
    /// Findings that are not listed.
    Findings(u64),
    /// The tree could not be followed to its end.
    Tree,
    /// Objects of a part that could not be looked at.
    Unreachable(u64),
    /// Objects beyond the newest manifest: a step that is not published.
    Unpublished(u64),
    /// Files that no archived event claims.
    Unclaimed(u64),
    /// Attachments of which only the name was looked up.
    Attachments(u64),
    /// Payloads stayed sealed.
    Payloads,
    /// No older tree head was compared.
    OlderHead,
    /// No backup's manifest was compared.
    Backup,
    /// No other region is known to have cosigned.
    Unwitnessed,
    /// Events that a region has not cosigned, though a key of it was given.
    NotWitnessed {
        /// The name of its key.
        by: String,
        /// The last tree head that it has cosigned: its size, and when.
        last: Option<(u64, Timestamp)>,
    },
    /// A cosignature of a region of which no key was given.
    Cosigner {
        /// The name of its key.
        by: String,
        /// Events under it.
        size: u64,
    },
    /// Of a ticket's bundle: what lies beside the ticket, and whether its streams go on.
    BesideTicket,
    /// Of a ticket's bundle: the shapes of its events.
    Shapes,
    /// Of a ticket's bundle: what somebody kept. There is no tree to hold it against.
    Kept,
    /// Of a bundle: payloads in the clear.
    Opened,
}

impl NotChecked {
    /// What makes the check, if something does.
    pub const fn remedy(&self) -> Option<&'static str> {
        Some(match self {
            Self::Key => "take the region's key from elsewhere and pass it with --verifier",
            Self::Findings(_) | Self::Tree | Self::Unreachable(_) => "mend what was found and verify again",
            Self::Unpublished(_) => "verify again once the next generation is published",
            Self::Attachments(_) => "leave out --skip-attachments",
            Self::Payloads => "open them with audit replay and the keys",
            Self::OlderHead => "keep a checkpoint and pass it next time with --old",
            Self::Backup => "pass a backup's manifest with --backup",
            Self::Unwitnessed | Self::Cosigner { .. } => {
                "take the other regions' keys from elsewhere and pass them with --witness"
            }
            Self::NotWitnessed { .. } => "ask it with audit witnesses, and verify again once it has cosigned",
            Self::BesideTicket => "verify the tenant's archive",
            Self::Shapes => {
                "compare them with those of the tenant's archive once that is verified: its manifests sign them"
            }
            Self::Kept => "verify the tenant's archive with --old and --backup",
            Self::Opened => "open the tenant's archive with audit replay and the keys, and compare",
            Self::Everything | Self::Unclaimed(_) => return None,
        })
    }
}

impl fmt::Display for NotChecked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BesideTicket => {
                formatter.write_str("the rest of the log: other streams, and whether the ticket or its files have later events than those here, which nobody signed")
            }
            Self::Shapes => formatter
                .write_str("the shapes of the events, in schemas/: BUNDLE.json has their hashes, which nobody signed"),
            Self::Kept => formatter.write_str(
                "against an earlier look or a backup: a ticket's bundle has no tree to hold them against, so a fork is not found",
            ),
            Self::Opened => formatter.write_str(
                "what payloads say: opened/events.ndjson says it in the clear, of which BUNDLE.json has the hash, which nobody \
                 signed; only the ciphertext of the sealed ones was compared",
            ),
            Self::Everything => formatter.write_str("anything: no manifest could be read"),
            Self::Key => formatter.write_str(
                "who signed: no key was given and the archive's own was used, so a stranger who signed all of it anew is not found",
            ),
            Self::Findings(count) => write!(formatter, "{count} further findings that are not listed"),
            Self::Tree => formatter.write_str("the end of the tree: it could not be followed there"),
            Self::Unreachable(count) => write!(formatter, "{count} objects of a part that could not be looked at"),
            Self::Unpublished(count) => {
                write!(formatter, "{count} objects beyond the newest manifest: a step that is not published")
            }
            Self::Unclaimed(count) => write!(formatter, "{count} files that no archived event claims"),
            Self::Attachments(count) => write!(formatter, "the bytes of {count} attachments: only that they are there"),
            Self::Payloads => {
                formatter.write_str("what payloads say: they stayed sealed, and only their ciphertext was compared")
            }
            Self::OlderHead => {
                formatter.write_str("against an earlier look: no older checkpoint was compared, so a fork that nobody else saw is not found")
            }
            Self::Unwitnessed => formatter
                .write_str("against other regions: none has cosigned any of it, so a second history is not found"),
            Self::NotWitnessed { by, last: None } => {
                write!(formatter, "against {by}: not witnessed, it has cosigned nothing of it")
            }
            Self::NotWitnessed { by, last: Some((size, since)) } => {
                write!(formatter, "against {by} after position {size}: not witnessed since {since}")
            }
            Self::Cosigner { by, size } => {
                write!(formatter, "who cosigned up to position {size} as {by}: no key of it was given")
            }
            Self::Backup => formatter
                .write_str("against a backup: no backup's manifest was compared, so an archive that was cut back is not found"),
        }
    }
}

/// `{"what", "remedy"}`.
impl Serialize for NotChecked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("NotChecked", 2)?;
        fields.serialize_field("what", &self.to_string())?;
        fields.serialize_field("remedy", &self.remedy())?;
        fields.end()
    }
}

impl Report {
    /// Adds what the options leave out, and puts first what weighs most. What was met on the way is there already.
    pub(crate) fn conclude(&mut self, options: &Options) {
        let left_off = (self.findings_left_off > 0).then_some(NotChecked::Findings(self.findings_left_off));
        let attachments = if options.reads_attachments { 0 } else { std::mem::take(&mut self.attachments) };
        let by_options = [
            (self.tenant_id.is_none()).then_some(NotChecked::Everything),
            (!self.is_key_pinned).then_some(NotChecked::Key),
            left_off,
        ];
        let (met, is_ticket) = (std::mem::take(&mut self.not_checked), self.ticket.is_some());
        let left_out = [
            (attachments > 0).then_some(NotChecked::Attachments(attachments)),
            (self.size > 0).then_some(NotChecked::Payloads),
            (!is_ticket && options.older.is_none()).then_some(NotChecked::OlderHead),
            (!is_ticket && options.expected.is_none() && options.backup.is_none()).then_some(NotChecked::Backup),
            is_ticket.then_some(NotChecked::Kept),
        ];
        let (by_options, left_out) = (by_options.into_iter().flatten(), left_out.into_iter().flatten());
        self.not_checked = by_options.chain(met).chain(self.unwitnessed(options)).chain(left_out).collect();
    }

    /// Says of a bundle with payloads in the clear that they did not all stay sealed, and that nothing vouches for those.
    pub(crate) fn has_opened_payloads(&mut self) {
        match self.not_checked.iter_mut().find(|not_checked| **not_checked == NotChecked::Payloads) {
            Some(payloads) => *payloads = NotChecked::Opened,
            None => self.not_checked.push(NotChecked::Opened),
        }
    }

    /// What other regions have not vouched for: each of which a key was given, or that is said to have cosigned.
    fn unwitnessed(&self, options: &Options) -> Vec<NotChecked> {
        let given = options.witnesses.iter().map(|key| key.name());
        let names: BTreeSet<&str> = given.chain(self.witnesses.iter().map(|it| it.name.as_str())).collect();
        if names.is_empty() {
            return if self.size > 0 { vec![NotChecked::Unwitnessed] } else { Vec::new() };
        }
        let unwitnessed = names.into_iter().filter_map(|name| {
            let by = name.to_owned();
            match self.witnesses.iter().find(|witness| witness.name == name) {
                None => Some(NotChecked::NotWitnessed { by, last: None }),
                Some(Witnessed { size, at: None, .. }) => Some(NotChecked::Cosigner { by, size: *size }),
                Some(Witnessed { size, at: Some(at), .. }) if *size < self.size => {
                    Some(NotChecked::NotWitnessed { by, last: Some((*size, *at)) })
                }
                Some(_) => None,
            }
        });
        unwitnessed.collect()
    }
}
