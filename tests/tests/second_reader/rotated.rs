//! A running region puts a new signing key to work: nothing stops, and what was signed before still verifies.

use std::{fs, path::Path};

use anyhow::Context;
use archive::Checkpoint;
use serde_json::Value;
use system_tests::{Deployment, command, folder::Folder, wait};

use crate::{
    readers::Reader,
    tlog::{Clients, reads},
};

#[tokio::test]
async fn a_running_region_takes_up_a_new_signing_key_and_old_ones_still_verify() -> anyhow::Result<()> {
    let test = "a_running_region_takes_up_a_new_signing_key_and_old_ones_still_verify";
    let deployment = Deployment::shared().await?;
    let (busy, quiet) = (deployment.signup("us", "rotates").await?, deployment.signup("us", "rests").await?);
    let folder = Folder::new()?;
    let (proof, archive) = (folder.path().join("1.tlog-proof"), folder.path().join("archive"));
    let (before, _) = (busy.archived().await?, quiet.archived().await?);
    let of_tenant = ["--region", "us", "--tenant", &busy.slug];
    let write = [&["audit", "proof", "--event", "1", "--output", path(&proof)?], of_tenant.as_slice()].concat();
    deployment.cli(&write).await?.expect(0)?;
    deployment.cli(&["backup", "create", "--region", "us"]).await?.expect(0)?;

    let rotate = ["keys", "rotate", "--region", "us", "--format", "json"];
    let rotated = deployment.cli(&rotate).await?.expect(0)?.json()?;
    let (old, new) = (text(&rotated["old"])?, text(&rotated["new"])?);
    let listed = deployment.cli(&["keys", "list", "--region", "us", "--format", "json"]).await?.expect(0)?.json()?;
    let states = listed.as_array().context("a list")?.iter().map(|key| (&key["verifier"], &key["state"]));
    assert_eq!(states.collect::<Vec<_>>(), [(&old.into(), &"retired".into()), (&new.into(), &"at work".into())]);

    // Soon every log of the region is under the new key, whether it grows or not.
    busy.ticket("Printer on fire", "It smokes").await?;
    assert!(busy.archived().await? > before);
    for tenant in [&busy, &quiet] {
        let object = format!("tenants/{}/log/checkpoint", tenant.id);
        let bucket = deployment.bucket("us").await?;
        let key = new.parse()?;
        wait::until("the checkpoint is signed by the new key", async || {
            let note = bucket.get(&object).await?.context("it is published")?;
            Ok(Checkpoint::open_of(std::str::from_utf8(&note.body)?, &key).is_ok().then_some(()))
        })
        .await?;
        let verify = ["audit", "verify", "--region", "us", "--tenant", &tenant.slug, "--format", "json"];
        let report = deployment.cli(&verify).await?.expect(0)?.json()?;
        assert_eq!(report["verifiers"].as_array().map(Vec::len), Some(2), "{report}");
    }

    // A copy verifies without us with the key of before and with the key of now; the proof of before holds under both.
    deployment.cli(&[&["audit", "export", "--to", path(&archive)?], of_tenant.as_slice()].concat()).await?.expect(0)?;
    for key in [old, new] {
        Reader::Ours.verify(&archive, Some(key)).await?.expect(0)?;
        let check = ["audit", "check", path(&proof)?, "--verifier", key, "--from", path(&archive)?];
        let checked = command::run(&check, &[]).await?.expect(0)?;
        assert!(checked.stdout.contains(old.rsplit('+').next().context("a key")?), "{checked:?}");
    }
    command::run(&["audit", "check", path(&proof)?, "--verifier", old], &[]).await?.expect(0)?;
    // So does what is handed to an auditor, whichever of the two they know.
    for (name, more) in [("whole", &[][..]), ("one", &["--ticket", "1"])] {
        let bundle = folder.path().join(name);
        let export = [&["audit", "export", "--bundle", path(&bundle)?], more, of_tenant.as_slice()].concat();
        deployment.cli(&export).await?.expect(0)?;
        for key in [old, new] {
            command::run(&["audit", "verify", "--from", path(&bundle)?, "--verifier", key], &[]).await?.expect(0)?;
        }
    }
    let unled = command::run(&["audit", "check", path(&proof)?, "--verifier", new], &[]).await?.expect(1)?;
    assert!(unled.stderr.contains("no signature by the key"), "{unled:?}");

    let kept = folder.path().join("kept");
    let proof_text = fs::read_to_string(&proof)?;
    fs::write(&kept, proof_text.split_once("\n\n").context("a checkpoint follows")?.1)?;
    let compare = [&["audit", "consistency", "--old", path(&kept)?], of_tenant.as_slice()].concat();
    assert!(deployment.cli(&compare).await?.expect(0)?.stdout.contains("consistent"));
    let backups = deployment.cli(&["backup", "list", "--region", "us", "--format", "json"]).await?.expect(0)?.json()?;
    for backup in backups.as_array().context("a list")? {
        deployment.cli(&["backup", "verify", "--region", "us", text(&backup["backup"])?]).await?.expect(0)?;
    }
    by_others(test, (&archive, &proof), [old, new]).await
}

/// The reader in another language, and clients of others.
async fn by_others(test: &str, (archive, proof): (&Path, &Path), keys: [&str; 2]) -> anyhow::Result<()> {
    if let Some(clients) = Clients::find(&format!("{test}: by others")).await? {
        let named = Reader::Ours.verify(archive, Some(keys[1])).await?.expect(0)?.json()?;
        reads(&clients, archive, text(&named["verifier"])?).await?;
    }
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    for key in keys {
        python.verify(archive, Some(key)).await?.expect(0)?;
        python.run(&["check", path(proof)?, "--verifier", key, "--from", path(archive)?]).await?.expect(0)?;
    }
    Ok(())
}

fn text(value: &Value) -> anyhow::Result<&str> {
    value.as_str().context("a text")
}

fn path(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path of this test")
}
