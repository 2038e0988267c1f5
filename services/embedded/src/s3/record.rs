//! What an object's file carries beside its bytes: which version it is, and what holds it.
//!
//! It stands in an extended attribute of the file itself, written before the file gets its name. So it is there exactly when the
//! object is, moves with it, and costs no file and no sync of its own.

use std::{io, path::Path};

use jiff::Timestamp;
use rustix::{
    fs::{XattrFlags, getxattr, setxattr},
    io::Errno,
};
use serde::{Deserialize, Serialize};

const ATTRIBUTE: &str = "user.domicile.s3";
const BYTES_MAX: usize = 512;

/// The version of objects that were written before their bucket kept versions.
pub(super) const NO_VERSION: &str = "null";

/// The record of one version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retention: Option<Retention>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_on_hold: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<Tag>,
}

/// A key and a value that an object carries for the rules of its bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

/// Until when a version stays, and how firmly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retention {
    pub(super) mode: Mode,
    pub(super) until: Timestamp,
}

/// How firmly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Mode {
    /// Whoever may bypass it, and says so, can end it.
    Governance,
    /// Nobody can.
    Compliance,
}

impl Default for Record {
    fn default() -> Self {
        Self { version: NO_VERSION.to_owned(), retention: None, is_on_hold: false, tag: None }
    }
}

impl Record {
    /// The record of a file; that of an old object, if it carries none.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut bytes = [0; BYTES_MAX];
        match getxattr(path, ATTRIBUTE, &mut bytes[..]) {
            Ok(length) => serde_json::from_slice(&bytes[..length]).map_err(io::Error::other),
            Err(Errno::NODATA | Errno::NOTSUP) => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes it to a file, in the place of the one before.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec(self).map_err(io::Error::other)?;
        setxattr(path, ATTRIBUTE, &bytes, XattrFlags::empty()).map_err(|error| match error {
            Errno::NOTSUP => io::Error::new(
                io::ErrorKind::Unsupported,
                "the data folder's file system keeps no extended attributes, which versions and locks are kept in",
            ),
            error => error.into(),
        })
    }

    /// Whether the version must stay, also for somebody who may bypass governance and asks to.
    pub(super) fn is_held(&self, now: Timestamp, bypass: bool) -> bool {
        let holds = |retention: Retention| retention.until > now && (retention.mode == Mode::Compliance || !bypass);
        self.is_on_hold || self.retention.is_some_and(holds)
    }

    /// Whether its retention may become another one. It may always grow; anything else takes a bypass, and a compliance
    /// retention takes none.
    pub(super) fn may_become(&self, next: Option<Retention>, now: Timestamp, bypass: bool) -> bool {
        let Some(held) = self.retention.filter(|held| held.until > now) else { return true };
        let grows = next.is_some_and(|next| next.mode == held.mode && next.until >= held.until);
        grows || (held.mode == Mode::Governance && bypass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).expect("a time")
    }

    fn held(mode: Mode) -> Record {
        Record { retention: Some(Retention { mode, until: at(10) }), ..Record::default() }
    }

    #[test]
    fn a_retention_holds_until_its_time_and_only_governance_can_be_bypassed() {
        for (mode, bypassed_holds) in [(Mode::Governance, false), (Mode::Compliance, true)] {
            let record = held(mode);
            assert!(record.is_held(at(9), false));
            assert_eq!(record.is_held(at(9), true), bypassed_holds, "{mode:?}");
            assert!(!record.is_held(at(10), false));
        }
        let on_hold = Record { is_on_hold: true, ..Record::default() };
        assert!(on_hold.is_held(at(99), true), "a legal hold has no end and no bypass");
    }

    #[test]
    fn a_retention_grows_and_never_shrinks_but_by_a_bypass_of_governance() {
        let to = |mode, hour| Some(Retention { mode, until: at(hour) });
        for mode in [Mode::Governance, Mode::Compliance] {
            let other = if mode == Mode::Governance { Mode::Compliance } else { Mode::Governance };
            assert!(held(mode).may_become(to(mode, 11), at(1), false));
            for smaller in [to(mode, 9), to(other, 11), None] {
                assert!(!held(mode).may_become(smaller, at(1), false), "{mode:?} {smaller:?}");
                assert_eq!(held(mode).may_become(smaller, at(1), true), mode == Mode::Governance);
                assert!(held(mode).may_become(smaller, at(10), false), "it is over");
            }
        }
    }
}
