//! Where every projection stands with every tenant.

use jiff::Timestamp;
use schemas::{Position, TenantId};
use sqlx::PgConnection;

use crate::{BuildState, Error, PROJECTIONS, builds};

/// One projection and one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionStatus {
    /// Which projection.
    pub projection: String,
    /// Which of its builds.
    pub version: i32,
    /// Which columns that has.
    pub shape: i32,
    /// What it is there for.
    pub state: BuildState,
    /// Which tenant.
    pub tenant_id: TenantId,
    /// The name in the tenant's address.
    pub slug: String,
    /// The last position handled.
    pub position: Position,
    /// The last position of the log.
    pub head: Position,
    /// When the checkpoint moved, if it ever did.
    pub updated_at: Option<Timestamp>,
    /// Why the tenant waits, if it does.
    pub halted: Option<Halted>,
}

/// Where and why a tenant waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halted {
    /// The event that could not be applied.
    pub position: Position,
    /// Its type.
    pub event_type: String,
    /// Why, without data of the event.
    pub reason: String,
}

impl ProjectionStatus {
    /// How many positions it is behind.
    pub const fn lag_positions(&self) -> i64 {
        self.head.get() - self.position.get()
    }
}

/// Every projection of every tenant in the region, by slug and then by projection: in the builds that serve, and in those that
/// are to serve.
pub async fn status(conn: &mut PgConnection) -> Result<Vec<ProjectionStatus>, Error> {
    let mut builds = builds(conn).await?;
    builds.retain(|build| build.state != BuildState::Previous);
    let rows = sqlx::query!(
        r#"select known.name as "projection!", known.version as "version!", tenant.tenant_id, tenant.slug,
                  tenant.position as head, coalesce(checkpoint.position, 0) as "position!",
                  checkpoint.updated_at as "updated_at?: jiff_sqlx::Timestamp",
                  checkpoint.halted_at_position, checkpoint.halted_event_type, checkpoint.halted_error
           from log.tenant as tenant
           cross join unnest($1::text[], $2::integer[]) as known (name, version)
           left join read.checkpoint as checkpoint
             on checkpoint.tenant_id = tenant.tenant_id and checkpoint.projection = known.name
                and checkpoint.version = known.version
           order by tenant.slug, array_position($3::text[], known.name), known.name, known.version"#,
        &builds.iter().map(|build| build.projection.as_str()).collect::<Vec<_>>() as _,
        &builds.iter().map(|build| build.version).collect::<Vec<_>>(),
        PROJECTIONS as _,
    )
    .fetch_all(conn)
    .await
    .map_err(Error::Checkpoint)?;
    let build = |name: &str, version| {
        let found = builds.iter().find(|build| build.projection == name && build.version == version);
        found.map(|build| (build.shape, build.state)).expect("only these builds were asked for")
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let (shape, state) = build(&row.projection, row.version);
            ProjectionStatus {
                projection: row.projection,
                version: row.version,
                shape,
                state,
                tenant_id: TenantId::new(row.tenant_id),
                slug: row.slug,
                position: Position::new(row.position),
                head: Position::new(row.head),
                updated_at: row.updated_at.map(jiff_sqlx::Timestamp::to_jiff),
                halted: row.halted_at_position.map(|position| Halted {
                    position: Position::new(position),
                    event_type: row.halted_event_type.unwrap_or_default(),
                    reason: row.halted_error.unwrap_or_default(),
                }),
            }
        })
        .collect())
}
