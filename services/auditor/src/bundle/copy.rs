//! Copies an archive object by object, as it is at one moment.

use archive::{Checkpoint, Manifest, layout};
use bytes::Bytes;
use schemas::RegionId;

use super::make::{Error, Sink, Stopped};
use crate::{
    source::{self, Source},
    verify::cosigned,
};

/// What there is to copy: what comes later is not.
#[derive(Debug)]
pub struct Listed {
    keys: Vec<String>,
    newest: String,
    cosigned: Vec<(RegionId, Bytes)>,
}

impl Listed {
    /// Every object there is now. Nothing without a manifest: then there is no archive.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn of(archive: &dyn Source) -> Result<Option<Self>, source::Error> {
        // The checkpoint is taken from the newest manifest that is copied: the published one may have moved on meanwhile.
        // What others have cosigned is read before, so that nearly always it is no more than what is copied.
        let cosigned = cosigned(archive).await?;
        let is_later = |key: &String| key == layout::CHECKPOINT || layout::witness_region(key).is_some();
        let keys: Vec<String> = archive.list().await?.into_iter().filter(|key| !is_later(key)).collect();
        let newest = keys.iter().filter_map(|key| Some((layout::manifest_generation(key)?, key))).max();
        let newest = newest.map(|(_, newest)| newest.clone());
        Ok(newest.map(|newest| Self { newest, keys, cosigned }))
    }

    /// How many objects a copy has, at most.
    pub fn count(&self) -> usize {
        // And the checkpoint.
        self.keys.len() + self.cosigned.len() + 1
    }

    /// The tree head that a copy has. Nobody has checked who signed it.
    ///
    /// # Errors
    /// If the newest manifest is gone, or cannot be read.
    pub async fn head(&self, archive: &dyn Source) -> Result<Checkpoint, Error> {
        let object = archive.get(&self.newest).await?.ok_or_else(|| Error::Missing { object: self.newest.clone() })?;
        let unread = |source| Error::Manifest { object: self.newest.clone(), source };
        let Manifest { size, root, checkpoint, .. } = Manifest::claimed(&object).map_err(unread)?;
        let origin = Checkpoint::claimed(&checkpoint).map_or_else(|_| String::new(), |head| head.origin);
        Ok(Checkpoint { origin, size, root })
    }

    /// Copies them below a prefix; `copied` is told of each. Tells how many there were.
    ///
    /// # Errors
    /// If one is gone, or cannot be read, or is not taken.
    pub async fn copy<S: Sink>(
        &self,
        archive: &dyn Source,
        (sink, prefix): (&mut S, &str),
        mut copied: impl FnMut() + Send,
    ) -> Result<usize, Stopped<S::Error>> {
        let (mut size, mut count) = (0, 0);
        let mut copied = || {
            count += 1;
            copied();
        };
        for key in &self.keys {
            let object = archive.get(key).await?.ok_or_else(|| Error::Missing { object: key.clone() })?;
            if self.newest == *key {
                let manifest = Manifest::claimed(&object);
                let manifest = manifest.map_err(|source| Error::Manifest { object: key.clone(), source })?;
                size = manifest.size;
                let path = format!("{prefix}{}", layout::CHECKPOINT);
                sink.put(&path, manifest.checkpoint.into()).await.map_err(Stopped::Sink)?;
                copied();
            }
            sink.put(&format!("{prefix}{key}"), object).await.map_err(Stopped::Sink)?;
            copied();
        }
        for (region, note) in self.cosigned.iter().filter(|(_, note)| !is_beyond(note, size)) {
            let path = format!("{prefix}{}", layout::witness(region));
            sink.put(&path, note.clone()).await.map_err(Stopped::Sink)?;
            copied();
        }
        Ok(count)
    }
}

/// Whether a cosigned checkpoint is of more events: it is published before its manifest, and a copy without that would look as if it
/// had lost its end.
fn is_beyond(note: &[u8], size: u64) -> bool {
    let checkpoint = std::str::from_utf8(note).ok().and_then(|note| Checkpoint::claimed(note).ok());
    checkpoint.is_some_and(|checkpoint| checkpoint.size > size)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use archive::{Signer, checkpoint};
    use futures::{FutureExt, future::BoxFuture};
    use jiff::Timestamp;
    use schemas::{Hash, TenantId};

    use super::*;

    /// Objects in memory.
    #[derive(Default)]
    struct Objects(BTreeMap<String, Bytes>);

    impl Source for Objects {
        fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, source::Error>> {
            std::future::ready(Ok(self.0.get(key).cloned())).boxed()
        }

        fn list(&self) -> BoxFuture<'_, Result<Vec<String>, source::Error>> {
            std::future::ready(Ok(self.0.keys().cloned().collect())).boxed()
        }
    }

    impl Sink for Objects {
        type Error = String;

        async fn put(&mut self, path: &str, bytes: Bytes) -> Result<(), String> {
            match self.0.insert(path.to_owned(), bytes) {
                None => Ok(()),
                Some(_) => Err(format!("{path} comes twice")),
            }
        }
    }

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
        // Published a moment before its manifest, which never came.
        let mut bucket = Objects::default();
        let objects = [(layout::CHECKPOINT, head(7)), ("witness/us", head(5)), ("witness/au", head(7))];
        for (key, note) in objects {
            bucket.put(key, note.into()).await.expect("it is new");
        }
        assert!(Listed::of(&bucket).await.expect("it reads").is_none(), "no manifest, no archive");
        bucket.put(&layout::manifest(1), manifest.sign(&signer).into()).await.expect("it is new");
        let listed = Listed::of(&bucket).await.expect("it reads").expect("an archive");
        let (mut target, mut told) = (Objects::default(), 0);
        let count = listed.copy(&bucket, (&mut target, "archive/"), || told += 1).await.expect("copied");
        let of = |key: &str| target.0.get(&format!("archive/{key}")).cloned();
        assert_eq!(of(layout::CHECKPOINT), Some(head(5).into()));
        assert_eq!((of("witness/us"), of("witness/au")), (Some(head(5).into()), None));
        assert_eq!((count, told, target.0.len()), (3, 3, 3));
    }
}
