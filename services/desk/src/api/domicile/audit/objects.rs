//! A tenant's archive in the region's bucket, as auditors read one.

use std::collections::BTreeMap;

use archive::layout;
use auditor::{Source, source};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use regions::Bucket;
use schemas::TenantId;

/// The objects below `tenants/<tenant_id>/`. A key that has just taken over is at work before every archive holds the statement of
/// it, so statements that are missing there are the region's own.
pub(super) struct Objects {
    bucket: Bucket,
    prefix: String,
    successions: BTreeMap<u64, Vec<u8>>,
}

impl Objects {
    pub(super) fn new(bucket: Bucket, tenant_id: TenantId, successions: BTreeMap<u64, Vec<u8>>) -> Self {
        Self { bucket, prefix: layout::tenant_prefix(tenant_id), successions }
    }
}

impl Source for Objects {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, source::Error>> {
        async move {
            let found = self.bucket.get(&format!("{}{key}", self.prefix)).await;
            let found = found.map_err(|error| source::Error::new(key, error))?.map(|object| object.body);
            let own = || self.successions.get(&layout::succession_number(key)?).cloned().map(Bytes::from);
            Ok(found.or_else(own))
        }
        .boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, source::Error>> {
        async move {
            let found = self.bucket.list(&self.prefix).await;
            let found = found.map_err(|error| source::Error::new(self.prefix.as_str(), error))?;
            Ok(found.iter().filter_map(|object| object.key.strip_prefix(&self.prefix).map(str::to_owned)).collect())
        }
        .boxed()
    }
}
