//! A region's bucket. What client speaks to it stays in this module.

mod keeping;
mod life_cycle;
mod patience;
mod role;
mod set_up;

use std::{fmt, sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Config, Credentials, Region as CloudRegion,
        retry::{RetryConfig, RetryPartition},
        timeout::TimeoutConfig,
    },
    error::ProvideErrorMetadata,
    operation::put_object::{PutObjectOutput, builders::PutObjectFluentBuilder},
    types::BucketLocationConstraint,
};
use bytes::Bytes;
use jiff::Timestamp;
use runtime::Clock;

pub use self::{
    patience::BucketPatience,
    role::{BucketRole, auditor_policy},
};
use crate::{
    error::{Error, StoreError},
    region::Region,
    storage::Storage,
};

/// The one bucket of a region, found to be where the region is. Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    client: Client,
    name: String,
    cloud_region: String,
    key_alias: String,
    storage: Storage,
    clock: Arc<dyn Clock>,
    patience: BucketPatience,
}

/// What a write-once write found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object is new.
    Written,
    /// It was there; it stays as it was.
    Existed,
}

/// An object as read.
#[derive(Debug, Clone)]
pub struct Object {
    /// All of its bytes.
    pub body: Bytes,
    /// Its entity tag, for [`Bucket::put_if_match`].
    pub etag: String,
}

/// An object as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written: what lives are counted from.
    pub written_at: Timestamp,
}

const ATTEMPTS_MAX: u32 = 4;
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);

/// The bucket of a region, entered in a role, after asking it where it is and whether it keeps objects as the region's file
/// says. Locks on objects begin at the clock's time.
///
/// # Errors
/// If the region names no endpoint, or the bucket cannot be asked, is elsewhere, or keeps objects otherwise.
pub async fn bucket(region: &Region, role: BucketRole, clock: &Arc<dyn Clock>) -> Result<Bucket, Error> {
    let bucket = Bucket::new(region, role, clock)?;
    bucket.check_location().await?;
    bucket.check_keeping().await?;
    Ok(bucket)
}

impl fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bucket").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bucket {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes clients of the object store")]
    fn new(region: &Region, role: BucketRole, clock: &Arc<dyn Clock>) -> Result<Self, Error> {
        let endpoint = region.s3().ok_or_else(|| Error::NoEndpoint { region: region.id.clone(), store: "s3" })?;
        let (access_key, secret_key) = endpoint.key_of(role);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(endpoint.patience.connect)
            .operation_attempt_timeout(endpoint.patience.attempt)
            .operation_timeout(endpoint.patience.operation)
            .build();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(CloudRegion::new(region.cloud_region.clone()))
            .endpoint_url(&endpoint.url)
            .force_path_style(true)
            .credentials_provider(Credentials::new(access_key, secret_key.expose(), None, None, "region file"))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX).with_initial_backoff(INITIAL_BACKOFF))
            // Retries are rationed in a process; by the endpoint, so that a store that does not answer takes none from another.
            .retry_partition(RetryPartition::new(endpoint.url.clone()))
            .timeout_config(timeouts)
            .build();
        Ok(Self {
            client: Client::from_conf(config),
            name: region.bucket.clone(),
            cloud_region: region.cloud_region.clone(),
            key_alias: region.key_alias.clone(),
            storage: region.storage,
            clock: Arc::clone(clock),
            patience: endpoint.patience,
        })
    }

    /// Asks the bucket where it is. A bucket that was replaced by one elsewhere is noticed at the next call.
    ///
    /// # Errors
    /// If it cannot be asked, or is elsewhere.
    pub async fn check_location(&self) -> Result<(), Error> {
        let answer = self
            .client
            .get_bucket_location()
            .bucket(&self.name)
            .send()
            .await
            .map_err(|error| Error::Location { bucket: self.name.clone(), source: error.into() })?;
        // The two old spellings of the API: nothing for us-east-1, and EU for eu-west-1.
        let found = match answer.location_constraint().map_or("", BucketLocationConstraint::as_str) {
            "" => "us-east-1",
            "EU" => "eu-west-1",
            found => found,
        };
        if found == self.cloud_region {
            return Ok(());
        }
        Err(Error::AnotherLocation {
            bucket: self.name.clone(),
            expected: self.cloud_region.clone(),
            found: found.to_owned(),
        })
    }

    /// Writes an object once (`If-None-Match: *`), under the region's lock.
    ///
    /// # Errors
    /// If the store refuses.
    pub async fn put_new(&self, key: &str, body: Bytes) -> Result<Put, Error> {
        self.put_once(key, body, |put| self.locked(put)).await
    }

    /// Writes an object once, under no lock: it may be deleted at any time, and the bucket's life cycle ends it.
    ///
    /// # Errors
    /// If the store refuses.
    pub async fn put_short_lived(&self, key: &str, body: Bytes) -> Result<Put, Error> {
        self.put_once(key, body, |put| put).await
    }

    async fn put_once(
        &self,
        key: &str,
        body: Bytes,
        lock: impl Fn(PutObjectFluentBuilder) -> PutObjectFluentBuilder,
    ) -> Result<Put, Error> {
        match self.put_conditionally(key, body, |put| lock(put.if_none_match("*"))).await? {
            Some(_) => Ok(Put::Written),
            None => Ok(Put::Existed),
        }
    }

    /// Moves an object from the version with this entity tag, or from not being there (`etag` is `None`), to `body`. It is never
    /// locked; the versions it was live for as long as the life cycle says. The new entity tag, or `None` if somebody else moved it.
    ///
    /// # Errors
    /// If the store refuses.
    pub async fn put_if_match(&self, key: &str, body: Bytes, etag: Option<&str>) -> Result<Option<String>, Error> {
        let written = self
            .put_conditionally(key, body.clone(), |put| match etag {
                Some(etag) => put.if_match(etag),
                None => put.if_none_match("*"),
            })
            .await?;
        match written {
            Some(output) => Ok(Some(output.e_tag().unwrap_or_default().to_owned())),
            // The answer to a first attempt may have been lost, and the repeated attempt then finds our own write.
            None => Ok(self.get(key).await?.filter(|found| found.body == body).map(|found| found.etag)),
        }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// If the store refuses, or the body breaks off or does not come to its end in time.
    pub async fn get(&self, key: &str) -> Result<Option<Object>, Error> {
        let failed = |source| Error::Read { bucket: self.name.clone(), key: key.to_owned(), source };
        let answer = match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(failed(error.into())),
        };
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        // The client's own limits end with the head of an answer.
        let body = tokio::time::timeout(self.patience.operation, answer.body.collect()).await;
        let body = body.map_err(|_| failed(stalled(self.patience.operation)))?.map_err(|error| failed(error.into()))?;
        Ok(Some(Object { body: body.into_bytes(), etag }))
    }

    /// The size of an object.
    ///
    /// # Errors
    /// If the store refuses.
    pub async fn head(&self, key: &str) -> Result<Option<u64>, Error> {
        match self.client.head_object().bucket(&self.name).key(key).send().await {
            Ok(answer) => Ok(Some(size(answer.content_length()))),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => Err(Error::Read { bucket: self.name.clone(), key: key.to_owned(), source: error.into() }),
        }
    }

    /// Every object whose key begins with `prefix`, by key.
    ///
    /// # Errors
    /// If the store refuses.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, Error> {
        let mut pages = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).into_paginator().send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Error::List {
                bucket: self.name.clone(),
                prefix: prefix.to_owned(),
                source: error.into(),
            })?;
            objects.extend(page.contents().iter().map(|object| {
                ObjectInfo {
                    key: object.key().unwrap_or_default().to_owned(),
                    size: size(object.size()),
                    written_at: object
                        .last_modified()
                        .map_or(Timestamp::UNIX_EPOCH, |at| Timestamp::from_second(at.secs()).unwrap_or_default()),
                }
            }));
        }
        Ok(objects)
    }

    /// Writes under a condition; `None` if it does not hold.
    async fn put_conditionally(
        &self,
        key: &str,
        body: Bytes,
        condition: impl Fn(PutObjectFluentBuilder) -> PutObjectFluentBuilder,
    ) -> Result<Option<PutObjectOutput>, Error> {
        let mut attempt = 1;
        loop {
            let put = self.client.put_object().bucket(&self.name).key(key).body(body.clone().into());
            match condition(self.encrypted(put)).send().await {
                Ok(output) => return Ok(Some(output)),
                Err(error) if error.code() == Some("PreconditionFailed") => return Ok(None),
                // S3 answers so while another conditional write of the same key is in flight: ask again.
                Err(error) if error.code() == Some("ConditionalRequestConflict") && attempt < ATTEMPTS_MAX => {
                    attempt += 1
                }
                Err(error) => {
                    return Err(Error::Write { bucket: self.name.clone(), key: key.to_owned(), source: error.into() });
                }
            }
        }
    }
}

fn stalled(after: Duration) -> StoreError {
    format!("the object did not come to its end within {after:?}").into()
}

fn size(length: Option<i64>) -> u64 {
    length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
