//! A tenant leaves: its archive, copied from a running region, is read without the program that wrote it.

use std::{fs, path::Path};

use anyhow::Context;
use http::{Method, header};
use serde_json::{Value, json};
use system_tests::{Deployment, Tenant, client, command, folder::Folder};

use crate::{
    readers::Reader,
    tlog::{Clients, reads},
};

/// What a replay shows in place of credentials.
const NOT_SHOWN: &str = "(credential, not shown)";

#[tokio::test]
async fn the_archive_of_a_running_region_is_read_without_the_program_that_wrote_it() -> anyhow::Result<()> {
    let test = "the_archive_of_a_running_region_is_read_without_the_program_that_wrote_it";
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "second-reader").await?;
    let marks = busy(&acme).await?;
    let head = acme.archived().await?;

    let folder = Folder::new()?;
    let (archive, keys, files) =
        (folder.path().join("archive"), folder.path().join("keys"), folder.path().join("files"));
    let of_tenant = ["--region", "eu", "--tenant", &acme.slug];
    let export = [&["audit", "export", "--to", path(&archive)?], of_tenant.as_slice()].concat();
    deployment.cli(&export).await?.expect(0)?;
    copy_keys(deployment, &acme, &keys).await?;

    let verified = Reader::Ours.verify(&archive, None).await?.expect(0)?.json()?;
    let key = verified["verifier"].as_str().context("a verifier key")?;
    if let Some(clients) = Clients::find(&format!("{test}: by others")).await? {
        reads(&clients, &archive, key).await?;
    }
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    let second = python.verify(&archive, Some(key)).await?.expect(0)?.json()?;
    for field in ["tenant_id", "region", "verifier", "size", "root", "generations", "attachments", "findings"] {
        assert_eq!(second[field], verified[field], "{field}");
    }
    assert_eq!(second["size"], head);

    let region_key = deployment.data().join("eu/keys/region.key");
    let print = ["print", path(&archive)?, "--format", "json", "--keys", path(&keys)?, "--files", path(&files)?];
    let print = [&print, ["--region-key", path(&region_key)?, "--verifier", key].as_slice()].concat();
    let printed = lines(&python.run(&print).await?.expect(0)?.stdout)?;
    let as_of = head.to_string();
    let replay = [&["audit", "replay", "--format", "ndjson", "--as-of", &as_of], of_tenant.as_slice()].concat();
    assert_eq!(told(printed), told(lines(&deployment.cli(&replay).await?.expect(0)?.stdout)?));
    let file = fs::read_dir(&files)?.next().context("the file is opened")??.path();
    assert_eq!(fs::read_to_string(file)?, marks);
    Ok(())
}

#[tokio::test]
async fn an_event_of_a_running_region_is_proven_by_a_file_and_its_regions_key() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "proven").await?;
    let of_tenant = ["--region", "eu", "--tenant", &acme.slug];
    let folder = Folder::new()?;
    let (proof, before) = (folder.path().join("1.tlog-proof"), acme.archived().await?);
    let write = [&["audit", "proof", "--event", "1", "--output", path(&proof)?], of_tenant.as_slice()].concat();
    let written = deployment.cli(&write).await?.expect(0)?;
    assert!(!written.stdout.contains("named by the archive itself"), "{written:?}");

    let key = deployment.cli(&["keys", "verifier", "--region", "eu"]).await?.expect(0)?.stdout;
    let check = ["audit", "check", path(&proof)?, "--format", "json", "--verifier", key.trim()];
    let checked = command::run(&check, &[]).await?.expect(0)?.json()?;
    assert_eq!((&checked["size"], &checked["entry"]["event_type"]), (&before.into(), &"tenant_registered".into()));

    // The tree head in a proof that somebody kept is as good as a checkpoint that somebody kept.
    let (old, text) = (folder.path().join("old"), fs::read_to_string(&proof)?);
    fs::write(&old, text.split_once("\n\n").context("a checkpoint follows")?.1)?;
    acme.ticket("Printer on fire", "It smokes").await?;
    let after = acme.archived().await?;
    assert!(after > before, "the log has grown: {after}");
    let compare = [&["audit", "consistency", "--format", "json", "--old", path(&old)?], of_tenant.as_slice()].concat();
    let compared = deployment.cli(&compare).await?.expect(0)?.json()?;
    assert_eq!((&compared["found"], &compared["published"]["size"]), (&"beginning".into(), &after.into()));
    Ok(())
}

/// A ticket with a file and two comments; gives what the file holds.
async fn busy(acme: &Tenant) -> anyhow::Result<String> {
    let bytes = "what a scanner saw ".repeat(100);
    let upload = acme.client.request(Method::POST, "/api/v2/uploads.json?filename=scan.txt");
    let upload = upload.header(header::CONTENT_TYPE, "text/plain").body(bytes.clone());
    let upload = client::send(upload).await?.expect(201)?;
    let comment = json!({ "body": "It smokes «immer noch»", "uploads": [upload.body["upload"]["token"]] });
    let ticket = json!({ "ticket": { "subject": "Printer on fire", "comment": comment } });
    let ticket = acme.client.post("/api/v2/tickets.json", &ticket).await?.expect(201)?;
    let ticket = ticket.body["ticket"]["id"].as_i64().context("a number")?;
    acme.comment(ticket, "Use the other one", "second-reader-1").await?.expect(200)?;
    Ok(bytes)
}

pub(crate) async fn copy_keys(deployment: &Deployment, acme: &Tenant, target: &Path) -> anyhow::Result<()> {
    let bucket = deployment.bucket("eu").await?;
    fs::create_dir(target)?;
    for object in bucket.list(&format!("keys/{}/", acme.id)).await? {
        let name = object.key.rsplit('/').next().context("a name")?;
        fs::write(target.join(name), bucket.get(&object.key).await?.context("it was listed")?.body)?;
    }
    Ok(())
}

pub(crate) fn lines(text: &str) -> anyhow::Result<Vec<Value>> {
    text.lines().map(|line| serde_json::from_str(line).context("a line of JSON")).collect()
}

/// Of each event what both tell: place, type, actor, data. A replay hides credentials.
fn told(events: Vec<Value>) -> Vec<Value> {
    let told = |mut event: Value| {
        for credential in ["phc", "token_sha256"] {
            if let Some(value) = event["data"].get_mut(credential) {
                *value = json!(NOT_SHOWN);
            }
        }
        let fields =
            ["position", "stream", "version", "event_type", "recorded_at", "actor", "event_id", "data", "is_erased"];
        fields.map(|field| event[field].take()).into_iter().collect()
    };
    events.into_iter().map(told).collect()
}

pub(crate) fn path(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path of this test")
}
