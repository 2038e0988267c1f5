//! Generations that a database did not live to publish.

use std::fs;

use archive::layout;
use eventlog::restore::Put;
use jiff::SignedDuration;
use regions::Resident;
use replicator::{archive_tenant, fence};
use restorer::{Error, RestoredTenant, TenantRestore, restore_tenant};
use runtime::Clock;
use schemas::Position;

use crate::ground::{Ground, Seen, ground};

async fn restored(eu: &Ground, tenant: &Resident, sets_aside: bool) -> Result<RestoredTenant, Error> {
    let tenant_id = tenant.tenant_id();
    let asked = TenantRestore::of(tenant_id, sets_aside);
    restore_tenant(&eu.deps, &asked, &|_| ()).await
}

/// Two generations, of 13 and 6 events, of which the second has come as far as to its segment.
async fn half_a_generation() -> anyhow::Result<(Ground, Resident, Seen)> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let tree = eu.file(&acme, "log");
    let first = eu.test.folder.path().join("first");
    copy(&tree, &first)?;
    eu.ticket(&acme, 1, 6).await?;
    eu.settle(&acme).await?;
    fs::remove_file(eu.file(&acme, &layout::manifest(2)))?;
    fs::remove_dir_all(&tree)?;
    copy(&first, &tree)?;
    let seen = eu.seen(&acme).await?;
    Ok((eu, acme, seen))
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> anyhow::Result<()> {
    anyhow::ensure!(std::process::Command::new("cp").arg("-a").arg(from).arg(to).status()?.success());
    Ok(())
}

async fn is_sound(eu: &Ground, tenant: &Resident, size: u64) -> anyhow::Result<()> {
    let (report, _) = replicator::verify_archive(&eu.deps.replicator, tenant.tenant_id(), None, &mut |_| ()).await?;
    assert_eq!((report.findings.as_slice(), report.size), ([].as_slice(), size));
    assert_eq!(report.not_checked.iter().filter(|left| left.to_string().contains("not published")).count(), 0);
    Ok(())
}

#[tokio::test]
async fn a_segment_that_was_never_published_comes_back_and_is_published_then() -> anyhow::Result<()> {
    let (eu, acme, before) = half_a_generation().await?;
    eu.lose_database().await?;
    let restored = restored(&eu, &acme, false).await?;
    assert_eq!((restored.size, restored.root, restored.keys.missing), (19, before.root, 0));
    let after = eu.seen(&acme).await?;
    assert_eq!((after.events, after.keys), (before.events, before.keys));
    assert_eq!(after.archived, Some(Position::new(13)));
    // The log has gone on before its replicator looks.
    eu.ticket(&acme, 2, 3).await?;
    eu.settle(&acme).await?;
    is_sound(&eu, &acme, 22).await
}

#[tokio::test]
async fn what_is_published_then_is_not_older_than_what_was_published_before_though_the_clock_is_behind()
-> anyhow::Result<()> {
    let (eu, acme, _) = half_a_generation().await?;
    let published_at = eu.test.clock.now();
    eu.lose_database().await?;
    // No restore is made by a clock that is further behind.
    eu.test.clock.advance(SignedDuration::from_secs(-30));
    assert_eq!(restored(&eu, &acme, false).await?.size, 19);
    eu.settle(&acme).await?;
    let finished = archive::Manifest::claimed(&fs::read(eu.file(&acme, &layout::manifest(2)))?)?;
    assert_eq!(finished.created_at, published_at);
    is_sound(&eu, &acme, 19).await
}

#[tokio::test]
async fn a_first_generation_that_was_never_published_comes_back() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let before = eu.seen(&acme).await?;
    for gone in ["log", "manifest", "schemas", "audit"] {
        fs::remove_dir_all(eu.file(&acme, gone))?;
    }
    fs::remove_file(eu.file(&acme, layout::GUIDE))?;
    eu.lose_database().await?;
    assert_eq!(restored(&eu, &acme, false).await?.size, 13);
    eu.settle(&acme).await?;
    let after = eu.seen(&acme).await?;
    assert_eq!((after.events, after.archived), (before.events, Some(Position::new(13))));
    is_sound(&eu, &acme, 13).await
}

#[tokio::test]
async fn a_segment_that_no_signed_head_speaks_of_is_not_taken() -> anyhow::Result<()> {
    for touched in ["segment", "head"] {
        let (eu, acme, _) = half_a_generation().await?;
        eu.lose_database().await?;
        match touched {
            "segment" => eu.flip(&acme, &layout::segment(Position::new(14), Position::new(19)))?,
            _ => {
                let path = eu.object(&layout::keys(acme.tenant_id(), 2));
                let mut export: serde_json::Value = serde_json::from_slice(&fs::read(&path)?)?;
                let head = export["head"].as_str().expect("a note").replace("\n19\n", "\n18\n");
                export["head"] = head.into();
                fs::write(path, export.to_string())?;
            }
        }
        assert_eq!(restored(&eu, &acme, false).await?.size, 13, "{touched}");
    }
    Ok(())
}

/// Puts the database back to what it was when the first generation was published.
async fn put_back_to_the_manifest(eu: &Ground, acme: &Resident) -> anyhow::Result<()> {
    eu.put_back(acme, 13).await?;
    let (id, checkpoint) = (acme.tenant_id().get(), fs::read_to_string(eu.file(acme, layout::CHECKPOINT))?);
    let head = archive::Checkpoint::claimed(&checkpoint)?;
    sqlx::query!(
        "insert into log.tree_head (tenant_id, size, root, frontier, note, sealed_at) values ($1, 13, $2, '{}', $3, now())",
        id,
        head.root.as_bytes().as_slice(),
        checkpoint
    )
    .execute(&mut eu.owner().await?)
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_database_that_was_put_back_to_the_newest_manifest_is_closed_before_it_takes_a_write() -> anyhow::Result<()> {
    let (eu, acme, before) = half_a_generation().await?;
    // The control: whoever sealed the generation under way may go on.
    assert_eq!(fence::close_behind(&eu.deps.replicator).await?, []);
    put_back_to_the_manifest(&eu, &acme).await?;
    let behind = fence::close_behind(&eu.deps.replicator).await?;
    let [found] = behind.as_slice() else { panic!("{behind:?}") };
    assert_eq!(
        found.to_string(),
        "tenant acme: a generation under way ends at position 19, the database ends at 13: 6 events are missing"
    );
    let refused = eu.ticket(&acme, 9, 1).await.expect_err("it is closed");
    assert!(refused.to_string().contains("not at home"), "{refused:#}");
    assert_eq!(restored(&eu, &acme, false).await?.put, Put { same: 13, added: 6, ..Put::default() });
    assert_eq!(fence::close_behind(&eu.deps.replicator).await?, []);
    assert_eq!(eu.seen(&acme).await?.events, before.events);
    Ok(())
}

#[tokio::test]
async fn a_segment_that_no_signed_head_speaks_of_closes_nobody() -> anyhow::Result<()> {
    let (eu, acme, _) = half_a_generation().await?;
    put_back_to_the_manifest(&eu, &acme).await?;
    eu.flip(&acme, &layout::segment(Position::new(14), Position::new(19)))?;
    assert_eq!(fence::close_behind(&eu.deps.replicator).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_head_is_found_beside_an_export_that_has_ended() -> anyhow::Result<()> {
    let (eu, acme, before) = half_a_generation().await?;
    // Another database had died with a generation of this number; its export is over, and the one beside it lives.
    let (ended, beside) = (layout::keys(acme.tenant_id(), 2), layout::keys_beside(acme.tenant_id(), 2, before.root));
    fs::rename(eu.object(&ended), eu.object(&beside))?;
    eu.lose_database().await?;
    assert_eq!(restored(&eu, &acme, false).await?.size, 19);
    Ok(())
}

#[tokio::test]
async fn a_database_that_was_put_back_to_the_newest_manifest_does_not_overtake_a_segment() -> anyhow::Result<()> {
    let (eu, acme, before) = half_a_generation().await?;
    put_back_to_the_manifest(&eu, &acme).await?;
    eu.ticket(&acme, 9, 4).await?;
    let refused = archive_tenant(&eu.deps.replicator, &acme, None).await.expect_err("it is an old one");
    assert!(matches!(refused, replicator::Error::PublishedAhead { published: 19, sealed: 13 }), "{refused:?}");
    assert!(matches!(restored(&eu, &acme, false).await, Err(Error::Log(eventlog::Error::Forked { events: 4, .. }))));
    let restored = restored(&eu, &acme, true).await?;
    assert_eq!(restored.put, Put { same: 13, added: 6, set_aside: 4, ..Put::default() });
    eu.settle(&acme).await?;
    assert_eq!(eu.seen(&acme).await?.events, before.events);
    is_sound(&eu, &acme, 19).await
}

#[tokio::test]
async fn keys_of_a_generation_are_exported_also_where_a_dead_one_had_its_number() -> anyhow::Result<()> {
    let (eu, acme, _) = half_a_generation().await?;
    // Died between the keys and the segment: nothing is there to be taken.
    let (first, last) = (Position::new(14), Position::new(19));
    for key in [layout::segment(first, last), layout::audit("2026-11-22", first, last)] {
        fs::remove_file(eu.file(&acme, &key))?;
    }
    eu.lose_database().await?;
    assert_eq!(restored(&eu, &acme, false).await?.size, 13);
    eu.ticket(&acme, 5, 2).await?;
    eu.settle(&acme).await?;
    eu.lose_database().await?;
    let restored = restored(&eu, &acme, false).await?;
    assert_eq!((restored.size, restored.keys.missing), (15, 0));
    Ok(())
}
