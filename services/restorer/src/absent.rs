//! Tenants that the directory leads here and the database does not know.
//!
//! A database that was put back to a time before they came has nothing of them, so none of its logs tells. The directory is no part of
//! a region and is not put back with it.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use schemas::{Slug, TenantId};

use crate::{deps::RestorerDeps, error::Error};

/// Published sizes that are asked for at the same time.
const SIZES_AT_ONCE: usize = 16;

/// A tenant that is not in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Which.
    pub tenant_id: TenantId,
    /// The name that leads to it.
    pub slug: Slug,
    /// How many events of it are published; none of one that is just signing up.
    pub archived: u64,
}

/// Whom the directory leads here and the database does not know, by id.
///
/// # Errors
/// If a store does not answer.
pub async fn absent(deps: &RestorerDeps) -> Result<Vec<Absent>, Error> {
    let mut connection = deps.replicator.pool.acquire().await.map_err(Error::Tenants)?;
    let known: BTreeSet<_> = eventlog::heads(&mut connection).await?.iter().map(|head| head.tenant_id).collect();
    drop(connection);
    let absent = deps.names.iter().filter(|(tenant_id, _)| !known.contains(tenant_id));
    let absent = absent.map(|(tenant_id, named)| (*tenant_id, named.slug.clone()));
    let sized = async |(tenant_id, slug)| {
        let archived = replicator::published_size(&deps.replicator, tenant_id).await?;
        Ok(Absent { tenant_id, slug, archived })
    };
    stream::iter(absent.map(sized)).buffered(SIZES_AT_ONCE).try_collect().await.map_err(Error::Archive)
}
