//! Read an object.

use std::io::{self, Seek};

use s3s::{
    S3Result,
    dto::{
        ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ObjectLockLegalHoldStatus,
        ObjectLockMode, StreamingBlob, Timestamp,
    },
};
use tokio_util::io::ReaderStream;

use super::{FolderStore, internal, locks, missing};
use crate::s3::record::{NO_VERSION, Record};

const READ_BUFFER_BYTES: usize = 64 * 1024;

impl FolderStore {
    pub(super) async fn get_object(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        let found = self.find(&input.bucket, &input.key, input.version_id.as_deref())?;
        let mut file = std::fs::File::open(&found.path).map_err(missing)?;
        let size = found.stat.size;
        let mut output = GetObjectOutput {
            e_tag: Some(ETag::Strong(found.stat.etag)),
            last_modified: Some(Timestamp::from(found.stat.modified)),
            accept_ranges: Some("bytes".to_owned()),
            object_lock_mode: mode(&found.record),
            object_lock_retain_until_date: found.record.retention.map(|it| locks::end(it.until)),
            object_lock_legal_hold_status: hold(&found.record),
            version_id: version(&found.record),
            ..Default::default()
        };
        let wanted = match input.range {
            Some(range) => {
                let part = range.check(size)?;
                output.content_range = Some(format!("bytes {}-{}/{size}", part.start, part.end - 1));
                part
            }
            None => 0..size,
        };
        file.seek(io::SeekFrom::Start(wanted.start)).map_err(internal)?;
        let length = wanted.end - wanted.start;
        let reader = tokio::io::AsyncReadExt::take(tokio::fs::File::from_std(file), length);
        output.content_length = Some(i64::try_from(length).map_err(internal)?);
        output.body = Some(StreamingBlob::wrap(ReaderStream::with_capacity(reader, READ_BUFFER_BYTES)));
        Ok(output)
    }

    pub(super) async fn head_object(&self, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
        let found = self.find(&input.bucket, &input.key, input.version_id.as_deref())?;
        Ok(HeadObjectOutput {
            content_length: Some(i64::try_from(found.stat.size).map_err(internal)?),
            e_tag: Some(ETag::Strong(found.stat.etag)),
            last_modified: Some(Timestamp::from(found.stat.modified)),
            object_lock_mode: mode(&found.record),
            object_lock_retain_until_date: found.record.retention.map(|it| locks::end(it.until)),
            object_lock_legal_hold_status: hold(&found.record),
            version_id: version(&found.record),
            ..Default::default()
        })
    }
}

fn mode(record: &Record) -> Option<ObjectLockMode> {
    record.retention.map(|retention| ObjectLockMode::from_static(locks::name(retention.mode)))
}

fn hold(record: &Record) -> Option<ObjectLockLegalHoldStatus> {
    record.is_on_hold.then(|| ObjectLockLegalHoldStatus::from_static(ObjectLockLegalHoldStatus::ON))
}

fn version(record: &Record) -> Option<String> {
    (record.version != NO_VERSION).then(|| record.version.clone())
}
