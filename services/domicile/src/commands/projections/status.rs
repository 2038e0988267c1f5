//! `domicile projections status` and `builds`.

use clap::Args;
use projector::BuildState;
use regions::DatabaseRole;
use schemas::RegionId;
use serde::Serialize;

use super::super::halt::Halt;
use crate::{
    deployment::Deployment,
    exit::Outcome,
    output::{Format, Row, print_list},
};

/// `domicile projections status` and `builds`.
#[derive(Debug, Args)]
pub struct Status {
    /// One region only.
    #[arg(long, value_name = "REGION")]
    pub region: Option<RegionId>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Serialize)]
struct StatusRow {
    region: RegionId,
    tenant: String,
    projection: String,
    version: i32,
    shape: i32,
    state: &'static str,
    position: i64,
    head: i64,
    lag_positions: i64,
    #[serde(flatten)]
    halt: Halt,
}

impl Row for StatusRow {
    const HEADINGS: &'static [&'static str] =
        &["region", "tenant", "projection", "version", "shape", "state", "position", "head", "lag", "halted"];

    fn cells(&self) -> Vec<String> {
        let build = [self.version.to_string(), self.shape.to_string(), self.state.to_owned()];
        let numbers = [self.position, self.head, self.lag_positions].map(|number| number.to_string());
        [self.region.to_string(), self.tenant.clone(), self.projection.clone()]
            .into_iter()
            .chain(build)
            .chain(numbers)
            .chain([self.halt.cell()])
            .collect()
    }
}

#[derive(Serialize)]
struct BuildRow {
    region: RegionId,
    projection: String,
    version: i32,
    shape: i32,
    state: &'static str,
    created_at: String,
    serves_since: Option<String>,
    /// Whether this program reads its shape.
    is_ours: bool,
}

impl Row for BuildRow {
    const HEADINGS: &'static [&'static str] =
        &["region", "projection", "version", "shape", "state", "created", "serves since"];

    fn cells(&self) -> Vec<String> {
        let shape = if self.is_ours { self.shape.to_string() } else { format!("{} (another program's)", self.shape) };
        vec![
            self.region.to_string(),
            self.projection.clone(),
            self.version.to_string(),
            shape,
            self.state.to_owned(),
            self.created_at.clone(),
            self.serves_since.clone().unwrap_or_default(),
        ]
    }
}

/// Where every tenant is.
pub(super) async fn status(deployment: &Deployment, options: &Status) -> Outcome {
    let mut rows = Vec::new();
    for region in deployment.regions_named(options.region.as_ref())? {
        let pool = deployment.pool(&region, DatabaseRole::Projector).await?;
        let found = projector::status(&mut *pool.acquire().await?).await?;
        rows.extend(found.into_iter().map(|status| StatusRow {
            region: region.id.clone(),
            lag_positions: status.lag_positions(),
            tenant: status.slug,
            projection: status.projection,
            version: status.version,
            shape: status.shape,
            state: status.state.as_str(),
            position: status.position.get(),
            head: status.head.get(),
            halt: status.halted.map_or_else(Halt::default, |it| Halt::at(it.position, it.event_type, it.reason)),
        }));
    }
    print_list(&rows, options.format)
}

/// Which builds there are.
pub(super) async fn builds(deployment: &Deployment, options: &Status) -> Outcome {
    let shapes = projector::shapes();
    let mut rows = Vec::new();
    for region in deployment.regions_named(options.region.as_ref())? {
        let pool = deployment.pool(&region, DatabaseRole::Projector).await?;
        let found = projector::builds(&mut *pool.acquire().await?).await?;
        rows.extend(found.into_iter().map(|build| BuildRow {
            region: region.id.clone(),
            is_ours: shapes.contains(&(build.projection.as_str(), build.shape)),
            projection: build.projection,
            version: build.version,
            shape: build.shape,
            state: BuildState::as_str(build.state),
            created_at: build.created_at.to_string(),
            serves_since: build.serves_since.map(|since| since.to_string()),
        }));
    }
    print_list(&rows, options.format)
}
