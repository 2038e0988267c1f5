//! `domicile projections`: look at read models, rebuild them beside those that serve, switch between builds, compare them
//! with a fresh replay.

mod builds;
mod rebuild;
mod status;

use std::sync::{Mutex, PoisonError};

use clap::Subcommand;
use projector::{Phase, ProjectorDeps, RebuildProgress};
use regions::Region;
use runtime::RegionMetrics;
use schemas::RegionId;

use crate::{
    cli::Place,
    deployment::Deployment,
    exit::{Failure, Outcome},
    progress::Progress,
};

/// `domicile projections`.
#[derive(Debug, Subcommand)]
pub enum Projections {
    /// Each projection's place in each tenant's log, its build, its lag, and what halts it.
    Status(status::Status),
    /// The builds there are, and which of them serve.
    Builds(status::Status),
    /// Build projections anew beside those that serve, compare the rows, and switch. Broken off, the same command goes on.
    Rebuild(rebuild::Rebuild),
    /// Lead readers to another build, such as the one before; it is brought up to date first.
    Switch(builds::Switch),
    /// Drop a build that serves nobody.
    Drop(builds::Drop),
    /// Compare every row with a fresh replay; exit code 1 if one differs.
    Check(rebuild::Check),
}

/// Runs it.
pub async fn run(place: &Place, command: &Projections) -> Outcome {
    let deployment = Deployment::open(place)?;
    match command {
        Projections::Status(options) => status::status(&deployment, options).await,
        Projections::Builds(options) => status::builds(&deployment, options).await,
        Projections::Rebuild(options) => rebuild::rebuild(&deployment, options).await,
        Projections::Switch(options) => builds::switch(&deployment, options).await,
        Projections::Drop(options) => builds::drop(&deployment, options).await,
        Projections::Check(options) => rebuild::check(&deployment, options).await,
    }
}

fn known_projection(name: &str) -> Result<&'static str, String> {
    let known = projector::PROJECTIONS.iter().find(|known| **known == name).copied();
    known.ok_or_else(|| format!("takes one of {}", projector::PROJECTIONS.join(", ")))
}

async fn deps(deployment: &Deployment, region: &RegionId) -> Result<(Region, ProjectorDeps), Failure> {
    let region = deployment.region(region)?;
    let deps = deployment.projector(&region, &RegionMetrics::new(region.id.as_str())).await?;
    Ok((region, deps))
}

/// Shows how many events are done, from the first word of it on: only the replay knows how many there are.
struct EventsBar {
    what: String,
    shown: Mutex<Option<(Progress, Phase)>>,
}

impl EventsBar {
    fn new(what: String) -> Self {
        Self { what, shown: Mutex::new(None) }
    }

    fn at(&self, progress: &RebuildProgress) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let (bar, phase) =
            shown.get_or_insert_with(|| (Progress::new(&self.what, progress.events_total), Phase::Filling));
        bar.set(progress.events_done);
        if *phase != progress.phase {
            *phase = progress.phase;
            bar.say(&format!("{}: {}", self.what, said(progress.phase)));
        }
    }

    fn finish(&self) {
        if let Some((bar, _)) = &*self.shown.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.finish();
        }
    }
}

const fn said(phase: Phase) -> &'static str {
    match phase {
        Phase::Filling => "filling the tables",
        Phase::Completing => "making the indexes",
        Phase::Comparing => "comparing the rows",
        Phase::Switching => "catching up and switching",
    }
}

fn print_differences(differences: &[projector::Difference]) {
    for difference in differences {
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
}

fn refused(refused: &[projector::Refused]) -> Outcome {
    for one in refused {
        println!("halted: tenant {}, {}: position {}: {}", one.tenant_id, one.projection, one.position, one.reason);
    }
    if refused.is_empty() { Ok(()) } else { Err(Failure::check("some events cannot be applied; see above")) }
}
