//! A new signing key takes over.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::Context;
use archive::{Checkpoint, Succession, Verifier, layout};
use auditor::{Options, Report};
use regions::Resident;
use replicator::{KeyRing, ReadBack, Replicator, archive_tenant, backup, read_back, signing, verify_archive};
use runtime::{Clock, Shutdown};
use schemas::Position;
use vault::SigningKey;

use crate::region::{Archiving, archiving};

const PATIENCE: Duration = Duration::from_secs(60);

fn rotate(eu: &Archiving) -> anyhow::Result<Succession> {
    Ok(signing::rotate(&eu.deps.region.id, &eu.deps.signing, eu.test.ids.as_ref(), eu.test.clock.now())?)
}

fn key_at_work(eu: &Archiving) -> anyhow::Result<[u8; 32]> {
    Ok(SigningKey::load(&eu.test.folder.path().join("signing.key"))?.public_key())
}

async fn report(eu: &Archiving, tenant: &Resident, key: [u8; 32]) -> anyhow::Result<Report> {
    let options = Options { verifier: Some(Verifier::new("domicile/eu", key)), ..Options::default() };
    Ok(auditor::verify(&eu.deps.objects(tenant), &options, &mut |_| ()).await?)
}

async fn signed_checkpoint(eu: &Archiving, tenant: &Resident, key: [u8; 32]) -> anyhow::Result<Checkpoint> {
    let object = format!("{}{}", layout::tenant_prefix(tenant.tenant_id()), layout::CHECKPOINT);
    let note = eu.deps.bucket.get(&object).await?.context("it is published")?;
    Ok(Checkpoint::open_of(std::str::from_utf8(&note.body)?, &Verifier::new("domicile/eu", key))?)
}

#[tokio::test]
async fn an_archive_verifies_with_every_key_that_has_signed_it() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    let mut keys = vec![key_at_work(&eu)?];
    for round in 0..3 {
        eu.append(&acme, 1, round * 4, 4).await?;
        archive_tenant(&eu.deps, &acme, None).await?;
        let succession = rotate(&eu)?;
        assert_eq!((succession.number, succession.old.public_key()), (round as u64 + 1, &keys[round as usize]));
        keys.push(key_at_work(&eu)?);
    }
    eu.append(&acme, 1, 12, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    for key in &keys {
        let report = report(&eu, &acme, *key).await?;
        assert_eq!((report.findings.as_slice(), report.size, report.verifiers.len()), ([].as_slice(), 16, 4));
    }
    let verifiers: Vec<_> = (1..=4).map(|generation| eu.manifest(&acme, generation)).collect();
    let signed = futures::future::try_join_all(verifiers).await?;
    let of_origin =
        |key: &[u8; 32]| Verifier::new(archive::checkpoint::origin(&eu.deps.region.id, acme.tenant_id()), *key);
    assert!(signed.iter().zip(&keys).all(|(manifest, key)| manifest.verifier == of_origin(key).to_string()));
    let stranger = report(&eu, &acme, [7; 32]).await?;
    assert_eq!(stranger.first_wrong(), Some(Position::new(1)));
    Ok(())
}

#[tokio::test]
async fn a_generation_sealed_under_the_old_key_is_published_under_the_new_one() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    eu.append(&acme, 1, 4, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let first = key_at_work(&eu)?;
    // As a crash right after the checkpoint leaves it: everything of the second generation but its manifest.
    let manifest = eu.s3_folder().join(&eu.deps.region.bucket).join(layout::tenant_prefix(acme.tenant_id()));
    fs::remove_file(manifest.join(layout::manifest(2)))?;
    let owner = eu.test.pool(regions::DatabaseRole::Owner).await?;
    sqlx::query!("update log.mark set position = 4 where tenant_id = $1", acme.tenant_id().get())
        .execute(&owner)
        .await?;
    rotate(&eu)?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let second = key_at_work(&eu)?;
    assert_eq!(signed_checkpoint(&eu, &acme, second).await?.size, 8);
    for key in [first, second] {
        let report = report(&eu, &acme, key).await?;
        assert_eq!((report.findings.as_slice(), report.generations, report.size), ([].as_slice(), 2, 8));
    }
    Ok(())
}

#[tokio::test]
async fn a_running_replicator_signs_with_the_new_key_also_where_nothing_grows() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (quiet, busy) = (eu.test.tenant("quiet").await?, eu.test.tenant("busy").await?);
    eu.append(&quiet, 1, 0, 4).await?;
    archive_tenant(&eu.deps, &quiet, None).await?;
    let first = key_at_work(&eu)?;
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    eu.append(&busy, 1, 0, 4).await?;
    crate::running::until(&eu, &busy, |marks| marks.archived.is_some_and(|mark| mark.position.get() == 4)).await?;
    rotate(&eu)?;
    let second = key_at_work(&eu)?;
    eu.append(&busy, 1, 4, 300).await?;
    let signed = async {
        loop {
            let heads = (signed_checkpoint(&eu, &quiet, second).await, signed_checkpoint(&eu, &busy, second).await);
            if let (Ok(quiet), Ok(busy)) = heads
                && (quiet.size, busy.size) == (4, 304)
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, signed).await.context("the new key does not sign")?;
    assert!(shutdown.drain(PATIENCE).await);
    for (tenant, key) in [(&quiet, first), (&quiet, second), (&busy, first), (&busy, second)] {
        assert_eq!(report(&eu, tenant, key).await?.findings, []);
    }
    Ok(())
}

#[tokio::test]
async fn an_archive_that_only_the_key_before_has_signed_is_verified_and_read_back() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    let backup = backup::create(&eu.deps, &mut |_| ()).await?;
    // Nobody signs it under the new key: as with a tenant that is closed meanwhile.
    rotate(&eu)?;
    let (report, published) = verify_archive(&eu.deps, acme.tenant_id(), None, &mut |_| ()).await?;
    assert_eq!((report.findings.as_slice(), published.map(|(it, _)| it.size)), ([].as_slice(), Some(4)));
    assert!(matches!(read_back(&eu.deps, &acme).await?, ReadBack::Verified(_)));
    assert!(backup::verify(&eu.deps, &backup.backup_id, &mut |_| ()).await?.is_clean());
    Ok(())
}

pub(crate) async fn set_state(eu: &Archiving, tenant: &Resident, state: &str) -> anyhow::Result<()> {
    let owner = eu.test.pool(regions::DatabaseRole::Owner).await?;
    sqlx::query!("update log.tenant set state = $2 where tenant_id = $1", tenant.tenant_id().get(), state)
        .execute(&owner)
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_was_closed_while_the_key_was_replaced_is_signed_anew_when_it_is_open_again() -> anyhow::Result<()>
{
    let eu = archiving().await?;
    let (closed, quiet) = (eu.test.tenant("closed").await?, eu.test.tenant("quiet").await?);
    for tenant in [&closed, &quiet] {
        eu.append(tenant, 1, 0, 4).await?;
        archive_tenant(&eu.deps, tenant, None).await?;
    }
    set_state(&eu, &closed, "closed").await?;
    rotate(&eu)?;
    let second = key_at_work(&eu)?;
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    let signed = async |tenant| Ok(signed_checkpoint(&eu, tenant, second).await.ok().map(drop));
    testkit::eventually(async || signed(&quiet).await).await?;
    assert!(signed_checkpoint(&eu, &closed, second).await.is_err(), "it is closed");
    set_state(&eu, &closed, "active").await?;
    testkit::eventually(async || signed(&closed).await).await?;
    assert!(shutdown.drain(PATIENCE).await);
    assert_eq!(report(&eu, &closed, second).await?.findings, []);
    Ok(())
}

#[tokio::test]
async fn backups_of_before_and_after_verify() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    let before = backup::create(&eu.deps, &mut |_| ()).await?;
    rotate(&eu)?;
    eu.append(&acme, 1, 4, 4).await?;
    eu.test.clock.advance(jiff::SignedDuration::from_secs(1));
    let after = backup::create(&eu.deps, &mut |_| ()).await?;
    assert_ne!(before.verifier, after.verifier);
    for backup in [before, after] {
        assert!(backup::verify(&eu.deps, &backup.backup_id, &mut |_| ()).await?.is_clean());
    }
    Ok(())
}

/// The files of the region's keys as they are now.
fn files(eu: &Archiving) -> Vec<PathBuf> {
    let folder = eu.test.folder.path();
    vec![folder.join("signing.key"), folder.join("signing.next.key"), folder.join("successions/00000001")]
}

#[tokio::test]
async fn a_takeover_that_was_killed_at_any_step_is_finished_by_the_next_call() -> anyhow::Result<()> {
    for killed_after in 0..2 {
        let eu = archiving().await?;
        let first = key_at_work(&eu)?;
        let paths = files(&eu);
        let old = fs::read(&paths[0])?;
        let begun = rotate(&eu)?;
        let new = fs::read(&paths[0])?;
        // Back to what a kill leaves: the next key made (0), and the statement written (1).
        for (path, bytes) in [(&paths[0], &old), (&paths[1], &new)] {
            let _ = fs::remove_file(path);
            fs::write(path, bytes)?;
            fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        }
        if killed_after == 0 {
            fs::remove_file(&paths[2])?;
        }
        // Until the last step the old key is at work, and the statement counts for nothing.
        let ring = KeyRing::read(&eu.deps.region.id, &eu.deps.signing)?;
        assert_eq!((ring.chain().newest(), ring.successions().len()), (first, 0));
        eu.test.clock.advance(jiff::SignedDuration::from_hours(1));
        let finished = rotate(&eu)?;
        assert_eq!((&finished.old, &finished.new), (&begun.old, &begun.new), "no third key was made");
        assert_eq!(finished.at == begun.at, killed_after == 1, "a statement that was written stays");
        let ring = KeyRing::read(&eu.deps.region.id, &eu.deps.signing)?;
        assert_eq!((ring.chain().newest(), ring.successions().len()), (*begun.new.public_key(), 1));
        assert!(!paths[1].exists());
        let text = fs::read_to_string(&paths[0])?;
        assert_eq!(text.as_bytes(), new, "the old private half is gone");
    }
    Ok(())
}

#[tokio::test]
async fn keys_and_successions_that_do_not_belong_together_sign_nothing() -> anyhow::Result<()> {
    let (eu, other) = (archiving().await?, archiving().await?);
    let acme = eu.test.tenant("acme").await?;
    rotate(&eu)?;
    rotate(&other)?;
    eu.append(&acme, 1, 0, 2).await?;
    let statement = &files(&eu)[2];
    let ours = fs::read(statement)?;
    for broken in [fs::read(&files(&other)[2])?, ours[..ours.len() - 20].to_vec()] {
        fs::write(statement, broken)?;
        let refused = archive_tenant(&eu.deps, &acme, None).await;
        assert!(matches!(refused, Err(replicator::Error::Signing(_))), "{refused:?}");
    }
    fs::write(statement, ours)?;
    archive_tenant(&eu.deps, &acme, None).await?;
    Ok(())
}
