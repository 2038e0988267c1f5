//! Archives that are not to be believed, and what must not come back.

use std::{collections::BTreeMap, fs};

use archive::layout;
use auditor::Wrong;
use jiff::SignedDuration;
use regions::{DatabaseRole, Resident};
use replicator::backup;
use restorer::{Error, RegionRestore, RestorerDeps, TenantOutcome, TenantRestore, restore_region, restore_tenant};
use schemas::PersonId;
use vault::{RegionKey, Scope, SigningKey, SigningKeyFolder};

use crate::ground::{Ground, ground};

async fn lost(slug: &str) -> anyhow::Result<(Ground, Resident)> {
    let mut eu = ground().await?;
    let acme = eu.tenant(slug).await?;
    eu.settle(&acme).await?;
    backup::create(&eu.deps.replicator, &mut |_| ()).await?;
    eu.lose_database().await?;
    Ok((eu, acme))
}

/// Why the one tenant there is was refused; and nothing of it is there.
async fn refused(eu: &Ground, deps: &RestorerDeps) -> anyhow::Result<Error> {
    let mut outcome = restore_region(deps, &RegionRestore::default(), &|_| ()).await?;
    let outcome = outcome.tenants.pop_first().expect("one tenant").1;
    let TenantOutcome::Refused(error) = outcome else { panic!("{outcome:?}") };
    let open = sqlx::query_scalar!(r#"select count(*) as "count!" from log.tenant where state = 'active'"#);
    assert_eq!(open.fetch_one(&mut eu.owner().await?).await?, 0, "nothing is open");
    Ok(error)
}

#[tokio::test]
async fn a_tampered_archive_is_refused_before_anything_is_written() -> anyhow::Result<()> {
    let objects = ["events/000000000001-000000000013.seg.zst", "manifest/00000001.json", "log/tile/0/000.p/13"];
    for object in objects {
        let (eu, acme) = lost("acme").await?;
        eu.flip(&acme, object)?;
        let error = refused(&eu, &eu.deps).await?;
        assert!(matches!(error, Error::WrongArchive { .. }), "{object}: {error:?}");
        let written = sqlx::query_scalar!(r#"select count(*) as "count!" from log.event"#);
        assert_eq!(written.fetch_one(&mut eu.owner().await?).await?, 0, "{object}");
    }
    Ok(())
}

#[tokio::test]
async fn an_archive_with_extra_or_missing_objects_is_refused() -> anyhow::Result<()> {
    let (eu, acme) = lost("acme").await?;
    let segment = eu.file(&acme, "events/000000000001-000000000013.seg.zst");
    fs::copy(&segment, eu.file(&acme, "events/000000000002-000000000005.seg.zst"))?;
    let error = refused(&eu, &eu.deps).await?;
    assert!(error.to_string().contains(&Wrong::Extra.to_string()), "{error}");

    fs::remove_file(eu.file(&acme, "events/000000000002-000000000005.seg.zst"))?;
    fs::remove_file(segment)?;
    let error = refused(&eu, &eu.deps).await?;
    assert!(error.to_string().contains(&Wrong::Missing.to_string()), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_archive_that_lost_its_end_is_noticed_by_the_backup() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let checkpoint = fs::read(eu.file(&acme, layout::CHECKPOINT))?;
    eu.ticket(&acme, 1, 6).await?;
    backup::create(&eu.deps.replicator, &mut |_| ()).await?;
    eu.lose_database().await?;
    fs::remove_file(eu.file(&acme, &layout::manifest(2)))?;
    fs::remove_file(eu.file(&acme, "events/000000000014-000000000019.seg.zst"))?;
    fs::write(eu.file(&acme, layout::CHECKPOINT), checkpoint)?;
    let error = refused(&eu, &eu.deps).await?;
    assert!(error.to_string().contains("known to have held more"), "{error}");
    Ok(())
}

/// A checkpoint as region us keeps it: with a line that has the form of its cosignature.
fn cosigned(note: &str, seed: &SigningKey) -> anyhow::Result<String> {
    let key = seed.clone();
    let us = archive::Signer::new("domicile/us", key.public_key(), move |message| key.sign(message));
    Ok(format!("{note}{}\n", archive::cosignature::line(note, &us, jiff::Timestamp::UNIX_EPOCH)?))
}

#[tokio::test]
async fn what_another_region_has_cosigned_wrongly_stops_no_restore_and_is_named() -> anyhow::Result<()> {
    for (name, wrong) in [("signature", "not signed by the key"), ("history", "cosigned another history")] {
        let (eu, acme) = lost("acme").await?;
        let published = fs::read_to_string(eu.file(&acme, layout::CHECKPOINT))?;
        let note = if name == "signature" {
            published.replace("\n13\n", "\n12\n")
        } else {
            let key = eu.test.signing_key.clone();
            let origin = format!("domicile/eu/{}", acme.tenant_id());
            let eu = archive::Signer::new(origin, key.public_key(), move |message| key.sign(message));
            let head = archive::Checkpoint::claimed(&published)?;
            archive::Checkpoint { root: schemas::Hash::of(&[]), ..head }.sign(&eu)
        };
        let us = SigningKey::load_or_create(&eu.test.folder.path().join("us.key"), eu.test.ids.as_ref())?;
        let path = eu.file(&acme, &layout::witness(&"us".parse()?));
        fs::create_dir_all(path.parent().expect("a folder"))?;
        fs::write(&path, cosigned(&note, &us)?)?;
        // An auditor stops at it.
        let (report, _) = replicator::verify_archive(&eu.deps.replicator, acme.tenant_id(), None, &mut |_| ()).await?;
        assert!(!report.is_clean(), "{name}");

        let outcome = restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await?;
        let TenantOutcome::Restored(restored) = &outcome.tenants[&acme.tenant_id()] else { panic!("{outcome:?}") };
        let [found] = restored.wrong_witnesses.as_slice() else { panic!("{restored:?}") };
        let found = found.to_string();
        assert!(restored.size == 13 && found.starts_with("witness/us: ") && found.contains(wrong), "{found}");
    }
    Ok(())
}

#[tokio::test]
async fn a_manifest_that_is_older_than_the_one_before_it_stops_an_auditor_and_no_restore() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    eu.ticket(&acme, 1, 6).await?;
    eu.settle(&acme).await?;
    let path = eu.file(&acme, &layout::manifest(2));
    let mut manifest = archive::Manifest::claimed(&fs::read(&path)?)?;
    manifest.created_at -= SignedDuration::from_mins(1);
    let key = eu.test.signing_key.clone();
    let origin = format!("domicile/eu/{}", acme.tenant_id());
    fs::write(path, manifest.sign(&archive::Signer::new(origin, key.public_key(), move |text| key.sign(text))))?;
    let (report, _) = replicator::verify_archive(&eu.deps.replicator, acme.tenant_id(), None, &mut |_| ()).await?;
    assert_eq!(report.findings.iter().map(|found| &found.what).collect::<Vec<_>>(), [&Wrong::OlderThanPrevious]);
    eu.lose_database().await?;
    let asked = TenantRestore::of(acme.tenant_id(), false);
    assert_eq!(restore_tenant(&eu.deps, &asked, &|_| ()).await?.size, 19);
    Ok(())
}

#[tokio::test]
async fn an_archive_that_lost_its_end_is_noticed_by_what_another_region_has_cosigned() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let checkpoint = fs::read(eu.file(&acme, layout::CHECKPOINT))?;
    eu.ticket(&acme, 1, 6).await?;
    eu.settle(&acme).await?;
    let us = SigningKey::load_or_create(&eu.test.folder.path().join("us.key"), eu.test.ids.as_ref())?;
    let path = eu.file(&acme, &layout::witness(&"us".parse()?));
    fs::create_dir_all(path.parent().expect("a folder"))?;
    fs::write(&path, cosigned(&fs::read_to_string(eu.file(&acme, layout::CHECKPOINT))?, &us)?)?;
    eu.lose_database().await?;
    fs::remove_file(eu.file(&acme, &layout::manifest(2)))?;
    fs::remove_file(eu.file(&acme, "events/000000000014-000000000019.seg.zst"))?;
    fs::write(eu.file(&acme, layout::CHECKPOINT), checkpoint)?;
    let error = refused(&eu, &eu.deps).await?;
    assert!(error.to_string().contains("known to have held more"), "{error}");
    Ok(())
}

#[tokio::test]
async fn another_regions_keys_open_nothing_and_say_so() -> anyhow::Result<()> {
    let (eu, _) = lost("acme").await?;
    let folder = eu.test.folder.path();
    let other = folder.join("other");
    fs::create_dir(&other)?;
    SigningKey::load_or_create(&other.join("signing.key"), eu.test.ids.as_ref())?;
    let mut foreign = eu.deps.clone();
    foreign.replicator.signing = SigningKeyFolder::new(&other);
    let error = restore_region(&foreign, &RegionRestore { backup_id: backup_id(&eu).await?, is_anew: false }, &|_| ())
        .await
        .expect_err("not its signature");
    assert!(matches!(error, Error::Archive(replicator::Error::NotOurs { .. })), "{error:?}");

    let region_key = RegionKey::load_or_create(&folder.join("other-region.key"), eu.test.ids.as_ref())?;
    let error = refused(&eu, &RestorerDeps { region_key, ..eu.deps.clone() }).await?;
    assert!(error.to_string().contains("its key is wrapped by region key"), "{error}");
    Ok(())
}

async fn backup_id(eu: &Ground) -> anyhow::Result<Option<String>> {
    Ok(backup::list(&eu.deps.replicator).await?.pop().map(|listed| listed.backup_id))
}

#[tokio::test]
async fn a_checkpoint_that_an_unknown_key_signed_is_refused() -> anyhow::Result<()> {
    let (eu, acme) = lost("acme").await?;
    let stranger = SigningKey::load_or_create(&eu.test.folder.path().join("stranger.key"), eu.test.ids.as_ref())?;
    let name = format!("domicile/eu/{}", acme.tenant_id());
    let signer = archive::Signer::new(name, stranger.public_key(), move |message| stranger.sign(message));
    let note = fs::read_to_string(eu.file(&acme, layout::CHECKPOINT))?;
    fs::write(eu.file(&acme, layout::CHECKPOINT), archive::Checkpoint::claimed(&note)?.sign(&signer))?;
    let error = refused(&eu, &eu.deps).await?;
    assert!(matches!(error, Error::Archive(replicator::Error::Checkpoint(_))), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn another_regions_manifest_is_refused() -> anyhow::Result<()> {
    let (eu, acme) = lost("acme").await?;
    // The same keys in the hands of a region of another name: what it reads is signed for eu.
    let mut foreign = eu.deps.clone();
    foreign.replicator.region = foreign.replicator.region.with_id("jp".parse()?);
    let error = backup::show(&foreign.replicator, &backup_id(&eu).await?.expect("one")).await.expect_err("it is eu's");
    assert!(matches!(error, replicator::Error::NotOurs { .. } | replicator::Error::AnotherBackup { .. }), "{error:?}");
    let verified = replicator::verify_archive(&foreign.replicator, acme.tenant_id(), None, &mut |_| ()).await;
    assert!(verified.is_err(), "its checkpoint is signed under eu's name");
    Ok(())
}

#[tokio::test]
async fn a_clock_behind_the_backup_is_refused() -> anyhow::Result<()> {
    let (eu, _) = lost("acme").await?;
    eu.test.clock.advance(SignedDuration::from_hours(-2));
    let error =
        restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await.expect_err("the backup is from the future");
    assert!(error.to_string().starts_with("this machine's clock says 2026-11-22T08:00:00Z, and backup"), "{error}");
    Ok(())
}

#[tokio::test]
async fn keys_that_were_changed_come_back_for_nobody() -> anyhow::Result<()> {
    let (eu, acme) = lost("acme").await?;
    let exports = eu.deps.replicator.bucket.list(&format!("keys/{}/", acme.tenant_id())).await?;
    let path = eu.object(&exports[0].key);
    let mut export: serde_json::Value = serde_json::from_slice(&fs::read(&path)?)?;
    let keys: BTreeMap<_, _> = [("first", export["data_keys"][0]["wrapped"].clone())].into();
    export["data_keys"][1]["wrapped"] = keys["first"].clone();
    fs::write(path, export.to_string())?;
    let error = refused(&eu, &eu.deps).await?;
    assert!(error.to_string().contains("does not open"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_erased_person_stays_erased() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    // Archived, and her key with it, before she is erased.
    eu.settle(&acme).await?;
    eu.erase(&acme, Scope::Person(PersonId::new(7))).await?;
    eu.settle(&acme).await?;
    let before = eu.seen(&acme).await?;
    eu.lose_database().await?;

    let outcome = restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await?;
    let TenantOutcome::Restored(restored) = &outcome.tenants[&acme.tenant_id()] else { panic!("{outcome:?}") };
    assert_eq!(restored.erased_keys, 1);
    eu.project(&acme).await?;
    let after = eu.seen(&acme).await?;
    assert_eq!((after.root, &after.keys), (before.root, &before.keys));
    let vault = eu.test.vault(DatabaseRole::Desk).await?;
    let added: Vec<_> =
        after.events.iter().filter(|event| event.sealed.envelope.event_type == "person_added").cloned().collect();
    assert!(vault.open_all(&acme, &added).await?[0].is_none(), "her name opens for nobody");
    let living = vault.data_keys(&acme, &[Scope::Person(PersonId::new(7))]).await;
    assert!(living.is_err(), "and nobody makes her another key");
    Ok(())
}

#[tokio::test]
async fn an_erasure_is_carried_out_again_where_an_old_database_still_has_the_key() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let mut owner = eu.owner().await?;
    let old = sqlx::query_scalar!(
        r#"select wrapped as "wrapped!" from vault.data_key where tenant_id = $1 and scope = 'person-7'"#,
        acme.tenant_id().get()
    );
    let old = old.fetch_one(&mut owner).await?;
    eu.erase(&acme, Scope::Person(PersonId::new(7))).await?;
    eu.settle(&acme).await?;
    let before = eu.seen(&acme).await?;
    eu.put_back(&acme, 13).await?;
    sqlx::query!(
        "update vault.data_key set wrapped = $2, destroyed_at = null where tenant_id = $1 and scope = 'person-7'",
        acme.tenant_id().get(),
        old
    )
    .execute(&mut owner)
    .await?;
    let asked = TenantRestore::of(acme.tenant_id(), false);
    let restored = restore_tenant(&eu.deps, &asked, &|_| ()).await?;
    assert_eq!((restored.erased_keys, restored.keys.destroyed), (1, 1));
    assert_eq!(eu.seen(&acme).await?.keys, before.keys);
    Ok(())
}
