//! `domicile restore region`.

use restorer::{Error, RegionRestore, RestoredTenant, RestorerDeps, TenantOutcome, restore_region};
use schemas::TenantId;
use serde::Serialize;

use super::{OfRegion, RestoreBar};
use crate::{
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Row, print_list},
};

#[derive(Serialize)]
struct TenantRow {
    tenant: String,
    tenant_id: TenantId,
    events: Option<u64>,
    root: Option<String>,
    keys: Option<u64>,
    erased_keys: Option<u64>,
    result: String,
}

impl Row for TenantRow {
    const HEADINGS: &'static [&'static str] = &["tenant", "events", "keys", "erased keys", "root", "result"];

    fn cells(&self) -> Vec<String> {
        let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        vec![
            self.tenant.clone(),
            number(self.events),
            number(self.keys),
            number(self.erased_keys),
            self.root.clone().unwrap_or_default(),
            self.result.clone(),
        ]
    }
}

pub(super) async fn run(deployment: &Deployment, options: &OfRegion) -> Outcome {
    let deps = super::deps(deployment, &options.region.region).await?;
    let bar = RestoreBar::new(format!("restore {}", options.region.region));
    let asked = RegionRestore { backup_id: options.backup.clone(), is_anew: options.anew };
    let restored = restore_region(&deps, &asked, &|at| bar.at(&at)).await.map_err(said)?;
    bar.finish();
    let rows: Vec<_> = restored.tenants.iter().map(|(tenant_id, outcome)| row(&deps, *tenant_id, outcome)).collect();
    print_list(&rows, options.format)?;
    if restored.is_whole() { Ok(()) } else { Err(Failure::check("not every tenant is restored; see above")) }
}

/// What ops did wrong, and what is not as it should be, are told apart from a store that does not answer.
pub(crate) fn said(error: Error) -> Failure {
    match &error {
        Error::Archive(replicator::Error::NoSuchBackup { .. }) | Error::AnotherBackup { .. } => {
            Failure::usage(format!("--backup: {error}"))
        }
        Error::BadName { .. }
        | Error::NameInUse { .. }
        | Error::NoSuchCopy { .. }
        | Error::NotWhole { .. }
        | Error::NothingThere { .. } => Failure::usage(error),
        Error::BeyondArchive { .. } => Failure::usage(format!("--at: {error}")),
        Error::Archive(replicator::Error::NoSuchDrill { .. }) => Failure::usage(format!("--show: {error}")),
        Error::NotEmpty { .. } => Failure::usage(format!("--region: {error}")),
        Error::ClockBehind { .. } => Failure::check(error.chain()),
        error if error.is_of_one() => Failure::check(error.chain()),
        _ => Failure::unavailable(anyhow::anyhow!(error.chain())),
    }
}

/// What is wrong with what other regions have cosigned, a line each.
pub(super) fn doubts(restored: &RestoredTenant) -> impl Iterator<Item = String> {
    restored.wrong_witnesses.iter().map(|found| format!("not believed, and nothing hangs on it: {found}"))
}

fn row(deps: &RestorerDeps, tenant_id: TenantId, outcome: &TenantOutcome) -> TenantRow {
    let row = |result: String| TenantRow {
        tenant: super::name(deps, tenant_id),
        tenant_id,
        events: None,
        root: None,
        keys: None,
        erased_keys: None,
        result,
    };
    match outcome {
        TenantOutcome::Restored(restored) => TenantRow {
            events: Some(restored.size),
            root: Some(restored.root.to_string()),
            keys: Some(restored.keys.restored),
            erased_keys: Some(restored.erased_keys),
            ..row(std::iter::once("restored".to_owned()).chain(doubts(restored)).collect::<Vec<_>>().join("\n"))
        },
        TenantOutcome::Before => row("restored before".to_owned()),
        TenantOutcome::New => row("signed up since the restore began: left as it is".to_owned()),
        TenantOutcome::Empty => row("has no archive: nothing of it was ever published".to_owned()),
        TenantOutcome::Refused(error) => row(error.chain()),
    }
}
