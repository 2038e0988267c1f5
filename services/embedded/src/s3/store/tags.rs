//! The tag of an object, by which a rule of its bucket knows it.

use s3s::{
    S3Result,
    dto::{GetObjectTaggingInput, GetObjectTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput, Tag as S3Tag},
    s3_error,
};

use super::{FolderStore, internal};
use crate::s3::record::Tag;

/// The longest key and value together: a record has little room.
const LENGTH_MAX: usize = 128;

impl FolderStore {
    pub(super) async fn get_object_tagging(&self, input: GetObjectTaggingInput) -> S3Result<GetObjectTaggingOutput> {
        let found = self.find(&input.bucket, &input.key, input.version_id.as_deref())?;
        Ok(GetObjectTaggingOutput { tag_set: found.record.tag.iter().map(told).collect(), version_id: None })
    }

    pub(super) async fn put_object_tagging(&self, input: PutObjectTaggingInput) -> S3Result<PutObjectTaggingOutput> {
        if input.version_id.is_some() {
            return Err(s3_error!(NotImplemented, "a tag is put on the current version"));
        }
        let tag =
            only(input.tagging.tag_set).ok_or_else(|| s3_error!(NotImplemented, "an object takes one short tag"))?;
        let _replacing = self.replacing.lock().await;
        let mut found = self.find(&input.bucket, &input.key, None)?;
        found.record.tag = Some(tag);
        found.record.write(&found.path).map_err(internal)?;
        self.files.sync_file(&found.path).map_err(internal)?;
        Ok(PutObjectTaggingOutput::default())
    }
}

/// The tag, if there is just one that there is room for.
pub(super) fn only(tags: Vec<S3Tag>) -> Option<Tag> {
    let [S3Tag { key: Some(key), value: Some(value) }] = <[S3Tag; 1]>::try_from(tags).ok()? else { return None };
    (key.len() + value.len() <= LENGTH_MAX).then_some(Tag { key, value })
}

pub(super) fn told(tag: &Tag) -> S3Tag {
    S3Tag { key: Some(tag.key.clone()), value: Some(tag.value.clone()) }
}
