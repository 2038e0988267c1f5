//! Archives that are read back.

use std::{fs, path::PathBuf};

use archive::layout;
use auditor::Wrong;
use regions::{DatabaseRole, Resident};
use replicator::{ReadBack, archive_tenant, read_back};

use crate::region::{Archiving, archiving, files_ending};

/// A tenant with two generations, of 4 events each, and the checkpoint of the first.
async fn two_generations(eu: &Archiving) -> anyhow::Result<(Resident, Vec<u8>)> {
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let older = fs::read(checkpoint(eu))?;
    eu.append(&acme, 1, 4, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    Ok((acme, older))
}

fn checkpoint(eu: &Archiving) -> PathBuf {
    files_ending(&eu.s3_folder(), layout::CHECKPOINT).remove(0)
}

fn newest_manifest(eu: &Archiving) -> PathBuf {
    files_ending(&eu.s3_folder(), "manifest/00000002.json").remove(0)
}

async fn wrongs(eu: &Archiving, tenant: &Resident) -> anyhow::Result<Vec<Wrong>> {
    let ReadBack::Wrong(report) = read_back(&eu.deps, tenant).await? else { anyhow::bail!("nothing was found") };
    Ok(report.findings.into_iter().map(|finding| finding.what).collect())
}

#[tokio::test]
async fn an_archive_that_was_rolled_back_with_its_checkpoint_is_wrong() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, older) = two_generations(&eu).await?;
    assert!(matches!(read_back(&eu.deps, &acme).await?, ReadBack::Verified(_)));
    fs::remove_file(newest_manifest(&eu))?;
    fs::write(checkpoint(&eu), older)?;
    assert!(eu.report(&acme).await?.is_clean(), "in itself it is whole");
    assert_eq!(wrongs(&eu, &acme).await?, [Wrong::Truncated]);
    Ok(())
}

#[tokio::test]
async fn a_lost_manifest_and_a_checkpoint_that_was_put_back_are_wrong() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, older) = two_generations(&eu).await?;
    let (newer, manifest) = (fs::read(checkpoint(&eu))?, newest_manifest(&eu));
    fs::write(checkpoint(&eu), older)?;
    assert_eq!(wrongs(&eu, &acme).await?, [Wrong::CheckpointBehind]);
    fs::write(checkpoint(&eu), newer)?;
    fs::remove_file(manifest)?;
    assert!(wrongs(&eu, &acme).await?.contains(&Wrong::CheckpointAhead));
    Ok(())
}

#[tokio::test]
async fn a_generation_that_is_under_way_is_for_later() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, _) = two_generations(&eu).await?;
    // As a crash between checkpoint and manifest leaves it.
    fs::remove_file(newest_manifest(&eu))?;
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    sqlx::query!("update log.mark set position = $2 where tenant_id = $1", acme.tenant_id().get(), 4)
        .execute(&owner)
        .await?;
    assert_eq!(read_back(&eu.deps, &acme).await?, ReadBack::NotNow);
    archive_tenant(&eu.deps, &acme, None).await?;
    assert!(matches!(read_back(&eu.deps, &acme).await?, ReadBack::Verified(report) if report.size == 8));
    Ok(())
}

#[tokio::test]
async fn another_tenants_archive_in_its_place_is_wrong() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, _) = two_generations(&eu).await?;
    let globex = eu.test.tenant("globex").await?;
    eu.append(&globex, 1, 0, 8).await?;
    archive_tenant(&eu.deps, &globex, None).await?;
    let prefix = |tenant: &Resident| layout::tenant_prefix(tenant.tenant_id());
    let bucket = eu.s3_folder().join(&eu.deps.region.bucket);
    fs::remove_dir_all(bucket.join(prefix(&globex)))?;
    for (key, bytes) in eu.archive(&acme).await? {
        eu.deps.bucket.put_new(&key.replace(&prefix(&acme), &prefix(&globex)), bytes.into()).await?;
    }
    assert!(wrongs(&eu, &globex).await?.contains(&Wrong::Belongs("tenant")));
    Ok(())
}

#[tokio::test]
async fn an_archive_that_reads_back_whole_is_verified_and_one_that_does_not_is_not() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 10).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let verified = async || -> anyhow::Result<_> {
        let marks = eventlog::marks(&mut *eu.deps.pool.acquire().await?, &acme).await?;
        Ok(marks.verified.map(|mark| mark.position.get()))
    };
    assert!(matches!(read_back(&eu.deps, &acme).await?, ReadBack::Verified(report) if report.size == 10));
    assert_eq!(verified().await?, Some(10));

    eu.append(&acme, 1, 10, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let segment = files_ending(&eu.s3_folder(), "000000000011-000000000014.seg.zst").remove(0);
    let mut bytes = std::fs::read(&segment)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes)?;
    let ReadBack::Wrong(report) = read_back(&eu.deps, &acme).await? else { panic!("the segment was changed") };
    assert!(report.first_wrong().is_some_and(|position| (11..=14).contains(&position.get())), "{report:?}");
    assert_eq!(verified().await?, Some(10));
    Ok(())
}
