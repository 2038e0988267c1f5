//! Comparing a build with the one it is to replace: the hashes of a tenant's rows, at equal positions.

use regions::Resident;
use schemas::{Position, TenantId};
use sqlx::PgConnection;

use crate::{
    Error, ProjectorDeps,
    build::Build,
    checkpoint::{self, Patience},
    progress::Meter,
    rebuild::fill::{self, Target},
    table::Table,
};

/// How many projections are compared side by side; each holds two connections, and some more while it fills.
pub(crate) const AT_ONCE: usize = 2;

/// How often a build that is behind the one that is to replace it is brought forward.
const ATTEMPTS_MAX: usize = 3;

/// A table of a tenant whose rows in the build that serves are not those of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whose.
    pub tenant_id: TenantId,
    /// Of which projection.
    pub projection: &'static str,
    /// Which table, without the schema.
    pub table: &'static str,
    /// How many rows there are.
    pub live_rows: i64,
    /// How many the replay made.
    pub replayed_rows: i64,
    /// The key of the first row that is missing, surplus or different.
    pub first_key: Option<String>,
}

/// What comparing has found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compared {
    /// Rows of the build that serves.
    pub(crate) rows: u64,
    /// Tables that differ.
    pub(crate) differences: Vec<Difference>,
}

/// Compares all of these tenants' rows in two builds of a projection, one after another: [`AT_ONCE`] projections are.
pub(crate) async fn all(
    deps: &ProjectorDeps,
    residents: &[Resident],
    (old, new): (&Build, &Build),
    meter: &Meter<'_>,
) -> Result<Compared, Error> {
    let mut sum = Compared::default();
    for resident in residents {
        let Compared { rows, differences } = tenant(deps, resident, (old, new), meter).await?;
        sum.rows += rows;
        sum.differences.extend(differences);
    }
    Ok(sum)
}

/// The old build's checkpoint is held while the new one comes to the same position and a snapshot is taken, and no longer: the
/// rows are compared in the snapshot, however long that takes.
async fn tenant(
    deps: &ProjectorDeps,
    resident: &Resident,
    (old, new): (&Build, &Build),
    meter: &Meter<'_>,
) -> Result<Compared, Error> {
    let tenant = resident.tenant_id();
    for _ in 0..ATTEMPTS_MAX {
        let mut held = regions::begin_with(&deps.pool, "begin").await.map_err(Error::Transaction)?;
        let position = checkpoint::lock(&mut held, tenant, &old.unread(), Patience::Wait).await;
        // A tenant that nobody has begun to follow has no rows.
        let Some(position) = position.map_err(Error::Checkpoint)? else { return Ok(Compared::default()) };
        fill::tenant(deps, resident, &[Target { build: *new, to: position }], meter).await?;
        let begin = "begin isolation level repeatable read, read only";
        let mut snapshot = regions::begin_with(&deps.pool, begin).await.map_err(Error::Transaction)?;
        // The first statement takes the snapshot.
        let reached = position_of(&mut snapshot, tenant, new).await?;
        held.rollback().await.map_err(Error::Transaction)?;
        if reached == position {
            return tables(&mut snapshot, tenant, (old, new)).await;
        }
        if reached < position {
            // It halted before: it is named for that.
            return Ok(Compared::default());
        }
        fill::tenant(deps, resident, &[Target { build: *old, to: reached }], meter).await?;
    }
    Ok(Compared {
        rows: 0,
        differences: old.projection.tables.iter().map(|table| uncompared(table, tenant, old)).collect(),
    })
}

/// The build that serves is halted, and the other has got past that: there is nothing to hold it against.
fn uncompared(table: &Table, tenant: TenantId, old: &Build) -> Difference {
    Difference {
        tenant_id: tenant,
        projection: old.projection.name,
        table: table.name,
        live_rows: 0,
        replayed_rows: 0,
        first_key: None,
    }
}

async fn position_of(conn: &mut PgConnection, tenant: TenantId, build: &Build) -> Result<Position, Error> {
    let positions = checkpoint::positions(conn, tenant, &[*build]).await.map_err(Error::Checkpoint)?;
    Ok(positions.first().map_or(Position::ZERO, |(_, position)| *position))
}

async fn tables(conn: &mut PgConnection, tenant: TenantId, (old, new): (&Build, &Build)) -> Result<Compared, Error> {
    let mut compared = Compared::default();
    for table in old.projection.tables {
        let live = table.fingerprint(conn, (old, tenant)).await?;
        let replayed = table.fingerprint(conn, (new, tenant)).await?;
        compared.rows += u64::try_from(live.rows).unwrap_or_default();
        if live != replayed {
            compared.differences.push(Difference {
                tenant_id: tenant,
                projection: old.projection.name,
                table: table.name,
                live_rows: live.rows,
                replayed_rows: replayed.rows,
                first_key: table.first_difference(conn, (old, new), tenant).await?,
            });
        }
    }
    Ok(compared)
}
