//! Rebuilding projections from the log without downtime: a new build beside the one that serves, filled, compared, switched to.
//!
//! Each step can be broken off anywhere, and the same call goes on: a build that is not finished is found in `read.build`,
//! its checkpoints say how far each tenant is, and switching is one row. The steps, and what a crash leaves behind:
//!
//! 1. *Make* the tables: all or nothing.
//! 2. *Fill* them, tenant by tenant: batches with their checkpoints.
//! 3. *Complete* them with their indexes: all or nothing.
//! 4. *Compare* them with the build that serves, at equal positions: nothing.
//! 5. *Switch*: one row, or nothing.
//!
//! Builds that neither serve nor served last are dropped while the next is filled.

mod ahead;
mod compare;
mod fill;
mod replacement;
mod switch;
mod workshop;

use futures::future;
use runtime::crash;
use schemas::{Position, TenantId};

pub use compare::Difference;
pub(crate) use compare::{AT_ONCE, Compared, all as compare};
pub(crate) use fill::{Goal, all as fill};
pub(crate) use workshop::{Purpose, Workshop};

use crate::{
    BuildState, Error, ProjectorDeps,
    build::{self, Build},
    progress::{Meter, Phase, RebuildProgress},
    projections::{self, Projection},
    selection::Selection,
};
use replacement::{Replacement, complete_and_compare};

/// What a rebuild does besides building.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildOptions {
    /// Switch although rows differ: the rebuild is to mend them.
    pub accept_differences: bool,
    /// Switch at all.
    pub switch: bool,
}

impl Default for RebuildOptions {
    fn default() -> Self {
        Self { accept_differences: false, switch: true }
    }
}

/// What a rebuild has done.
#[derive(Debug, Clone, Default)]
pub struct Rebuilt {
    /// Tenants whose projections are rebuilt.
    pub tenants: usize,
    /// Events read.
    pub events: u64,
    /// The builds, by projection.
    pub builds: Vec<Built>,
    /// Where tenants halted in the new builds, because an event could not be applied.
    pub refused: Vec<Refused>,
}

impl Rebuilt {
    /// Whether every build serves now, and no tenant is halted in one.
    pub fn is_done(&self) -> bool {
        self.refused.is_empty() && self.builds.iter().all(|built| built.is_switched)
    }
}

/// What became of a build.
#[derive(Debug, Clone)]
pub struct Built {
    /// Of which projection.
    pub projection: &'static str,
    /// Which of its builds.
    pub version: i32,
    /// The build it was compared with, if one served its shape.
    pub replaces: Option<i32>,
    /// How many rows were compared.
    pub rows: u64,
    /// Tables whose rows differ.
    pub differences: Vec<Difference>,
    /// Whether it serves now.
    pub is_switched: bool,
}

/// A tenant that is halted in a new build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which.
    pub projection: &'static str,
    /// The event that could not be read, or the first of the events that could not be applied together.
    pub position: Position,
    /// Why, without data of the event.
    pub reason: String,
}

/// Builds the selected projections anew, compares them with the builds that serve, and switches to those that are alike.
pub async fn rebuild(
    deps: &ProjectorDeps,
    selection: &Selection,
    progress: &(dyn Fn(RebuildProgress) + Sync),
) -> Result<Rebuilt, Error> {
    rebuild_with(deps, selection, RebuildOptions::default(), progress).await
}

/// The same with options. A selection of some tenants is built and compared for these, and never switched to.
pub async fn rebuild_with(
    deps: &ProjectorDeps,
    selection: &Selection,
    options: RebuildOptions,
    progress: &(dyn Fn(RebuildProgress) + Sync),
) -> Result<Rebuilt, Error> {
    let mut workshop = Workshop::open(deps, &selection.projections).await?;
    let residents = selection.residents(deps).await?;
    let meter = Meter::new(deps, &residents, &selection.projections, progress).await?;
    let mut replacements = Vec::new();
    for projection in &selection.projections {
        replacements.push(Replacement::begin(&mut workshop, projection, deps.clock.now()).await?);
    }
    crash::point("rebuild.made");
    let builds: Vec<Build> = replacements.iter().map(|replacement| replacement.new).collect();
    let olds: Vec<Option<Build>> = replacements.iter().map(|replacement| replacement.old).collect();
    let filling = fill(deps, &residents, (&builds, Goal::Replaced(&olds)), &meter);
    future::try_join(filling, tidy(&mut workshop, &selection.projections)).await?;
    crash::point("rebuild.filled");
    let mut rebuilt = Rebuilt { tenants: residents.len(), ..Rebuilt::default() };
    rebuilt.builds = complete_and_compare(deps, &residents, (&mut workshop, &replacements), &meter).await?;
    crash::point("rebuild.compared");
    let is_wanted = options.switch && selection.is_of_all();
    if is_wanted {
        meter.begin(Phase::Switching);
        fill(deps, &residents, (&builds, Goal::Head), &meter).await?;
    }
    for (build, built) in builds.iter().zip(&mut rebuilt.builds) {
        if is_wanted && (built.differences.is_empty() || options.accept_differences) {
            built.is_switched = switch::to(deps, build, &meter).await?;
        }
    }
    rebuilt.refused = refused(&mut workshop, &builds).await?;
    rebuilt.events = meter.events_read();
    Ok(rebuilt)
}

/// Builds every projection whose shape nothing serves yet: how a new projection and a new shape come into the world.
pub(crate) async fn build_missing(deps: &ProjectorDeps) -> Result<(), Error> {
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    let missing = build::missing(&mut conn).await.map_err(Error::Builds)?;
    drop(conn);
    if missing.is_empty() {
        return Ok(());
    }
    tracing::info!(projections = missing.join(", "), "building what nothing serves yet");
    rebuild(deps, &Selection::named(&missing)?, &|_| {}).await?;
    Ok(())
}

/// Makes a build serve that was built earlier: the one that served before, or one that was not switched to. It is brought
/// forward first.
pub async fn switch(
    deps: &ProjectorDeps,
    (projection, version): (&str, i32),
    progress: &(dyn Fn(RebuildProgress) + Sync),
) -> Result<Rebuilt, Error> {
    let projection = projections::named(projection)?;
    let mut workshop = Workshop::open(deps, &[projection]).await?;
    let unfit = |problem: String| Error::UnfitBuild { projection: projection.name, problem };
    let builds = workshop.builds(projection).await?;
    let Some(found) = builds.iter().find(|build| build.version == version) else {
        let there_are: Vec<_> = builds.iter().map(|build| build.version.to_string()).collect();
        return Err(unfit(format!("has no version {version}; there are {}", there_are.join(", "))));
    };
    if found.shape != projection.shape {
        let (theirs, ours) = (found.shape, projection.shape);
        return Err(unfit(format!("version {version} has shape {theirs}; this program writes shape {ours}")));
    }
    if matches!(found.state, BuildState::Building | BuildState::Checking) {
        return Err(unfit(format!("version {version} is not complete: rebuild goes on with it")));
    }
    let new = Build { projection, version, is_serving: false };
    let residents = Selection::all().residents(deps).await?;
    let meter = Meter::new(deps, &residents, &[projection], progress).await?;
    let mut rebuilt = Rebuilt { tenants: residents.len(), ..Rebuilt::default() };
    let mut built = Built::new(&new, workshop.serving(projection).await?);
    if found.state != BuildState::Serving {
        fill(deps, &residents, (&[new], Goal::Head), &meter).await?;
        meter.begin(Phase::Switching);
    }
    built.is_switched = found.state == BuildState::Serving || switch::to(deps, &new, &meter).await?;
    rebuilt.builds.push(built);
    rebuilt.refused = refused(&mut workshop, &[new]).await?;
    rebuilt.events = meter.events_read();
    Ok(rebuilt)
}

/// Drops a build that serves nobody, or, if that is wanted, nobody but programs of another shape.
pub async fn drop_build(
    deps: &ProjectorDeps,
    (projection, version): (&str, i32),
    retire_shape: bool,
) -> Result<(), Error> {
    let projection = projections::named(projection)?;
    let mut workshop = Workshop::open(deps, &[projection]).await?;
    let unfit = |problem: String| Error::UnfitBuild { projection: projection.name, problem };
    let builds = workshop.builds(projection).await?;
    let Some(build) = builds.iter().find(|build| build.version == version) else {
        return Err(unfit(format!("has no version {version}")));
    };
    let is_ours = build.shape == projection.shape;
    match build.state {
        BuildState::Serving if is_ours => Err(unfit(format!("is read in version {version}: switch to another first"))),
        BuildState::Serving if !retire_shape => {
            Err(unfit(format!("version {version} serves programs of shape {}", build.shape)))
        }
        _ => workshop.discard(projection.name, version).await,
    }
}

impl Built {
    fn new(new: &Build, old: Option<Build>) -> Self {
        Self {
            projection: new.projection.name,
            version: new.version,
            replaces: old.map(|old| old.version),
            rows: 0,
            differences: Vec::new(),
            is_switched: false,
        }
    }
}

/// Drops what nobody needs: builds of this shape from before the one that served last, and what a check left behind.
pub(crate) async fn tidy(workshop: &mut Workshop, projections: &[&'static Projection]) -> Result<(), Error> {
    for projection in projections {
        let serving = workshop.serving(projection).await?.map_or(0, |build| build.version);
        for build in workshop.builds(projection).await? {
            let is_complete = build.state == BuildState::Complete && build.shape == projection.shape;
            if (is_complete && build.version < serving) || build.state == BuildState::Checking {
                workshop.discard(projection.name, build.version).await?;
            }
        }
    }
    Ok(())
}

/// Which tenants are halted in these builds.
pub(crate) async fn refused(workshop: &mut Workshop, builds: &[Build]) -> Result<Vec<Refused>, Error> {
    let mut refused = Vec::new();
    for build in builds {
        let rows = sqlx::query!(
            r#"select tenant_id, halted_at_position as "position!", coalesce(halted_error, '') as "reason!"
               from read.checkpoint
               where projection = $1 and version = $2 and halted_at_position is not null order by tenant_id"#,
            build.projection.name,
            build.version,
        );
        refused.extend(rows.fetch_all(workshop.conn()).await.map_err(Error::Checkpoint)?.into_iter().map(|row| {
            Refused {
                tenant_id: TenantId::new(row.tenant_id),
                projection: build.projection.name,
                position: Position::new(row.position),
                reason: row.reason,
            }
        }));
    }
    Ok(refused)
}
