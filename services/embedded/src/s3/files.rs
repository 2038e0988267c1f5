//! Objects as files: where each lies, and how one is written so that a crash leaves the old object or the new one.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Whether an acknowledged object is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It is: file and folder are synced first.
    Durable,
    /// It may not be. For tests.
    Test,
}

/// What a file tells about its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) size: u64,
    pub(super) etag: String,
    pub(super) modified: std::time::SystemTime,
}

/// How a finished file becomes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Publish {
    /// Only if there is no object of this name.
    IfAbsent,
    /// In any case.
    Always,
}

/// The folder of an endpoint.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    durability: Durability,
    staged: AtomicU64,
}

impl Files {
    pub(super) fn open(root: &Path, durability: Durability) -> io::Result<Self> {
        let files = Self { root: root.to_owned(), durability, staged: AtomicU64::new(0) };
        // What an earlier process staged and did not publish is nobody's object.
        let staging = files.staging();
        if staging.exists() {
            fs::remove_dir_all(&staging)?;
        }
        fs::create_dir_all(&staging)?;
        Ok(files)
    }

    fn staging(&self) -> PathBuf {
        self.root.join(".staging")
    }

    pub(super) fn bucket(&self, bucket: &str) -> PathBuf {
        self.root.join(bucket)
    }

    /// The file that says where a bucket is. It also says that the bucket exists.
    pub(super) fn location(&self, bucket: &str) -> PathBuf {
        self.root.join(format!("{bucket}.location"))
    }

    /// The file of an object; nothing for a key that would leave the bucket's folder.
    pub(super) fn object(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
        key.split('/').all(is_plain).then(|| self.bucket(bucket).join(key))
    }

    /// A new file to write an object into.
    pub(super) fn stage(&self) -> io::Result<(PathBuf, File)> {
        let path = self.staging().join(self.staged.fetch_add(1, Ordering::Relaxed).to_string());
        File::create_new(&path).map(|file| (path, file))
    }

    /// Gives a staged file its name. `AlreadyExists` when the name is taken and must not be.
    pub(super) fn publish(&self, staged: &Path, target: &Path, publish: Publish) -> io::Result<Stat> {
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        if self.durability == Durability::Durable {
            File::open(staged)?.sync_all()?;
        }
        match publish {
            // link(2) makes the name or fails; there is no moment between looking and writing.
            Publish::IfAbsent => {
                fs::hard_link(staged, target)?;
                fs::remove_file(staged)?;
            }
            Publish::Always => fs::rename(staged, target)?,
        }
        if self.durability == Durability::Durable {
            for ancestor in folder.ancestors().take_while(|ancestor| ancestor.starts_with(&self.root)) {
                File::open(ancestor)?.sync_all()?;
            }
        }
        Self::stat(target)
    }

    /// Nothing when there is no such object.
    pub(super) fn stat(path: &Path) -> io::Result<Stat> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        // Every write makes a new inode, so inode, time and size name the bytes without reading them.
        let etag = format!(
            "{:x}-{:x}-{:x}",
            metadata.ino(),
            metadata.mtime_nsec() + metadata.mtime() * 1_000_000_000,
            metadata.len()
        );
        Ok(Stat { size: metadata.len(), etag, modified: metadata.modified()? })
    }

    /// Every key of a bucket that begins with `prefix`, in order.
    pub(super) fn keys(&self, bucket: &str, prefix: &str) -> io::Result<Vec<String>> {
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut keys = Vec::new();
        if folder.is_empty() || self.object(bucket, folder).is_some() {
            collect(&self.bucket(bucket).join(folder), folder, &mut keys)?;
        }
        keys.retain(|key| key.starts_with(prefix));
        keys.sort_unstable();
        Ok(keys)
    }
}

fn collect(folder: &Path, key: &str, keys: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let key = if key.is_empty() { name.to_owned() } else { format!("{key}/{name}") };
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &key, keys)?;
        } else {
            keys.push(key);
        }
    }
    Ok(())
}
