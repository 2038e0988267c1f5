//! Where an archive's objects come from.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};

/// A tenant's archive: objects by their key below `tenants/<tenant_id>/`.
pub trait Source: Send + Sync {
    /// An object; `None` if there is none.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, Error>>;

    /// The keys of all objects.
    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, Error>>;
}

/// A store that does not answer. That says nothing about the archive.
#[derive(Debug, thiserror::Error)]
#[error("{object}: cannot be read")]
pub struct Error {
    /// What was read.
    pub object: String,
    /// Why it failed.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Error {
    /// An object that could not be read, and why.
    pub fn new(object: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { object: object.into(), source: source.into() }
    }
}

/// A folder that holds a copy of a tenant's prefix. Only regular files in real folders are objects: a link could lead
/// anywhere, and a pipe or device may never end.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    fn list_into(&self, folder: &Path, keys: &mut Vec<String>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.list_into(&path, keys)?;
            } else if kind.is_file() {
                let below = path.strip_prefix(&self.0).expect("read_dir gives paths below its own");
                let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
                keys.push(parts.join("/"));
            }
        }
        Ok(())
    }
}

impl Source for Folder {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, Error>> {
        // A key comes from the archive itself: it must not lead out of the folder.
        let leads_out = key.split('/').any(|part| part.is_empty() || part == "." || part == "..");
        let read = if leads_out { Ok(None) } else { read(&self.0, key).map_err(|error| Error::new(key, error)) };
        std::future::ready(read).boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, Error>> {
        let mut keys = Vec::new();
        let listed = self.list_into(&self.0, &mut keys).map(|()| keys);
        std::future::ready(listed.map_err(|error| Error::new(self.0.display().to_string(), error))).boxed()
    }
}

fn read(root: &Path, key: &str) -> io::Result<Option<Bytes>> {
    match is_regular(root, key).and_then(|is_regular| is_regular.then(|| fs::read(root.join(key))).transpose()) {
        Ok(bytes) => Ok(bytes.map(Bytes::from)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the key is a regular file's, and no folder on the way to it is a link.
fn is_regular(root: &Path, key: &str) -> io::Result<bool> {
    let mut path = root.to_owned();
    let (folders, file) = key.rsplit_once('/').unwrap_or(("", key));
    for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
        path.push(folder);
        if !fs::symlink_metadata(&path)?.is_dir() {
            return Ok(false);
        }
    }
    path.push(file);
    Ok(fs::symlink_metadata(&path)?.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_what_is_in_it_and_nothing_else() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root.path().join("archive/log/tile")).expect("folders");
        fs::write(root.path().join("archive/log/tile/000"), b"tile").expect("a file");
        fs::write(root.path().join("secret"), b"secret").expect("a file");
        let folder = Folder::new(root.path().join("archive"));
        let get = |key| folder.get(key).now_or_never().expect("ready").expect("reads");
        assert_eq!(get("log/tile/000"), Some(Bytes::from_static(b"tile")));
        for outside in ["../secret", "log/../../secret", "/etc/passwd", "missing", "log/tile/000/x"] {
            assert_eq!(get(outside), None, "{outside}");
        }
        assert_eq!(folder.list().now_or_never().expect("ready").expect("lists"), ["log/tile/000"]);
    }

    #[test]
    fn only_regular_files_are_objects() {
        let root = tempfile::tempdir().expect("a folder");
        let (inside, outside) = (root.path().join("archive"), root.path().join("outside"));
        fs::create_dir(&inside).expect("a folder");
        fs::create_dir(&outside).expect("a folder");
        fs::write(outside.join("secret"), b"secret").expect("a file");
        std::os::unix::fs::symlink(outside.join("secret"), inside.join("link")).expect("a link");
        std::os::unix::fs::symlink(&outside, inside.join("events")).expect("a link");
        let pipe =
            std::process::Command::new("mkfifo").arg(inside.join("pipe")).status().expect("mkfifo is everywhere");
        assert!(pipe.success());
        let folder = Folder::new(&inside);
        for key in ["link", "events/secret", "events", "pipe"] {
            assert_eq!(folder.get(key).now_or_never().expect("ready").expect("reads"), None, "{key}");
        }
        assert!(folder.list().now_or_never().expect("ready").expect("lists").is_empty());
    }
}
