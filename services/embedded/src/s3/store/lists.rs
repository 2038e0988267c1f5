//! List objects, and versions of objects.

use std::{collections::BTreeSet, io, sync::Arc};

use s3s::{
    S3Result,
    dto::{
        DeleteMarkerEntry, ETag, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsV2Input,
        ListObjectsV2Output, Object, ObjectVersion, Timestamp,
    },
    s3_error,
};

use super::{FolderStore, blocking, internal};
use crate::s3::{
    files::Files,
    versions::{Content, Version},
};

const PAGE_SIZE_MAX: usize = 1000;

impl FolderStore {
    pub(super) async fn list_objects_v2(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        self.bucket(&input.bucket)?;
        if input.delimiter.is_some() {
            return Err(s3_error!(NotImplemented, "listing with a delimiter is not supported"));
        }
        let after = input.continuation_token.or(input.start_after).unwrap_or_default();
        let page_size = page_size(input.max_keys);
        let (files, bucket, prefix) = (Arc::clone(&self.files), input.bucket, input.prefix.unwrap_or_default());
        let (objects, is_truncated) =
            blocking(move || page(&files, &bucket, &prefix, &after, page_size)).await.map_err(internal)?;
        Ok(ListObjectsV2Output {
            key_count: i32::try_from(objects.len()).ok(),
            is_truncated: Some(is_truncated),
            next_continuation_token: objects.last().and_then(|last| last.key.clone()).filter(|_| is_truncated),
            contents: Some(objects),
            ..Default::default()
        })
    }

    pub(super) async fn list_object_versions(
        &self,
        input: ListObjectVersionsInput,
    ) -> S3Result<ListObjectVersionsOutput> {
        self.bucket(&input.bucket)?;
        if input.delimiter.is_some() {
            return Err(s3_error!(NotImplemented, "listing with a delimiter is not supported"));
        }
        let after = Marker { key: input.key_marker.unwrap_or_default(), version: input.version_id_marker };
        let page_size = page_size(input.max_keys);
        let (files, bucket, prefix) = (Arc::clone(&self.files), input.bucket, input.prefix.unwrap_or_default());
        let found = blocking(move || version_page(&files, &bucket, &prefix, &after, page_size));
        let (page, next) = found.await.map_err(internal)?;
        let (mut versions, mut markers) = (Vec::new(), Vec::new());
        for (key, version) in page {
            match version.content {
                Content::Object(_) => versions.push(entry(key, version)),
                Content::Marker => markers.push(marker(key, version)),
            }
        }
        Ok(ListObjectVersionsOutput {
            is_truncated: Some(next.is_some()),
            next_version_id_marker: next.as_ref().and_then(|next| next.version.clone()),
            next_key_marker: next.map(|next| next.key),
            versions: Some(versions),
            delete_markers: Some(markers),
            ..Default::default()
        })
    }
}

/// A version and its object's key.
type Named = (String, Version);

/// The place after which a page of versions begins: after a key, or after one of its versions.
struct Marker {
    key: String,
    version: Option<String>,
}

fn page_size(asked: Option<i32>) -> usize {
    asked.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_SIZE_MAX).min(PAGE_SIZE_MAX)
}

fn page(files: &Files, bucket: &str, prefix: &str, after: &str, page_size: usize) -> io::Result<(Vec<Object>, bool)> {
    let keys = files.keys(bucket, prefix)?;
    let mut rest = keys.into_iter().filter(|key| key.as_str() > after).peekable();
    let mut objects = Vec::new();
    while objects.len() < page_size
        && let Some(key) = rest.next()
    {
        let Some(path) = files.object(bucket, &key) else { continue };
        let (stat, made_at) = match Files::current(&path) {
            Ok(current) => current,
            // Deleted since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        objects.push(Object {
            key: Some(key),
            size: i64::try_from(stat.size).ok(),
            e_tag: Some(ETag::Strong(stat.etag)),
            last_modified: Some(Timestamp::from(std::time::SystemTime::from(made_at))),
            ..Default::default()
        });
    }
    Ok((objects, rest.peek().is_some()))
}

/// A page of versions, and the place after which the next one begins, if there is more.
fn version_page(
    files: &Files,
    bucket: &str,
    prefix: &str,
    after: &Marker,
    page_size: usize,
) -> io::Result<(Vec<Named>, Option<Marker>)> {
    let mut keys: BTreeSet<String> = files.keys(bucket, prefix)?.into_iter().collect();
    keys.extend(files.keys_of_versions(bucket, prefix)?);
    let mut page: Vec<Named> = Vec::new();
    for key in keys.range(after.key.clone()..) {
        let mut versions = files.versions(bucket, key)?;
        if *key == after.key {
            let seen = match &after.version {
                Some(last) => versions.iter().position(|version| version.id == *last).map_or(0, |at| at + 1),
                None => versions.len(),
            };
            versions.drain(..seen);
        }
        for version in versions {
            if page.len() == page_size {
                let last = page.last().map(|(key, last)| Marker { key: key.clone(), version: Some(last.id.clone()) });
                return Ok((page, last));
            }
            page.push((key.clone(), version));
        }
    }
    Ok((page, None))
}

fn entry(key: String, version: Version) -> ObjectVersion {
    let Content::Object(stat) = version.content else { return ObjectVersion::default() };
    ObjectVersion {
        key: Some(key),
        version_id: Some(version.id),
        is_latest: Some(version.is_latest),
        size: i64::try_from(stat.size).ok(),
        e_tag: Some(ETag::Strong(stat.etag)),
        last_modified: Some(Timestamp::from(std::time::SystemTime::from(version.made_at))),
        ..Default::default()
    }
}

fn marker(key: String, version: Version) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(key),
        version_id: Some(version.id),
        is_latest: Some(version.is_latest),
        last_modified: Some(Timestamp::from(std::time::SystemTime::from(version.made_at))),
        ..Default::default()
    }
}
