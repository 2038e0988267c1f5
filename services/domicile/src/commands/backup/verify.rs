//! `domicile backup verify`: what was looked at, what is wrong with it, and what was not looked at.

use archive::backup::TenantBackup;
use replicator::{
    ReplicatorDeps,
    backup::{self, TenantVerified, Verified},
};
use serde::Serialize;

use super::found;
use crate::{
    exit::{Failure, Outcome},
    output::{Format, Row, print_list},
    progress::Progress,
};

/// Findings of a tenant that a table lists; the other formats have them all.
const FINDINGS_SHOWN: usize = 5;

#[derive(Serialize)]
struct TenantRow {
    tenant_id: String,
    size: u64,
    generation: u64,
    root: String,
    /// Data keys that seal these events.
    keys: u64,
    /// Of these, those on the erasure list.
    keys_destroyed: u64,
    result: &'static str,
    findings: Vec<String>,
    /// Why the backup holds less of the tenant than there was.
    incomplete: Option<String>,
    not_checked: Vec<String>,
}

impl Row for TenantRow {
    const HEADINGS: &'static [&'static str] =
        &["tenant", "events", "generation", "root", "keys", "destroyed", "result"];

    fn cells(&self) -> Vec<String> {
        let left_off = self.findings.len().saturating_sub(FINDINGS_SHOWN);
        let result: Vec<_> = std::iter::once(self.result.to_owned())
            .chain(self.incomplete.clone())
            .chain(self.findings.iter().take(FINDINGS_SHOWN).cloned())
            .chain((left_off > 0).then(|| format!("{left_off} further findings: --format json has them all")))
            .collect();
        vec![
            self.tenant_id.clone(),
            self.size.to_string(),
            self.generation.to_string(),
            self.root.clone(),
            self.keys.to_string(),
            self.keys_destroyed.to_string(),
            result.join("\n"),
        ]
    }
}

impl TenantRow {
    fn new(tenant: &TenantVerified, backed_up: &TenantBackup) -> Self {
        let keys = tenant.keys.as_ref();
        Self {
            tenant_id: tenant.tenant_id.to_string(),
            size: tenant.size,
            generation: backed_up.generation,
            root: backed_up.root.to_string(),
            keys: keys.map_or(0, |keys| keys.named),
            keys_destroyed: keys.map_or(0, |keys| keys.destroyed),
            result: match &backed_up.reason {
                _ if !tenant.is_clean() => "wrong",
                None => "verified",
                Some(_) => "incomplete",
            },
            findings: tenant.findings(),
            incomplete: backed_up.reason.clone(),
            not_checked: tenant.not_checked(),
        }
    }
}

pub(super) async fn verify(deps: &ReplicatorDeps, id: &str, format: Format) -> Outcome {
    let manifest = found(backup::show(deps, id).await)?;
    let bar = Progress::new(&format!("verify {id}, tenants"), manifest.tenants.len() as u64);
    let verified = backup::verify(deps, id, &mut |_| bar.advance(1)).await?;
    bar.finish();
    let rows =
        verified.tenants.iter().zip(&manifest.tenants).map(|(tenant, backed_up)| TenantRow::new(tenant, backed_up));
    print_list(&rows.collect::<Vec<_>>(), format)?;
    if format == Format::Table {
        print!("{}", not_checked(&verified));
    }
    match (verified.is_clean(), manifest.incomplete().count()) {
        (false, _) => Err(Failure::check(format!("backup {id} does not verify; see above"))),
        (true, 0) => Ok(()),
        (true, incomplete) => Err(Failure::check(format!(
            "what backup {id} holds verifies, but it is incomplete: it lacks {incomplete} tenants, or a part of them"
        ))),
    }
}

/// What was not looked at, each once for all tenants that it holds for.
fn not_checked(verified: &Verified) -> String {
    let lines = verified.not_checked().into_iter().map(|(what, tenants)| format!("  {what} ({tenants} tenants)\n"));
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("not checked:\n{lines}") }
}
