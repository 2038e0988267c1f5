//! A copied archive whose key exports are older than an erasure: what was erased since stays closed, for both readers.

use std::{fs, path::Path};

use anyhow::Context;
use http::Method;
use system_tests::{Deployment, Tenant, client, folder::Folder};

use crate::{
    readers::Reader,
    running::{copy_keys, path},
};

const KEPT: &str = "what stays";
const ERASED: &str = "what was erased";

/// A copy of the tenant's archive as it is now; the position that it reaches at least.
async fn exported(deployment: &Deployment, acme: &Tenant, to: &Path) -> anyhow::Result<String> {
    let archived = acme.archived().await?;
    let export = ["audit", "export", "--region", "eu", "--tenant", &acme.slug, "--to", path(to)?];
    deployment.cli(&export).await?.expect(0)?;
    Ok(archived.to_string())
}

async fn erase(acme: &Tenant, ticket: i64) -> anyhow::Result<()> {
    for (place, status) in [("tickets", 204), ("deleted_tickets", 200)] {
        let path = format!("/api/v2/{place}/{ticket}.json");
        client::send(acme.client.request(Method::DELETE, &path)).await?.expect(status)?;
    }
    Ok(())
}

#[tokio::test]
async fn keys_from_before_an_erasure_open_nothing_that_a_copy_says_is_erased() -> anyhow::Result<()> {
    let test = "keys_from_before_an_erasure_open_nothing_that_a_copy_says_is_erased";
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "copied").await?;
    acme.ticket("kept", KEPT).await?;
    let erased = acme.ticket("erased", ERASED).await?;
    let folder = Folder::new()?;
    let at = |name: &str| folder.path().join(name);
    let (older, newer, keys, bundle) = (at("older"), at("newer"), at("keys"), at("bundle"));
    exported(deployment, &acme, &older).await?;
    copy_keys(deployment, &acme, &keys).await?;
    erase(&acme, erased).await?;
    let head = exported(deployment, &acme, &newer).await?;
    // The list is sealed under the general key, which was exported before.
    let region_key = deployment.data().join("eu/keys/region.key");
    let opened: &[&str] = &["--keys", path(&keys)?, "--region-key", path(&region_key)?];
    let audit = async |arguments: &[&str], more: &[&str]| {
        let ran = deployment.cli(&[["audit"].as_slice(), arguments, more, opened].concat()).await?.expect(0)?;
        anyhow::Ok(ran.stdout)
    };

    // The twin: neither the copy nor its keys know of the erasure, and nothing can be promised.
    let replay: &[&str] = &["replay", "--format", "ndjson", "--from"];
    let knows_nothing = audit(replay, &[path(&older)?]).await?;
    assert!(knows_nothing.contains(KEPT) && knows_nothing.contains(ERASED), "{knows_nothing}");

    let ticket = erased.to_string();
    audit(&["export", "--from", path(&newer)?], &["--bundle", path(&bundle)?, "--with-payloads"]).await?;
    for (shown, has_kept) in [
        (audit(replay, &[path(&newer)?]).await?, true),
        (audit(replay, &[path(&older)?, "--erasures", path(&newer)?]).await?, true),
        (audit(&["show", "--as-of", &head, "--from", path(&newer)?], &["--ticket", &ticket]).await?, false),
        (fs::read_to_string(bundle.join("opened/events.ndjson"))?, true),
    ] {
        assert!(!shown.contains(ERASED) && shown.contains(KEPT) == has_kept, "{shown}");
    }
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    for (archive, is_told) in [(&older, false), (&newer, true)] {
        let print = [["print", path(archive)?, "--format", "json"].as_slice(), opened].concat();
        let printed = python.run(&print).await?.expect(0)?.stdout;
        assert!(printed.contains(KEPT) && printed.contains(ERASED) != is_told, "{printed}");
    }
    Ok(())
}

#[tokio::test]
async fn a_list_that_no_key_opens_keeps_everything_closed() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "closed-list").await?;
    let ticket = acme.ticket("erased", ERASED).await?;
    let folder = Folder::new()?;
    let (archive, keys) = (folder.path().join("archive"), folder.path().join("keys"));
    erase(&acme, ticket).await?;
    exported(deployment, &acme, &archive).await?;
    copy_keys(deployment, &acme, &keys).await?;
    // Somebody who took the general key out of every export, so that the list says nothing.
    for file in fs::read_dir(&keys)? {
        let file = file?.path();
        let mut export: serde_json::Value = serde_json::from_slice(&fs::read(&file)?)?;
        let rows = export["data_keys"].as_array_mut().context("an export")?;
        rows.retain(|row| row["scope"] != "general");
        fs::write(&file, export.to_string())?;
    }
    let region_key = deployment.data().join("eu/keys/region.key");
    let replay =
        ["audit", "replay", "--from", path(&archive)?, "--keys", path(&keys)?, "--region-key", path(&region_key)?];
    let refused = deployment.cli(&replay).await?.expect(64)?;
    assert!(
        refused.stderr.contains("--keys: none of them opens the erasure list of --from at position "),
        "{refused:?}"
    );
    assert!(refused.stdout.is_empty(), "{refused:?}");
    Ok(())
}
