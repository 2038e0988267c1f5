//! `domicile drill`: can it be restored? Now, or what was found before.

use archive::{DrillReport, drill::TenantDrill};
use clap::Args;
use restorer::{RestorerDeps, drill};
use schemas::Slug;
use serde::Serialize;

use super::restore::{self, RestoreBar, name, said};
use crate::{
    cli::{Place, RegionOption},
    deployment::Deployment,
    directory_option::GivenDirectory,
    exit::{Failure, Outcome},
    output::{Format, Row, json, json_pretty, print_list},
};

/// `domicile drill`.
#[derive(Debug, Args)]
pub struct Drill {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub region: RegionOption,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: GivenDirectory,
    /// This tenant; a sample when absent.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<Slug>,
    /// So many tenants: those whose last drill is longest ago. The region's `[drill] sample` when absent, which is 3 unless it says so.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "tenant")]
    pub sample: Option<u32>,
    /// Drill nobody: list the drills there were, oldest first, each with its signature checked.
    #[arg(long, conflicts_with_all = ["tenant", "sample"])]
    pub list: bool,
    /// Drill nobody: show one, with its signature checked.
    #[arg(long, value_name = "DRILL", conflicts_with_all = ["tenant", "sample", "list"])]
    pub show: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Serialize)]
#[serde(transparent)]
struct TenantRow<'report> {
    drilled: &'report TenantDrill,
    #[serde(skip)]
    name: String,
}

impl Row for TenantRow<'_> {
    const HEADINGS: &'static [&'static str] =
        &["tenant", "events", "root", "compared at", "rows", "milliseconds", "result"];

    fn cells(&self) -> Vec<String> {
        let TenantDrill { size, root, compared_at, tables, duration_ms, finding, .. } = self.drilled;
        vec![
            self.name.clone(),
            size.to_string(),
            root.map_or_else(String::new, |root| root.to_string()),
            compared_at.to_string(),
            tables.iter().map(|table| table.rows).sum::<u64>().to_string(),
            duration_ms.to_string(),
            finding.clone().unwrap_or_else(|| "the same".to_owned()),
        ]
    }
}

/// A drill among others.
#[derive(Serialize)]
struct DrillRow {
    drill: String,
    completed_at: Option<String>,
    tenants: usize,
    events: u64,
    result: String,
}

impl Row for DrillRow {
    const HEADINGS: &'static [&'static str] = &["drill", "completed at", "tenants", "events", "result"];

    fn cells(&self) -> Vec<String> {
        let completed_at = self.completed_at.clone().unwrap_or_default();
        let (tenants, events) = (self.tenants.to_string(), self.events.to_string());
        vec![self.drill.clone(), completed_at, tenants, events, self.result.clone()]
    }
}

impl From<&DrillReport> for DrillRow {
    fn from(report: &DrillReport) -> Self {
        Self {
            drill: report.drill_id.clone(),
            completed_at: Some(report.completed_at.to_string()),
            tenants: report.tenants.len(),
            events: report.tenants.iter().map(|tenant| tenant.size).sum(),
            result: match wrong(report) {
                0 => "the same".to_owned(),
                wrong => format!("{wrong} wrong"),
            },
        }
    }
}

/// Runs it. Exit code 1 if a tenant did not come out as it lives.
pub async fn run(place: &Place, options: &Drill) -> Outcome {
    let deployment = Deployment::open_with(place, &options.directory)?;
    let deps = restore::deps(&deployment, &options.region.region).await?;
    if options.list {
        return list(&deps, options.format).await;
    }
    let report = match &options.show {
        Some(drill_id) => {
            let shown = replicator::show_drill(&deps.replicator, drill_id).await;
            shown.map_err(|error| said(error.into()))?
        }
        None => drill_now(&deps, options).await?,
    };
    print(&deps, &report, options.format)?;
    match wrong(&report) {
        0 => Ok(()),
        wrong => Err(Failure::check(format!("{wrong} tenants did not come out as they live; see above"))),
    }
}

async fn drill_now(deps: &RestorerDeps, options: &Drill) -> Result<DrillReport, Failure> {
    let tenants = match &options.tenant {
        Some(slug) => vec![restore::tenant_id(deps, slug)?],
        None => {
            drill::sample(deps, options.sample.unwrap_or_else(|| deps.region().drill_sample)).await.map_err(said)?
        }
    };
    let bar = RestoreBar::new(format!("drill {}", options.region.region));
    let progress = |at| bar.at(&at);
    let report = tokio::select! {
        report = drill::drill(deps, &tenants, &progress) => report.map_err(said)?,
        _ = tokio::signal::ctrl_c() => {
            drill::tidy(deps).await;
            return Err(Failure::check("interrupted: nothing was found out, and the scratch is dropped"));
        }
    };
    bar.finish();
    for left in tenants.iter().filter(|tenant| !report.tenants.iter().any(|drilled| drilled.tenant_id == **tenant)) {
        bar.say(&format!("{}: is not open here any more, and was left out", name(deps, *left)));
    }
    Ok(report)
}

async fn list(deps: &RestorerDeps, format: Format) -> Outcome {
    let mut rows = Vec::new();
    for drill_id in replicator::drills(&deps.replicator).await? {
        rows.push(match replicator::show_drill(&deps.replicator, &drill_id).await {
            Ok(report) => DrillRow::from(&report),
            Err(error) if error.is_of_one() => {
                let result = format!("{:#}", anyhow::Error::from(error));
                DrillRow { drill: drill_id, completed_at: None, tenants: 0, events: 0, result }
            }
            Err(error) => return Err(error.into()),
        });
    }
    print_list(&rows, format)
}

fn wrong(report: &DrillReport) -> usize {
    report.tenants.iter().filter(|tenant| tenant.finding.is_some()).count()
}

fn print(deps: &RestorerDeps, report: &DrillReport, format: Format) -> Outcome {
    match format {
        Format::Json => println!("{}", json_pretty(report)?),
        Format::Ndjson => println!("{}", json(report)?),
        Format::Table => {
            let rows = report.tenants.iter().map(|drilled| TenantRow { drilled, name: name(deps, drilled.tenant_id) });
            print_list(&rows.collect::<Vec<_>>(), format)?;
            println!("signed: {}", archive::layout::drill(&report.drill_id));
        }
    }
    Ok(())
}
