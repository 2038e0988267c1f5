//! `domicile projections rebuild` and `check`.

use clap::Args;
use projector::{Built, RebuildOptions, Selection};
use schemas::RegionId;
use serde::Serialize;

use super::{EventsBar, deps, known_projection, print_differences, refused};
use crate::{
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, Row, print_list},
};

/// `domicile projections check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION")]
    pub region: RegionId,
    /// One projection only: account, people, ticket_list, ticket_thread or audits.
    #[arg(long, value_name = "NAME", value_parser = known_projection)]
    pub projection: Option<&'static str>,
}

/// `domicile projections rebuild`.
#[derive(Debug, Args)]
pub struct Rebuild {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub of: Check,
    /// Switch although rows differ from those that serve: the rebuild is to mend them.
    #[arg(long)]
    pub accept_differences: bool,
    /// Build and compare only.
    #[arg(long)]
    pub no_switch: bool,
    /// How to print what was built.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

impl Check {
    fn selection(&self) -> Result<Selection, Failure> {
        Ok(match self.projection {
            Some(name) => Selection::named(&[name])?,
            None => Selection::all(),
        })
    }
}

/// A build, as a command leaves it.
#[derive(Serialize)]
pub(super) struct BuiltRow {
    region: RegionId,
    projection: &'static str,
    version: i32,
    replaces: Option<i32>,
    rows_compared: u64,
    differences: usize,
    is_switched: bool,
}

impl BuiltRow {
    pub(super) fn new(region: &RegionId, built: &Built) -> Self {
        Self {
            region: region.clone(),
            projection: built.projection,
            version: built.version,
            replaces: built.replaces,
            rows_compared: built.rows,
            differences: built.differences.len(),
            is_switched: built.is_switched,
        }
    }
}

impl Row for BuiltRow {
    const HEADINGS: &'static [&'static str] =
        &["region", "projection", "version", "replaces", "rows compared", "differences", "serves"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.region.to_string(),
            self.projection.to_owned(),
            self.version.to_string(),
            self.replaces.map_or_else(String::new, |version| version.to_string()),
            self.rows_compared.to_string(),
            self.differences.to_string(),
            if self.is_switched { "yes" } else { "no" }.to_owned(),
        ]
    }
}

/// Builds, compares, switches.
pub(super) async fn rebuild(deployment: &Deployment, options: &Rebuild) -> Outcome {
    let (region, deps) = deps(deployment, &options.of.region).await?;
    let selection = options.of.selection()?;
    let bar = EventsBar::new(format!("rebuild {}", region.id));
    let wanted = RebuildOptions { accept_differences: options.accept_differences, switch: !options.no_switch };
    let rebuilt = projector::rebuild_with(&deps, &selection, wanted, &|at| bar.at(&at)).await?;
    bar.finish();
    if options.format == Format::Table {
        println!("rebuilt {} tenants from {} events", rebuilt.tenants, rebuilt.events);
    }
    let rows: Vec<_> = rebuilt.builds.iter().map(|built| BuiltRow::new(&region.id, built)).collect();
    print_list(&rows, options.format)?;
    let differs = rebuilt.builds.iter().any(|built| !built.differences.is_empty());
    if options.format == Format::Table {
        rebuilt.builds.iter().for_each(|built| print_differences(&built.differences));
    }
    refused(&rebuilt.refused)?;
    if differs && !options.accept_differences {
        let hint = "see above; if the new rows are right: --accept-differences; if not: projections drop, then rebuild";
        return Err(Failure::check(format!("rows differ from those that serve, so nothing was switched: {hint}")));
    }
    if options.no_switch || rebuilt.is_done() {
        Ok(())
    } else {
        Err(Failure::check("a tenant is further in the build that serves, so it was not switched"))
    }
}

/// Compares with a replay.
pub(super) async fn check(deployment: &Deployment, options: &Check) -> Outcome {
    let (region, deps) = deps(deployment, &options.region).await?;
    let bar = EventsBar::new(format!("check {}", region.id));
    let checked = projector::check(&deps, &options.selection()?, &|at| bar.at(&at)).await?;
    bar.finish();
    println!("compared {} rows of {} tenants with a replay", checked.rows, checked.tenants);
    print_differences(&checked.differences);
    refused(&checked.refused)?;
    if checked.is_clean() { Ok(()) } else { Err(Failure::check("read models differ from the log: rebuild them")) }
}
