//! Looks for marks in files: the last proof that nothing of a tenant lies in another region's folder.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Serialize;

const BLOCK_BYTES: usize = 1 << 20;

/// A mark found where it must not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The mark.
    pub mark: String,
    /// The file it is in.
    pub file: PathBuf,
    /// Where in the file, in bytes from its beginning.
    pub offset: u64,
}

/// What a search went through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Searched {
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Marks found, the first of each in each file.
    pub found: Vec<Found>,
}

/// Reads every byte of every file below a folder and looks for each mark.
///
/// Files that vanish while we look (a database drops them) are passed over; any other error is one.
pub fn search(folder: &Path, marks: &[String]) -> io::Result<Searched> {
    let mut searched = Searched::default();
    search_folder(folder, marks, &mut searched)?;
    Ok(searched)
}

fn search_folder(folder: &Path, marks: &[String], searched: &mut Searched) -> io::Result<()> {
    let Some(entries) = unless_gone(std::fs::read_dir(folder))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let Some(kind) = unless_gone(entry.file_type())? else { continue };
        if kind.is_dir() {
            search_folder(&entry.path(), marks, searched)?;
        } else if kind.is_file() {
            search_file(&entry.path(), marks, searched)?;
        }
    }
    Ok(())
}

fn search_file(path: &Path, marks: &[String], searched: &mut Searched) -> io::Result<()> {
    let Some(mut file) = unless_gone(File::open(path))? else { return Ok(()) };
    // The end of a block is kept in front of the next, so that a mark across the border is seen.
    let overlap = marks.iter().map(String::len).max().unwrap_or(1).saturating_sub(1);
    let mut block = Vec::with_capacity(BLOCK_BYTES + overlap);
    let (mut start, mut open): (u64, Vec<&String>) = (0, marks.iter().collect());
    searched.files += 1;
    loop {
        let kept = block.len();
        let read = file.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        searched.bytes += read as u64;
        open.retain(|mark| match position_of(&block, mark.as_bytes()) {
            Some(offset) => {
                searched.found.push(Found {
                    mark: (*mark).clone(),
                    file: path.to_owned(),
                    offset: start + offset as u64,
                });
                false
            }
            None => true,
        });
        if read == 0 {
            return Ok(());
        }
        let drop = block.len() - overlap.min(kept + read);
        block.drain(..drop);
        start += drop as u64;
    }
}

fn position_of(block: &[u8], mark: &[u8]) -> Option<usize> {
    let first = *mark.first()?;
    let mut from = 0;
    while let Some(next) = block.get(from..)?.iter().position(|&byte| byte == first) {
        let at = from + next;
        if block[at..].starts_with(mark) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_anywhere_and_only_where_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut bytes = vec![b'x'; BLOCK_BYTES - 3];
        bytes.extend_from_slice(b"canary-1 across the border of two blocks");
        std::fs::create_dir_all(folder.path().join("a/b")).expect("made");
        std::fs::write(folder.path().join("a/b/leak"), &bytes).expect("written");
        std::fs::write(folder.path().join("clean"), b"canary-2 is another one").expect("written");
        let marks = ["canary-1".to_owned(), "canary-3".to_owned()];
        let searched = search(folder.path(), &marks).expect("searched");
        let found = Found {
            mark: "canary-1".to_owned(),
            file: folder.path().join("a/b/leak"),
            offset: (BLOCK_BYTES - 3) as u64,
        };
        assert_eq!((searched.files, searched.found), (2, vec![found]));
    }
}
