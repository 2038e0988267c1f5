//! `domicile projections switch` and `drop`: what happens with builds that are there.

use clap::Args;
use schemas::RegionId;

use super::{EventsBar, deps, known_projection, rebuild::BuiltRow, refused};
use crate::{
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, print_list},
};

/// `domicile projections switch`.
#[derive(Debug, Args)]
pub struct Switch {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION")]
    pub region: RegionId,
    /// Which projection.
    #[arg(long, value_name = "NAME", value_parser = known_projection)]
    pub projection: &'static str,
    /// The version that is to serve; `projections builds` lists them.
    #[arg(long, value_name = "VERSION")]
    pub to: i32,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `domicile projections drop`.
#[derive(Debug, Args)]
pub struct Drop {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION")]
    pub region: RegionId,
    /// Which projection.
    #[arg(long, value_name = "NAME", value_parser = known_projection)]
    pub projection: &'static str,
    /// The version to drop.
    #[arg(long, value_name = "VERSION")]
    pub version: i32,
    /// Drop it although it serves, when what it serves is another program's shape: once none of those runs any more.
    #[arg(long)]
    pub retire_shape: bool,
}

/// Brings a build up to date and switches to it.
pub(super) async fn switch(deployment: &Deployment, options: &Switch) -> Outcome {
    let (region, deps) = deps(deployment, &options.region).await?;
    let bar = EventsBar::new(format!("switch {}", options.projection));
    let switched = projector::switch(&deps, (options.projection, options.to), &|at| bar.at(&at)).await;
    let switched = switched.map_err(unfit)?;
    bar.finish();
    let rows: Vec<_> = switched.builds.iter().map(|built| BuiltRow::new(&region.id, built)).collect();
    print_list(&rows, options.format)?;
    refused(&switched.refused)?;
    if switched.is_done() {
        Ok(())
    } else {
        Err(Failure::check("a tenant is further in the build that serves, so it was not switched"))
    }
}

/// Drops a build.
pub(super) async fn drop(deployment: &Deployment, options: &Drop) -> Outcome {
    let (region, deps) = deps(deployment, &options.region).await?;
    let (projection, version) = (options.projection, options.version);
    projector::drop_build(&deps, (projection, version), options.retire_shape).await.map_err(unfit)?;
    println!("dropped version {version} of {projection} in {}", region.id);
    Ok(())
}

/// A version that does not do is wrong use; anything else is not.
fn unfit(error: projector::Error) -> Failure {
    match error {
        projector::Error::UnfitBuild { .. } => Failure::usage(error),
        error => error.into(),
    }
}
