//! A crash between any two steps, and replicators that get in each other's way.

use std::{collections::BTreeMap, fs};

use archive::layout;
use auditor::NotChecked;
use regions::{DatabaseRole, Resident};
use replicator::archive_tenant;

use crate::region::{Archiving, archiving};

type Objects = BTreeMap<String, Vec<u8>>;

/// Which of a generation's objects are there when the process dies at a crash point.
fn is_written_before(point: &str, key: &str) -> bool {
    let step = match key {
        key if key.starts_with("keys/") || key.contains("/events/") => 1,
        key if key.ends_with(layout::CHECKPOINT) => 3,
        key if key.contains("/manifest/") => 4,
        _ => 2,
    };
    let steps =
        ["replicator.sealed", "replicator.segment", "replicator.tiles", "replicator.checkpoint", "replicator.manifest"];
    steps.iter().position(|name| *name == point).is_some_and(|done| step <= done)
}

/// Makes the bucket hold exactly these objects.
async fn put_back(eu: &Archiving, objects: &Objects) -> anyhow::Result<()> {
    let bucket = eu.s3_folder().join(&eu.deps.region.bucket);
    for (key, _) in eu.objects("").await? {
        fs::remove_file(bucket.join(key))?;
    }
    for (key, bytes) in objects {
        eu.test.bucket().await?.put_new(key, bytes.clone().into()).await?;
    }
    Ok(())
}

async fn mark_back(eu: &Archiving, tenant: &Resident, position: i64) -> anyhow::Result<()> {
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    sqlx::query!("update log.mark set position = $2 where tenant_id = $1", tenant.tenant_id().get(), position)
        .execute(&owner)
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_crash_between_any_two_steps_is_finished_by_the_next_call() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 300).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let first: Objects = eu.objects("").await?.into_iter().collect();
    eu.append(&acme, 2, 0, 250).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let second: Objects = eu.objects("").await?.into_iter().collect();
    // What has happened meanwhile must not leak into the generation that was sealed before.
    eu.append(&acme, 3, 0, 10).await?;
    eu.test.clock.advance(jiff::SignedDuration::from_hours(30));

    for point in
        ["replicator.sealed", "replicator.segment", "replicator.tiles", "replicator.checkpoint", "replicator.manifest"]
    {
        let mut at_crash = first.clone();
        let written = second.iter().filter(|(key, _)| is_written_before(point, key));
        at_crash.extend(written.map(|(key, bytes)| (key.clone(), bytes.clone())));
        put_back(&eu, &at_crash).await?;
        mark_back(&eu, &acme, 300).await?;
        let owner = eu.test.pool(DatabaseRole::Owner).await?;
        let manifest = eu.manifest(&acme, 1).await?;
        assert_eq!(manifest.size, 300);
        // The head is that of the generation the crash interrupted.
        let interrupted: archive::Manifest = {
            let key = format!("{}{}", layout::tenant_prefix(acme.tenant_id()), layout::manifest(2));
            archive::Manifest::claimed(&second[&key])?
        };
        sqlx::query!(
            "update log.tree_head set size = $2, root = $3, note = $4, sealed_at = $5::text::timestamptz where tenant_id = $1",
            acme.tenant_id().get(),
            interrupted.size as i64,
            interrupted.root.as_bytes().as_slice(),
            interrupted.checkpoint,
            interrupted.created_at.to_string()
        )
        .execute(&owner)
        .await?;

        let archived = archive_tenant(&eu.deps, &acme, None).await?;
        assert_eq!((archived.generation, archived.size.get()), (3, 560), "{point}");
        let now: Objects = eu.objects("").await?.into_iter().collect();
        for (key, bytes) in second.iter().filter(|(key, _)| !key.ends_with(layout::CHECKPOINT)) {
            assert_eq!(now.get(key), Some(bytes), "{point}: {key}");
        }
        assert_eq!(eu.report(&acme).await?.findings, [], "{point}");
    }
    Ok(())
}

#[tokio::test]
async fn replicators_in_each_others_way_make_one_archive() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    for round in 0..6 {
        eu.append(&acme, 1, round * 20, 20).await?;
        let (one, two, three, appended) = tokio::join!(
            archive_tenant(&eu.deps, &acme, None),
            archive_tenant(&eu.deps, &acme, None),
            archive_tenant(&eu.deps, &acme, None),
            eu.append(&acme, round + 2, 0, 6),
        );
        appended?;
        for archived in [one?, two?, three?] {
            assert!(archived.size.get() >= (round + 1) * 20 + round * 6);
        }
    }
    archive_tenant(&eu.deps, &acme, None).await?;
    let report = eu.report(&acme).await?;
    assert_eq!((report.findings.as_slice(), report.size), ([].as_slice(), 156));
    let left = |met: &&NotChecked| matches!(met, NotChecked::Unpublished(_) | NotChecked::Unclaimed(_));
    assert_eq!(report.not_checked.iter().find(left), None, "nobody left objects behind");
    Ok(())
}
