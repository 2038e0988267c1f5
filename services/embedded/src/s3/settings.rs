//! What a bucket was told: whether it keeps versions, whether it locks, and when lives in it end.

use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::{
    files::Files,
    record::{Mode, Tag},
};

/// A bucket's settings. Those of a bucket that was told nothing are in no file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) keeps_versions: bool,
    pub(super) locks: bool,
    pub(super) default_retention: Option<DefaultRetention>,
    pub(super) lives: Option<Vec<Rule>>,
}

/// The retention of objects that are written without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DefaultRetention {
    pub(super) mode: Mode,
    pub(super) days: u32,
}

/// When lives end, of objects whose key begins so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) prefix: String,
    /// Only of objects that carry this tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<Tag>,
    pub(super) is_enabled: bool,
    /// Days after which an object is deleted.
    pub(super) days: Option<u32>,
    /// Days after which a version goes that was replaced or deleted.
    pub(super) noncurrent_days: Option<u32>,
    /// Whether delete markers go that have nothing left under them.
    pub(super) ends_markers: bool,
    /// Days after which unfinished uploads go. There are none that outlive their request; it is answered as it was put.
    pub(super) incomplete_days: Option<u32>,
}

impl Settings {
    pub(super) fn read(files: &Files, bucket: &str) -> io::Result<Self> {
        match fs::read(files.settings(bucket)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes them, unless they are these already. A crash leaves the old ones or the new.
    pub(super) fn write(&self, files: &Files, bucket: &str) -> io::Result<()> {
        if Self::read(files, bucket)? == *self {
            return Ok(());
        }
        let staged = files.stage()?;
        fs::write(staged.path(), serde_json::to_vec_pretty(self).map_err(io::Error::other)?)?;
        files.replace(staged.path(), &files.settings(bucket))
    }
}
