//! Switching: from one statement to the next, readers read another build, and never one that is behind the one before.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use runtime::crash;
use schemas::{Position, TenantId};
use sqlx::PgConnection;

use crate::{
    Error, ProjectorDeps,
    build::{Build, gate},
    progress::Meter,
    rebuild::fill::{self, Target},
};

/// How many events of one tenant may be missing when the gate is shut.
const LAG_MAX: i64 = 200;

/// How often the build is brought forward before the gate is shut all the same.
const ROUNDS_MAX: usize = 10;

/// A tenant that has come further in the build that serves than in the other.
struct Behind {
    tenant_id: TenantId,
    missing: i64,
    to: Position,
}

/// Makes a build serve this program's shape. `false`: a tenant cannot be brought as far as it is in the build that serves, so
/// that its readers would go back in time; its checkpoint says why.
///
/// While the gate is shut nothing moves in the build that serves, and readers read on. A crash before the commit leaves
/// everything as it was, and the new build further; after it, the new build serves.
pub(crate) async fn to(deps: &ProjectorDeps, new: &Build, meter: &Meter<'_>) -> Result<bool, Error> {
    for _ in 0..ROUNDS_MAX {
        let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
        let behind = behind(&mut conn, deps, new).await?;
        drop(conn);
        if behind.iter().all(|one| one.missing <= LAG_MAX) {
            break;
        }
        bring_forward(deps, new, behind, meter).await?;
    }
    // What is answered stays: this one commit waits for the disk, and for all that came before it.
    let shut =
        format!("begin; set local synchronous_commit = on; select pg_advisory_xact_lock({})", gate(new.projection));
    let mut shut = regions::begin_with(&deps.pool, shut).await.map_err(Error::Transaction)?;
    let missing = behind(&mut shut, deps, new).await?;
    bring_forward(deps, new, missing, meter).await?;
    if !behind(&mut shut, deps, new).await?.is_empty() {
        return Ok(false);
    }
    serve(&mut shut, new, deps.clock.now()).await.map_err(Error::Builds)?;
    crash::point("rebuild.switching");
    shut.commit().await.map_err(Error::Transaction)?;
    crash::point("rebuild.switched");
    Ok(true)
}

async fn bring_forward(deps: &ProjectorDeps, new: &Build, behind: Vec<Behind>, meter: &Meter<'_>) -> Result<(), Error> {
    for Behind { tenant_id, to, .. } in behind {
        let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
        let resident = Resident::prove_id(&mut conn, &deps.region.id, tenant_id).await.map_err(Error::Resident)?;
        drop(conn);
        if let Some(resident) = resident {
            fill::tenant(deps, &resident, &[Target { build: new.unread(), to }], meter).await?;
        }
    }
    Ok(())
}

/// Tenants that appeared meanwhile are among them. One that has left, or is leaving, is not: nobody reads it here.
async fn behind(conn: &mut PgConnection, deps: &ProjectorDeps, new: &Build) -> Result<Vec<Behind>, Error> {
    let rows = sqlx::query!(
        r#"select old.tenant_id, old.position, old.position - coalesce(new.position, 0) as "missing!"
           from read.serving as serving
           join read.checkpoint as old on old.projection = serving.projection and old.version = serving.version
           join log.tenant as tenant on tenant.tenant_id = old.tenant_id
           left join read.checkpoint as new
             on new.tenant_id = old.tenant_id and new.projection = old.projection and new.version = $3
           where serving.projection = $1 and serving.shape = $2 and tenant.state = 'active' and tenant.region = $4
             and old.position > coalesce(new.position, 0)
           order by old.tenant_id"#,
        new.projection.name,
        new.projection.shape,
        new.version,
        deps.region.id.as_str(),
    )
    .fetch_all(conn)
    .await
    .map_err(Error::Checkpoint)?;
    Ok(rows
        .into_iter()
        .map(|row| Behind {
            tenant_id: TenantId::new(row.tenant_id),
            missing: row.missing,
            to: Position::new(row.position),
        })
        .collect())
}

async fn serve(conn: &mut PgConnection, new: &Build, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into read.serving as serving (projection, shape, version, switched_at) values ($1, $2, $3, $4)
         on conflict (projection, shape) do update
         set version = excluded.version, switched_at = excluded.switched_at, previous_version = serving.version
         where serving.version <> excluded.version",
        new.projection.name,
        new.projection.shape,
        new.version,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
