//! Set a region's bucket up: what Terraform does for a managed one (`infra/terraform/`), done for the embedded endpoint and tests.

use std::sync::Arc;

use aws_sdk_s3::{
    error::ProvideErrorMetadata,
    types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, ObjectLockConfiguration,
        ObjectLockEnabled, VersioningConfiguration,
    },
};
use runtime::Clock;

use super::{Bucket, BucketRole, life_cycle::life_cycle};
use crate::{StoreError, error::Error, region::Region};

impl Bucket {
    /// Makes the region's bucket where the region is, unless it is there, and has it keep objects as the region's file says:
    /// versions, lock, life cycle. Nothing that lies in it changes.
    ///
    /// # Errors
    /// If the region names no endpoint, or the store refuses.
    pub async fn set_up(region: &Region, clock: &Arc<dyn Clock>) -> Result<(), Error> {
        let bucket = Self::new(region, BucketRole::Owner, clock)?;
        let failed = |source| Error::SetUp { bucket: bucket.name.clone(), source };
        bucket.create_if_missing().await.map_err(failed)?;
        if bucket.storage.lock.is_some() {
            bucket.keep_versions().await.map_err(failed)?;
            bucket.enable_lock().await.map_err(failed)?;
        }
        bucket.end_lives().await.map_err(failed)
    }

    async fn create_if_missing(&self) -> Result<(), StoreError> {
        // us-east-1 is the one location that is named by not naming it.
        let place = (self.cloud_region != "us-east-1").then(|| {
            let constraint = BucketLocationConstraint::from(self.cloud_region.as_str());
            CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        let create = self.client.create_bucket().bucket(&self.name).set_create_bucket_configuration(place);
        match create.object_lock_enabled_for_bucket(self.storage.lock.is_some()).send().await {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.code(), Some("BucketAlreadyOwnedByYou" | "BucketAlreadyExists")) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn keep_versions(&self) -> Result<(), StoreError> {
        let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        self.client.put_bucket_versioning().bucket(&self.name).versioning_configuration(versions).send().await?;
        Ok(())
    }

    /// Without a retention by default: that would lock wrapped keys and checkpoints too. Writes say what they want.
    async fn enable_lock(&self) -> Result<(), StoreError> {
        let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).build();
        self.client.put_object_lock_configuration().bucket(&self.name).object_lock_configuration(lock).send().await?;
        Ok(())
    }

    async fn end_lives(&self) -> Result<(), StoreError> {
        let life = life_cycle(self.storage.deletion)?;
        let put = self.client.put_bucket_lifecycle_configuration().bucket(&self.name);
        put.lifecycle_configuration(life).send().await?;
        Ok(())
    }
}
