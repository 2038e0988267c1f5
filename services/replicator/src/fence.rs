//! Tenants whose database ends before what was published of their log: a database that was put back to an older state.
//!
//! An append to such a log would make a second history of what auditors hold a signed head of. So each is closed, before the desk
//! takes its first request and again whenever the replicator comes across one, until it is brought forward from the archive.
//!
//! A head is sealed in the database before it is published. So a database that is not an old one has sealed at least what is
//! published: that is all there is to compare, one object a tenant, and none in the path of an append.
//!
//! A tenant whose restore was interrupted is closed as well, and is named with the others: the same restore ends it.

use archive::checkpoint;
use eventlog::restore;
use futures::{FutureExt, StreamExt, stream};
use schemas::{Hash, Position, Slug, TenantId};

use crate::{archive_tenant::published, deps::ReplicatorDeps, error::Error, signing::KeyRing, store::TenantObjects};

/// Checkpoints that are read at the same time.
const AT_ONCE: usize = 16;

/// A tenant whose log is behind what was published of it, or another history, or is closed for that reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Which tenant.
    pub tenant_id: TenantId,
    /// The name in its address.
    pub slug: Slug,
    /// The last position in the database.
    pub position: Position,
    /// How far the database has sealed.
    pub sealed: u64,
    /// How far the published checkpoint reaches.
    pub published: u64,
    /// Whether a restore of it was begun and is not finished.
    pub is_restoring: bool,
    /// Whether somebody is at work on that.
    pub is_under_way: bool,
}

impl Behind {
    /// When it takes writes again.
    pub const fn remedy(&self) -> &'static str {
        if self.is_under_way {
            "it takes no writes until that is done"
        } else {
            "it takes no writes until: domicile doctor --heal"
        }
    }
}

impl std::fmt::Display for Behind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { slug, position, sealed, published, .. } = self;
        let position = position.get().unsigned_abs();
        if self.is_under_way {
            return write!(formatter, "tenant {slug}: is being restored");
        }
        if self.is_restoring {
            return write!(formatter, "tenant {slug}: a restore of it was begun and is not finished");
        }
        write!(formatter, "tenant {slug}: the published checkpoint is at position {published}, the database ")?;
        if position < *published {
            write!(formatter, "ends at {position}: {} events are missing", published - position)
        } else {
            write!(formatter, "has sealed {sealed} and holds {position}: it went on from an older state")
        }
    }
}

struct Known {
    tenant_id: TenantId,
    slug: Slug,
    state: String,
    position: Position,
    head: Option<(u64, Hash)>,
}

/// Compares every tenant with what was published of it, and closes those that are behind. A checkpoint that cannot be trusted is
/// left to the replicator, which halts on it.
///
/// # Errors
/// If a store does not answer.
pub async fn close_behind(deps: &ReplicatorDeps) -> Result<Vec<Behind>, Error> {
    let behind = find_behind(deps).await?;
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    for tenant in &behind {
        eventlog::hold_behind(&mut connection, tenant.tenant_id).await.map_err(Error::Log)?;
    }
    Ok(behind)
}

/// The same, and closes nobody.
///
/// # Errors
/// If a store does not answer.
pub async fn find_behind(deps: &ReplicatorDeps) -> Result<Vec<Behind>, Error> {
    let (known, ring) = (known(deps).await?, deps.ring()?);
    // Collected first: a borrowed closure in a boxed stream asks more of lifetimes than the compiler can see.
    let comparisons: Vec<_> = known.into_iter().map(|known| compare(deps, &ring, known).boxed()).collect();
    let mut compared = stream::iter(comparisons).buffered(AT_ONCE);
    let mut behind = Vec::new();
    while let Some(tenant) = compared.next().await {
        behind.extend(tenant?);
    }
    Ok(behind)
}

async fn compare(deps: &ReplicatorDeps, ring: &KeyRing, known: Known) -> Result<Option<Behind>, Error> {
    let objects = TenantObjects::new(deps.bucket.clone(), known.tenant_id);
    let origin = checkpoint::origin(&deps.region.id, known.tenant_id);
    let published = match published(&objects, (ring, &origin)).await {
        Err(error @ Error::Checkpoint(_)) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(tenant.id = %known.tenant_id, error, "a tenant cannot be compared with what was published of it");
            None
        }
        published => published?,
    };
    let Known { tenant_id, slug, state, position, head } = known;
    let is_closed = state != "active";
    let published = published.map(|published| published.checkpoint);
    let (size, sealed) = (published.as_ref().map_or(0, |it| it.size), head.map_or(0, |(size, _)| size));
    let is_other = head.is_some_and(|(sealed, root)| published.is_some_and(|it| it.size == sealed && it.root != root));
    let is_restoring = state == "restoring";
    let is_under_way = is_restoring && is_being_restored(deps, tenant_id).await?;
    let behind = Behind { tenant_id, slug, position, sealed, published: size, is_restoring, is_under_way };
    Ok((is_closed || sealed < size || is_other).then_some(behind))
}

async fn is_being_restored(deps: &ReplicatorDeps, tenant_id: TenantId) -> Result<bool, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    restore::is_claimed(&mut connection, &restore::place(tenant_id)).await.map_err(Error::Log)
}

async fn known(deps: &ReplicatorDeps) -> Result<Vec<Known>, Error> {
    let rows = sqlx::query!(
        r#"select t.tenant_id, t.slug, t.state, t.position, h.size as "size?", h.root as "root?"
        from log.tenant t left join log.tree_head h on h.tenant_id = t.tenant_id
        where t.state in ('active', 'behind', 'restoring') order by t.slug"#
    )
    .fetch_all(&deps.pool)
    .await
    .map_err(Error::Database)?;
    let known = rows.into_iter().map(|row| {
        let head = row
            .size
            .zip(row.root)
            .and_then(|(size, root)| Some((size.unsigned_abs(), Hash::try_from(root.as_slice()).ok()?)));
        let slug = row.slug.parse().map_err(|error| Error::Database(sqlx::Error::Decode(Box::new(error))))?;
        let (tenant_id, position) = (TenantId::new(row.tenant_id), Position::new(row.position));
        Ok(Known { tenant_id, slug, state: row.state, position, head })
    });
    known.collect()
}
