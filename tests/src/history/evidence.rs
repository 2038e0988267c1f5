//! What a region holds after a run: its logs by SQL, its read models and archives by the commands that operators use.

use schemas::Hash;
use serde::Serialize;
use serde_json::Value;

use super::Log;
use crate::{roles::Roles, tenant::Tenant, wait};

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
        loop {
            let gathered = Self::gather_once(roles, region, tenants).await?;
            if Self::of_logs(roles, region, tenants).await?.logs == gathered.logs {
                return Ok(gathered);
            }
        }
    }

    async fn gather_once(roles: &Roles, region: &str, tenants: &[Tenant]) -> anyhow::Result<Self> {
        let Self { logs, .. } = Self::of_logs(roles, region, tenants).await?;
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
    pub async fn of_logs(roles: &Roles, region: &str, tenants: &[Tenant]) -> anyhow::Result<Self> {
        let region = roles.region(region)?;
        let mut logs = Vec::new();
        for tenant in tenants {
            logs.push(Log::dump(&region, tenant).await?);
        }
        Ok(Self { logs, read_models: Ok(()), archives: Vec::new() })
    }
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
