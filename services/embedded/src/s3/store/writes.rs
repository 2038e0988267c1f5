//! Write an object.

use std::{fs::File, io, io::Write, sync::Arc};

use futures::{StreamExt, TryStreamExt};
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    dto::{ETag, ObjectLockLegalHoldStatus, PutObjectInput, PutObjectOutput, StreamingBlob},
    s3_error,
};

use super::{FolderStore, blocking, internal, locks};
use crate::s3::{
    conditions::Condition,
    files::{Files, Staged, Stat},
    record::{Record, Retention},
    settings::Settings,
};

/// An upload that is whole, and where it goes.
struct Upload {
    bucket: String,
    key: String,
    staged: Staged,
    keeps_versions: bool,
}

impl FolderStore {
    pub(super) async fn put_object(&self, input: PutObjectInput) -> S3Result<PutObjectOutput> {
        let condition = Condition::of(&input)?;
        self.object(&input.bucket, &input.key)?;
        if input.server_side_encryption.is_some() {
            return Err(s3_error!(NotImplemented, "this endpoint has no key service"));
        }
        if input.tagging.is_some() {
            return Err(s3_error!(NotImplemented, "objects get tags by PutObjectTagging"));
        }
        let settings = self.settings(&input.bucket)?;
        let record = self.record(&input, &settings)?;
        let staged = self.files.stage().map_err(internal)?;
        let file = File::options().write(true).open(staged.path()).map_err(internal)?;
        receive(file, input.body).await?;
        let version_id = record.as_ref().map(|record| record.version.clone());
        if let Some(record) = record {
            record.write(staged.path()).map_err(internal)?;
        }
        let keeps_versions = settings.keeps_versions;
        let stat =
            self.publish(Upload { bucket: input.bucket, key: input.key, staged, keeps_versions }, condition).await?;
        Ok(PutObjectOutput { e_tag: Some(ETag::Strong(stat.etag)), version_id, ..Default::default() })
    }

    /// What the new version's file carries; nothing where no versions are kept.
    fn record(&self, input: &PutObjectInput, settings: &Settings) -> S3Result<Option<Record>> {
        let asked = match (&input.object_lock_mode, &input.object_lock_retain_until_date) {
            (None, None) => None,
            (Some(mode), Some(until)) => {
                Some(Retention { mode: locks::mode(mode.as_str())?, until: locks::future(until, self.ids.now())? })
            }
            _ => return Err(s3_error!(InvalidArgument, "a lock takes both its mode and its end")),
        };
        let is_on_hold = input
            .object_lock_legal_hold_status
            .as_ref()
            .is_some_and(|status| status.as_str() == ObjectLockLegalHoldStatus::ON);
        if (asked.is_some() || is_on_hold) && !settings.locks {
            return Err(s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration"));
        }
        let retention = asked.or_else(|| locks::by_default(settings, self.ids.now()));
        Ok(settings.keeps_versions.then(|| Record { version: self.ids.next(), retention, is_on_hold, tag: None }))
    }

    async fn publish(&self, upload: Upload, condition: Condition) -> S3Result<Stat> {
        let target = self.object(&upload.bucket, &upload.key)?;
        let is_new = condition == Condition::Absent;
        let _replacing = if is_new { None } else { Some(self.replacing.lock().await) };
        let current = Files::stat(&target).ok();
        if !condition.holds(current.as_ref()) {
            return Err(s3_error!(PreconditionFailed, "the object is not what the condition names"));
        }
        let files = Arc::clone(&self.files);
        let published = blocking(move || {
            if is_new {
                files.add(upload.staged.path(), &target)?;
            } else {
                // A crash in between leaves one version under two names, and the object as it was.
                if upload.keeps_versions {
                    files.retire(&upload.bucket, &upload.key)?;
                }
                files.replace(upload.staged.path(), &target)?;
            }
            Files::stat(&target)
        });
        published.await.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => s3_error!(PreconditionFailed, "there is an object of this name"),
            _ => internal(error),
        })
    }
}

async fn receive(mut file: File, body: Option<StreamingBlob>) -> S3Result<()> {
    let Some(body) = body else { return Ok(()) };
    let mut chunks = body.map(|chunk| chunk.map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error)));
    while let Some(chunk) = chunks.try_next().await? {
        // Chunks are small and the page cache takes them; the sync that may wait runs off the async threads.
        file.write_all(&chunk).map_err(internal)?;
    }
    Ok(())
}
