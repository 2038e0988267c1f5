//! One tenant in its place: gone, behind, damaged, or with another history.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use eventlog::restore::{self, Claim, Put};
use regions::{DatabaseRole, Resident};
use replicator::fence;
use restorer::{
    Absent, Error, RegionRestore, RestoreProgress, RestoredTenant, Step, TenantOutcome, TenantRestore, absent,
    restore_region, restore_tenant,
};
use schemas::Position;
use tokio::runtime::Handle;

use crate::ground::{Ground, Seen, ground};

async fn restore(eu: &Ground, tenant: &Resident, sets_aside: bool) -> Result<RestoredTenant, Error> {
    let tenant_id = tenant.tenant_id();
    let asked = TenantRestore::of(tenant_id, sets_aside);
    restore_tenant(&eu.deps, &asked, &|_| ()).await
}

async fn state(eu: &Ground, tenant: &Resident) -> anyhow::Result<String> {
    let state = sqlx::query_scalar!("select state from log.tenant where tenant_id = $1", tenant.tenant_id().get());
    Ok(state.fetch_one(&mut eu.owner().await?).await?)
}

/// What stands in the way of each tenant, and when it takes writes again.
async fn named(eu: &Ground) -> anyhow::Result<Vec<String>> {
    let behind = fence::find_behind(&eu.deps.replicator).await?;
    Ok(behind.iter().map(|tenant| tenant.line(&eu.deps.region().id)).collect())
}

/// What is told of a tenant's restores: where the log ended before, where its archive and it end now, and how much is set aside.
async fn told(eu: &Ground, tenant: &Resident) -> anyhow::Result<Vec<[i64; 4]>> {
    let restored = eventlog::restore::restored(&mut eu.owner().await?).await?.into_iter();
    let of_tenant = restored.filter(|restored| restored.tenant_id == tenant.tenant_id());
    let told = of_tenant.map(|restored| {
        assert_eq!(restored.command, "domicile restore");
        let told = restored.told;
        [told.old_end.get(), told.archived.get(), told.new_end.get(), i64::try_from(told.set_aside).expect("a few")]
    });
    Ok(told.collect())
}

#[tokio::test]
async fn a_tenant_that_was_deleted_comes_back_and_its_neighbours_are_untouched() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    let (before, neighbour) = (eu.seen(&acme).await?, eu.seen(&globex).await?);
    assert_eq!(absent(&eu.deps).await?, []);
    let (id, mut owner) = (acme.tenant_id().get(), eu.owner().await?);
    for table in ["log.tree_head", "log.mark", "log.event", "log.tenant", "vault.data_key", "vault.tenant_key"] {
        let mut statement = sqlx::QueryBuilder::new(format!("delete from {table} where tenant_id = "));
        statement.push_bind(id).build().execute(&mut owner).await?;
    }
    projector::forget(&mut owner, acme.tenant_id()).await?;
    // A database that was put back to a time before somebody came looks so, too; no log of it tells, and the directory does.
    assert_eq!(fence::find_behind(&eu.deps.replicator).await?, []);
    let (slug, tenant_id) = ("acme".parse()?, acme.tenant_id());
    assert_eq!(absent(&eu.deps).await?, [Absent { tenant_id, slug, archived: 13 }]);

    let restored = restore(&eu, &acme, false).await?;
    assert_eq!(absent(&eu.deps).await?, []);
    assert_eq!((restored.size, restored.root), (13, before.root));
    assert_eq!(restored.put, Put { added: 13, ..Put::default() });
    eu.project(&acme).await?;
    assert_eq!(eu.seen(&acme).await?, before);
    assert_eq!(eu.seen(&globex).await?, neighbour);
    Ok(())
}

#[tokio::test]
async fn a_database_that_was_put_back_is_closed_and_brought_forward() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    assert_eq!(fence::close_behind(&eu.deps.replicator).await?, []);
    let (before, neighbour) = (eu.seen(&acme).await?, eu.seen(&globex).await?);
    eu.put_back(&acme, 8).await?;

    let behind = fence::close_behind(&eu.deps.replicator).await?;
    let [found] = behind.as_slice() else { panic!("{behind:?}") };
    assert_eq!(
        found.to_string(),
        "tenant acme: the published checkpoint is at position 13, the database ends at 8: 5 events are missing"
    );
    let refused = eu.ticket(&acme, 1, 1).await.expect_err("it is closed");
    assert!(refused.to_string().contains("not at home"), "{refused:#}");
    assert_eq!(eu.seen(&globex).await?, neighbour);

    let restored = restore(&eu, &acme, false).await?;
    assert_eq!(restored.put, Put { same: 8, added: 5, ..Put::default() });
    eu.project(&acme).await?;
    // The refused comment has left a key that seals nothing.
    let after = eu.seen(&acme).await?;
    assert!(before.keys.iter().all(|key| after.keys.contains(key)));
    assert_eq!(Seen { keys: before.keys.clone(), ..after }, before);
    assert_eq!(eu.seen(&globex).await?, neighbour);
    assert_eq!(fence::close_behind(&eu.deps.replicator).await?, []);
    eu.ticket(&acme, 1, 1).await?;
    assert_eq!((told(&eu, &acme).await?, told(&eu, &globex).await?), (vec![[8, 13, 13, 0]], vec![]));
    Ok(())
}

#[tokio::test]
async fn a_log_that_went_on_from_an_older_state_is_not_mixed_with_its_archive() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let before = eu.seen(&acme).await?;
    eu.put_back(&acme, 8).await?;
    eu.ticket(&acme, 8, 7).await?;
    eu.project(&acme).await?;
    let forked = eu.seen(&acme).await?;

    let refused = restore(&eu, &acme, false).await.expect_err("both cannot be");
    let at = Position::new(9);
    assert!(
        matches!(refused, Error::Log(eventlog::Error::Forked { position, events: 7, .. }) if position == at),
        "{refused:?}"
    );
    assert_eq!(state(&eu, &acme).await?, "behind");
    assert_eq!(eu.seen(&acme).await?.events, forked.events, "nothing was thrown away");
    let named = named(&eu).await?.concat();
    let (why, remedy) = named.split_once("; it takes no writes until: ").context("a line with a remedy")?;
    assert!(why.ends_with("holds 15: it went on from an older state"), "{why}");
    assert_eq!(remedy, "domicile restore tenant --region eu --tenant acme --set-aside");

    let restored = restore(&eu, &acme, true).await?;
    assert_eq!(restored.put, Put { same: 8, added: 5, set_aside: 7, ..Put::default() });
    eu.project(&acme).await?;
    assert_eq!(eu.seen(&acme).await?.rows, before.rows, "what was read of the other history is gone");
    assert_eq!(eu.seen(&acme).await?.events, before.events);
    let kept = sqlx::query_scalar!(r#"select count(*) as "count!" from log.set_aside"#);
    assert_eq!(kept.fetch_one(&mut eu.owner().await?).await?, 7);
    assert_eq!(told(&eu, &acme).await?, [[15, 13, 13, 7]], "the refused one is nothing that was done");
    Ok(())
}

#[tokio::test]
async fn damaged_rows_are_mended_and_what_is_not_archived_yet_stays() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    eu.ticket(&acme, 1, 3).await?;
    eu.project(&acme).await?;
    let before = eu.seen(&acme).await?;
    let mut owner = eu.owner().await?;
    let id = acme.tenant_id().get();
    sqlx::query!("update log.event set payload = '\\x00' where tenant_id = $1 and position = 5", id)
        .execute(&mut owner)
        .await?;
    sqlx::query!("update log.event set actor = 'nobody' where tenant_id = $1 and position = 6", id)
        .execute(&mut owner)
        .await?;
    sqlx::query!("delete from log.event where tenant_id = $1 and position = 8", id).execute(&mut owner).await?;

    let restored = restore(&eu, &acme, false).await?;
    assert_eq!(restored.put, Put { same: 10, added: 1, mended: 2, set_aside: 0 });
    assert_eq!(restored.kept, 3);
    eu.project(&acme).await?;
    assert_eq!(eu.seen(&acme).await?, before);
    eu.settle(&acme).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_the_archive_is_read_stays_and_opens() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let written = AtomicBool::new(false);
    // Until everything is known the tenant serves, and makes keys that the archive does not know.
    let progress = |at: RestoreProgress| {
        let is_read = at.steps[&Step::Read] == at.events && at.steps[&Step::Written] == 0;
        if is_read && !written.swap(true, Ordering::Relaxed) {
            tokio::task::block_in_place(|| Handle::current().block_on(eu.ticket(&acme, 9, 3))).expect("it serves");
        }
    };
    let restored = restore_tenant(&eu.deps, &TenantRestore::of(acme.tenant_id(), false), &progress).await?;
    assert_eq!((restored.kept, restored.keys), (3, vault::Stored::default()), "{restored:?}");
    let events = eventlog::read_log(&mut eu.owner().await?, &acme, Position::new(13), 9).await?;
    let opened = eu.test.vault(DatabaseRole::Desk).await?.open_all(&acme, &events).await?;
    assert_eq!((opened.len(), opened.iter().flatten().count()), (3, 3));
    Ok(())
}

#[tokio::test]
async fn a_hole_beyond_the_archive_is_named_and_nothing_is_opened_over_it() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    eu.ticket(&acme, 1, 4).await?;
    let id = acme.tenant_id().get();
    sqlx::query!("delete from log.event where tenant_id = $1 and position = 15", id)
        .execute(&mut eu.owner().await?)
        .await?;
    let refused = restore(&eu, &acme, false).await.expect_err("15 is nowhere");
    let Error::Log(eventlog::Error::TailDamaged { position, events, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!((position.get(), events), (15, 2));
    assert_eq!(state(&eu, &acme).await?, "behind");
    let restored = restore(&eu, &acme, true).await?;
    assert_eq!((restored.kept, restored.put.set_aside), (1, 2));
    assert_eq!(eu.seen(&acme).await?.head.0, 14);
    Ok(())
}

/// Lets a restore end right before a table is written to, as if it was killed there.
async fn killed_at(eu: &Ground, table: &str, tenant: &Resident, sets_aside: bool) -> anyhow::Result<()> {
    let (schema, name) = table.split_once('.').expect("a table in a schema");
    let mut owner = eu.owner().await?;
    let rename = |schema: &str, from: &str, to: &str| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("alter table {schema}.{from} rename to {to}")))
    };
    rename(schema, name, "away").execute(&mut owner).await?;
    let killed = restore(eu, tenant, sets_aside).await;
    rename(schema, "away", name).execute(&mut owner).await?;
    assert!(matches!(killed, Err(Error::ReadModels(_) | Error::Log(eventlog::Error::Restore(_)))), "{killed:?}");
    assert_eq!(state(eu, tenant).await?, "restoring");
    Ok(())
}

#[tokio::test]
async fn read_models_of_another_history_are_forgotten_also_after_a_kill() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let before = eu.seen(&acme).await?;
    eu.put_back(&acme, 8).await?;
    eu.ticket(&acme, 8, 7).await?;
    eu.project(&acme).await?;
    killed_at(&eu, "read.checkpoint", &acme, true).await?;
    // As a program left it that did not note it yet.
    let mut owner = eu.owner().await?;
    sqlx::query!("update log.restore set has_changed = false").execute(&mut owner).await?;
    let upgrade = eventlog::MIGRATIONS.iter().find(|migration| migration.version == 1012).context("it is there")?;
    sqlx::raw_sql(upgrade.sql.clone()).execute(&mut owner).await?;

    let restored = restore(&eu, &acme, true).await?;
    assert_eq!(restored.put, Put { same: 13, ..Put::default() }, "the first call has put everything");
    assert_eq!(told(&eu, &acme).await?, [[15, 13, 13, 7]], "by both calls together");
    eu.project(&acme).await?;
    assert_eq!(eu.seen(&acme).await?.rows, before.rows, "what was read of the other history is gone");
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_was_closed_is_closed_again_after_its_restore() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    for earlier in ["closed", "moving", "active", "behind"] {
        eu.test.clock.advance(jiff::SignedDuration::from_secs(1));
        eu.put_back(&acme, 8).await?;
        eu.ticket(&acme, 8, 2).await?;
        sqlx::query!("update log.tenant set state = $2 where tenant_id = $1", acme.tenant_id().get(), earlier)
            .execute(&mut eu.owner().await?)
            .await?;
        // Through a refusal, and through a kill.
        restore(&eu, &acme, false).await.expect_err("it went on from an older state");
        killed_at(&eu, "log.mark", &acme, true).await?;
        restore(&eu, &acme, true).await?;
        let now = if earlier == "behind" { "active" } else { earlier };
        assert_eq!(state(&eu, &acme).await?, now, "{earlier}");
        sqlx::query!("update log.tenant set state = 'active' where tenant_id = $1", acme.tenant_id().get())
            .execute(&mut eu.owner().await?)
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn while_one_restores_a_tenant_another_is_refused_and_nobody_is_told_to_begin_one() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    killed_at(&eu, "log.mark", &acme, false).await?;
    let id = acme.tenant_id();
    let claim = Claim::take(eu.owner().await?, &restore::place(id)).await?.context("whoever was killed has none")?;
    let refused = restore(&eu, &acme, false).await.expect_err("somebody is at it");
    assert_eq!(
        refused.to_string(),
        format!("tenant {id}: another process is at work on it; try again when it is done")
    );
    let named = named(&eu).await?;
    assert_eq!(named, ["tenant acme: is being restored; it takes no writes until that is done"]);
    // The restore of its region passes it over.
    eu.lose_database().await?;
    let region = restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await?;
    assert!(matches!(region.tenants[&id], TenantOutcome::Refused(Error::UnderWay { .. })), "{region:?}");
    claim.release().await;
    restore(&eu, &acme, false).await?;
    Ok(())
}

#[tokio::test]
async fn a_tenant_whose_restore_was_killed_is_named_until_it_is_finished() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    // Nothing of it is behind: its rows are whole, and its head is the published one.
    killed_at(&eu, "log.mark", &acme, false).await?;
    let named = fence::find_behind(&eu.deps.replicator).await?;
    let named: Vec<_> = named.iter().map(ToString::to_string).collect();
    assert_eq!(named, ["tenant acme: a restore of it was begun and is not finished"]);
    restore(&eu, &acme, false).await?;
    assert_eq!(fence::find_behind(&eu.deps.replicator).await?, []);
    Ok(())
}
