//! Backups of a region.

use replicator::{Error, archive_tenant, backup};
use schemas::Position;

use crate::region::{archiving, files_ending};

#[tokio::test]
async fn a_backup_brings_every_tenant_to_one_cut_and_verifies() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, globex) = (eu.test.tenant("acme").await?, eu.test.tenant("globex").await?);
    let empty = eu.test.tenant("empty").await?;
    eu.append(&acme, 1, 0, 30).await?;
    eu.append(&globex, 1, 0, 12).await?;
    archive_tenant(&eu.deps, &acme, Some(Position::new(10))).await?;
    let mut seen = Vec::new();
    let backup = backup::create(&eu.deps, &mut |progress| seen.push((progress.tenants, progress.events))).await?;
    assert_eq!((seen.first(), seen.last()), (Some(&(0, 0)), Some(&(3, 42))));
    let mut sizes: Vec<_> =
        backup.tenants.iter().map(|tenant| (tenant.tenant_id, tenant.size, tenant.generation)).collect();
    let mut expected = [(acme.tenant_id(), 30, 2), (globex.tenant_id(), 12, 1), (empty.tenant_id(), 0, 0)];
    sizes.sort();
    expected.sort();
    assert_eq!(sizes, expected);

    assert_eq!(backup::list(&eu.deps).await?, std::slice::from_ref(&backup));
    assert_eq!(backup::show(&eu.deps, &backup.backup_id).await?, backup);
    eu.append(&acme, 1, 30, 10).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let mut count = 0;
    let verified = backup::verify(&eu.deps, &backup.backup_id, &mut |_| count += 1).await?;
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!(count, 3);
    Ok(())
}

#[tokio::test]
async fn a_backup_without_news_writes_its_manifest_only() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 30).await?;
    backup::create(&eu.deps, &mut |_| ()).await?;
    let before = eu.objects("").await?.len();
    eu.test.clock.advance(jiff::SignedDuration::from_secs(1));
    backup::create(&eu.deps, &mut |_| ()).await?;
    assert_eq!(eu.objects("").await?.len(), before + 1);
    assert_eq!(backup::list(&eu.deps).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_backup_whose_archive_was_touched_is_found() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 30).await?;
    let backup = backup::create(&eu.deps, &mut |_| ()).await?;
    let segment = files_ending(&eu.s3_folder(), ".seg.zst").remove(0);
    std::fs::remove_file(segment)?;
    let verified = backup::verify(&eu.deps, &backup.backup_id, &mut |_| ()).await?;
    assert!(!verified.is_clean());
    let report = verified.tenants[0].report.as_ref().expect("it had events");
    assert_eq!(report.first_wrong(), Some(Position::new(1)));
    Ok(())
}

#[tokio::test]
async fn a_backup_that_is_not_there_or_not_ours_is_refused() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 2).await?;
    let backup = backup::create(&eu.deps, &mut |_| ()).await?;
    let missing = backup::show(&eu.deps, "20260101T000000Z-0000").await;
    assert!(matches!(missing, Err(Error::NoSuchBackup { .. })));
    let mut deps = eu.deps.clone();
    deps.signer = archiving().await?.deps.signer;
    assert!(matches!(backup::show(&deps, &backup.backup_id).await, Err(Error::NotOurs { .. })));
    Ok(())
}
