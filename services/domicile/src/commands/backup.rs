//! `domicile backup`: bring every archive of a region to one cut, and say so in a signed manifest.

mod verify;

use archive::{BackupManifest, backup::TenantBackup};
use clap::{Args, Subcommand};
use replicator::{
    ReplicatorDeps,
    backup::{self, Kept, Listed},
};
use runtime::RegionMetrics;
use schemas::RegionId;
use serde::Serialize;

use crate::{
    cli::{Place, RegionFormatOption},
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, Row, print_list},
    progress::Progress,
};

/// `domicile backup`.
#[derive(Debug, Subcommand)]
pub enum Backup {
    /// Back a region up: flush every tenant to one cut, write the signed manifest. Exit code 1 if a tenant could not be.
    Create(RegionFormatOption),
    /// The region's backups, oldest first.
    List(RegionFormatOption),
    /// One backup: every tenant's size, root and manifest generation.
    Show(OneBackup),
    /// Verify every archive of a backup at the size it had, and that exported keys open it. Exit code 1 if one is wrong.
    Verify(OneBackup),
}

/// `domicile backup show` and `verify`.
#[derive(Debug, Args)]
pub struct OneBackup {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub options: RegionFormatOption,
    /// The backup's id; the newest when absent.
    #[arg(value_name = "BACKUP")]
    pub backup: Option<String>,
}

#[derive(Serialize)]
struct BackupRow {
    backup: String,
    region: String,
    cut_at: String,
    completed_at: String,
    tenants: usize,
    events: u64,
    /// Until when it is kept; nothing for the newest that is whole, which stays.
    kept_until: Option<String>,
    /// What is not as it should be, and whether it is over.
    result: Option<String>,
}

impl Row for BackupRow {
    const HEADINGS: &'static [&'static str] =
        &["backup", "region", "cut at", "completed at", "tenants", "events", "kept until", "result"];

    fn cells(&self) -> Vec<String> {
        let (kept_until, result) = (self.kept_until.clone(), self.result.clone());
        let counts = [self.tenants.to_string(), self.events.to_string()];
        let last = counts.into_iter().chain([kept_until.unwrap_or_default(), result.unwrap_or_default()]);
        [&self.backup, &self.region, &self.cut_at, &self.completed_at]
            .map(Clone::clone)
            .into_iter()
            .chain(last)
            .collect()
    }
}

impl From<&BackupManifest> for BackupRow {
    fn from(manifest: &BackupManifest) -> Self {
        Self {
            backup: manifest.backup_id.clone(),
            region: manifest.region.to_string(),
            cut_at: manifest.cut_at.to_string(),
            completed_at: manifest.completed_at.to_string(),
            tenants: manifest.tenants.len(),
            events: manifest.events(),
            kept_until: None,
            result: match manifest.incomplete().count() {
                0 => None,
                incomplete => Some(format!("{incomplete} incomplete")),
            },
        }
    }
}

impl BackupRow {
    /// The row of what may be no backup of the region.
    fn listed(listed: Listed, region: &RegionId) -> Self {
        let over = (listed.kept == Kept::Over).then(|| "due: the life cycle ends it".to_owned());
        let kept_until = match listed.kept {
            Kept::Until(time) => Some(time.to_string()),
            Kept::Over | Kept::AsNewest | Kept::Unknown => None,
        };
        match listed.manifest {
            Ok(manifest) => {
                let row = Self::from(&manifest);
                let result: Vec<_> = row.result.into_iter().chain(over).collect();
                Self { kept_until, result: (!result.is_empty()).then(|| result.join("; ")), ..row }
            }
            Err(error) => Self {
                backup: listed.backup_id,
                region: region.to_string(),
                cut_at: String::new(),
                completed_at: String::new(),
                tenants: 0,
                events: 0,
                kept_until,
                result: Some(format!("{:#}", anyhow::Error::from(error))),
            },
        }
    }
}

#[derive(Serialize)]
struct TenantRow {
    tenant_id: String,
    size: u64,
    generation: u64,
    root: String,
    result: Option<String>,
}

impl Row for TenantRow {
    const HEADINGS: &'static [&'static str] = &["tenant", "events", "generation", "root", "result"];

    fn cells(&self) -> Vec<String> {
        let result = self.result.clone().unwrap_or_default();
        vec![self.tenant_id.clone(), self.size.to_string(), self.generation.to_string(), self.root.clone(), result]
    }
}

/// Runs it.
pub async fn run(place: &Place, command: &Backup) -> Outcome {
    match command {
        Backup::Create(options) => create(&deps(place, options).await?, options.format).await,
        Backup::List(options) => {
            let deps = deps(place, options).await?;
            let backups = backup::list(&deps).await?.into_iter();
            let rows: Vec<_> = backups.map(|listed| BackupRow::listed(listed, &deps.region.id)).collect();
            print_list(&rows, options.format)
        }
        Backup::Show(one) => {
            let deps = deps(place, &one.options).await?;
            show(&deps, &id(&deps, one).await?, one.options.format).await
        }
        Backup::Verify(one) => {
            let deps = deps(place, &one.options).await?;
            verify::verify(&deps, &id(&deps, one).await?, one.options.format).await
        }
    }
}

async fn deps(place: &Place, options: &RegionFormatOption) -> Result<ReplicatorDeps, Failure> {
    let deployment = Deployment::open(place)?;
    let region = deployment.region(&options.region)?;
    deployment.replicator(&region, &RegionMetrics::new(region.id.as_str())).await
}

async fn id(deps: &ReplicatorDeps, one: &OneBackup) -> Result<String, Failure> {
    if let Some(id) = &one.backup {
        return Ok(id.clone());
    }
    let newest = backup::list(deps).await?.into_iter().filter_map(|listed| listed.manifest.ok()).next_back();
    let none = || {
        Failure::usage(format!("BACKUP: region {} has none yet; make one with: domicile backup create", deps.region.id))
    };
    newest.map(|manifest| manifest.backup_id).ok_or_else(none)
}

async fn create(deps: &ReplicatorDeps, format: Format) -> Outcome {
    let mut shown: Option<(Progress, u64)> = None;
    let mut progress = |at: backup::Progress| {
        let (bar, before) = shown.get_or_insert_with(|| {
            (Progress::new(&format!("backup {}, tenants", deps.region.id), at.tenants_total), 0)
        });
        bar.advance(at.tenants.saturating_sub(*before));
        *before = at.tenants;
    };
    let manifest = backup::create(deps, &mut progress).await?;
    if let Some((bar, _)) = shown {
        bar.finish();
    }
    print_list(&[BackupRow::from(&manifest)], format)?;
    let incomplete = manifest.incomplete().map(|tenant| format!("tenant {}: {}", tenant.tenant_id, reason(tenant)));
    match incomplete.collect::<Vec<_>>().as_slice() {
        [] => Ok(()),
        incomplete => Err(Failure::check(format!("incomplete: {}", incomplete.join("; ")))),
    }
}

fn reason(tenant: &TenantBackup) -> &str {
    tenant.reason.as_deref().unwrap_or_default()
}

async fn show(deps: &ReplicatorDeps, id: &str, format: Format) -> Outcome {
    let manifest = found(backup::show(deps, id).await)?;
    if format == Format::Table {
        print_list(&[BackupRow::from(&manifest)], format)?;
    }
    let rows = manifest.tenants.iter().map(|tenant| TenantRow {
        tenant_id: tenant.tenant_id.to_string(),
        size: tenant.size,
        generation: tenant.generation,
        root: tenant.root.to_string(),
        result: tenant.reason.clone(),
    });
    print_list(&rows.collect::<Vec<_>>(), format)
}

fn found(shown: Result<BackupManifest, replicator::Error>) -> Result<BackupManifest, Failure> {
    shown.map_err(|error| match error {
        replicator::Error::NoSuchBackup { .. } => Failure::usage(format!("BACKUP: {error}")),
        other => other.into(),
    })
}
