//! What is known before anything is changed is refused before anything is changed: a tenant that serves goes on serving.

use std::fs;

use jiff::SignedDuration;
use regions::Resident;
use restorer::{Error, Named, RestorerDeps, TenantRestore, restore_tenant};
use schemas::{Epoch, PersonId};
use vault::{RegionKey, Scope};

use crate::ground::{Ground, Seen, ground};

/// Two generations; the second holds an erasure.
async fn serving() -> anyhow::Result<(Ground, Resident, Seen)> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    eu.erase(&acme, Scope::Person(PersonId::new(7))).await?;
    eu.settle(&acme).await?;
    let seen = eu.seen(&acme).await?;
    assert_eq!((seen.head.3.as_str(), seen.archived.map(|position| position.get())), ("active", Some(14)));
    Ok((eu, acme, seen))
}

/// Why its restore was refused. The tenant is as it was, takes appends, and nobody has begun anything.
async fn refused(eu: &Ground, deps: &RestorerDeps, (acme, before): (&Resident, &Seen)) -> anyhow::Result<Error> {
    let asked = TenantRestore::of(acme.tenant_id(), false);
    let refused = restore_tenant(deps, &asked, &|_| ()).await.expect_err("it cannot be restored so");
    let begun = sqlx::query_scalar!(r#"select count(*) as "count!" from log.restore"#);
    assert_eq!(begun.fetch_one(&mut eu.owner().await?).await?, 0, "{refused}");
    assert_eq!(eu.seen(acme).await?, *before, "{refused}");
    Ok(refused)
}

#[tokio::test]
async fn a_clock_behind_the_newest_event_or_manifest_closes_no_tenant() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    eu.ticket(&acme, 1, 2).await?;
    eu.test.clock.advance(SignedDuration::from_hours(1));
    eu.settle(&acme).await?;
    let before = eu.seen(&acme).await?;
    for (back, what) in [(-30, "manifest of acme was made at 2026-11-22T11:00:00"), (-60, "event of acme was made at")]
    {
        eu.test.clock.advance(SignedDuration::from_mins(back));
        let refused = refused(&eu, &eu.deps, (&acme, &before)).await?;
        assert!(matches!(refused, Error::ClockBehind { .. }), "{refused:?}");
        let line = refused.to_string();
        assert!(line.starts_with("this machine's clock says") && line.contains(what), "{line}");
    }
    eu.ticket(&acme, 1, 1).await?;
    eu.test.clock.advance(SignedDuration::from_mins(90));
    let asked = TenantRestore::of(acme.tenant_id(), false);
    assert_eq!(restore_tenant(&eu.deps, &asked, &|_| ()).await?.kept, 1, "what came meanwhile stays");
    Ok(())
}

#[tokio::test]
async fn neither_a_foreign_key_region_or_name_nor_a_spoilt_archive_or_export_closes_a_tenant() -> anyhow::Result<()> {
    let (eu, acme, before) = serving().await?;
    let at = (&acme, &before);
    let (id, other) = (acme.tenant_id(), eu.test.folder.path().join("other-region.key"));

    let foreign =
        RestorerDeps { region_key: RegionKey::load_or_create(&other, eu.test.ids.as_ref())?, ..eu.deps.clone() };
    assert!(matches!(refused(&eu, &foreign, at).await?, Error::Keys(_)));
    let mut foreign = eu.deps.clone();
    foreign.replicator.region = foreign.replicator.region.with_id("jp".parse()?);
    let line = refused(&eu, &foreign, at).await?.chain();
    assert!(line.contains("jp"), "{line}");
    let renamed = [(id, Named { slug: "globex".parse()?, epoch: Epoch::FIRST })].into();
    assert!(matches!(
        refused(&eu, &RestorerDeps { names: renamed, ..eu.deps.clone() }, at).await?,
        Error::AnotherName { .. }
    ));
    let nobody = RestorerDeps { names: [].into(), ..eu.deps.clone() };
    assert!(matches!(refused(&eu, &nobody, at).await?, Error::NotAtHome { .. }));
    eu.flip(&acme, "events/000000000014-000000000014.seg.zst")?;
    assert!(matches!(refused(&eu, &eu.deps, at).await?, Error::WrongArchive { .. }));
    eu.flip(&acme, "events/000000000014-000000000014.seg.zst")?;
    for export in fs::read_dir(eu.keys_folder(&acme))? {
        let export = export?.path();
        let mut whole: serde_json::Value = serde_json::from_slice(&fs::read(&export)?)?;
        for key in whole["data_keys"].as_array_mut().expect("keys").iter_mut().filter(|key| key["scope"] == "ticket-2")
        {
            // Nothing that it seals is opened by a restore.
            key["wrapped"] = "AAAA".into();
        }
        fs::write(export, whole.to_string())?;
    }
    assert!(matches!(refused(&eu, &eu.deps, at).await?, Error::Keys(_)));
    Ok(())
}

#[tokio::test]
async fn an_erasure_that_no_key_opens_closes_no_tenant() -> anyhow::Result<()> {
    let (eu, acme, _) = serving().await?;
    // It lies in the second segment: the first one alone would be restored.
    fs::remove_dir_all(eu.keys_folder(&acme))?;
    sqlx::query!("delete from vault.data_key where tenant_id = $1 and scope = 'general'", acme.tenant_id().get())
        .execute(&mut eu.owner().await?)
        .await?;
    let before = eu.seen(&acme).await?;
    let refused = refused(&eu, &eu.deps, (&acme, &before)).await?;
    assert!(matches!(refused, Error::UnreadableErasure { position, .. } if position.get() == 14), "{refused:?}");
    Ok(())
}
