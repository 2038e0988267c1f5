//! A tar onto the disk as it arrives, whatever pieces it arrives in.

use std::{fs::File, io::Write};

use archive::tar::{self, BLOCK, Header};
use auditor::bundle;

use super::super::export::folder::Filling;
use crate::exit::{Failure, Outcome};

/// A tar that is being unpacked.
pub(super) struct Unpacking {
    target: Filling,
    state: State,
    files: u64,
    has_list: bool,
}

enum State {
    /// So much of the next header.
    Header(Vec<u8>),
    /// So many bytes of a file are to come, then so many of padding.
    File { file: File, left: u64, padding: usize },
    /// It has ended.
    Over,
}

impl Unpacking {
    /// Nothing has arrived.
    pub(super) fn into(target: Filling) -> Self {
        Self { target, state: State::Header(Vec::new()), files: 0, has_list: false }
    }

    /// Files so far.
    pub(super) fn files(&self) -> u64 {
        self.files
    }

    /// Whether all of it is there: the list of its files, which comes last, and the end.
    pub(super) fn is_whole(&self) -> bool {
        self.has_list && matches!(self.state, State::Over)
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Outcome {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Header(header) => {
                    let taken = bytes.len().min(BLOCK - header.len());
                    header.extend_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken..];
                    if let Ok(block) = <&[u8; BLOCK]>::try_from(header.as_slice()) {
                        let read = tar::read(block);
                        self.begin(read.ok_or_else(|| Failure::check("what came is no tar of plain files"))?)?;
                    }
                }
                State::File { file, left, padding } => {
                    let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    file.write_all(&bytes[..taken]).map_err(|error| self.target.unwritten(&error))?;
                    bytes = &bytes[taken..];
                    *left -= taken as u64;
                    let skipped = if *left == 0 { bytes.len().min(*padding) } else { 0 };
                    bytes = &bytes[skipped..];
                    *padding -= skipped;
                    if *left == 0 && *padding == 0 {
                        self.state = State::Header(Vec::new());
                    }
                }
                // The second block of zeros.
                State::Over => return Ok(()),
            }
        }
        Ok(())
    }

    fn begin(&mut self, header: Header) -> Outcome {
        self.state = match header {
            Header::End => State::Over,
            Header::File { path, size } => {
                let file = self.target.create(&path)?;
                self.files += 1;
                self.has_list |= path == bundle::LIST;
                match (size, tar::padding(size).len()) {
                    (0, _) => State::Header(Vec::new()),
                    (left, padding) => State::File { file, left, padding },
                }
            }
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (path, content) in files {
            bytes.extend(tar::header(path, content.len() as u64).expect("it fits"));
            bytes.extend_from_slice(content);
            bytes.extend(tar::padding(content.len() as u64));
        }
        bytes.extend(tar::END);
        bytes
    }

    #[test]
    fn whatever_pieces_it_comes_in_the_files_are_the_same() {
        let content = vec![7; 1300];
        let bytes = tar_of(&[("empty", b""), ("events/1", &content), (bundle::LIST, &content[..512])]);
        for length in [1, 511, 512, 513, bytes.len()] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut unpacking = Unpacking::into(Filling { folder: folder.path().to_owned(), option: "--bundle" });
            bytes.chunks(length).for_each(|piece| unpacking.take(piece).expect("it is whole"));
            assert!(unpacking.is_whole() && unpacking.files() == 3, "pieces of {length}");
            let read = |path: &str| std::fs::read(folder.path().join(path)).expect("it was unpacked");
            assert_eq!((read("empty"), read("events/1"), read(bundle::LIST)), (vec![], content.clone(), vec![7; 512]));
        }
    }

    #[test]
    fn what_breaks_off_or_leads_elsewhere_is_no_bundle() {
        let folder = tempfile::tempdir().expect("a folder");
        let unpacking = || Unpacking::into(Filling { folder: folder.path().join("bundle"), option: "--bundle" });
        let bytes = tar_of(&[("events/1", b"sealed"), (bundle::LIST, b"{}")]);
        for length in [0, 600, 1024, 2048, bytes.len() - 1024] {
            let mut unpacking = unpacking();
            unpacking.take(&bytes[..length]).expect("as far as it goes");
            assert!(!unpacking.is_whole(), "{length} bytes");
        }
        for wrong in [tar_of(&[("../escaped", b"x")]), tar_of(&[("/etc/escaped", b"x")]), vec![b'x'; BLOCK]] {
            assert_eq!(unpacking().take(&wrong).expect_err("it is none").exit(), Exit::CheckFailed);
        }
        assert!(!folder.path().join("escaped").exists());
        let mut unlisted = unpacking();
        unlisted.take(&tar_of(&[("events/1", b"sealed")])).expect("a tar");
        assert!(!unlisted.is_whole());
    }
}
