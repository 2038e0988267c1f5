//! Drills: tenants that are restored beside the living ones and compared.

use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
};

use archive::{DrillReport, Verifier, layout};
use eventlog::restore::Claim;
use jiff::SignedDuration;
use regions::Resident;
use restorer::{Error, RestoreProgress, Step, beside, drill};
use runtime::Shutdown;
use schemas::{
    PersonId, StreamName,
    person::{PersonDeleted, PersonErased, PersonEvent},
};
use tokio::runtime::Handle;
use vault::Scope;

use crate::ground::{Ground, ground};

async fn drilled(eu: &Ground, tenants: &[&Resident]) -> anyhow::Result<DrillReport> {
    let ids: Vec<_> = tenants.iter().map(|tenant| tenant.tenant_id()).collect();
    Ok(drill::drill(&eu.deps, &ids, &|_| ()).await?)
}

/// What a drill of one tenant finds; nothing, if it comes back as it lives.
async fn finding(eu: &Ground, tenant: &Resident) -> anyhow::Result<Option<String>> {
    let report = drilled(eu, &[tenant]).await?;
    assert_eq!(report.is_clean(), report.tenants[0].finding.is_none());
    Ok(report.tenants[0].finding.clone())
}

async fn verified_to(eu: &Ground, tenant: &Resident) -> anyhow::Result<Option<i64>> {
    let marks = eventlog::marks(&mut eu.owner().await?, tenant).await?;
    Ok(marks.verified.map(|mark| mark.position.get()))
}

async fn signed(eu: &Ground, id: &str) -> anyhow::Result<DrillReport> {
    let object = eu.deps.replicator.bucket.get(&layout::drill(id)).await?.expect("it was published");
    let verifier = Verifier::new("domicile/eu".to_owned(), eu.test.signing_key.public_key());
    Ok(DrillReport::open(&object.body, &verifier)?)
}

#[tokio::test]
async fn a_drill_restores_compares_signs_and_moves_the_mark() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    // What comes meanwhile: the archive is brought forward first.
    eu.ticket(&acme, 1, 2).await?;
    eu.project(&acme).await?;
    let neighbour = eu.seen(&globex).await?;
    let made = drilled(&eu, &[&acme]).await?;
    assert!(made.is_clean(), "{made:?}");
    let tenant = &made.tenants[0];
    assert_eq!((tenant.size, tenant.compared_at, tenant.root), (15, 15, Some(eu.seen(&acme).await?.root)));
    assert!(tenant.tables.iter().any(|table| table.table == "people.person" && table.rows == 1), "{tenant:?}");
    assert_eq!(signed(&eu, &made.drill_id).await?, made, "signed as it was printed");
    assert_eq!(replicator::show_drill(&eu.deps.replicator, &made.drill_id).await?, made);
    assert_eq!(verified_to(&eu, &acme).await?, Some(15));
    assert_eq!(beside::list(&eu.deps).await?, [], "the scratch is gone");
    assert_eq!(eu.seen(&globex).await?, neighbour, "nobody else was touched");
    Ok(())
}

#[tokio::test]
async fn who_was_erased_is_erased_in_what_a_drill_restores() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let erased: [PersonEvent; 2] = [PersonDeleted {}.into(), PersonErased {}.into()];
    eu.append(&acme, StreamName::Person(PersonId::new(7)), 1, erased.map(Into::into).to_vec()).await?;
    eu.erase(&acme, Scope::Person(PersonId::new(7))).await?;
    eu.project(&acme).await?;
    assert_eq!(finding(&eu, &acme).await?, None);
    Ok(())
}

#[tokio::test]
async fn rows_that_are_not_what_the_log_says_are_found_and_signed() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    sqlx::raw_sql("update read_people_1.person set name = 'Somebody else'").execute(&mut eu.owner().await?).await?;
    let made = drilled(&eu, &[&acme]).await?;
    let found = made.tenants[0].finding.clone().unwrap_or_default();
    assert!(found.contains("people.person at position 13: 1 living rows, 1 restored, and not the same"), "{found}");
    assert_eq!(signed(&eu, &made.drill_id).await?, made, "what is wrong is signed too");
    assert_eq!(verified_to(&eu, &acme).await?, None);
    assert_eq!(beside::list(&eu.deps).await?, [], "the scratch is gone all the same");
    Ok(())
}

#[tokio::test]
async fn an_archive_that_was_touched_and_a_key_that_is_in_no_export_are_found() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    // The controls.
    assert_eq!([finding(&eu, &acme).await?, finding(&eu, &globex).await?], [None, None]);
    eu.flip(&acme, "events/000000000001-000000000013.seg.zst")?;
    let keys = eu.keys_folder(&globex);
    for export in fs::read_dir(&keys)? {
        let export = export?.path();
        let text = fs::read_to_string(&export)?;
        let mut whole: serde_json::Value = serde_json::from_str(&text)?;
        let data_keys = whole["data_keys"].as_array_mut().expect("keys");
        data_keys.retain(|key| key["scope"] != "ticket-2");
        fs::write(export, whole.to_string())?;
    }
    let made = drilled(&eu, &[&acme, &globex]).await?;
    let findings: Vec<_> = made.tenants.iter().map(|tenant| tenant.finding.clone().unwrap_or_default()).collect();
    assert!(findings[0].contains("the archive is wrong"), "{findings:?}");
    assert!(findings[1].contains("1 keys of its events are in no export"), "{findings:?}");
    Ok(())
}

#[tokio::test]
async fn rows_of_the_living_log_that_are_not_the_archives_are_found() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    sqlx::raw_sql("update log.event set leaf = sha256('another') where position = 5")
        .execute(&mut eu.owner().await?)
        .await?;
    let found = finding(&eu, &acme).await?.unwrap_or_default();
    assert!(found.contains("the living log has root"), "{found}");
    Ok(())
}

/// What a process that was killed leaves.
async fn leave_scratch(eu: &Ground) -> anyhow::Result<()> {
    let scratch = eu.copy_of_region("drill-0123456789abcdef")?;
    let scratch = &scratch.postgres().expect("a database").database;
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database \"{scratch}\"")))
        .execute(&mut eu.owner().await?)
        .await?;
    assert_eq!(beside::list(&eu.deps).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn scratch_of_the_dead_is_swept_in_every_round_and_at_the_end_unless_somebody_is_at_work() -> anyhow::Result<()> {
    let eu = ground().await?;
    let mut worker = drill::Worker::new(eu.deps.clone());
    leave_scratch(&eu).await?;
    let at_work = Claim::take(eu.owner().await?, "a drill").await?.expect("nobody else");
    worker.round().await?;
    assert_eq!(beside::list(&eu.deps).await?.len(), 1, "somebody is at work on it");
    at_work.release().await;
    worker.round().await?;
    assert_eq!(beside::list(&eu.deps).await?, [], "though no drill was due");

    // A drill that is interrupted: its connection is gone a moment later.
    leave_scratch(&eu).await?;
    let interrupted = Claim::take(eu.owner().await?, "a drill").await?.expect("nobody else");
    let shutdown = Shutdown::new();
    shutdown.request();
    let (_, ()) = tokio::join!(interrupted.release(), worker.run(shutdown));
    assert_eq!(beside::list(&eu.deps).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_that_is_gone_when_it_is_looked_for_again_wakes_nobody() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let spoil = "update read_people_1.person set name = 'Somebody else'";
    let before = eu.seen(&acme).await?.rows;
    sqlx::raw_sql(spoil).execute(&mut eu.owner().await?).await?;
    let times_whole = AtomicU32::new(0);
    // The first look has restored everything once; when that is told again, the second has begun, and the rows are made anew.
    let progress = |at: RestoreProgress| {
        let is_whole = at.steps[&Step::Written] == at.events;
        if is_whole && times_whole.fetch_add(1, Ordering::Relaxed) == 1 {
            let again = async {
                projector::forget(&mut eu.owner().await?, acme.tenant_id()).await?;
                eu.project(&acme).await
            };
            tokio::task::block_in_place(|| Handle::current().block_on(again)).expect("made anew");
        }
    };
    let report = drill::drill(&eu.deps, &[acme.tenant_id()], &progress).await?;
    assert!(times_whole.load(Ordering::Relaxed) > 1 && report.is_clean(), "{report:?}");
    assert_eq!(eu.seen(&acme).await?.rows, before);
    Ok(())
}

#[tokio::test]
async fn who_has_moved_away_meanwhile_is_no_finding() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    sqlx::query!("update log.tenant set state = 'moving' where tenant_id = $1", acme.tenant_id().get())
        .execute(&mut eu.owner().await?)
        .await?;
    let report = drilled(&eu, &[&acme, &globex]).await?;
    let ids: Vec<_> = report.tenants.iter().map(|tenant| tenant.tenant_id).collect();
    assert_eq!((ids, report.is_clean()), (vec![globex.tenant_id()], true));
    let nobody = drill::drill(&eu.deps, &[acme.tenant_id()], &|_| ()).await.expect_err("a report of nobody");
    assert!(matches!(nobody, Error::NotOpen { .. }), "{nobody:?}");
    assert_eq!(replicator::drills(&eu.deps.replicator).await?, [report.drill_id]);
    Ok(())
}

#[tokio::test]
async fn who_was_drilled_longest_ago_is_next_and_scratch_of_the_dead_is_swept() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let mut tenants = Vec::new();
    for slug in ["acme", "globex", "initech", "umbrella"] {
        let tenant = eu.tenant(slug).await?;
        eu.settle(&tenant).await?;
        tenants.push(tenant);
    }
    tenants.sort_by_key(Resident::tenant_id);
    let ids: Vec<_> = tenants.iter().map(Resident::tenant_id).collect();
    assert_eq!(
        drill::sample(&eu.deps, eu.test.region.drill_sample).await?,
        ids[..3],
        "three, where nothing else is said"
    );
    leave_scratch(&eu).await?;
    drilled(&eu, &[&tenants[1], &tenants[2]]).await?;
    assert_eq!(beside::list(&eu.deps).await?, []);
    eu.test.clock.advance(SignedDuration::from_mins(5));
    drilled(&eu, &[&tenants[0]]).await?;
    assert_eq!(drill::sample(&eu.deps, 2).await?, [ids[3], ids[1]]);
    Ok(())
}

#[tokio::test]
async fn how_long_ago_the_drill_of_the_tenant_was_that_waits_longest_is_shown() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.test.clock.advance(SignedDuration::from_hours(1));
    let globex = eu.tenant("globex").await?;
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    eu.deps.replicator.region.drill_sample = 1;
    let metrics = eu.test.metrics.clone();
    let shown = || (metrics.drill_oldest_age_seconds.get(), metrics.drill_age_seconds.get());
    let mut worker = drill::Worker::new(eu.deps.clone());
    worker.round().await?;
    assert_eq!(shown(), (3600.0, 3600.0), "there was none: since the first came");
    let day = SignedDuration::from_hours(24);
    eu.test.clock.advance(day);
    worker.round().await?;
    assert_eq!(shown(), (86400.0, 0.0), "one was drilled, and the other is there for a day");
    eu.test.clock.advance(day);
    worker.round().await?;
    assert_eq!(shown(), (86400.0, 0.0), "it is the other's turn, and the first one's is a day ago");
    sqlx::query!("update log.tenant set state = 'moving' where tenant_id = $1", acme.tenant_id().get())
        .execute(&mut eu.owner().await?)
        .await?;
    worker.round().await?;
    assert_eq!(shown(), (0.0, 0.0), "who has moved away waits for none");
    Ok(())
}

#[tokio::test]
async fn of_two_drills_at_once_one_is_refused() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let ids = [acme.tenant_id()];
    let both = tokio::join!(drill::drill(&eu.deps, &ids, &|_| ()), drill::drill(&eu.deps, &ids, &|_| ()));
    let (done, refused) = match both {
        (Ok(done), Err(refused)) | (Err(refused), Ok(done)) => (done, refused),
        other => panic!("{other:?}"),
    };
    assert!(done.is_clean() && matches!(refused, Error::UnderWay { .. }), "{refused:?}");
    assert_eq!(replicator::drills(&eu.deps.replicator).await?, [done.drill_id]);
    Ok(())
}

#[tokio::test]
async fn a_drill_by_the_clock_is_done_when_it_is_due_and_shows_what_is_wrong() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let day = eu.test.region.drill_every.expect("once a day, where nothing else is said");
    let metrics = eu.test.metrics.clone();
    let mut worker = drill::Worker::new(eu.deps.clone());
    worker.round().await?;
    assert_eq!(replicator::drills(&eu.deps.replicator).await?, Vec::<String>::new(), "the tenant is new");
    assert_eq!(metrics.drill_interval_seconds.get(), day.as_secs_f64());

    eu.test.clock.advance(day);
    worker.round().await?;
    assert_eq!(replicator::drills(&eu.deps.replicator).await?.len(), 1);
    assert_eq!((metrics.drill_age_seconds.get(), metrics.drill_wrong_tenants.get()), (0.0, 0));
    assert_eq!(verified_to(&eu, &acme).await?, Some(13));

    sqlx::raw_sql("update read_people_1.person set name = 'Somebody else'").execute(&mut eu.owner().await?).await?;
    eu.test.clock.advance(day);
    worker.round().await?;
    assert_eq!((metrics.drill_age_seconds.get(), metrics.drill_wrong_tenants.get()), (0.0, 1));
    eu.test.clock.advance(SignedDuration::from_hours(1));
    worker.round().await?;
    assert_eq!(
        (metrics.drill_age_seconds.get(), metrics.drill_wrong_tenants.get()),
        (3600.0, 1),
        "until it is the same"
    );
    Ok(())
}
