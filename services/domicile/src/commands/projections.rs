//! `domicile projections`: look at read models, rebuild them, compare them with a fresh replay.

use std::sync::OnceLock;

use clap::{Args, Subcommand};
use projector::PROJECTIONS;
use regions::DatabaseRole;
use runtime::RegionMetrics;
use schemas::RegionId;
use serde::Serialize;

use crate::{
    cli::Place,
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, Row, print_list},
    progress::Progress,
};

/// `domicile projections`.
#[derive(Debug, Subcommand)]
pub enum Projections {
    /// Each projection's place in each tenant's log, its lag, and what halts it.
    Status(Status),
    /// Replay the log into a projection's tables. Readers see the old rows until the new ones are there.
    Rebuild(Rebuild),
    /// Compare every row with a fresh replay; exit code 1 if one differs.
    Check(Rebuild),
}

/// `domicile projections status`.
#[derive(Debug, Args)]
pub struct Status {
    /// One region only.
    #[arg(long, value_name = "REGION")]
    pub region: Option<RegionId>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `domicile projections rebuild` and `check`.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION")]
    pub region: RegionId,
    /// One projection only: account, people, ticket_list, ticket_thread or audits.
    #[arg(long, value_name = "NAME", value_parser = known_projection)]
    pub projection: Option<&'static str>,
}

fn known_projection(name: &str) -> Result<&'static str, String> {
    let known = PROJECTIONS.iter().find(|known| **known == name).copied();
    known.ok_or_else(|| format!("takes one of {}", PROJECTIONS.join(", ")))
}

#[derive(Serialize)]
struct StatusRow {
    region: RegionId,
    tenant: String,
    projection: String,
    position: i64,
    head: i64,
    lag_positions: i64,
    halted_at: Option<i64>,
    halted_event_type: Option<String>,
    halted_reason: Option<String>,
}

impl Row for StatusRow {
    const HEADINGS: &'static [&'static str] = &["region", "tenant", "projection", "position", "head", "lag", "halted"];

    fn cells(&self) -> Vec<String> {
        let halted = self.halted_at.map_or_else(String::new, |position| {
            let (event_type, reason) = (self.halted_event_type.as_deref(), self.halted_reason.as_deref());
            format!("at {position}, {}: {}", event_type.unwrap_or_default(), reason.unwrap_or_default())
        });
        let numbers = [self.position, self.head, self.lag_positions].map(|number| number.to_string());
        [self.region.to_string(), self.tenant.clone(), self.projection.clone()]
            .into_iter()
            .chain(numbers)
            .chain([halted])
            .collect()
    }
}

/// Runs it.
pub async fn run(place: &Place, command: &Projections) -> Outcome {
    let deployment = Deployment::open(place)?;
    match command {
        Projections::Status(options) => status(&deployment, options).await,
        Projections::Rebuild(options) => rebuild(&deployment, options).await,
        Projections::Check(options) => check(&deployment, options).await,
    }
}

async fn status(deployment: &Deployment, options: &Status) -> Outcome {
    let mut rows = Vec::new();
    for region in deployment.regions_named(options.region.as_ref())? {
        let pool = deployment.pool(&region, DatabaseRole::Projector).await?;
        let found = projector::status(&mut *pool.acquire().await?).await?;
        rows.extend(found.into_iter().map(|status| StatusRow {
            region: region.id.clone(),
            lag_positions: status.lag_positions(),
            tenant: status.slug,
            projection: status.projection,
            position: status.position.get(),
            head: status.head.get(),
            halted_at: status.halted.as_ref().map(|halted| halted.position.get()),
            halted_event_type: status.halted.as_ref().map(|halted| halted.event_type.clone()),
            halted_reason: status.halted.map(|halted| halted.reason),
        }));
    }
    print_list(&rows, options.format)
}

async fn rebuild(deployment: &Deployment, options: &Rebuild) -> Outcome {
    let (deps, selection, bar) = replay(deployment, options, "rebuild").await?;
    let rebuilt = projector::rebuild(&deps, &selection, &|at| bar.at(&at)).await?;
    bar.finish();
    println!("rebuilt {} tenants from {} events", rebuilt.tenants, rebuilt.events);
    refused(&rebuilt.refused)
}

async fn check(deployment: &Deployment, options: &Rebuild) -> Outcome {
    let (deps, selection, bar) = replay(deployment, options, "check").await?;
    let checked = projector::check(&deps, &selection, &|at| bar.at(&at)).await?;
    bar.finish();
    println!("compared {} rows of {} tenants with a replay", checked.rows, checked.tenants);
    for difference in &checked.differences {
        println!(
            "differs: tenant {}, {}: {} has {} rows, a replay {}{}",
            difference.tenant_id,
            difference.projection,
            difference.table,
            difference.live_rows,
            difference.replayed_rows,
            difference.first_key.as_ref().map_or_else(String::new, |key| format!(", first at {key}")),
        );
    }
    refused(&checked.refused)?;
    if checked.is_clean() { Ok(()) } else { Err(Failure::check("read models differ from the log: rebuild them")) }
}

async fn replay(
    deployment: &Deployment,
    options: &Rebuild,
    what: &str,
) -> Result<(projector::ProjectorDeps, projector::Selection, EventsBar), Failure> {
    let region = deployment.region(&options.region)?;
    let deps = deployment.projector(&region, &RegionMetrics::new(region.id.as_str())).await?;
    let selection = match options.projection {
        Some(name) => projector::Selection::named(&[name])?,
        None => projector::Selection::all(),
    };
    Ok((deps, selection, EventsBar { what: format!("{what} {}", region.id), bar: OnceLock::new() }))
}

/// Shows how many events are done, from the first word of it on: only the replay knows how many there are.
struct EventsBar {
    what: String,
    bar: OnceLock<Progress>,
}

impl EventsBar {
    fn at(&self, progress: &projector::RebuildProgress) {
        self.bar.get_or_init(|| Progress::new(&self.what, progress.events_total)).set(progress.events_done);
    }

    fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish();
        }
    }
}

fn refused(refused: &[projector::Refused]) -> Outcome {
    for one in refused {
        println!("halted: tenant {}, {}: position {}: {}", one.tenant_id, one.projection, one.position, one.reason);
    }
    if refused.is_empty() { Ok(()) } else { Err(Failure::check("some events cannot be applied; see above")) }
}
