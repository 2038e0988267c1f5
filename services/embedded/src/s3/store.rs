//! The calls. Each does its work in a module of its own; everything else answers `NotImplemented`.

mod buckets;
mod deletes;
mod lists;
mod locks;
mod reads;
mod tags;
mod writes;

use std::{io, path::PathBuf, sync::Arc};

use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, dto, s3_error};
use tokio::sync::Mutex;

pub(super) use self::locks::{days_until, time_of};
use super::{
    Config,
    access::Access,
    files::{Files, Stat},
    lives,
    record::Record,
    settings::Settings,
    versions::{VersionIds, is_id},
};

/// The store behind the endpoint. Cheap to clone.
#[derive(Clone)]
pub(super) struct FolderStore {
    files: Arc<Files>,
    location: String,
    ids: Arc<VersionIds>,
    /// Held from looking at an object to changing what is current. New objects need no lock: link(2) decides.
    replacing: Arc<Mutex<()>>,
}

/// A version of an object that is there.
struct Found {
    path: PathBuf,
    stat: Stat,
    record: Record,
}

impl FolderStore {
    pub(super) fn open(config: &Config) -> io::Result<Self> {
        let files = Arc::new(Files::open(&config.folder, config.durability)?);
        Ok(Self {
            files,
            location: config.location.clone(),
            ids: Arc::new(VersionIds::new(Arc::clone(&config.clock))),
            replacing: Arc::default(),
        })
    }

    /// Who may call what, by the clock of this store.
    pub(super) fn access(&self, config: &Config) -> Access {
        Access::new(&config.credentials, Arc::clone(&self.ids))
    }

    /// Removes what is due by the rules of its bucket.
    pub(super) async fn end_lives(&self) -> io::Result<lives::Ended> {
        let store = self.clone();
        blocking(move || lives::end(&store.files, &store.ids, &store.replacing)).await
    }

    fn bucket(&self, bucket: &str) -> S3Result<()> {
        if self.files.location(bucket).exists() {
            return Ok(());
        }
        Err(s3_error!(NoSuchBucket, "there is no such bucket"))
    }

    fn settings(&self, bucket: &str) -> S3Result<Settings> {
        self.bucket(bucket)?;
        Settings::read(&self.files, bucket).map_err(internal)
    }

    fn object(&self, bucket: &str, key: &str) -> S3Result<PathBuf> {
        self.bucket(bucket)?;
        self.files.object(bucket, key).ok_or_else(|| s3_error!(InvalidArgument, "the key is not a plain path"))
    }

    /// The version that is asked for, or the current one.
    fn find(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Found> {
        let path = self.object(bucket, key)?;
        let Some(version) = version else {
            let stat = Files::stat(&path).map_err(missing)?;
            let record = Record::read(&path).map_err(missing)?;
            return Ok(Found { path, stat, record });
        };
        if !is_id(version) {
            return Err(s3_error!(InvalidArgument, "this is no version's id"));
        }
        let versions = self.files.versions(bucket, key).map_err(internal)?;
        let found = versions.into_iter().find(|found| found.id == version);
        let found = found.ok_or_else(|| s3_error!(NoSuchVersion, "there is no such version"))?;
        let super::versions::Content::Object(stat) = found.content else {
            return Err(s3_error!(MethodNotAllowed, "this version is a delete marker"));
        };
        Ok(Found { record: Record::read(&found.path).map_err(internal)?, path: found.path, stat })
    }
}

/// A call that is answered by a method of the same name.
macro_rules! calls {
    ($($call:ident: $input:ident -> $output:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for FolderStore {
            $(async fn $call(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                FolderStore::$call(self, request.input).await.map(S3Response::new)
            })*
        }
    };
}

calls! {
    create_bucket: CreateBucketInput -> CreateBucketOutput;
    head_bucket: HeadBucketInput -> HeadBucketOutput;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput;
    get_bucket_versioning: GetBucketVersioningInput -> GetBucketVersioningOutput;
    put_bucket_versioning: PutBucketVersioningInput -> PutBucketVersioningOutput;
    get_object_lock_configuration: GetObjectLockConfigurationInput -> GetObjectLockConfigurationOutput;
    put_object_lock_configuration: PutObjectLockConfigurationInput -> PutObjectLockConfigurationOutput;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput -> GetBucketLifecycleConfigurationOutput;
    put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput -> PutBucketLifecycleConfigurationOutput;
    put_object: PutObjectInput -> PutObjectOutput;
    get_object: GetObjectInput -> GetObjectOutput;
    head_object: HeadObjectInput -> HeadObjectOutput;
    delete_object: DeleteObjectInput -> DeleteObjectOutput;
    get_object_retention: GetObjectRetentionInput -> GetObjectRetentionOutput;
    put_object_retention: PutObjectRetentionInput -> PutObjectRetentionOutput;
    get_object_legal_hold: GetObjectLegalHoldInput -> GetObjectLegalHoldOutput;
    put_object_legal_hold: PutObjectLegalHoldInput -> PutObjectLegalHoldOutput;
    get_object_tagging: GetObjectTaggingInput -> GetObjectTaggingOutput;
    put_object_tagging: PutObjectTaggingInput -> PutObjectTaggingOutput;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output;
    list_object_versions: ListObjectVersionsInput -> ListObjectVersionsOutput;
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
