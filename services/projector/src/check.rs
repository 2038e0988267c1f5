//! Comparing the live rows with a fresh replay of the log.
//!
//! The replay happens inside a transaction that is rolled back, up to exactly the position the live rows stand at, so a
//! check changes nothing and works while the projector runs.

use regions::Resident;
use schemas::TenantId;

use crate::{
    Error, ProjectorDeps,
    progress::{Meter, RebuildProgress},
    projections::Projection,
    rebuild::{self, Refused},
    replay::{self, Replay},
    selection::Selection,
    table::{Fingerprint, RowHash, Table},
};

/// What a check has found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// Tenants compared.
    pub tenants: usize,
    /// Live rows compared.
    pub rows: u64,
    /// Tables whose live rows are not what the log says.
    pub differences: Vec<Difference>,
    /// Projections that could not be replayed.
    pub refused: Vec<Refused>,
}

impl Checked {
    /// Whether everything is as the log says.
    pub const fn is_clean(&self) -> bool {
        self.differences.is_empty() && self.refused.is_empty()
    }
}

/// A table of a tenant whose live rows are not what the log says.
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
    /// How many there should be.
    pub replayed_rows: i64,
    /// The key of the first row that is missing, surplus or different.
    pub first_key: Option<String>,
}

/// Compares the selected projections with a replay, tenant by tenant.
pub async fn check(
    deps: &ProjectorDeps,
    selection: &Selection,
    progress: &(dyn Fn(RebuildProgress) + Sync),
) -> Result<Checked, Error> {
    let residents = selection.residents(deps).await?;
    let mut meter = Meter::new(deps, selection, &residents, progress).await?;
    let mut checked = Checked::default();
    for resident in &residents {
        for projection in &selection.projections {
            check_projection(deps, resident, projection, (&mut checked, &meter)).await?;
            meter.end_projections(resident, 1);
        }
        meter.end_tenant(resident);
        checked.tenants += 1;
    }
    Ok(checked)
}

async fn check_projection(
    deps: &ProjectorDeps,
    resident: &Resident,
    projection: &'static Projection,
    (checked, meter): (&mut Checked, &Meter<'_>),
) -> Result<(), Error> {
    let tenant = resident.tenant_id();
    let mut replay = rebuild::begin(deps, resident, &[projection]).await?.pop().expect("one projection, one replay");
    let live = fingerprints(&mut replay, tenant).await?;
    replay.clear(resident).await?;
    let up_to = replay.live;
    let tell = |position| meter.at(resident, 1, position);
    replay::run(deps, resident, (std::slice::from_mut(&mut replay), up_to), &tell).await?;
    if let Some(refused) = rebuild::refused(resident, &replay) {
        checked.refused.push(refused);
        return Ok(());
    }
    let replayed = fingerprints(&mut replay, tenant).await?;
    for ((table, live), replayed) in projection.tables.iter().zip(live).zip(replayed) {
        checked.rows += u64::try_from(live.rows).unwrap_or_default();
        if live != replayed {
            checked.differences.push(Difference {
                tenant_id: tenant,
                projection: projection.name,
                table: table.name,
                live_rows: live.rows,
                replayed_rows: replayed.rows,
                first_key: first_difference(deps, &mut replay, table, tenant).await?,
            });
        }
    }
    // The replay ends here without a commit: the live rows stay.
    Ok(())
}

async fn fingerprints(replay: &mut Replay, tenant: TenantId) -> Result<Vec<Fingerprint>, Error> {
    let mut fingerprints = Vec::new();
    for table in replay.projection.tables {
        fingerprints.push(table.fingerprint(replay.conn(), tenant).await?);
    }
    Ok(fingerprints)
}

/// Another connection still sees the live rows; the replay's own sees the new ones.
async fn first_difference(
    deps: &ProjectorDeps,
    replay: &mut Replay,
    table: &Table,
    tenant: TenantId,
) -> Result<Option<String>, Error> {
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    let live = table.row_hashes(&mut conn, tenant).await?;
    let replayed = table.row_hashes(replay.conn(), tenant).await?;
    Ok(first_differing_key(&live, &replayed))
}

/// Both are in the order of their keys, so the first place where they part names the row, on whichever side it is.
fn first_differing_key(live: &[RowHash], replayed: &[RowHash]) -> Option<String> {
    let parting = live.iter().zip(replayed).position(|(live, replayed)| live != replayed);
    let index = parting.unwrap_or_else(|| live.len().min(replayed.len()));
    let (live, replayed) = (live.get(index), replayed.get(index));
    [live, replayed].into_iter().flatten().map(|row| &row.key).min_by_key(|key| (key.len(), *key)).cloned()
}
