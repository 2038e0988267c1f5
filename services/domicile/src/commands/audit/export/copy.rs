//! Copy an archive object by object.

use std::{fs, path::Path};

use archive::{Checkpoint, Manifest, layout};
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
    // What others have cosigned is read before, so that nearly always it is no more than what is copied.
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
        let mut size = 0;
        for key in &self.keys {
            let object =
                source.get(key).await?.ok_or_else(|| anyhow::anyhow!("{key} went away while it was copied"))?;
            if self.newest == *key {
                let manifest = Manifest::claimed(&object)?;
                write(folder, layout::CHECKPOINT, manifest.checkpoint.as_bytes(), option)?;
                size = manifest.size;
            }
            write(folder, key, &object, option)?;
            progress.advance(1);
        }
        progress.finish();
        let cosigned: Vec<_> = self.cosigned.iter().filter(|(_, note)| !is_beyond(note, size)).collect();
        for (region, note) in &cosigned {
            write(folder, &layout::witness(region), note, option)?;
        }
        Ok(self.keys.len() + cosigned.len())
    }
}

/// Whether a cosigned checkpoint is of more events: it is published before its manifest, and a copy without that would look as if it
/// had lost its end.
fn is_beyond(note: &[u8], size: u64) -> bool {
    let checkpoint = std::str::from_utf8(note).ok().and_then(|note| Checkpoint::claimed(note).ok());
    checkpoint.is_some_and(|checkpoint| checkpoint.size > size)
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
    use archive::{Signer, checkpoint};
    use auditor::Folder;
    use jiff::Timestamp;
    use schemas::{Hash, TenantId};

    use super::*;
    use crate::exit::Exit;

    #[tokio::test]
    async fn what_was_cosigned_beyond_the_newest_manifest_is_left_out() {
        let tenant_id: TenantId = "018f0000-0000-7000-8000-000000000001".parse().expect("an id");
        let region: RegionId = "eu".parse().expect("an id");
        let origin = checkpoint::origin(&region, tenant_id);
        // Who signed it the copy does not ask.
        let signer = Signer::new(origin.as_str(), [0; 32], |_| [0; 64]);
        let head = |size| Checkpoint { origin: origin.clone(), size, root: Hash::of(&[]) }.sign(&signer);
        let manifest = Manifest {
            format: archive::manifest::FORMAT,
            generation: 1,
            tenant_id,
            region,
            created_at: Timestamp::UNIX_EPOCH,
            previous_sha256: None,
            segments: vec![],
            audit: vec![],
            attachments: vec![],
            schemas: vec![],
            size: 5,
            root: Hash::of(&[]),
            checkpoint: head(5),
            verifier: signer.verifier().to_string(),
        };
        let folder = tempfile::tempdir().expect("a folder");
        let (bucket, target) = (folder.path().join("bucket"), folder.path().join("copy"));
        // Published a moment before its manifest, which never came.
        let objects = [(layout::CHECKPOINT, head(7)), ("witness/us", head(5)), ("witness/au", head(7))];
        for (key, note) in &objects {
            write(&bucket, key, note.as_bytes(), "--to").expect("written");
        }
        write(&bucket, &layout::manifest(1), &manifest.sign(&signer), "--to").expect("written");
        assert_eq!(copy(&Folder::new(&bucket), &target, "--to").await.expect("copied"), 2);
        let copied = |key: &str| fs::read_to_string(target.join(key)).ok();
        assert_eq!(copied(layout::CHECKPOINT), Some(head(5)));
        assert_eq!((copied("witness/us"), copied("witness/au")), (Some(head(5)), None));
    }

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
