//! Copy an archive object by object.

use std::{fs, path::Path};

use archive::{Manifest, layout};
use auditor::{Source, cosigned};
use bytes::Bytes;
use schemas::RegionId;

use crate::{
    exit::{Failure, Outcome},
    progress::Progress,
};

/// What there is to copy.
pub(super) struct Listed {
    keys: Vec<String>,
    newest: String,
    cosigned: Vec<(RegionId, Bytes)>,
}

/// Copies every object; tells how many.
pub(super) async fn copy(source: &dyn Source, folder: &Path, option: &str) -> Result<usize, Failure> {
    list(source).await?.copy(source, folder, option).await
}

/// Every object there is now: what comes later is not copied.
pub(super) async fn list(source: &dyn Source) -> Result<Listed, Failure> {
    // The checkpoint is taken from the newest manifest that is copied: the published one may have moved on meanwhile.
    // What others have cosigned is read before, so that it is no more than what is copied.
    let cosigned = cosigned(source).await?;
    let is_later = |key: &String| key == layout::CHECKPOINT || layout::witness_region(key).is_some();
    let keys: Vec<String> = source.list().await?.into_iter().filter(|key| !is_later(key)).collect();
    let newest = keys.iter().filter_map(|key| Some((layout::manifest_generation(key)?, key))).max();
    let Some((_, newest)) = newest else { return Err(Failure::usage("there is no manifest, so no archive to export")) };
    Ok(Listed { newest: newest.clone(), keys, cosigned })
}

impl Listed {
    /// Copies them; tells how many.
    pub(super) async fn copy(&self, source: &dyn Source, folder: &Path, option: &str) -> Result<usize, Failure> {
        let progress = Progress::new("export, objects", self.keys.len() as u64);
        for key in &self.keys {
            let object =
                source.get(key).await?.ok_or_else(|| anyhow::anyhow!("{key} went away while it was copied"))?;
            if self.newest == *key {
                write(folder, layout::CHECKPOINT, Manifest::claimed(&object)?.checkpoint.as_bytes(), option)?;
            }
            write(folder, key, &object, option)?;
            progress.advance(1);
        }
        progress.finish();
        for (region, note) in &self.cosigned {
            write(folder, &layout::witness(region), note, option)?;
        }
        Ok(self.keys.len() + self.cosigned.len())
    }
}

/// Writes a file below a folder. Keys come from elsewhere: none may lead out of the folder.
pub(super) fn write(folder: &Path, key: &str, bytes: &[u8], option: &str) -> Outcome {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if !key.split('/').all(is_plain) {
        return Err(Failure::check(format!("the archive holds an object whose key leads out of its folder: {key:?}")));
    }
    let path = folder.join(key);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, bytes));
    written.map_err(|error| Failure::usage(format!("{option}: {} cannot be written: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_key_that_leads_out_of_the_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("copy");
        for key in ["/etc/passwd", "../escaped", "events/../../escaped", "events//x", "./x", ""] {
            assert_eq!(write(&target, key, b"x", "--to").expect_err(key).exit(), Exit::CheckFailed);
        }
        write(&target, "events/x", b"x", "--to").expect("a plain key");
        assert!(!folder.path().join("escaped").exists());
    }
}
