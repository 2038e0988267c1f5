//! `domicile restore`: bring logs back from their archives.

mod region;
mod tenant;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use restorer::{Named, RestorerDeps};
use runtime::RegionMetrics;
use schemas::RegionId;

use crate::{
    cli::{Place, RegionOption, TenantOption},
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::Format,
};

pub use tenant::heal;

/// `domicile restore`.
#[derive(Debug, Subcommand)]
pub enum Restore {
    /// A whole region into an empty database, from the archives in its bucket. Run again after an interruption, it goes on.
    Region(OfRegion),
    /// One tenant in its place, up to the end of its archive: gone, behind or damaged. Its neighbours are not touched.
    Tenant(OfTenant),
}

/// `domicile restore region`.
#[derive(Debug, Args)]
pub struct OfRegion {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub region: RegionOption,
    /// The backup that says which tenants and events must be there; the newest when absent. What was archived later comes back
    /// too: nothing goes back behind what was published.
    #[arg(long, value_name = "BACKUP")]
    pub backup: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `domicile restore tenant`.
#[derive(Debug, Args)]
pub struct OfTenant {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tenant: TenantOption,
    /// Take events that are not the archive's, from the first one on, out of the log and keep them in log.set_aside: for a
    /// database that went on from an older state.
    #[arg(long)]
    pub set_aside: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Runs it.
pub async fn run(place: &Place, command: &Restore) -> Outcome {
    match command {
        Restore::Region(options) => region::run(place, options).await,
        Restore::Tenant(options) => tenant::run(place, options).await,
    }
}

/// What a restore works with. The directory must answer: it says who is at home in the region.
pub(crate) async fn deps(deployment: &Deployment, region: &RegionId) -> Result<RestorerDeps, Failure> {
    let region = deployment.region(region)?;
    let map = deployment.directory_map().await?;
    let here = map.names.into_iter().filter(|(_, entry)| entry.region == region.id);
    let names: BTreeMap<_, _> =
        here.map(|(slug, entry)| (entry.tenant_id, Named { slug, epoch: entry.epoch })).collect();
    Ok(RestorerDeps {
        region_key: deployment.region_key(&region.id)?,
        replicator: deployment.replicator(&region, &RegionMetrics::new(region.id.as_str())).await?,
        names,
    })
}
