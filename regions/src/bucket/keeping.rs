//! Whether the bucket keeps objects as the region's file says, and what a write asks of it so that it does.

use aws_sdk_s3::{
    error::{BuildError, ProvideErrorMetadata},
    operation::put_object::builders::PutObjectFluentBuilder,
    primitives::DateTime,
    types::{BucketVersioningStatus, ObjectLockEnabled, ObjectLockMode, ServerSideEncryption, Tag, Tagging},
};
use jiff::SignedDuration;

use super::Bucket;
use crate::{error::Error, storage::LockMode};

/// The tag of what is over.
pub(super) fn over() -> Result<Tag, BuildError> {
    Tag::builder().key("domicile-life").value("over").build()
}

impl Bucket {
    /// Asks the bucket whether it keeps objects as the region's file says.
    ///
    /// # Errors
    /// If it cannot be asked, or does not: no versions or no lock where the file asks for one, a lock on everything (so that
    /// wrapped keys could not be deleted), or no encryption under the key service.
    pub async fn check_keeping(&self) -> Result<(), Error> {
        if self.storage.lock.is_some() {
            self.check_versions().await?;
            self.check_lock().await?;
        }
        if self.storage.is_encrypted_by_kms { self.check_encryption().await } else { Ok(()) }
    }

    async fn check_versions(&self) -> Result<(), Error> {
        let answer = self.client.get_bucket_versioning().bucket(&self.name).send().await;
        let answer = answer.map_err(|error| self.inspect_failed("object_lock", error.into()))?;
        match answer.status() {
            Some(BucketVersioningStatus::Enabled) => Ok(()),
            _ => Err(self.otherwise("object_lock", "keeps no versions; enable versioning")),
        }
    }

    async fn check_lock(&self) -> Result<(), Error> {
        let answer = self.client.get_object_lock_configuration().bucket(&self.name).send().await;
        let found = match answer {
            Ok(answer) => answer.object_lock_configuration,
            Err(error) if error.code() == Some("ObjectLockConfigurationNotFoundError") => None,
            Err(error) => return Err(self.inspect_failed("object_lock", error.into())),
        };
        let found = found.filter(|found| found.object_lock_enabled() == Some(&ObjectLockEnabled::Enabled));
        let found = found.ok_or_else(|| self.otherwise("object_lock", "has no object lock; enable it"))?;
        match found.rule().and_then(|rule| rule.default_retention()) {
            None => Ok(()),
            Some(_) => {
                let what = "locks every object by default, wrapped keys too; remove its default retention";
                Err(self.otherwise("object_lock", what))
            }
        }
    }

    async fn check_encryption(&self) -> Result<(), Error> {
        let answer = self.client.get_bucket_encryption().bucket(&self.name).send().await;
        let found = match answer {
            Ok(answer) => answer.server_side_encryption_configuration,
            Err(error) if error.code() == Some("ServerSideEncryptionConfigurationNotFoundError") => None,
            Err(error) => return Err(self.inspect_failed("encryption.kms", error.into())),
        };
        let is_by_kms = found.iter().flat_map(|found| found.rules()).any(|rule| {
            let default = rule.apply_server_side_encryption_by_default();
            default.is_some_and(|default| *default.sse_algorithm() == ServerSideEncryption::AwsKms)
        });
        if is_by_kms {
            return Ok(());
        }
        Err(self.otherwise("encryption.kms", "does not encrypt under a key of the key service; enable SSE-KMS"))
    }

    /// Marks a backup as over: the life cycle ends what is marked so, once no lock holds it. Done twice, it is done once.
    ///
    /// # Errors
    /// If the store refuses.
    pub async fn mark_over(&self, key: &str) -> Result<(), Error> {
        let failed = |source| Error::Write { bucket: self.name.clone(), key: key.to_owned(), source };
        let tagging = Tagging::builder().tag_set(over().map_err(|error| failed(error.into()))?).build();
        let tagging = tagging.map_err(|error| failed(error.into()))?;
        let put = self.client.put_object_tagging().bucket(&self.name).key(key).tagging(tagging);
        put.send().await.map(|_| ()).map_err(|error| failed(error.into()))
    }

    /// The write, under the region's lock.
    pub(super) fn locked(&self, put: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        let Some(lock) = self.storage.lock else { return put };
        let until = self.clock.now() + SignedDuration::from_hours(24 * i64::from(lock.days));
        let mode = match lock.mode {
            LockMode::Governance => ObjectLockMode::Governance,
            LockMode::Compliance => ObjectLockMode::Compliance,
        };
        put.object_lock_mode(mode).object_lock_retain_until_date(DateTime::from_secs(until.as_second()))
    }

    /// The write, encrypted under the region's key if the file asks for it.
    pub(super) fn encrypted(&self, put: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        if !self.storage.is_encrypted_by_kms {
            return put;
        }
        put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(&self.key_alias)
    }

    fn inspect_failed(&self, field: &'static str, source: crate::StoreError) -> Error {
        Error::InspectBucket { bucket: self.name.clone(), field, source }
    }

    fn otherwise(&self, field: &'static str, what: &'static str) -> Error {
        Error::KeptOtherwise { bucket: self.name.clone(), field, what }
    }
}
