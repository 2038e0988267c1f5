//! Finds messages: every file below a folder is one, as in a maildir, hidden folders (Maildir++) included.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::message::{Mail, Unreadable};

/// A folder of mail and what was found in it.
#[derive(Debug)]
pub struct Folder {
    /// Its name relative to the path that was scanned; `.` for the path itself.
    pub name: String,
    /// Files below it.
    pub files: Vec<PathBuf>,
}

/// What reading a folder's files gave. Nothing is dropped: every file is in exactly one of the lists.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Messages, each once.
    pub mails: Vec<Mail>,
    /// Files that hold a message already seen (the same Message-ID, or the same bytes), with the file seen first.
    pub copies: Vec<(PathBuf, PathBuf)>,
    /// Files that are no message, with the reason.
    pub unreadable: Vec<(PathBuf, Unreadable)>,
}

/// The folders directly below `path`, each with all its files; files directly in `path` make the folder `.`.
pub fn scan(path: &Path) -> io::Result<Vec<Folder>> {
    let mut folders: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    if path.is_file() {
        return Ok(vec![Folder { name: ".".to_owned(), files: vec![path.to_owned()] }]);
    }
    for entry in sorted(path)? {
        if entry.is_dir() {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            collect(&entry, folders.entry(name).or_default())?;
        } else {
            folders.entry(".".to_owned()).or_default().push(entry);
        }
    }
    folders.retain(|_, files| !files.is_empty());
    Ok(folders.into_iter().map(|(name, files)| Folder { name, files }).collect())
}

/// Reads files into messages.
pub fn read(files: &[PathBuf]) -> Scanned {
    let mut scanned = Scanned::default();
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in files {
        let mail = fs::read(path)
            .map_err(|error| Unreadable::File(error.kind().to_string()))
            .and_then(|bytes| Mail::parse(path, &bytes));
        match mail {
            Ok(mail) => match seen.get(&mail.key()) {
                Some(first) => scanned.copies.push((path.clone(), first.clone())),
                None => {
                    seen.insert(mail.key(), path.clone());
                    scanned.mails.push(mail);
                }
            },
            Err(reason) => scanned.unreadable.push((path.clone(), reason)),
        }
    }
    scanned
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in sorted(folder)? {
        // A link to a folder may lead back up; it is counted as a file that is no message.
        if entry.is_dir() && !entry.is_symlink() {
            collect(&entry, files)?;
        } else {
            files.push(entry);
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        entries.push(entry?.path());
    }
    entries.sort_unstable();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_copied_or_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("a/cur/1:2,S", "From: a@x.org\nMessage-ID: <1@x>\n\none\n");
        write("a/cur/2:2,", "From: a@x.org\nMessage-ID: <1@x>\n\none, by another way\n");
        write("b/3", "no header at all");
        write("4.eml", "From: a@x.org\n\nno id\n");
        write(".Sent/cur/5:2,S", "From: a@x.org\nMessage-ID: <5@x>\n\nfive\n");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("b/loop")).expect("linked");

        let folders = scan(folder.path()).expect("scanned");
        assert_eq!(folders.iter().map(|folder| folder.name.as_str()).collect::<Vec<_>>(), [".", ".Sent", "a", "b"]);
        let files: Vec<PathBuf> = folders.into_iter().flat_map(|folder| folder.files).collect();
        let scanned = read(&files);
        assert_eq!((scanned.mails.len(), scanned.copies.len(), scanned.unreadable.len()), (3, 1, 2));
    }
}
