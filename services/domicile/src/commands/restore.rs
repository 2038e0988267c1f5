//! `domicile restore`: bring logs back from their archives.

mod bar;
mod beside;
mod region;
mod tenant;
mod ticket;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use restorer::{Named, RestorerDeps};
use runtime::RegionMetrics;
use schemas::{RegionId, Slug, TenantId};

use super::audit::visit;
use crate::{
    cli::{Place, RegionFormatOption, RegionOption, TenantOption},
    deployment::Deployment,
    directory_option::GivenDirectory,
    exit::{Failure, Outcome},
    output::Format,
};

pub(crate) use bar::RestoreBar;
pub(crate) use region::said;
pub use tenant::heal;

/// `domicile restore`.
#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: GivenDirectory,
    /// What to bring back, or to look at.
    #[command(subcommand)]
    pub what: What,
}

/// The verbs of `domicile restore`.
#[derive(Debug, Subcommand)]
pub enum What {
    /// A whole region into an empty database, from the archives in its bucket. Run again after an interruption, it goes on.
    Region(OfRegion),
    /// One tenant in its place, up to the end of its archive: gone, behind or damaged. Its neighbours are not touched.
    Tenant(OfTenant),
    /// A deleted ticket, by an event like any other; or the fields of one as they were at a moment.
    Ticket(ticket::OfTicket),
    /// A copy of one tenant beside the living one, at any position or time, with the same ids, to look at and compare.
    Beside(beside::Make),
    /// The copies there are.
    List(RegionFormatOption),
    /// The tickets of a copy, or the state of one stream in it.
    Show(beside::Show),
    /// What the living tenant has gained, lost and changed since the moment of a copy.
    Diff(beside::Named),
    /// Take a copy away.
    Drop(beside::Drop),
}

/// `domicile restore region`.
#[derive(Debug, Args)]
pub struct OfRegion {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub region: RegionOption,
    /// The backup that says which tenants and events must be there; when absent that of the restore which was interrupted, else the
    /// newest that is whole. What was archived later comes back too: nothing goes back behind what was published.
    #[arg(long, value_name = "BACKUP")]
    pub backup: Option<String>,
    /// Begin anew from this backup, or the newest that is whole, though a restore from another one was begun and is not finished.
    #[arg(long)]
    pub anew: bool,
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
    /// Ask nothing of the archive that the unfinished restore of its region asks: what its backup says must be there may be gone.
    #[arg(long)]
    pub anew: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Runs it.
pub async fn run(place: &Place, command: &Restore) -> Outcome {
    let deployment = Deployment::open_with(place, &command.directory)?;
    match &command.what {
        What::Region(options) => region::run(&deployment, options).await,
        What::Tenant(options) => tenant::run(&deployment, options).await,
        What::Ticket(options) => ticket::run(&deployment, options).await,
        What::Beside(options) => beside::make(&deployment, options).await,
        What::List(options) => beside::list(&deployment, options).await,
        What::Show(options) => beside::show(&deployment, options).await,
        What::Diff(options) => beside::diff(&deployment, options).await,
        What::Drop(options) => beside::drop(&deployment, options).await,
    }
}

/// Whom the directory calls so.
pub(crate) fn tenant_id(deps: &RestorerDeps, slug: &Slug) -> Result<TenantId, Failure> {
    let found = deps.names.iter().find(|(_, named)| named.slug == *slug);
    let unknown = || Failure::usage(format!("--tenant: the directory knows no {slug} in {}", deps.region().id));
    Ok(*found.ok_or_else(unknown)?.0)
}

/// What the directory calls it.
pub(crate) fn name(deps: &RestorerDeps, tenant_id: TenantId) -> String {
    deps.names.get(&tenant_id).map_or_else(|| tenant_id.to_string(), |named| named.slug.to_string())
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
        command: visit::command_line(),
    })
}
