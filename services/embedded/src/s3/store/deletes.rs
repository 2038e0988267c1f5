//! Delete an object, or one of its versions.

use std::sync::Arc;

use s3s::{
    S3Result,
    dto::{DeleteObjectInput, DeleteObjectOutput},
    s3_error,
};

use super::{FolderStore, blocking, internal};
use crate::s3::{
    record::Record,
    versions::{Content, is_id},
};

impl FolderStore {
    /// Where versions are kept, an object is deleted by a marker that its versions survive; a version goes for good, unless
    /// something holds it.
    pub(super) async fn delete_object(&self, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
        if input.if_match.is_some() {
            return Err(s3_error!(NotImplemented, "conditional deletes are not supported"));
        }
        let path = self.object(&input.bucket, &input.key)?;
        let settings = self.settings(&input.bucket)?;
        let _replacing = self.replacing.lock().await;
        let files = Arc::clone(&self.files);
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        match &input.version_id {
            None if settings.keeps_versions => {
                let id = self.ids.next();
                let marker = id.clone();
                blocking(move || files.mark_deleted(&bucket, &key, &id)).await.map_err(internal)?;
                Ok(DeleteObjectOutput { delete_marker: Some(true), version_id: Some(marker), ..Default::default() })
            }
            None => {
                let removed = blocking(move || if path.is_file() { files.remove(&path) } else { Ok(()) });
                removed.await.map_err(internal)?;
                Ok(DeleteObjectOutput::default())
            }
            Some(version) => self.delete_version(&input, version).await,
        }
    }

    async fn delete_version(&self, input: &DeleteObjectInput, version: &str) -> S3Result<DeleteObjectOutput> {
        if !is_id(version) {
            return Err(s3_error!(InvalidArgument, "this is no version's id"));
        }
        let versions = self.files.versions(&input.bucket, &input.key).map_err(internal)?;
        let done = DeleteObjectOutput { version_id: Some(version.to_owned()), ..Default::default() };
        let Some(found) = versions.into_iter().find(|found| found.id == version) else { return Ok(done) };
        let is_marker = matches!(found.content, Content::Marker);
        // Whether whoever asks may bypass governance was found out before.
        let bypass = input.bypass_governance_retention == Some(true);
        if !is_marker && Record::read(&found.path).map_err(internal)?.is_held(self.ids.now(), bypass) {
            return Err(s3_error!(AccessDenied, "the version is locked"));
        }
        let (files, bucket, key) = (Arc::clone(&self.files), input.bucket.clone(), input.key.clone());
        blocking(move || files.remove_version(&bucket, &key, &found)).await.map_err(internal)?;
        Ok(DeleteObjectOutput { delete_marker: is_marker.then_some(true), ..done })
    }
}
