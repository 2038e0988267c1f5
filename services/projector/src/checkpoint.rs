//! How far each projection has handled a tenant: rows of `read.checkpoint`.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{Position, TenantId};
use sqlx::PgConnection;

use crate::{
    batch::Applied,
    build::Build,
    projections::{self, Projection},
    step::Refusal,
};

/// What to do about a checkpoint somebody else holds: another projector, or a rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Wait for it.
    Wait,
    /// Leave it; a later sweep comes back.
    Leave,
}

/// Makes the rows a tenant lacks.
pub(crate) async fn prepare(
    conn: &mut PgConnection,
    tenant: TenantId,
    builds: &[Build],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (names, versions) = columns(builds);
    sqlx::query!(
        "insert into read.checkpoint (tenant_id, projection, version, position, updated_at)
         select $1, name, version, 0, $4 from unnest($2::text[], $3::integer[]) as known (name, version)
         on conflict do nothing",
        tenant.get(),
        &names as _,
        &versions,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Where a tenant stands in each of these builds that it has a row for.
pub(crate) async fn positions(
    conn: &mut PgConnection,
    tenant: TenantId,
    builds: &[Build],
) -> Result<Vec<(Build, Position)>, sqlx::Error> {
    let (names, versions) = columns(builds);
    let rows = sqlx::query!(
        "select checkpoint.projection, checkpoint.version, checkpoint.position
         from unnest($2::text[], $3::integer[]) as known (name, version)
         join read.checkpoint as checkpoint
           on checkpoint.tenant_id = $1 and checkpoint.projection = known.name and checkpoint.version = known.version",
        tenant.get(),
        &names as _,
        &versions,
    )
    .fetch_all(conn)
    .await?;
    let position = |build: &Build| {
        let row = rows.iter().find(|row| row.projection == build.projection.name && row.version == build.version)?;
        Some((*build, Position::new(row.position)))
    };
    Ok(builds.iter().filter_map(position).collect())
}

/// The builds that serve this program's shapes of these projections now, and where a tenant stands in each: `None` where it has
/// no row yet.
pub(crate) async fn serving(
    conn: &mut PgConnection,
    tenant: TenantId,
    projections: &[&'static Projection],
) -> Result<Vec<(Build, Option<Position>)>, sqlx::Error> {
    let (names, shapes) = projections::names_and_shapes();
    let rows = sqlx::query!(
        r#"select serving.projection, serving.version, checkpoint.position as "position?"
           from unnest($2::text[], $3::integer[]) as known (name, shape)
           join read.serving as serving on serving.projection = known.name and serving.shape = known.shape
           left join read.checkpoint as checkpoint
             on checkpoint.tenant_id = $1 and checkpoint.projection = known.name and checkpoint.version = serving.version"#,
        tenant.get(),
        names as _,
        shapes,
    )
    .fetch_all(conn)
    .await?;
    let stands = |projection: &&'static Projection| {
        let row = rows.iter().find(|row| row.projection == projection.name)?;
        let build = Build { projection, version: row.version, is_serving: true };
        Some((build, row.position.map(Position::new)))
    };
    Ok(projections.iter().filter_map(stands).collect())
}

fn columns(builds: &[Build]) -> (Vec<&'static str>, Vec<i32>) {
    builds.iter().map(|build| (build.projection.name, build.version)).unzip()
}

/// Locks a checkpoint until the transaction ends and tells where it stands. `None`: somebody else holds it, or the build is
/// to serve and no longer does.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    tenant: TenantId,
    build: &Build,
    patience: Patience,
) -> Result<Option<Position>, sqlx::Error> {
    let Build { projection, version, is_serving } = *build;
    let position = match patience {
        Patience::Wait => {
            sqlx::query_scalar!(
                "select position from read.checkpoint
                 where tenant_id = $1 and projection = $2 and version = $3
                   and (not $4 or exists (select from read.serving where projection = $2 and shape = $5 and version = $3))
                 for update",
                tenant.get(),
                projection.name,
                version,
                is_serving,
                projection.shape,
            )
            .fetch_optional(conn)
            .await?
        }
        Patience::Leave => {
            sqlx::query_scalar!(
                "select position from read.checkpoint
                 where tenant_id = $1 and projection = $2 and version = $3
                   and (not $4 or exists (select from read.serving where projection = $2 and shape = $5 and version = $3))
                 for update skip locked",
                tenant.get(),
                projection.name,
                version,
                is_serving,
                projection.shape,
            )
            .fetch_optional(conn)
            .await?
        }
    };
    Ok(position.map(Position::new))
}

/// Moves a checkpoint, in the transaction that has locked it and is about to change the tables: these are the only ones its
/// statements find from here on. A halt is over with that.
///
/// `false`: the log does not hold this event any more. What was read, or vouched for, a moment ago may be of a database that was
/// lost since, with its tail; the log's own events come to these places then. Two logs that have one event have all before it.
pub(crate) async fn advance(
    conn: &mut PgConnection,
    (build, tenant): (&Build, TenantId),
    to: &Applied,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    // The path is set here and not before, so that the statements on checkpoints keep their plans: Postgres makes new
    // ones under another path.
    let moved = sqlx::query!(
        "update read.checkpoint
         set position = $4, updated_at = $5, halted_at_position = null, halted_event_type = null, halted_error = null
         where tenant_id = $1 and projection = $2 and version = $3
           and exists (select from log.event where tenant_id = $1 and position = $4 and event_id = $7)
         returning set_config('search_path', $6, true)",
        tenant.get(),
        build.projection.name,
        build.version,
        to.position.get(),
        now.to_sqlx() as _,
        build.schema(),
        to.envelope.event_id.get(),
    );
    Ok(moved.fetch_optional(conn).await?.is_some())
}

/// Locks and moves the checkpoints of several builds that serve, in one statement: those that stand right where the events begin
/// and that nobody holds. Tells which ones; none, if the log has lost the last event.
pub(crate) async fn advance_together(
    conn: &mut PgConnection,
    (builds, tenant): (&[Build], TenantId),
    (from, to): (Position, &Applied),
    now: Timestamp,
) -> Result<Vec<String>, sqlx::Error> {
    let (names, versions) = columns(builds);
    let shapes: Vec<_> = builds.iter().map(|build| build.projection.shape).collect();
    sqlx::query_scalar!(
        "with mine as (
             select checkpoint.projection, checkpoint.version
             from unnest($2::text[], $3::integer[], $4::integer[]) as known (name, version, shape)
             join read.serving as serving
               on serving.projection = known.name and serving.shape = known.shape and serving.version = known.version
             join read.checkpoint as checkpoint
               on checkpoint.tenant_id = $1 and checkpoint.projection = known.name and checkpoint.version = known.version
             where checkpoint.position = $5
               and exists (select from log.event where tenant_id = $1 and position = $6 and event_id = $7)
             for update of checkpoint skip locked
         )
         update read.checkpoint as checkpoint
         set position = $6, updated_at = $8, halted_at_position = null, halted_event_type = null, halted_error = null
         from mine
         where checkpoint.tenant_id = $1 and checkpoint.projection = mine.projection and checkpoint.version = mine.version
         returning checkpoint.projection",
        tenant.get(),
        &names as _,
        &versions,
        &shapes,
        from.get(),
        to.position.get(),
        to.envelope.event_id.get(),
        now.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await
}

/// Records that a tenant waits at an event, unless somebody has got past it meanwhile.
pub(crate) async fn halt(
    conn: &mut PgConnection,
    tenant: TenantId,
    build: &Build,
    refusal: &Refusal,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update read.checkpoint set halted_at_position = $4, halted_event_type = $5, halted_error = $6
         where tenant_id = $1 and projection = $2 and version = $3 and position < $4",
        tenant.get(),
        build.projection.name,
        build.version,
        refusal.position.get(),
        refusal.event_type,
        refusal.reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}
