//! The small set of mail a demo loads when it is given none: threads, attachments, odd encodings, a copy, a message
//! without an id, and a file that is no message.

use std::{fs, io, path::Path};

use nix::unistd;

macro_rules! sample {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_bytes!(concat!("../../sample-mail/", $name)))),+] };
}

const FILES: &[(&str, &[u8])] = sample![
    "billing/1:2,S",
    "billing/2:2,",
    "billing/3:2,",
    "kitchen/01.eml",
    "kitchen/not-a-message",
    "printers/01-fire.eml",
    "printers/02-answer.eml",
    "printers/03-photo.eml",
    "printers/04-copy-of-01.eml",
    "travel/no-id-1.eml",
    "travel/no-id-2.eml",
    "travel/shift-jis.eml",
];

/// The set as files in a temporary folder, which goes away with this.
#[derive(Debug)]
pub struct Sample(std::path::PathBuf);

impl Sample {
    /// Writes the files.
    pub fn unpack() -> io::Result<Self> {
        let folder = unistd::mkdtemp(&std::env::temp_dir().join("domicile-sample-XXXXXX"))?;
        let sample = Self(folder);
        for (name, bytes) in FILES {
            let path = sample.0.join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, bytes)?;
        }
        Ok(sample)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        // A leftover in the temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{scan, threads};

    #[test]
    fn the_sample_reads_as_it_is_meant_to() {
        let sample = Sample::unpack().expect("unpacked");
        let files =
            scan(sample.path()).expect("scanned").into_iter().flat_map(|folder| folder.files).collect::<Vec<_>>();
        let scanned = scan::read(&files);
        assert_eq!((files.len(), scanned.mails.len(), scanned.copies.len(), scanned.unreadable.len()), (12, 10, 1, 1));
        let japanese =
            scanned.mails.iter().find(|mail| mail.path.ends_with("travel/shift-jis.eml")).expect("it is there");
        assert_eq!((japanese.from.name.as_str(), japanese.subject.as_str()), ("山田", "出張"));
        assert_eq!(japanese.text.as_deref().map(str::trim), Some("来週の出張の切符をお願いします。"));
        let sizes: Vec<usize> = threads(scanned.mails).iter().map(|thread| thread.mails.len()).collect();
        assert_eq!(sizes, [3, 2, 1, 1, 1, 1, 1]);
    }
}
