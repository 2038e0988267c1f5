//! What a region holds after a run: its logs by SQL, its read models and archives by the commands that operators use.

use std::time::Duration;

use schemas::Hash;
use serde::Serialize;
use serde_json::Value;

use super::{Log, log::Markers};
use crate::{roles::Roles, tenant::Tenant, wait};

/// Several whole looks on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Everything a history is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Each tenant's log.
    pub logs: Vec<Log>,
    /// Whether the read models equal a fresh replay; what differs, if they do not.
    pub read_models: Result<(), String>,
    /// Each tenant's archive.
    pub archives: Vec<Archive>,
}

/// What `domicile audit verify` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Archive {
    /// The tenant's id.
    pub tenant: String,
    /// How many events it holds.
    pub size: i64,
    /// The root of its tree.
    pub root: Option<Hash>,
    /// What is wrong with it.
    pub fault: Option<String>,
}

impl Evidence {
    /// Waits until the read models have caught up and archives are at their heads, then looks at everything. Nobody writes
    /// meanwhile, but what was read a moment ago may still be recorded: then it looks again.
    pub async fn gather(roles: &Roles, region: &str, tenants: &[Tenant]) -> anyhow::Result<Self> {
        let marked = marked(tenants).await?;
        wait::until_within(
            PATIENCE,
            "the log is the same before and after a look at what derives from it",
            async || {
                let logs = dump(roles, region, &marked).await?;
                let gathered = Self::of_what_derives(roles, region, tenants, logs).await?;
                let after = dump(roles, region, &marked).await?;
                Ok((after == gathered.logs).then_some(gathered))
            },
        )
        .await
    }

    async fn of_what_derives(roles: &Roles, region: &str, tenants: &[Tenant], logs: Vec<Log>) -> anyhow::Result<Self> {
        caught_up(roles, region).await?;
        let read_models = check_read_models(roles, region).await?;
        let flushed = roles.cli(&["backup", "create", "--region", region]).await?;
        let mut archives = Vec::new();
        for tenant in tenants {
            let mut archive = verify(roles, region, tenant).await?;
            if flushed.code != Some(0) && archive.fault.is_none() {
                archive.fault = Some(format!("the backup failed: {}{}", flushed.stdout, flushed.stderr));
            }
            archives.push(archive);
        }
        Ok(Self { logs, read_models, archives })
    }

    /// The logs alone: of what derives from them nothing is known, so no archive is found.
    pub async fn of_logs(roles: &Roles, region: &str, marked: &[Marked<'_>]) -> anyhow::Result<Self> {
        let logs = dump(roles, region, marked).await?;
        Ok(Self { logs, read_models: Ok(()), archives: Vec::new() })
    }
}

/// A tenant, and what its payloads hold.
pub type Marked<'a> = (&'a Tenant, Markers);

/// Asks the desks what the payloads of these tenants hold.
pub async fn marked(tenants: &[Tenant]) -> anyhow::Result<Vec<Marked<'_>>> {
    let mut marked = Vec::new();
    for tenant in tenants {
        marked.push((tenant, Markers::read(tenant).await?));
    }
    Ok(marked)
}

async fn dump(roles: &Roles, region: &str, marked: &[Marked<'_>]) -> anyhow::Result<Vec<Log>> {
    let region = roles.region(region)?;
    let mut logs = Vec::new();
    for (tenant, markers) in marked {
        logs.push(Log::dump(&region, tenant, markers).await?);
    }
    Ok(logs)
}

/// Every projection at every tenant's head, or halted: the check then says what it makes of that.
async fn caught_up(roles: &Roles, region: &str) -> anyhow::Result<()> {
    wait::until("the read models catch up", async || {
        let status = roles.cli(&["projections", "status", "--region", region, "--format", "json"]).await?;
        let rows = status.expect(0)?.json()?;
        let is_settled = |row: &Value| row["lag_positions"] == 0 || !row["halted_at"].is_null();
        Ok(rows.as_array().is_some_and(|rows| rows.iter().all(is_settled)).then_some(()))
    })
    .await
}

async fn check_read_models(roles: &Roles, region: &str) -> anyhow::Result<Result<(), String>> {
    let ran = roles.cli(&["projections", "check", "--region", region]).await?;
    Ok(match ran.code {
        Some(0) => Ok(()),
        _ => Err(format!("{}{}", ran.stdout, ran.stderr)),
    })
}

async fn verify(roles: &Roles, region: &str, tenant: &Tenant) -> anyhow::Result<Archive> {
    let verifier = roles.verifier(region).await?;
    let arguments = ["audit", "verify", "--region", region, "--tenant", &tenant.slug, "--verifier", &verifier];
    let ran = roles.cli(&[&arguments[..], &["--format", "json"]].concat()).await?;
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    let fault = (ran.code != Some(0)).then(|| format!("{} {}", report["findings"], ran.stderr.trim()));
    Ok(Archive {
        tenant: tenant.id.clone(),
        size: report["size"].as_i64().unwrap_or(0),
        root: serde_json::from_value(report["root"].clone()).ok(),
        fault,
    })
}
