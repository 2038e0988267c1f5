//! `domicile restore tenant`, and `domicile doctor --heal`, which does the same for whoever is behind.

use restorer::{Error, RestoredTenant, RestorerDeps, TenantRestore, restore_tenant};
use schemas::{Slug, TenantId};
use serde::Serialize;

use super::{
    OfTenant, RestoreBar,
    region::{doubts, said},
};
use crate::{
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::print_one,
};

#[derive(Serialize)]
struct Restored {
    tenant: Slug,
    tenant_id: TenantId,
    events: u64,
    root: String,
    added: u64,
    mended: u64,
    set_aside: u64,
    kept: u64,
    keys: u64,
    keys_set_aside: u64,
    keys_missing: u64,
    erased_keys: u64,
    /// What other regions have cosigned wrongly.
    wrong_witnesses: Vec<String>,
}

impl From<RestoredTenant> for Restored {
    fn from(restored: RestoredTenant) -> Self {
        Self {
            wrong_witnesses: doubts(&restored).collect(),
            tenant: restored.slug,
            tenant_id: restored.tenant_id,
            events: restored.size,
            root: restored.root.to_string(),
            added: restored.put.added,
            mended: restored.put.mended,
            set_aside: restored.put.set_aside,
            kept: restored.kept,
            keys: restored.keys.restored,
            keys_set_aside: restored.keys.set_aside,
            keys_missing: restored.keys.missing,
            erased_keys: restored.erased_keys + restored.keys.stay_destroyed,
        }
    }
}

impl Restored {
    fn in_words(&self) -> String {
        let Self { tenant, events, root, added, mended, set_aside, kept, keys, erased_keys, .. } = self;
        let Self { keys_set_aside, keys_missing, .. } = self;
        let doubts: String = self.wrong_witnesses.iter().map(|doubt| format!("{doubt}\n")).collect();
        format!(
            "{tenant}: restored, {events} events of the archive with root {root}\n\
             {added} were missing, {mended} damaged; {kept} beyond the archive stay, {set_aside} are set aside\n\
             {keys} keys came back, {erased_keys} are erased, {keys_set_aside} set aside; {keys_missing} are nowhere\n{doubts}"
        )
    }
}

pub(super) async fn run(deployment: &Deployment, options: &OfTenant) -> Outcome {
    let deps = super::deps(deployment, &options.tenant.region).await?;
    let slug = &options.tenant.tenant;
    let tenant_id = super::tenant_id(&deps, slug)?;
    let asked = TenantRestore { is_anew: options.anew, ..TenantRestore::of(tenant_id, options.set_aside) };
    let restored = restore(&deps, &asked, slug).await.map_err(|error| {
        let hint = "with --set-aside they are taken out of the log and kept in log.set_aside";
        if is_fork(&error) { Failure::check(format!("{}; {hint}", error.chain())) } else { said(error) }
    })?;
    let restored = Restored::from(restored);
    print_one(&restored, options.format, || restored.in_words())
}

async fn restore(deps: &RestorerDeps, asked: &TenantRestore, slug: &Slug) -> Result<RestoredTenant, Error> {
    let bar = RestoreBar::new(format!("restore {slug}"));
    let restored = restore_tenant(deps, asked, &|at| bar.at(&at)).await;
    bar.finish();
    restored
}

/// Brings a tenant that is behind forward, and says what was done.
pub async fn heal(deps: &RestorerDeps, tenant_id: TenantId, slug: &Slug) -> Result<String, String> {
    match restore(deps, &TenantRestore::of(tenant_id, false), slug).await {
        Ok(restored) => {
            let done = format!("brought forward by {} events to {}", restored.put.added, restored.size);
            Ok(std::iter::once(done).chain(doubts(&restored)).collect::<Vec<_>>().join("\n"))
        }
        Err(error) if is_fork(&error) => {
            let region = &deps.region().id;
            let remedy = format!("domicile restore tenant --region {region} --tenant {slug} --set-aside");
            Err(format!("{}; it takes no writes until: {remedy}", error.chain()))
        }
        Err(error) => Err(error.chain()),
    }
}

/// Whether the log holds events that are not those of the archive: nobody takes them away unasked.
fn is_fork(error: &Error) -> bool {
    matches!(error, Error::Log(eventlog::Error::Forked { .. } | eventlog::Error::TailDamaged { .. }))
}
