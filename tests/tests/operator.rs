//! What the region's operator does is in the audit log of every tenant that it is done to: once, whoever is killed in between, and after
//! what was archived.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::{Value, json};
use system_tests::{Deployment, Setup, Tenant, process::was_killed, wait};

/// Entries of the audit log about what an operator did, oldest first: what of it is shown, by the kind of thing.
async fn entries(tenant: &Tenant, source: &str) -> anyhow::Result<Vec<Value>> {
    let path = format!("/api/v2/audit_logs.json?filter[source_type]={source}&sort_order=asc");
    let found = wait::until("the read models know who asks", async || {
        let found = tenant.client.get(&path).await?;
        Ok((found.status == 200).then_some(found.body))
    })
    .await?;
    Ok(found["audit_logs"].as_array().cloned().unwrap_or_default())
}

/// Waits for so many of them.
async fn told(tenant: &Tenant, source: &str, count: usize) -> anyhow::Result<Vec<Value>> {
    let what = format!("{} has {count} entries about {source}", tenant.slug);
    wait::until(&what, async || {
        let entries = entries(tenant, source).await?;
        anyhow::ensure!(entries.len() <= count, "told too often: {entries:?}");
        Ok((entries.len() == count).then_some(entries))
    })
    .await
}

fn shown(entry: &Value) -> Value {
    json!([entry["actor_name"], entry["means"], entry["client"]])
}

struct Region {
    deployment: Deployment,
    tenants: Vec<Tenant>,
}

impl Region {
    async fn start() -> anyhow::Result<Self> {
        let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
        let tenants = vec![deployment.signup("eu", "acme").await?, deployment.signup("eu", "globex").await?];
        Ok(Self { deployment, tenants })
    }

    fn again(&mut self) -> anyhow::Result<()> {
        for tenant in &mut self.tenants {
            *tenant = tenant.again(&self.deployment)?;
        }
        Ok(())
    }

    /// Starts a process that dies when it has told the first of several; then one that goes on.
    async fn through_a_kill(&mut self) -> anyhow::Result<()> {
        self.deployment.launch(&[("DOMICILE_CRASH_AT", "desk.operation_told")]).await?;
        let status = self.deployment.ended().await?;
        anyhow::ensure!(was_killed(status), "it ended by itself: {status}\n{}", self.deployment.log()?);
        self.deployment.begin().await?;
        self.again()
    }

    async fn signs_another(&mut self) -> anyhow::Result<Value> {
        let rotate = ["keys", "rotate", "--region", "eu", "--format", "json"];
        self.deployment.cli(&rotate).await?.expect(0)?.json()
    }

    /// The archives verify, and replay shows what is in them.
    async fn whole(&self, shows: &[&str]) -> anyhow::Result<()> {
        self.deployment.flush("eu").await?;
        for tenant in &self.tenants {
            let of = ["--region", "eu", "--tenant", &tenant.slug];
            self.deployment.cli(&[&["audit", "verify"], &of[..]].concat()).await?.expect(0)?;
            let replayed = ["audit", "replay", "--format", "ndjson"];
            let replayed = self.deployment.cli(&[&replayed, &of[..]].concat()).await?.expect(0)?.stdout;
            for event in shows {
                assert!(replayed.contains(event), "{event} is missing in {replayed}");
            }
        }
        self.deployment.cli(&["doctor"]).await?.expect(0).map(drop)
    }
}

#[tokio::test]
async fn a_rotation_and_a_new_policy_reach_every_tenant_once_through_a_kill() -> anyhow::Result<()> {
    let mut region = Region::start().await?;
    let said = region.signs_another().await?;
    for tenant in &region.tenants {
        let entry = told(tenant, "signing_key", 1).await?.remove(0);
        assert_eq!(shown(&entry), json!(["Operator", "command_line", "domicile keys rotate"]));
        let change = json!({"field": "verifier_key", "old": said["old"], "new": said["new"]});
        assert_eq!(entry["changes"][0], change);
    }
    // The next one and a policy while nothing runs: whoever starts first tells it, and dies of it.
    region.deployment.kill().await?;
    region.signs_another().await?;
    let policy = region.deployment.regions_folder().join("hosting-policy.toml");
    let text = fs::read_to_string(&policy)?;
    let old = text.lines().find_map(|line| line.strip_prefix("version = ")).expect("a version").to_owned();
    fs::write(&policy, text.replace(&format!("version = {old}"), "version = 1000"))?;
    region.through_a_kill().await?;
    for tenant in &region.tenants {
        told(tenant, "signing_key", 2).await?;
        let entry = told(tenant, "hosting_policy", 1).await?.remove(0);
        assert_eq!(shown(&entry), json!(["Operator", "configuration", "hosting-policy.toml"]));
        assert_eq!(entry["changes"], json!([{"field": "version", "old": old, "new": "1000"}]));
    }
    let later = region.deployment.signup("eu", "later").await?;
    region.deployment.interrupt().await?;
    region.deployment.begin().await?;
    region.again()?;
    region.whole(&["signing_key_succeeded", "hosting_policy_replaced"]).await?;
    for tenant in &region.tenants {
        told(tenant, "signing_key", 2).await?;
        told(tenant, "hosting_policy", 1).await?;
    }
    let later = later.again(&region.deployment)?;
    assert_eq!((entries(&later, "signing_key").await?, entries(&later, "hosting_policy").await?), (vec![], vec![]));
    Ok(())
}

/// With owners and modes, as a database wants it.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(Command::new("cp").arg("-a").arg(from).arg(to).status()?.success());
    Ok(())
}

/// Ids of the events of a tenant, by position.
async fn log(tenant: &Tenant) -> anyhow::Result<BTreeMap<i64, String>> {
    let events = wait::until("the read models know who asks", async || Ok(tenant.events().await.ok())).await?;
    let placed = |event: &Value| Some((event["position"].as_i64()?, event["event_id"].to_string()));
    Ok(events.iter().filter_map(placed).collect())
}

#[tokio::test]
async fn a_log_that_was_healed_or_restored_is_as_it_was_archived_and_says_so_after_it() -> anyhow::Result<()> {
    let mut region = Region::start().await?;
    let ticket = region.tenants[0].ticket("Printer on fire", "It smokes").await?;
    region.deployment.flush("eu").await?;
    region.deployment.interrupt().await?;
    let (database, old) = (region.deployment.data().join("eu/postgres"), region.deployment.beside("old"));
    copy(&database, &old)?;
    region.deployment.begin().await?;
    region.again()?;
    region.tenants[0].comment(ticket, "It is out", "k").await?.expect(200)?;
    region.deployment.flush("eu").await?;
    let archived = region.tenants[0].archived().await?;
    let before = log(&region.tenants[0]).await?;

    region.deployment.interrupt().await?;
    fs::remove_dir_all(&database)?;
    copy(&old, &database)?;
    region.deployment.begin().await?;
    region.again()?;
    region.deployment.cli(&["doctor", "--heal"]).await?.expect(0)?;
    let healed = told(&region.tenants[0], "history", 1).await?.remove(0);
    assert_eq!(shown(&healed), json!(["Operator", "command_line", "domicile doctor --heal"]));
    let end = healed["changes"].as_array().into_iter().flatten().find(|change| change["field"] == "end_of_log");
    let end = end.map(|end| ["old", "new"].map(|field| end[field].as_str().and_then(|end| end.parse::<i64>().ok())));
    let Some([Some(from), Some(to)]) = end else { anyhow::bail!("no end of the log: {healed}") };
    assert!(from < archived && archived <= to, "{healed}");
    let after = log(&region.tenants[0]).await?;
    assert!(before.range(..=archived).all(|(position, event)| after.get(position) == Some(event)));
    assert!(healed["id"].as_i64() > Some(to), "the entry follows what came back");

    let restore = ["restore", "tenant", "--region", "eu", "--tenant", "acme", "--set-aside"];
    region.deployment.cli(&restore).await?.expect(0)?;
    let restored = told(&region.tenants[0], "history", 2).await?.remove(1);
    assert_eq!(shown(&restored), json!(["Operator", "command_line", format!("domicile {}", restore.join(" "))]));
    told(&region.tenants[0], "history", 2).await?;
    region.tenants.truncate(1);
    region.whole(&["log_restored"]).await
}
