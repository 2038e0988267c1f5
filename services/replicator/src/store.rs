//! One tenant's objects in the bucket.

use archive::{Object, layout, segment};
use auditor::{Source, source};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use regions::{Bucket, Put};
use schemas::TenantId;

use crate::error::Error;

/// The objects below `tenants/<tenant_id>/`: the archive, as the replicator writes it and the auditor reads it.
#[derive(Debug, Clone)]
pub struct TenantObjects {
    bucket: Bucket,
    prefix: String,
}

/// What became of an object that is written once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// It is new.
    New,
    /// It was there with the same bytes: an interrupted step had come this far.
    Same,
    /// It was there with these other bytes.
    Differs(Bytes),
}

impl TenantObjects {
    /// The objects of a tenant.
    pub fn new(bucket: Bucket, tenant_id: TenantId) -> Self {
        Self { bucket, prefix: layout::tenant_prefix(tenant_id) }
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<regions::Object>, Error> {
        self.bucket.get(&self.full(key)).await.map_err(Error::Bucket)
    }

    pub(crate) async fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        self.bucket.head(&self.full(key)).await.map_err(Error::Bucket)
    }

    /// The keys that begin so, below the tenant's prefix.
    pub(crate) async fn keys(&self, beginning: &str) -> Result<Vec<String>, Error> {
        let listed = self.bucket.list(&self.full(beginning)).await.map_err(Error::Bucket)?;
        Ok(listed.iter().filter_map(|object| object.key.strip_prefix(&self.prefix)).map(str::to_owned).collect())
    }

    /// Writes an object once.
    pub(crate) async fn put(&self, object: &Object) -> Result<Wrote, Error> {
        let key = self.full(&object.key);
        let put = self.bucket.put_new(&key, Bytes::from(object.bytes.clone())).await.map_err(Error::Bucket)?;
        if put == Put::Written {
            return Ok(Wrote::New);
        }
        match self.get(&object.key).await? {
            Some(found) if found.body == object.bytes => Ok(Wrote::Same),
            Some(found) => Ok(Wrote::Differs(found.body)),
            // There a moment ago, and nobody deletes: the store is not to be trusted with this write.
            None => Err(Error::ObjectDiffers { object: object.key.clone() }),
        }
    }

    /// Writes an object once; other bytes at its key are an error.
    pub(crate) async fn put_exactly(&self, object: &Object) -> Result<Wrote, Error> {
        match self.put(object).await? {
            Wrote::Differs(_) => Err(Error::ObjectDiffers { object: object.key.clone() }),
            wrote => Ok(wrote),
        }
    }

    /// Writes a compressed object once. Where it is there already, packed by another version of zstd, its bytes stay and are
    /// taken over.
    pub(crate) async fn put_compressed(&self, object: &mut Object) -> Result<Wrote, Error> {
        let found = match self.put(object).await? {
            Wrote::Differs(found) => found,
            wrote => return Ok(wrote),
        };
        let (ours, theirs) = (segment::decompress(&object.bytes), segment::decompress(&found));
        if theirs.1.is_err() || ours.0 != theirs.0 {
            return Err(Error::ObjectDiffers { object: object.key.clone() });
        }
        object.bytes = found.into();
        Ok(Wrote::Same)
    }

    /// Moves an object that is replaced from the version with this tag.
    pub(crate) async fn swap(&self, object: &Object, etag: Option<&str>) -> Result<bool, Error> {
        let bytes = Bytes::from(object.bytes.clone());
        let moved = self.bucket.put_if_match(&self.full(&object.key), bytes, etag).await.map_err(Error::Bucket)?;
        Ok(moved.is_some())
    }

    /// Replaces an object, whoever replaced it meanwhile: any of them is as good.
    pub(crate) async fn replace(&self, object: &Object) -> Result<(), Error> {
        let found = self.get(&object.key).await?;
        self.swap(object, found.as_ref().map(|found| found.etag.as_str())).await.map(drop)
    }

    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

impl Source for TenantObjects {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, source::Error>> {
        async move {
            let found = self.bucket.get(&self.full(key)).await.map_err(|error| source::Error::new(key, error))?;
            Ok(found.map(|object| object.body))
        }
        .boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, source::Error>> {
        async move { self.keys("").await.map_err(|error| source::Error::new(self.prefix.as_str(), error)) }.boxed()
    }
}
