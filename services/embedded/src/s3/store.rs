//! The calls: create and look at a bucket, put, get, head and list objects. Everything else answers `NotImplemented`.

use std::{
    io::{self, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use futures::{StreamExt, TryStreamExt};
use s3s::{
    S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, ETag, GetBucketLocationInput,
        GetBucketLocationOutput, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
        HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object, PutObjectInput, PutObjectOutput,
        StreamingBlob, Timestamp,
    },
    s3_error,
};
use tokio::sync::Mutex;
use tokio_util::io::ReaderStream;

use super::{
    Config,
    conditions::Condition,
    files::{Files, Stat},
};

const PAGE_SIZE_MAX: usize = 1000;
const READ_BUFFER_BYTES: usize = 64 * 1024;

pub(super) struct FolderStore {
    files: Arc<Files>,
    location: String,
    /// Held from looking at an object to replacing it. New objects need no lock: link(2) decides.
    replacing: Mutex<()>,
}

impl FolderStore {
    pub(super) fn open(config: &Config) -> io::Result<Self> {
        let files = Arc::new(Files::open(&config.folder, config.durability)?);
        Ok(Self { files, location: config.location.clone(), replacing: Mutex::new(()) })
    }

    fn bucket(&self, bucket: &str) -> S3Result<()> {
        if self.files.location(bucket).exists() {
            return Ok(());
        }
        Err(s3_error!(NoSuchBucket, "there is no such bucket"))
    }

    fn object(&self, bucket: &str, key: &str) -> S3Result<PathBuf> {
        self.bucket(bucket)?;
        self.files.object(bucket, key).ok_or_else(|| s3_error!(InvalidArgument, "the key is not a plain path"))
    }

    async fn publish(&self, staged: &Path, target: &Path, condition: Condition) -> S3Result<Stat> {
        let _replacing = if matches!(condition, Condition::Absent) { None } else { Some(self.replacing.lock().await) };
        let current = Files::stat(target).ok();
        if !condition.holds(current.as_ref()) {
            return Err(s3_error!(PreconditionFailed, "the object is not what the condition names"));
        }
        let (files, staged, target) = (Arc::clone(&self.files), staged.to_owned(), target.to_owned());
        let publish = condition.publish();
        let published = blocking(move || files.publish(&staged, &target, publish)).await;
        published.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => s3_error!(PreconditionFailed, "there is an object of this name"),
            _ => internal(error),
        })
    }
}

#[async_trait::async_trait]
impl S3 for FolderStore {
    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        let location = self.files.location(&request.input.bucket);
        if location.exists() {
            return Err(s3_error!(BucketAlreadyOwnedByYou, "the bucket exists"));
        }
        std::fs::create_dir_all(self.files.bucket(&request.input.bucket)).map_err(internal)?;
        std::fs::write(location, &self.location).map_err(internal)?;
        Ok(S3Response::new(CreateBucketOutput::default()))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.bucket(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(self.location.clone()), ..Default::default() }))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.bucket(&request.input.bucket)?;
        let location = std::fs::read_to_string(self.files.location(&request.input.bucket)).map_err(internal)?;
        // The real service answers nothing for its first region.
        let constraint = (location != "us-east-1").then(|| BucketLocationConstraint::from(location));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint: constraint }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let condition = Condition::of(&input)?;
        let target = self.object(&input.bucket, &input.key)?;
        let (staged, file) = self.files.stage().map_err(internal)?;
        let published = match receive(file, input.body).await {
            Ok(()) => self.publish(&staged, &target, condition).await,
            Err(error) => Err(error),
        };
        // Published or refused, the staged name has done its work; it may be gone already.
        let _ = std::fs::remove_file(&staged);
        let output = PutObjectOutput { e_tag: Some(ETag::Strong(published?.etag)), ..Default::default() };
        Ok(S3Response::new(output))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let path = self.object(&input.bucket, &input.key)?;
        let stat = Files::stat(&path).map_err(missing)?;
        let mut file = std::fs::File::open(&path).map_err(missing)?;
        let mut output = GetObjectOutput {
            e_tag: Some(ETag::Strong(stat.etag)),
            last_modified: Some(Timestamp::from(stat.modified)),
            accept_ranges: Some("bytes".to_owned()),
            ..Default::default()
        };
        let wanted = match input.range {
            Some(range) => {
                let part = range.check(stat.size)?;
                output.content_range = Some(format!("bytes {}-{}/{}", part.start, part.end - 1, stat.size));
                part
            }
            None => 0..stat.size,
        };
        file.seek(io::SeekFrom::Start(wanted.start)).map_err(internal)?;
        let length = wanted.end - wanted.start;
        let reader = tokio::io::AsyncReadExt::take(tokio::fs::File::from_std(file), length);
        output.content_length = Some(i64::try_from(length).map_err(internal)?);
        output.body = Some(StreamingBlob::wrap(ReaderStream::with_capacity(reader, READ_BUFFER_BYTES)));
        Ok(S3Response::new(output))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let stat = Files::stat(&self.object(&request.input.bucket, &request.input.key)?).map_err(missing)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(i64::try_from(stat.size).map_err(internal)?),
            e_tag: Some(ETag::Strong(stat.etag)),
            last_modified: Some(Timestamp::from(stat.modified)),
            ..Default::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        self.bucket(&input.bucket)?;
        if input.delimiter.is_some() {
            return Err(s3_error!(NotImplemented, "listing with a delimiter is not supported"));
        }
        let after = input.continuation_token.or(input.start_after).unwrap_or_default();
        let page_size =
            input.max_keys.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_SIZE_MAX).min(PAGE_SIZE_MAX);
        let (files, bucket, prefix) = (Arc::clone(&self.files), input.bucket, input.prefix.unwrap_or_default());
        let (objects, is_truncated) =
            blocking(move || page(&files, &bucket, &prefix, &after, page_size)).await.map_err(internal)?;
        Ok(S3Response::new(ListObjectsV2Output {
            key_count: i32::try_from(objects.len()).ok(),
            is_truncated: Some(is_truncated),
            next_continuation_token: objects.last().and_then(|last| last.key.clone()).filter(|_| is_truncated),
            contents: Some(objects),
            ..Default::default()
        }))
    }
}

fn page(files: &Files, bucket: &str, prefix: &str, after: &str, page_size: usize) -> io::Result<(Vec<Object>, bool)> {
    let keys = files.keys(bucket, prefix)?;
    let mut rest = keys.into_iter().filter(|key| key.as_str() > after).peekable();
    let mut objects = Vec::new();
    while objects.len() < page_size
        && let Some(key) = rest.next()
    {
        let Some(path) = files.object(bucket, &key) else { continue };
        let stat = Files::stat(&path)?;
        objects.push(Object {
            key: Some(key),
            size: i64::try_from(stat.size).ok(),
            e_tag: Some(ETag::Strong(stat.etag)),
            last_modified: Some(Timestamp::from(stat.modified)),
            ..Default::default()
        });
    }
    Ok((objects, rest.peek().is_some()))
}

async fn receive(mut file: std::fs::File, body: Option<StreamingBlob>) -> S3Result<()> {
    let Some(body) = body else { return Ok(()) };
    let mut chunks = body.map(|chunk| chunk.map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error)));
    while let Some(chunk) = chunks.try_next().await? {
        // Chunks are small and the page cache takes them; the sync that may wait runs off the async threads.
        file.write_all(&chunk).map_err(internal)?;
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn missing(error: io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => s3_error!(NoSuchKey, "there is no such object"),
        _ => internal(error),
    }
}

fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> S3Error {
    S3Error::with_source(S3ErrorCode::InternalError, error.into())
}
