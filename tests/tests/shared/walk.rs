//! The walk of one comment: from a signup to a history that anybody can verify without us.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context;
use serde_json::{Value, json};
use system_tests::{Deployment, Ran, Tenant, command, folder::Folder};

#[tokio::test]
async fn a_comment_is_readable_audited_replayed_and_archived() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "walk").await?;
    let residency = acme.client.get("/api/domicile/v1/residency").await?.expect(200)?.body;
    assert_eq!((&residency["region"]["id"], &residency["committed"]), (&json!("eu"), &json!(true)));

    let ticket = acme.ticket("Printer on fire", "It smokes").await?;
    let answer = acme.comment(ticket, "Use the other one", "walk-1").await?.expect(200)?;
    assert_eq!(answer.header("x-domicile-visible"), "yes", "a write answers when it can be read");
    assert_eq!(acme.comments(ticket).await?, ["It smokes", "Use the other one"]);

    let audits = acme.client.get(&format!("/api/v2/tickets/{ticket}/audits.json")).await?.expect(200)?.body;
    let last = audits["audits"].as_array().and_then(|audits| audits.last()).context("audits")?;
    assert_eq!((&last["id"], &last["events"][0]["body"]), (&answer.body["audit"]["id"], &json!("Use the other one")));

    let history = history(&acme, ticket).await?;
    assert_eq!(types(&history), ["ticket_opened", "comment_added", "comment_added"]);
    as_of_each_moment(&acme, ticket, &history).await?;
    let head = acme.archived().await?;
    assert!(acme.assert_dense().await? >= head);
    for mark in ["acked", "sealed", "archived"] {
        assert!(acme.mark(mark).await? >= head, "{mark}");
    }
    replayed(deployment, &acme, &history).await
}

async fn history(acme: &Tenant, ticket: i64) -> anyhow::Result<Vec<Value>> {
    let history = acme.client.get(&format!("/api/domicile/v1/tickets/{ticket}/history")).await?.expect(200)?.body;
    history["events"].as_array().cloned().context("events")
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

/// As of the moment each event was recorded, the ticket has the comments of then.
async fn as_of_each_moment(acme: &Tenant, ticket: i64, history: &[Value]) -> anyhow::Result<()> {
    for (event, comments) in [(&history[0], 1), (&history[2], 2)] {
        let moment = event["recorded_at"].as_str().context("a time")?.replace('+', "%2B");
        let was =
            acme.client.get(&format!("/api/domicile/v1/tickets/{ticket}?as_of={moment}")).await?.expect(200)?.body;
        assert_eq!(was["comments"].as_array().map(Vec::len), Some(comments), "as of {moment}");
    }
    Ok(())
}

/// What the command line replays is what the API tells.
async fn replayed(deployment: &Deployment, acme: &Tenant, history: &[Value]) -> anyhow::Result<()> {
    let stream = history[0]["stream"].as_str().context("a stream")?;
    let of_tenant = ["--region", "eu", "--tenant", &acme.slug];
    let replay = [&["audit", "replay"], of_tenant.as_slice(), &["--stream", stream, "--format", "ndjson"]].concat();
    let lines = deployment.cli(&replay).await?.expect(0)?.stdout;
    let events = lines.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let replayed: Vec<_> = events.iter().map(|event| &event["event_type"]).collect();
    assert_eq!(replayed, types(history), "{lines}");
    assert!(lines.contains("Use the other one"), "{lines}");

    let first = history[1]["position"].to_string();
    let before = deployment.cli(&[replay.as_slice(), &["--as-of", &first]].concat()).await?.expect(0)?.stdout;
    assert_eq!(before.lines().count(), 2, "{before}");
    let state = deployment.cli(&[replay.as_slice(), &["--state"]].concat()).await?.expect(0)?.stdout;
    assert!(state.contains("Printer on fire"), "{state}");
    Ok(())
}

#[tokio::test]
async fn an_archive_verifies_from_the_bucket_and_from_a_copy_with_nothing_else() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("jp", "walk-verified").await?;
    let ticket = acme.ticket("Printer on fire", "It smokes").await?;
    acme.comment(ticket, "Use the other one", "walk-1").await?.expect(200)?;
    let head = acme.archived().await?;

    let of_tenant = ["--region", "jp", "--tenant", &acme.slug];
    let verified =
        deployment.cli(&[&["audit", "verify", "--format", "json"], of_tenant.as_slice()].concat()).await?.expect(0)?;
    let report = verified.json()?;
    assert_eq!((&report["size"], &report["is_key_pinned"]), (&json!(head), &json!(true)), "{report}");

    let copies = Folder::new()?;
    let exported = copies.path().join("exported");
    let to = exported.to_str().context("a path of this test")?;
    let copied = copies.path().join("copied");
    copy_objects(deployment, &acme, &copied).await?;
    deployment.cli(&[&["audit", "export", "--to", to], of_tenant.as_slice()].concat()).await?.expect(0)?;
    let outside = without_network();
    for copy in [&exported, &copied] {
        let report = verify_alone(copy, outside).await?.expect(0)?.json()?;
        assert_eq!((&report["size"], &report["tenant_id"]), (&json!(head), &json!(acme.id)), "{report}");
    }

    flip_a_bit_of_a_segment(&copied)?;
    let report = verify_alone(&copied, outside).await?.expect(1)?;
    assert!(report.stderr.contains("position"), "names the first position that is wrong: {}", report.stderr);
    Ok(())
}

/// The objects as they lie in the bucket, read one by one.
async fn copy_objects(deployment: &Deployment, acme: &Tenant, target: &Path) -> anyhow::Result<()> {
    let bucket = deployment.bucket(&acme.region).await?;
    let prefix = format!("tenants/{}/", acme.id);
    for object in bucket.list(&prefix).await? {
        let path = target.join(object.key.strip_prefix(&prefix).context("a key below the tenant's")?);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(path, bucket.get(&object.key).await?.context("an object that was listed")?.body)?;
    }
    Ok(())
}

/// Without data folder, region files and environment, and in a namespace that has no network.
async fn verify_alone(copy: &Path, outside: &[&str]) -> anyhow::Result<Ran> {
    let copy = copy.to_str().context("a path of this test")?;
    let verify = command::command(&["audit", "verify", "--format", "json", "--from", copy])?;
    let mut alone = match outside {
        [] => verify,
        [first, rest @ ..] => {
            let mut alone = Command::new(first);
            alone.args(rest).arg(verify.get_program()).args(verify.get_args());
            alone
        }
    };
    let nowhere = Path::new("/nonexistent");
    alone.env_clear().env("DOMICILE_DATA", nowhere).env("DOMICILE_REGIONS", nowhere).current_dir("/");
    command::finish(alone).await
}

/// What to run a command by, so that it has no network; nothing where this user cannot leave it.
fn without_network() -> &'static [&'static str] {
    let ways: [&[&str]; 2] = [&["unshare", "--net", "--"], &["unshare", "--map-root-user", "--net", "--"]];
    let works = |way: &&[&str]| {
        let tried = Command::new(way[0]).args(&way[1..]).arg("true").stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    ways.into_iter().find(works).unwrap_or_else(|| {
        let reason = "this user cannot make a network namespace; verified with the network there";
        testkit::skipped("an_archive_verifies_without_network", reason);
        &[]
    })
}

fn flip_a_bit_of_a_segment(archive: &Path) -> anyhow::Result<()> {
    let segments = fs::read_dir(archive.join("events"))?.collect::<Result<Vec<_>, _>>()?;
    let segment = segments.first().context("an archive has a segment")?.path();
    let mut bytes = fs::read(&segment)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    Ok(fs::write(segment, bytes)?)
}

#[tokio::test]
async fn a_region_is_backed_up_and_its_backup_verifies() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("au", "walk-backup").await?;
    acme.ticket("Printer on fire", "It smokes").await?;
    let head = acme.mark("acked").await?;
    deployment.flush("au").await?;
    assert!(acme.mark("archived").await? >= head, "a backup flushes every tenant");

    let listed = deployment.cli(&["backup", "list", "--region", "au", "--format", "json"]).await?.expect(0)?.json()?;
    let backup = listed.as_array().and_then(|backups| backups.last()).context("a backup")?;
    let id = backup["backup"].as_str().context("a backup's id")?;
    let shown = deployment.cli(&["backup", "show", "--region", "au", id]).await?.expect(0)?.stdout;
    assert!(shown.contains(&acme.id), "{shown}");
    deployment.cli(&["backup", "verify", "--region", "au", id]).await?.expect(0)?;
    Ok(())
}

#[tokio::test]
async fn read_models_are_those_of_a_fresh_replay() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("us", "walk-read").await?;
    let ticket = acme.ticket("Printer on fire", "It smokes").await?;
    acme.client
        .put(&format!("/api/v2/tickets/{ticket}.json"), &json!({"ticket": {"status": "solved", "tags": ["fire"]}}))
        .await?;
    deployment.cli(&["projections", "check", "--region", "us"]).await?.expect(0)?;
    let before = acme.client.get(&format!("/api/v2/tickets/{ticket}.json")).await?.expect(200)?.body;
    deployment.cli(&["projections", "rebuild", "--region", "us"]).await?.expect(0)?;
    assert_eq!(acme.client.get(&format!("/api/v2/tickets/{ticket}.json")).await?.expect(200)?.body, before);
    let status =
        deployment.cli(&["projections", "status", "--region", "us", "--format", "json"]).await?.expect(0)?.json()?;
    let halted = status.as_array().into_iter().flatten().filter(|row| !row["halted_at"].is_null()).count();
    assert_eq!(halted, 0, "{status}");
    Ok(())
}
