//! Tenants whose database ends before what was published of their log: a database that was put back to an older state.
//!
//! An append to such a log would make a second history of what auditors hold a signed head of. So each is closed, before the desk
//! takes its first request and again whenever the replicator comes across one, until it is brought forward from the archive.
//!
//! A head is sealed in the database before anything of its generation is written. So a database that is not an old one has sealed at
//! least what is published, and begins each segment that is in the bucket: that is all there is to compare, one object and one
//! listing a tenant, and none in the path of an append.
//!
//! What was published can be signed by a key that took over elsewhere: a machine that was put back from before brings the old key with the
//! old database. So the archive's successions are followed from the key that is here. Where they do not lead to the signer, or what is
//! there is no checkpoint at all, nobody can say whether the database is an old one, and the tenant is closed too. The replicator halts on
//! such an archive in any case; but a desk that went on meanwhile would acknowledge what may be a second history, which costs more than
//! the time it takes to put the key or the checkpoint back.
//!
//! A tenant whose restore was interrupted is closed as well, and is named with the others: the same restore ends it.

use std::collections::BTreeMap;

use archive::{Verifier, checkpoint, layout, note};
use eventlog::restore;
use futures::{FutureExt, StreamExt, stream};
use schemas::{Hash, Position, RegionId, Slug, TenantId};

use crate::{
    archive_tenant::published,
    deps::ReplicatorDeps,
    error::Error,
    signing::KeyRing,
    store::TenantObjects,
    under_way::{segments_after, under_way_by},
};

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
    /// How far its archive reaches.
    pub archived: u64,
    /// Whether that is the published checkpoint, and not a generation that only a segment and its signed head tell of.
    pub is_published: bool,
    /// What else stands in the way of comparing it, or of bringing it forward.
    pub doubt: Option<Doubt>,
    /// Whether what it has sealed is another history than that of its archive, as far as that.
    pub is_fork: bool,
    /// Whether it is closed already. The next desk that starts closes it.
    pub is_closed: bool,
    /// Whether a restore of it was begun and is not finished.
    pub is_restoring: bool,
    /// Whether somebody is at work on that.
    pub is_under_way: bool,
}

/// What is wrong with the signature of what was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The region signs with this key, which took over from the one that is here.
    NewerKey(Verifier),
    /// It cannot be believed, for this reason: nobody can say how far the archive reaches.
    Untrusted(String),
}

impl Behind {
    /// What stands in its way, and when it takes writes again; `region` is its home.
    pub fn line(&self, region: &RegionId) -> String {
        format!("{self}; {}", self.remedy(region))
    }

    fn remedy(&self, region: &RegionId) -> String {
        let until =
            if self.is_closed { "it takes no writes until" } else { "no desk that starts takes writes for it until" };
        let slug = &self.slug;
        match self.doubt {
            _ if self.is_under_way => format!("{until} that is done"),
            None if self.went_on() => {
                format!("{until}: domicile restore tenant --region {region} --tenant {slug} --set-aside")
            }
            None => format!("{until}: domicile doctor --heal"),
            Some(Doubt::NewerKey(_)) => format!(
                "{until} successions/ and signing.key of that key are put in place, and then: domicile doctor --heal"
            ),
            Some(Doubt::Untrusted(_)) => format!(
                "{until} successions/ and signing.key that lead to its signer, or the checkpoint that they signed, are put back, and \
                 then: domicile doctor --heal"
            ),
        }
    }

    /// Whether it holds other events than its archive, which nobody takes away unasked: it sealed them, or has as many as were
    /// archived and sealed fewer, so that the others were written since it was put back.
    fn went_on(&self) -> bool {
        let has_as_many = self.sealed < self.archived && self.position.get().unsigned_abs() >= self.archived;
        !self.is_restoring && (self.is_fork || has_as_many)
    }
}

impl std::fmt::Display for Behind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { slug, position, sealed, archived, .. } = self;
        let position = position.get().unsigned_abs();
        if self.is_under_way {
            return write!(formatter, "tenant {slug}: is being restored");
        }
        if let Some(Doubt::Untrusted(why)) = &self.doubt {
            return write!(formatter, "tenant {slug}: nobody can say whether the database is an old one: {why}");
        }
        if self.is_restoring {
            return write!(formatter, "tenant {slug}: a restore of it was begun and is not finished");
        }
        let what = if self.is_published { "the published checkpoint is" } else { "a generation under way ends" };
        write!(formatter, "tenant {slug}: {what} at position {archived}, the database ")?;
        if position < *archived {
            write!(formatter, "ends at {position}: {} events are missing", archived - position)?;
        } else if self.is_fork {
            write!(formatter, "has sealed another history as far as that")?;
        } else if self.went_on() {
            write!(formatter, "has sealed {sealed} and holds {position}: it went on from an older state")?;
        } else {
            write!(formatter, "has sealed {sealed} and holds {position}")?;
        }
        match &self.doubt {
            Some(Doubt::NewerKey(key)) => {
                write!(formatter, "; the region signs with {key}, and the key here is retired")
            }
            _ => Ok(()),
        }
    }
}

/// A tenant, as the database knows it.
struct Known {
    tenant_id: TenantId,
    slug: Slug,
    state: String,
    position: Position,
    head: Option<(u64, Hash)>,
}

impl Known {
    fn sealed(&self) -> u64 {
        self.head.map_or(0, |(sealed, _)| sealed)
    }

    /// Whether it has not sealed what its archive holds, or another history.
    fn is_old(&self, reached: &Reached) -> bool {
        self.sealed() < reached.size || self.is_fork(reached)
    }

    /// Whether it has sealed another history, as far as its archive reaches.
    fn is_fork(&self, reached: &Reached) -> bool {
        let is_other = |(sealed, root)| sealed == reached.size && reached.root.is_some_and(|reached| reached != root);
        self.head.is_some_and(is_other)
    }
}

/// How far a tenant's archive reaches.
struct Reached {
    size: u64,
    root: Option<Hash>,
    is_published: bool,
}

/// Compares every tenant with what was published of it, and closes those that are behind, and those that cannot be compared.
///
/// # Errors
/// If a store does not answer.
pub async fn close_behind(deps: &ReplicatorDeps) -> Result<Vec<Behind>, Error> {
    let mut behind = find_behind(deps).await?;
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    for tenant in &mut behind {
        eventlog::hold_behind(&mut connection, tenant.tenant_id).await.map_err(Error::Log)?;
        tenant.is_closed = true;
    }
    Ok(behind)
}

/// The same, and closes nobody.
///
/// # Errors
/// If a store does not answer.
pub async fn find_behind(deps: &ReplicatorDeps) -> Result<Vec<Behind>, Error> {
    let (known, ring) = (known(deps, None).await?, deps.ring()?);
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
    let tenant_id = known.tenant_id;
    let (reached, doubt) = reached_by_any(deps, ring, &known).await?;
    let is_comparable = !matches!(doubt, Some(Doubt::Untrusted(_)));
    // A replicator may be at work. It seals first, so what is ahead of a second look into the database was not sealed here.
    let known = if known.is_old(&reached) { self::known(deps, Some(tenant_id)).await?.pop() } else { Some(known) };
    let Some(known) = known.filter(|known| known.state != "active" || known.is_old(&reached) || !is_comparable) else {
        return Ok(None);
    };
    let (is_restoring, is_closed) = (known.state == "restoring", known.state != "active");
    let is_fork = known.is_fork(&reached);
    let is_under_way = is_restoring && is_being_restored(deps, tenant_id).await?;
    let sealed = known.sealed();
    let Known { slug, position, .. } = known;
    let Reached { size: archived, is_published, .. } = reached;
    Ok(Some(Behind {
        tenant_id,
        slug,
        position,
        sealed,
        archived,
        is_published,
        doubt,
        is_fork,
        is_closed,
        is_restoring,
        is_under_way,
    }))
}

/// How far a tenant's archive reaches, by the keys here, else by those that the archive's successions lead to from them.
async fn reached_by_any(
    deps: &ReplicatorDeps,
    ring: &KeyRing,
    known: &Known,
) -> Result<(Reached, Option<Doubt>), Error> {
    match reached(deps, ring, known).await {
        Err(error) if error.is_of_one() => {}
        reached => return Ok((reached?, None)),
    }
    let objects = TenantObjects::new(deps.bucket.clone(), known.tenant_id);
    let led = ring.led_by(&successions(&objects).await?);
    match reached(deps, &led, known).await {
        Err(error) if error.is_of_one() => {
            let nothing = Reached { size: 0, root: None, is_published: true };
            Ok((nothing, Some(Doubt::Untrusted(untrusted(&objects, &error).await?))))
        }
        reached => {
            let newest = led.chain().verifiers(&checkpoint::region_name(&deps.region.id)).next_back();
            let newer = newest.filter(|newest| *newest.public_key() != ring.chain().newest());
            Ok((reached?, newer.map(Doubt::NewerKey)))
        }
    }
}

/// The statements in a tenant's archive of keys that took over.
async fn successions(objects: &TenantObjects) -> Result<BTreeMap<u64, Vec<u8>>, Error> {
    let mut statements = BTreeMap::new();
    for key in objects.keys(layout::SUCCESSIONS).await? {
        if let Some(number) = layout::succession_number(&key)
            && let Some(object) = objects.get(&key).await?
        {
            statements.insert(number, object.body.to_vec());
        }
    }
    Ok(statements)
}

/// Why what was published cannot be believed, and who is said to have signed it.
async fn untrusted(objects: &TenantObjects, error: &Error) -> Result<String, Error> {
    let published = objects.get(layout::CHECKPOINT).await?;
    let signers = published.and_then(|object| Some(note::signers(std::str::from_utf8(&object.body).ok()?)));
    match signers.unwrap_or_default().as_slice() {
        [] => Ok(error.chain()),
        signers => Ok(format!("{} (the checkpoint is signed by {})", error.chain(), signers.join(", "))),
    }
}

async fn reached(deps: &ReplicatorDeps, ring: &KeyRing, known: &Known) -> Result<Reached, Error> {
    let objects = TenantObjects::new(deps.bucket.clone(), known.tenant_id);
    let origin = checkpoint::origin(&deps.region.id, known.tenant_id);
    let published = published(&objects, (ring, &origin)).await?.map(|published| published.checkpoint);
    let size = published.as_ref().map_or(0, |published| published.size);
    let published = Reached { size, root: published.map(|published| published.root), is_published: true };
    // At most one generation is under way: only a database that has sealed just what is published can lack it.
    if known.sealed() != size || segments_after(&objects, size).await?.is_empty() {
        return Ok(published);
    }
    let under_way = under_way_by(deps, ring, known.tenant_id).await?.filter(|(head, _)| head.size > size);
    Ok(under_way.map_or(published, |(head, _)| Reached { size: head.size, root: Some(head.root), is_published: false }))
}

async fn is_being_restored(deps: &ReplicatorDeps, tenant_id: TenantId) -> Result<bool, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    restore::is_claimed(&mut connection, &restore::place(tenant_id)).await.map_err(Error::Log)
}

/// The open tenants, and those that are closed for this reason: all of them, or one.
async fn known(deps: &ReplicatorDeps, only: Option<TenantId>) -> Result<Vec<Known>, Error> {
    let rows = sqlx::query!(
        r#"select t.tenant_id, t.slug, t.state, t.position, h.size as "size?", h.root as "root?"
        from log.tenant t left join log.tree_head h on h.tenant_id = t.tenant_id
        where t.state in ('active', 'behind', 'restoring') and ($1::uuid is null or t.tenant_id = $1)
        order by t.slug"#,
        only.map(TenantId::get)
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
