//! Clients that nobody here wrote, unchanged (`tests/clients`): what they do elsewhere works here by changing a host name.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context;
use serde_json::Value;
use system_tests::{Deployment, Tenant, command, others};

/// A walk is some hundred requests one after the other, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(300);

/// Walks through an account, and gives what the walk says of itself at the end.
async fn walk(mut program: Command, deployment: &Deployment, tenant: &Tenant) -> anyhow::Result<Value> {
    let router = deployment.running()?.listen;
    program.args([&router.ip().to_string(), &router.port().to_string(), &tenant.slug]);
    program.args([&format!("grace@{}.example", tenant.slug), &tenant.token]);
    let ran = command::finish_within(PATIENCE, program).await?.expect(0)?;
    let last = ran.stdout.lines().last().context("a walk ends with what it did")?;
    Ok(serde_json::from_str(last)?)
}

/// The tickets that are left, as our own client sees them.
async fn left(tenant: &Tenant) -> anyhow::Result<Value> {
    Ok(tenant.client.get("/api/v2/tickets/count").await?.expect(200)?.body["count"]["value"].clone())
}

fn script(name: &str) -> PathBuf {
    system_tests::repository().join("tests/clients").join(name)
}

#[tokio::test]
async fn zenpy_works_unchanged() -> anyhow::Result<()> {
    let Some(python) = others::program(others::CLIENT_PYTHON, "zenpy_works_unchanged").await? else { return Ok(()) };
    let deployment = Deployment::shared().await?;
    let tenant = deployment.signup("eu", "zenpy").await?;
    let mut program = Command::new(python);
    program.arg(script("python/walk.py"));
    let done = walk(program, deployment, &tenant).await?;
    assert_eq!((&done["tickets"], left(&tenant).await?), (&7.into(), 6.into()), "one was erased");
    Ok(())
}

#[tokio::test]
async fn node_zendesk_works_unchanged() -> anyhow::Result<()> {
    let Some(modules) = others::program(others::CLIENT_NODE, "node_zendesk_works_unchanged").await? else {
        return Ok(());
    };
    let deployment = Deployment::shared().await?;
    let tenant = deployment.signup("us", "node-zendesk").await?;
    let mut program = Command::new("node");
    program.arg(script("node/walk.js")).arg::<&Path>(&modules);
    let done = walk(program, deployment, &tenant).await?;
    assert_eq!((&done["tickets"], left(&tenant).await?), (&105.into(), 104.into()), "one was deleted");
    Ok(())
}
