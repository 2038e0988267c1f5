//! A copy of a tenant beside the living one, as of any moment: its log in a database of its own on the region's own server, with
//! the same ids. It is there to be looked at and compared.
//!
//! It lies where the tenant lies, so it is as resident as the tenant is. It holds no keys and no read models: what reads it opens
//! events with the living tenant's keys, so what is erased there cannot be read here from the same moment on. The tenant is closed
//! in it: nobody appends, no desk finds it, nothing archives it.

pub(crate) mod database;

use auditor::replay::AsOf;
use eventlog::restore::{self, Claim, Source};
use jiff::Timestamp;
use regions::{DatabaseRole, Region};
use schemas::{Position, Slug, TenantId};

use self::database::SCRATCH;
use crate::{
    deps::RestorerDeps,
    error::Error,
    progress::{Meter, RestoreProgress, Step},
    tenant::{self, RestoredTenant, Target, TenantRestore},
};

/// A copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// What it is called.
    pub name: String,
    /// Whose it is; nothing while it is not begun.
    pub tenant: Option<(TenantId, Slug)>,
    /// Its last event.
    pub position: Position,
    /// What was asked for.
    pub source: String,
    /// Since when it is there.
    pub begun_at: Option<Timestamp>,
    /// How far it has come.
    pub state: State,
}

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It holds what was asked for.
    Whole,
    /// A process is making it.
    UnderWay,
    /// Whoever made it is gone. The same call goes on.
    Interrupted,
}

/// Makes a copy, or goes on with one that was interrupted. `progress` is told how far it is.
///
/// # Errors
/// [`Error::BadName`], [`Error::NameInUse`], [`Error::UnderWay`], [`Error::NothingThere`], [`Error::BeyondArchive`], as for
/// [`crate::restore_tenant`], or if the server lets nobody make a database.
pub async fn make(
    deps: &RestorerDeps,
    (name, tenant_id): (&str, TenantId),
    as_of: AsOf,
    progress: &(dyn Fn(RestoreProgress) + Sync),
) -> Result<RestoredTenant, Error> {
    if name.starts_with(SCRATCH) {
        return Err(Error::BadName { name: name.to_owned() });
    }
    let claim = database::claim(deps, name).await?;
    let made = make_claimed(deps, (name, tenant_id), as_of, progress).await;
    claim.release().await;
    made
}

async fn make_claimed(
    deps: &RestorerDeps,
    (name, tenant_id): (&str, TenantId),
    as_of: AsOf,
    progress: &(dyn Fn(RestoreProgress) + Sync),
) -> Result<RestoredTenant, Error> {
    // Of the time since the archive was made, too, something may be asked. Boxed: the future is deeper than the compiler looks.
    let living = deps.resident(tenant_id).await?;
    Box::pin(replicator::archive_tenant(&deps.replicator, &living, None)).await?;
    let source = source(as_of);
    let mut maker = deps.maker().await?;
    if database::exists(&mut maker, deps, name).await? {
        let found = look(&inside(deps, name)?, name, false).await?;
        let is_same = found.tenant.as_ref().is_none_or(|(id, _)| (*id, &found.source) == (tenant_id, &source.what));
        if found.state == State::Whole || !is_same {
            return Err(Error::NameInUse { name: name.to_owned() });
        }
    } else {
        database::create(&mut maker, deps, name).await?;
    }
    runtime::crash::point("beside.database");
    let inside = inside(deps, name)?;
    migrate(inside.region()).await?;
    let asked = TenantRestore { source, ..TenantRestore::of(tenant_id, false) };
    let size = replicator::published_size(&deps.replicator, tenant_id).await?;
    let meter = Meter::new(progress, Step::RESTORE, [(tenant_id, size)].into(), &[]);
    let made = tenant::restore_into(&inside, &asked, Target::Copy(as_of), &meter).await;
    if made.is_ok() {
        meter.end(tenant_id);
    }
    if matches!(made, Err(Error::NothingThere { .. } | Error::BeyondArchive { .. })) {
        database::remove(&mut maker, deps, name).await?;
    }
    made
}

/// Every copy of the region, and the scratch of drills, by name.
///
/// # Errors
/// If a database does not answer.
pub async fn list(deps: &RestorerDeps) -> Result<Vec<Beside>, Error> {
    let mut maker = deps.maker().await?;
    let mut found = Vec::new();
    for name in database::names(&mut maker, deps, "").await? {
        match find_in(&mut maker, deps, &name).await {
            Ok(copy) => found.push(copy),
            // Somebody has just dropped it.
            Err(_) if !database::exists(&mut maker, deps, &name).await? => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The copy of this name.
///
/// # Errors
/// [`Error::NoSuchCopy`], or if a database does not answer.
pub async fn find(deps: &RestorerDeps, name: &str) -> Result<Beside, Error> {
    let mut maker = deps.maker().await?;
    if !database::exists(&mut maker, deps, name).await? {
        return Err(Error::NoSuchCopy { name: name.to_owned() });
    }
    find_in(&mut maker, deps, name).await
}

/// Drops a copy, whoever looks at it.
///
/// # Errors
/// [`Error::NoSuchCopy`], [`Error::UnderWay`], or if the server does not do it.
pub async fn drop(deps: &RestorerDeps, name: &str) -> Result<(), Error> {
    let claim: Claim = database::claim(deps, name).await?;
    let dropped = async {
        let mut maker = deps.maker().await?;
        if !database::exists(&mut maker, deps, name).await? {
            return Err(Error::NoSuchCopy { name: name.to_owned() });
        }
        database::remove(&mut maker, deps, name).await
    };
    let dropped = dropped.await;
    claim.release().await;
    dropped
}

/// What works in a copy as the other does in the region.
pub(crate) fn inside(deps: &RestorerDeps, name: &str) -> Result<RestorerDeps, Error> {
    let mut inside = deps.clone();
    inside.replicator.region = deps.region().clone().in_database(&database::named(deps, name)?);
    Ok(inside)
}

/// The log and the keys: what a restore writes.
pub(crate) async fn migrate(region: &Region) -> Result<(), Error> {
    let mut owner = regions::connection(region, DatabaseRole::Owner).await.map_err(Error::Connect)?;
    eventlog::migrate(&mut owner, &region.id).await?;
    Ok(vault::migrate(&mut owner).await?)
}

fn source(as_of: AsOf) -> Source {
    Source::of(match as_of {
        AsOf::End => "beside, all of it".to_owned(),
        AsOf::Position(position) => format!("beside, as of position {position}"),
        AsOf::Time(time) => format!("beside, as of {time}"),
    })
}

async fn find_in(maker: &mut sqlx::PgConnection, deps: &RestorerDeps, name: &str) -> Result<Beside, Error> {
    let is_claimed = restore::is_claimed(maker, name).await?;
    look(&inside(deps, name)?, name, is_claimed).await
}

/// What a copy says of itself; one that died before its schema was there says nothing.
async fn look(inside: &RestorerDeps, name: &str, is_claimed: bool) -> Result<Beside, Error> {
    let unfinished = if is_claimed { State::UnderWay } else { State::Interrupted };
    let nothing = Beside {
        name: name.to_owned(),
        tenant: None,
        position: Position::ZERO,
        source: String::new(),
        begun_at: None,
        state: unfinished,
    };
    let mut owner = inside.owner().await?;
    let Some(newest) = restore::newest(&mut owner).await? else { return Ok(nothing) };
    Ok(Beside {
        tenant: Some((newest.tenant_id, newest.slug)),
        position: newest.position,
        source: newest.source,
        begun_at: Some(newest.begun_at),
        state: if newest.is_finished { State::Whole } else { unfinished },
        ..nothing
    })
}
