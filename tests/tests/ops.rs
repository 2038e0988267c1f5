//! What ops asks a region on the port for ops: backups, by whoever holds the region's token.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};
use system_tests::{
    Deployment, Setup,
    client::{Client, send},
    wait,
};

const BACKUPS: &str = "/ops/v1/backups";

/// A client of a region's port for ops that holds its token.
fn ops(deployment: &Deployment) -> anyhow::Result<Client> {
    let operations = deployment.running()?.regions[&"eu".parse()?].operations;
    let token = std::fs::read_to_string(deployment.data().join("eu/keys/ops.token"))?;
    Ok(Client::new(operations, &operations.to_string())?.with_token(&token))
}

/// A file below a folder whose path ends so.
fn ending(folder: &Path, end: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find_map(|path| match path.is_dir() {
        true => ending(&path, end),
        false => path.to_string_lossy().ends_with(end).then_some(path),
    })
}

/// Waits until what was begun is no longer under way.
async fn ended(ops: &Client, place: &str, what: &str) -> anyhow::Result<Value> {
    wait::until(what, async || {
        let body = ops.get(place).await?.expect(200)?.body[what].clone();
        Ok((body["state"] != "running").then_some(body))
    })
    .await
}

#[tokio::test]
async fn whoever_holds_the_token_makes_backups_and_verifies_them() -> anyhow::Result<()> {
    let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    acme.ticket("Printer", "It smokes").await?;
    let ops = ops(&deployment)?;

    let nobody = ops.without_token();
    for (method, path) in [(Method::GET, BACKUPS), (Method::POST, BACKUPS), (Method::GET, "/ops/v1/backups/x")] {
        for client in [&nobody, &nobody.with_token("another"), &nobody.with_token(&acme.token)] {
            let refused = send(client.request(method.clone(), path)).await?.expect(401)?;
            assert!(refused.body["detail"].as_str().is_some_and(|it| it.contains("ops.token")), "{}", refused.body);
        }
    }

    let begun = ops.post(BACKUPS, &json!({})).await?.expect(202)?;
    let place = begun.headers["location"].to_str()?.to_owned();
    let backup = ended(&ops, &place, "backup").await?;
    assert_eq!((&backup["state"], &backup["region"]), (&json!("complete"), &json!("eu")), "{backup}");
    let (id, events) = (backup["id"].as_str().unwrap_or_default(), backup["events"].as_u64());
    assert!(events > Some(0) && backup["tenants"][0]["size"].as_u64() == events, "{backup}");

    let verification = format!("{place}/verification");
    ops.get(&verification).await?.expect(404)?;
    ops.post(&verification, &json!({})).await?.expect(202)?;
    let verified = ended(&ops, &verification, "verification").await?;
    for (field, is) in
        [("backup", json!(id)), ("state", json!("verified")), ("tenants", json!(1)), ("wrong", json!([]))]
    {
        assert_eq!(verified[field], is, "{verified}");
    }
    let not_checked = verified["not_checked"].as_array().context("what was not looked at is said")?;
    assert!(
        not_checked.iter().any(|it| it["what"].as_str().is_some_and(|it| it.contains("the region key"))),
        "{verified}"
    );

    // What was made here is what the command line sees, and the other way round.
    let listed = deployment.cli(&["backup", "list", "--region", "eu", "--format", "json"]).await?.expect(0)?;
    assert!(listed.stdout.contains(id), "{}", listed.stdout);
    deployment.flush("eu").await?;
    let ids = ops.get(BACKUPS).await?.expect(200)?.body["backups"].as_array().map(Vec::len);
    assert!(ids >= Some(2), "{ids:?}");

    ops.get("/ops/v1/backups/20991231T000000Z-0000").await?.expect(404)?;
    ops.post("/ops/v1/backups/20991231T000000Z-0000/verification", &json!({})).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn a_backup_that_was_touched_is_told_by_tenant_and_position() -> anyhow::Result<()> {
    let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let ops = ops(&deployment)?;
    let begun = ops.post(BACKUPS, &json!({})).await?.expect(202)?;
    let place = begun.headers["location"].to_str()?.to_owned();
    ended(&ops, &place, "backup").await?;
    let segment = ending(&deployment.data().join("eu/s3"), ".seg.zst").context("there is a segment")?;
    fs::write(segment, "something else")?;
    let verification = format!("{place}/verification");
    ops.post(&verification, &json!({})).await?.expect(202)?;
    let verified = ended(&ops, &verification, "verification").await?;
    assert_eq!(verified["state"], "wrong", "{verified}");
    assert_eq!(verified["wrong"][0]["tenant_id"], json!(acme.id), "{verified}");
    assert!(
        verified["wrong"][0]["findings"][0].as_str().is_some_and(|it| it.starts_with("position 1: ")),
        "{verified}"
    );
    Ok(())
}
