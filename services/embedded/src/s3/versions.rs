//! The versions of an object: the current one is the file at its key, the others lie in a folder of their own.
//!
//! A version's id begins with the time it was made at, so that ids are in the order of time. Whoever changes what is current holds
//! the store's lock. Every step leaves, if it is the last one before a crash, an object that is whole and a version at most twice
//! there, which readers see once.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use jiff::Timestamp;
use runtime::Clock;

use super::{
    files::{Files, Stat},
    record::{NO_VERSION, Record},
};

const MARKER: &str = ".deleted";

/// One version of an object.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) path: PathBuf,
    pub(super) content: Content,
    pub(super) is_latest: bool,
    pub(super) made_at: Timestamp,
}

/// What a version is.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Bytes.
    Object(Stat),
    /// A mark that the object was deleted.
    Marker,
}

/// Gives versions their ids.
pub(super) struct VersionIds {
    clock: Arc<dyn Clock>,
    count: AtomicU32,
}

impl VersionIds {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, count: AtomicU32::new(0) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn next(&self) -> String {
        format!("{:014x}-{:08x}", self.now().as_microsecond(), self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// When a version was made, by its id.
fn made_at(id: &str) -> Option<Timestamp> {
    let (micros, _) = id.split_once('-')?;
    Timestamp::from_microsecond(i64::from_str_radix(micros, 16).ok()?).ok()
}

/// Whether a client's word can be a version's id.
pub(super) fn is_id(text: &str) -> bool {
    text == NO_VERSION || text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

impl Files {
    /// The current version of an object, and when it was made, by the store's clock.
    pub(super) fn current(path: &Path) -> io::Result<(Stat, Timestamp)> {
        let stat = Self::stat(path)?;
        let made_at = object(Record::read(path)?.version, path.to_owned(), stat.clone())?.made_at;
        Ok((stat, made_at))
    }

    /// Every version of an object, the newest first.
    pub(super) fn versions(&self, bucket: &str, key: &str) -> io::Result<Vec<Version>> {
        let mut versions = Vec::new();
        if let Some(path) = self.object(bucket, key)
            && let Some(stat) = found(Self::stat(&path))?
        {
            versions.push(object(Record::read(&path)?.version, path, stat)?);
        }
        let mut others = self.others(bucket, key)?;
        others.retain(|other| versions.first().is_none_or(|current| current.id != other.id));
        // Without an id there was no version before it.
        others.sort_by(|one, other| {
            let order = |version: &Version| (version.id != NO_VERSION).then(|| version.id.clone());
            order(other).cmp(&order(one))
        });
        versions.extend(others);
        if let Some(latest) = versions.first_mut() {
            latest.is_latest = true;
        }
        Ok(versions)
    }

    fn others(&self, bucket: &str, key: &str) -> io::Result<Vec<Version>> {
        let Some(entries) = found(fs::read_dir(self.versions_folder(bucket, key)))? else { return Ok(Vec::new()) };
        let mut others = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(id) = name.strip_prefix('~').map(str::to_owned) else { continue };
            others.push(match id.strip_suffix(MARKER) {
                Some(id) => Version {
                    made_at: made_at(id).unwrap_or(Timestamp::UNIX_EPOCH),
                    id: id.to_owned(),
                    path,
                    content: Content::Marker,
                    is_latest: false,
                },
                None => {
                    let stat = Self::stat(&path)?;
                    object(id, path, stat)?
                }
            });
        }
        Ok(others)
    }

    fn other(&self, bucket: &str, key: &str, id: &str) -> PathBuf {
        self.versions_folder(bucket, key).join(format!("~{id}"))
    }

    /// Keeps the current version as one that is not, before another takes its name.
    pub(super) fn retire(&self, bucket: &str, key: &str) -> io::Result<()> {
        let Some(current) = self.object(bucket, key).filter(|path| path.is_file()) else { return Ok(()) };
        let kept = self.other(bucket, key, &Record::read(&current)?.version);
        match self.add(&current, &kept) {
            // Kept before a crash, which then kept it current too.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            added => added,
        }
    }

    /// Deletes an object, which its versions survive.
    pub(super) fn mark_deleted(&self, bucket: &str, key: &str, id: &str) -> io::Result<()> {
        let staged = self.stage()?;
        let marker = self.versions_folder(bucket, key).join(format!("~{id}{MARKER}"));
        self.add(staged.path(), &marker)?;
        let Some(current) = self.object(bucket, key).filter(|path| path.is_file()) else { return Ok(()) };
        let kept = self.other(bucket, key, &Record::read(&current)?.version);
        // rename(2) does nothing when both names are one file's, as they are after a crash.
        if kept.exists() { self.remove(&current) } else { self.replace(&current, &kept) }
    }

    /// Removes a version for good. If it was the latest, the one before it becomes that.
    pub(super) fn remove_version(&self, bucket: &str, key: &str, version: &Version) -> io::Result<()> {
        let before = self.versions(bucket, key)?.into_iter().find(|other| other.id != version.id);
        let current = self.object(bucket, key).ok_or(io::ErrorKind::InvalidInput)?;
        match before {
            // In the place of the one that goes; a marker above it goes then.
            Some(Version { path, content: Content::Object(_), .. }) if version.is_latest => {
                self.replace(&path, &current)?;
                if version.path == current { Ok(()) } else { self.remove(&version.path) }
            }
            _ => self.remove(&version.path),
        }
    }
}

fn object(id: String, path: PathBuf, stat: Stat) -> io::Result<Version> {
    let made_at = match made_at(&id) {
        Some(made_at) => made_at,
        None => Timestamp::try_from(stat.modified).map_err(io::Error::other)?,
    };
    Ok(Version { id, path, content: Content::Object(stat), is_latest: false, made_at })
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}
