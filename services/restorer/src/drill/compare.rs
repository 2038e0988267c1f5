//! One tenant of a drill: restored into scratch, and held against the living one.

use std::time::Duration;

use archive::{
    drill::{TableDrill, TenantDrill},
    merkle::Frontier,
};
use eventlog::{
    MarkKind, NewTenant,
    restore::{self, Source},
};
use projector::{ProjectorDeps, ReadModels};
use regions::{DatabaseRole, Resident};
use runtime::RegionMetrics;
use schemas::{Hash, Position, StreamName, TenantId};
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;
use vault::Keyring;

use crate::{
    beside::{
        self,
        database::{self, SCRATCH},
    },
    deps::{Named, RestorerDeps},
    error::Error,
    progress::{Meter, Step},
    tenant::{self, RestoredTenant, Target, TenantRestore},
};

/// What the restore of scratch is noted as.
const DRILL: &str = "drill";
/// Events read at once.
const PAGE: i64 = 1_000;
/// Connections with which read models are made.
const CONNECTIONS: u32 = 8;
/// How often read models are looked at that are not where the restored log is, and how long in between: a minute.
const LOOKS_MAX: u32 = 300;
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Restores and compares a tenant, and drops what was restored. What is wrong with it is in the answer.
///
/// # Errors
/// If a store does not answer: nothing is known of the tenant then.
pub(super) async fn tenant(deps: &RestorerDeps, tenant_id: TenantId, meter: &Meter<'_>) -> Result<TenantDrill, Error> {
    let (begun, name) = (Instant::now(), new_name(deps));
    let mut drilled = TenantDrill {
        tenant_id,
        size: 0,
        root: None,
        compared_at: 0,
        tables: Vec::new(),
        duration_ms: 0,
        finding: None,
    };
    let claim = database::claim(deps, &name).await?;
    let compared = restore_and_compare(deps, (tenant_id, &name), &mut drilled, meter).await;
    let dropped = async { database::remove(&mut deps.maker().await?, deps, &name).await };
    let dropped = dropped.await;
    claim.release().await;
    match compared {
        // A tenant that the clock keeps from being restored keeps nobody else from being drilled.
        Err(error) if error.is_of_one() || matches!(error, Error::ClockBehind { .. }) => {
            drilled.finding = Some(error.chain())
        }
        compared => compared?,
    }
    dropped?;
    drilled.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(drilled)
}

/// The last digits of an id are random, so scratch never meets what a drill of another login has left.
fn new_name(deps: &RestorerDeps) -> String {
    let id = deps.replicator.ids.uuid().simple().to_string();
    format!("{SCRATCH}{}", &id[id.len() - 16..])
}

async fn restore_and_compare(
    deps: &RestorerDeps,
    (tenant_id, name): (TenantId, &str),
    drilled: &mut TenantDrill,
    meter: &Meter<'_>,
) -> Result<(), Error> {
    let living = deps.resident(tenant_id).await?;
    let mut deps = deps.clone();
    deps.names = [(tenant_id, Named { slug: living.slug().clone(), epoch: living.epoch() })].into();
    replicator::archive_tenant(&deps.replicator, &living, None).await?;
    let inside = beside::inside(&deps, name)?;
    let restored = restore_scratch(&deps, &inside, (tenant_id, name), meter).await?;
    (drilled.size, drilled.root) = (restored.size, Some(restored.root));
    let (mut here, mut there) = (deps.reader().await?, inside.owner().await?);
    for (log, connection) in [("living", &mut here), ("restored", &mut there)] {
        let root = root_of(connection, &living, restored.size).await?;
        if root != restored.root {
            let what = format!("the {log} log has root {root}, its archive {}", restored.root);
            return Err(Error::Differs { tenant_id, what });
        }
    }
    let models = Both { deps: &deps, inside: &inside, living: &living }.equal_rows(restored.size).await?;
    meter.reach(tenant_id, Step::Compared, restored.size);
    drilled.compared_at = models.position.get().unsigned_abs();
    drilled.tables = models.tables.into_iter().map(table).collect();
    let (verified, now) = (Position::new(restored.size as i64), deps.replicator.clock.now());
    match eventlog::put_mark(&mut here, &living, MarkKind::Verified, verified, now).await {
        // Somebody else verified further meanwhile.
        Err(eventlog::Error::MarkRefused { .. }) => Ok(()),
        put => Ok(put?),
    }
}

/// A new database with the log, the keys and the read models that the archive and the exported keys make.
async fn restore_scratch(
    deps: &RestorerDeps,
    inside: &RestorerDeps,
    (tenant_id, name): (TenantId, &str),
    meter: &Meter<'_>,
) -> Result<RestoredTenant, Error> {
    database::create(&mut deps.maker().await?, deps, name).await?;
    beside::migrate(inside.region()).await?;
    let mut there = inside.owner().await?;
    projector::migrate(&mut there).await.map_err(Error::ReadModels)?;
    let asked = TenantRestore { source: Source::of(DRILL), ..TenantRestore::of(tenant_id, false) };
    let restored = tenant::restore_into(inside, &asked, Target::Scratch, meter).await?;
    // Without its key an event reads like one that was erased.
    match restored.keys.missing {
        0 => Ok(restored),
        missing => Err(Error::Differs { tenant_id, what: format!("{missing} keys of its events are in no export") }),
    }
}

fn table(found: projector::TableRows) -> TableDrill {
    TableDrill { table: found.table, rows: found.rows.unsigned_abs(), hashes: found.hashes }
}

/// The root over the first events of a log, from its rows.
async fn root_of(connection: &mut PgConnection, resident: &Resident, size: u64) -> Result<Hash, Error> {
    let mut tree = Frontier::new();
    while tree.size() < size {
        let (after, limit) = (Position::new(tree.size() as i64), PAGE.min((size - tree.size()) as i64));
        let events = eventlog::read_log(connection, resident, after, limit).await?;
        if events.is_empty() {
            break;
        }
        events.iter().for_each(|event| tree.push(event.sealed.leaf));
    }
    Ok(tree.root())
}

/// The tenant as it lives, and as it was restored.
struct Both<'run> {
    deps: &'run RestorerDeps,
    inside: &'run RestorerDeps,
    living: &'run Resident,
}

impl Both<'_> {
    /// The read models of both, once they stand at one position: the restored log is brought to where the living read models are.
    /// Rows that differ are looked at once more: an erasure meanwhile reaches one of the two before the other.
    async fn equal_rows(&self, size: u64) -> Result<ReadModels, Error> {
        let tenant_id = self.living.tenant_id();
        let (mut here, mut there) = (self.deps.reader().await?, self.inside.owner().await?);
        self.project().await?;
        let mut differed = false;
        for _ in 0..LOOKS_MAX {
            let living = snapshot(&mut here, tenant_id).await?;
            let Some(living) = living.filter(|living| living.position.get().unsigned_abs() >= size) else {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            };
            self.extend((&mut here, &mut there), (Position::new(size as i64), living.position)).await?;
            self.project().await?;
            let restored = snapshot(&mut there, tenant_id).await?;
            match first_difference(&living, restored.as_ref()) {
                None => return Ok(living),
                Some(what) if differed => return Err(Error::Differs { tenant_id, what }),
                Some(_) => differed = true,
            }
        }
        Err(Error::Differs { tenant_id, what: "its living read models are behind its archive, or halted".to_owned() })
    }

    /// Makes the read models of everything that is in the restored log.
    async fn project(&self) -> Result<(), Error> {
        let (region, tenant_id) = (self.inside.region(), self.living.tenant_id());
        // Whose scratch it is need not be a projector anywhere else.
        let pool = regions::connect(region, DatabaseRole::Owner, CONNECTIONS).await.map_err(Error::Connect)?;
        let deps = ProjectorDeps {
            region: region.clone(),
            vault: self.deps.vault(&pool),
            pool: pool.clone(),
            clock: self.deps.replicator.clock.clone(),
            // Nobody's alarm: what lags here is nobody's desk.
            metrics: RegionMetrics::new(region.id.as_str()),
        };
        let head = eventlog::head(&mut self.inside.owner().await?, self.living).await?;
        let reached = projector::catch_up(&deps, self.living).await.map_err(Error::ReadModels)?;
        pool.close().await;
        if reached < head { Err(Error::Halted { tenant_id, position: reached.next() }) } else { Ok(()) }
    }

    /// Brings the restored log forward by what was appended since its archive was read.
    async fn extend(
        &self,
        (here, there): (&mut PgConnection, &mut PgConnection),
        (after, to): (Position, Position),
    ) -> Result<(), Error> {
        if to <= after {
            return Ok(());
        }
        let (living, now) = (self.living, self.deps.replicator.clock.now());
        let tenant_id = living.tenant_id();
        let tenant = NewTenant {
            tenant_id,
            slug: living.slug().clone(),
            region: living.region().clone(),
            epoch: living.epoch(),
            created_at: now,
        };
        let mut ring = Keyring::new(tenant_id, self.deps.region_key.clone());
        ring.add_stored(here).await?;
        restore::begin(there, &tenant, &Source::of(DRILL), now).await?;
        let mut reached = after;
        while reached < to {
            let events = eventlog::read_log(here, living, reached, PAGE.min(to.get() - reached.get())).await?;
            let Some(last) = events.last().map(|event| event.position) else { break };
            restore::put(there, tenant_id, &events, (restore::Other::Refuse, now)).await?;
            for erasure in events.iter().filter(|event| event.sealed.envelope.stream == StreamName::Erasures) {
                ring.destroy(erasure)?;
            }
            reached = last;
        }
        ring.store(there, now).await?;
        Ok(restore::finish_closed(there, tenant_id, now).await?)
    }
}

async fn snapshot(connection: &mut PgConnection, tenant_id: TenantId) -> Result<Option<ReadModels>, Error> {
    let begin = "begin isolation level repeatable read, read only";
    let mut snapshot = connection.begin_with(begin).await.map_err(Error::Copy)?;
    let models = projector::fingerprints(&mut snapshot, tenant_id).await.map_err(Error::ReadModels)?;
    snapshot.rollback().await.map_err(Error::Copy)?;
    Ok(models)
}

/// The first table that differs; nothing, if none does.
fn first_difference(living: &ReadModels, restored: Option<&ReadModels>) -> Option<String> {
    let position = living.position;
    let Some(restored) = restored.filter(|restored| restored.position == position) else {
        return Some(format!("its restored read models do not stand at {position}, where the living do"));
    };
    if living.tables.len() != restored.tables.len() {
        return Some("it is served from read models of another version".to_owned());
    }
    let mut pairs = living.tables.iter().zip(&restored.tables);
    let (one, other) = pairs.find(|(one, other)| one != other)?;
    let table = &one.table;
    Some(format!("{table} at position {position}: {} living rows, {} restored, and not the same", one.rows, other.rows))
}
