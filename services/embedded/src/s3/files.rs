//! Objects as files: where each lies, and how one is written so that a crash leaves the old object or the new one.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
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

/// The folder of an endpoint.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    durability: Durability,
    staged: AtomicU64,
    /// Folders whose names are on disk.
    rooted: Mutex<HashSet<PathBuf>>,
}

/// A file that is no object yet. It goes away with this, unless it was given a name.
#[derive(Debug)]
pub(super) struct Staged(PathBuf);

/// More folders than that are looked at again.
const ROOTED_MAX: usize = 100_000;

impl Files {
    pub(super) fn open(root: &Path, durability: Durability) -> io::Result<Self> {
        let files = Self { root: root.to_owned(), durability, staged: AtomicU64::new(0), rooted: Mutex::default() };
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

    /// Every bucket that was made here.
    pub(super) fn buckets(&self) -> io::Result<Vec<String>> {
        let mut buckets = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            buckets.extend(name.to_str().and_then(|name| name.strip_suffix(".location")).map(str::to_owned));
        }
        Ok(buckets)
    }

    /// The file that says where a bucket is. It also says that the bucket exists.
    pub(super) fn location(&self, bucket: &str) -> PathBuf {
        self.root.join(format!("{bucket}.location"))
    }

    /// The file that says what a bucket was told.
    pub(super) fn settings(&self, bucket: &str) -> PathBuf {
        self.root.join(format!("{bucket}.settings"))
    }

    /// The file of an object; nothing for a key that would leave the bucket's folder, or stand for a version.
    pub(super) fn object(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        is_plain(key).then(|| self.bucket(bucket).join(key))
    }

    /// The folder of an object's versions that are not current.
    pub(super) fn versions_folder(&self, bucket: &str, key: &str) -> PathBuf {
        self.root.join(".versions").join(bucket).join(key)
    }

    /// A new file to write an object into.
    pub(super) fn stage(&self) -> io::Result<Staged> {
        let path = self.staging().join(self.staged.fetch_add(1, Ordering::Relaxed).to_string());
        File::create_new(&path).map(|_| Staged(path))
    }

    /// Gives a finished file a name that must be free: `AlreadyExists` if it is not.
    pub(super) fn add(&self, finished: &Path, target: &Path) -> io::Result<()> {
        // link(2) makes the name or fails; there is no moment between looking and writing.
        self.name(finished, target, |from, to| fs::hard_link(from, to))
    }

    /// Gives a finished file a name, in the place of what had it.
    pub(super) fn replace(&self, finished: &Path, target: &Path) -> io::Result<()> {
        self.name(finished, target, |from, to| fs::rename(from, to))
    }

    /// Takes a name away.
    pub(super) fn remove(&self, target: &Path) -> io::Result<()> {
        fs::remove_file(target)?;
        self.sync(target.parent().unwrap_or(&self.root))
    }

    fn name(&self, finished: &Path, target: &Path, name: impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        self.sync_file(finished)?;
        name(finished, target)?;
        self.sync(folder)
    }

    /// Has what was told about an object, and its bytes, on disk.
    pub(super) fn sync_file(&self, path: &Path) -> io::Result<()> {
        if self.durability == Durability::Durable { File::open(path)?.sync_all() } else { Ok(()) }
    }

    /// Syncs a folder, and those above it once: a name counts when every name on the way to it is on disk.
    fn sync(&self, folder: &Path) -> io::Result<()> {
        if self.durability != Durability::Durable {
            return Ok(());
        }
        File::open(folder)?.sync_all()?;
        let mut new = Vec::new();
        for below in folder.ancestors().take_while(|below| below.starts_with(&self.root) && *below != self.root) {
            if self.rooted().contains(below) {
                break;
            }
            File::open(below.parent().unwrap_or(&self.root))?.sync_all()?;
            new.push(below.to_owned());
        }
        let mut rooted = self.rooted();
        if rooted.len() >= ROOTED_MAX {
            rooted.clear();
        }
        rooted.extend(new);
        Ok(())
    }

    fn rooted(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.rooted.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut keys = Vec::new();
        collect(&self.bucket(bucket), prefix, &mut keys)?;
        keys.sort_unstable();
        Ok(keys)
    }

    /// Every key of a bucket that begins with `prefix` and has versions that are not current, in order.
    pub(super) fn keys_of_versions(&self, bucket: &str, prefix: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        collect(&self.versions_folder(bucket, ""), prefix, &mut names)?;
        let mut keys: Vec<_> = names.iter().filter_map(|name| Some(name.rsplit_once("/~")?.0.to_owned())).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}

impl Staged {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Published or given up, the staged name has done its work; it may be gone already.
        let _ = fs::remove_file(&self.0);
    }
}

fn is_plain(key: &str) -> bool {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    // Names that begin so are versions in the folders of their objects.
    key.split('/').all(|part| is_plain(part) && !part.starts_with('~'))
}

/// Every file below a folder whose path in it begins with `prefix`.
fn collect(top: &Path, prefix: &str, keys: &mut Vec<String>) -> io::Result<()> {
    let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
    if folder.is_empty() || is_plain(folder) {
        walk(&top.join(folder), folder, keys)?;
    }
    keys.retain(|key| key.starts_with(prefix));
    Ok(())
}

fn walk(folder: &Path, key: &str, keys: &mut Vec<String>) -> io::Result<()> {
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
            walk(&entry.path(), &key, keys)?;
        } else {
            keys.push(key);
        }
    }
    Ok(())
}
