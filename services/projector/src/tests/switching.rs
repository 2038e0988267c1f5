//! Switching between builds: comparison, readers, and the way back.

use std::time::Duration;

use regions::{DatabaseRole, ReadModels, Resident};
use runtime::Shutdown;
use schemas::Position;
use sqlx::PgPool;

use super::{
    checking::{MENDING, lived_in},
    world::{World, comment, opened},
};
use crate::{
    BuildState, Projector, RebuildOptions, Selection, check, drop_build, projections, rebuild,
    rebuild::{Purpose, Workshop},
    rebuild_with, switch,
};

const UNSWITCHED: RebuildOptions = RebuildOptions { accept_differences: false, switch: false };

async fn states(world: &World, projection: &str) -> anyhow::Result<Vec<(i32, BuildState)>> {
    let builds = crate::builds(&mut *world.deps.pool.acquire().await?).await?;
    let of = builds.into_iter().filter(|build| build.projection == projection);
    Ok(of.map(|build| (build.version, build.state)).collect())
}

#[tokio::test]
async fn a_row_that_differs_is_named_and_nothing_is_switched_unless_that_is_accepted() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let ticket_list = Selection::named(&["ticket_list"])?;
    rebuild_with(&world.deps, &ticket_list, UNSWITCHED, &|_| {}).await?;
    let spoil =
        "update read_ticket_list_2.ticket_list set subject = 'spoilt' where ticket_id in (7, 11) and tenant_id = ";
    assert_eq!(world.as_owner(spoil, &acme).await?, 2);
    let rebuilt = rebuild(&world.deps, &ticket_list, &|_| {}).await?;
    let [difference] = rebuilt.builds[0].differences.as_slice() else { panic!("{rebuilt:?}") };
    assert_eq!((difference.tenant_id, difference.table), (acme.tenant_id(), "ticket_list"));
    assert_eq!((difference.live_rows, difference.replayed_rows), (12, 12));
    assert_eq!(difference.first_key.as_deref(), Some("7"));
    assert!(!rebuilt.builds[0].is_switched);
    let (serving, complete) = ((1, BuildState::Serving), (2, BuildState::Complete));
    assert_eq!(states(&world, "ticket_list").await?, [serving, complete]);

    assert!(rebuild_with(&world.deps, &ticket_list, MENDING, &|_| {}).await?.is_done());
    assert_eq!(states(&world, "ticket_list").await?, [(1, BuildState::Previous), (2, BuildState::Serving)]);
    Ok(())
}

#[tokio::test]
async fn one_can_switch_back_and_forth_and_older_builds_go_away() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let audits = Selection::named(&["audits"])?;
    assert!(rebuild(&world.deps, &audits, &|_| {}).await?.is_done());
    world.say(&acme, "ticket-1", vec![comment("After the switch.")]).await?;
    world.catch_up(&acme).await?;
    let before = world.fingerprints(&acme).await?;

    assert!(switch(&world.deps, ("audits", 1), &|_| {}).await?.is_done());
    assert_eq!(states(&world, "audits").await?, [(1, BuildState::Serving), (2, BuildState::Previous)]);
    assert_eq!(world.fingerprints(&acme).await?, before, "it was brought up to date first");
    assert!(switch(&world.deps, ("audits", 1), &|_| {}).await?.is_done(), "twice is once");
    assert!(switch(&world.deps, ("audits", 2), &|_| {}).await?.is_done());

    assert!(rebuild(&world.deps, &audits, &|_| {}).await?.is_done());
    let all = [(1, BuildState::Complete), (2, BuildState::Previous), (3, BuildState::Serving)];
    assert_eq!(states(&world, "audits").await?, all);
    assert!(rebuild(&world.deps, &audits, &|_| {}).await?.is_done());
    let all = [(2, BuildState::Complete), (3, BuildState::Previous), (4, BuildState::Serving)];
    assert_eq!(states(&world, "audits").await?, all);
    assert_eq!(world.fingerprints(&acme).await?, before);

    drop_build(&world.deps, ("audits", 3), false).await?;
    let refused = drop_build(&world.deps, ("audits", 4), false).await.expect_err("it serves");
    assert_eq!(refused.to_string(), "version: audits is read in version 4: switch to another first");
    let refused = switch(&world.deps, ("audits", 3), &|_| {}).await.expect_err("it is gone");
    assert_eq!(refused.to_string(), "version: audits has no version 3; there are 2, 4");
    Ok(())
}

#[tokio::test]
async fn a_build_in_which_a_tenant_cannot_come_as_far_is_not_switched_to() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let flip = "update vault.data_key set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)
                where key_id = (select key_id from log.event where position = 10 and tenant_id = data_key.tenant_id)
                and tenant_id = ";
    assert_eq!(world.as_owner(flip, &acme).await?, 1);
    let deps = world.restarted().await?;
    let rebuilt = rebuild(&deps, &Selection::all(), &|_| {}).await?;
    let refused: Vec<_> = rebuilt.refused.iter().map(|one| (one.projection, one.position.get())).collect();
    assert_eq!(refused.len(), 6, "{refused:?}");
    for built in &rebuilt.builds {
        let is_halted = refused.iter().any(|(projection, _)| *projection == built.projection);
        assert_eq!(built.is_switched, !is_halted, "{}", built.projection);
    }
    assert_eq!(world.status(&acme, "ticket_thread").await?.position, Position::new(38), "readers keep what they have");

    assert_eq!(world.as_owner(flip, &acme).await?, 1);
    assert!(
        rebuild(&world.restarted().await?, &Selection::all(), &|_| {}).await?.is_done(),
        "after the fix it goes on"
    );
    Ok(())
}

/// What a reader sees of a tenant, in one transaction as the desk makes it: comments, audits, and the tickets' versions.
async fn seen(pool: &PgPool, resident: &Resident) -> anyhow::Result<[i64; 3]> {
    let models = ReadModels::new(crate::shapes());
    let mut transaction = regions::begin_reading(pool, resident, &models).await?;
    let row = sqlx::query!(
        r#"select (select count(*) from comment where tenant_id = $1) as "comments!",
                  (select count(*) from audit where tenant_id = $1) as "audits!",
                  (select coalesce(sum(version), 0)::bigint from ticket_list where tenant_id = $1) as "versions!""#,
        resident.tenant_id().get(),
    )
    .fetch_one(&mut *transaction)
    .await?;
    Ok([row.comments, row.audits, row.versions])
}

/// Reads until it is stopped, and tells if what was there once was not there later.
async fn watch(pool: PgPool, resident: Resident, mut before: [i64; 3], stop: Shutdown) -> anyhow::Result<u64> {
    let mut readings = 0;
    while !stop.is_requested() {
        let now = seen(&pool, &resident).await?;
        anyhow::ensure!(
            before.iter().zip(now).all(|(before, now)| *before <= now),
            "back in time: {before:?}, {now:?}"
        );
        (before, readings) = (now, readings + 1);
    }
    Ok(readings)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reader_goes_back_in_time_and_no_event_is_lost_while_builds_are_switched() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let (projecting, watching) = (Shutdown::new(), Shutdown::new());
    projecting.spawn(Projector::new(world.deps.clone()).run(projecting.clone()));
    let desk = world.test.pool(DatabaseRole::Desk).await?;
    let seen = seen(&desk, &acme).await?;
    let watched = watching.spawn(watch(desk, acme.clone(), seen, watching.clone()));
    let rebuilding = async {
        for round in 0..3 {
            let rebuilt = rebuild(&world.deps, &Selection::all(), &|_| {}).await?;
            anyhow::ensure!(rebuilt.is_done(), "round {round}: {rebuilt:?}");
        }
        let previous = states(&world, "audits").await?;
        let (version, _) = previous.into_iter().find(|(_, state)| *state == BuildState::Previous).expect("kept");
        anyhow::ensure!(switch(&world.deps, ("audits", version), &|_| {}).await?.is_done());
        anyhow::Ok(())
    };
    let (stop, mut written) = (Shutdown::new(), Vec::new());
    let writing = async {
        let mut number = 100;
        while !stop.is_requested() {
            number += 1;
            world.say(&acme, &format!("ticket-{number}"), vec![opened("Kettle"), comment("Meanwhile.")]).await?;
            if number % 8 == 0 {
                // A tenant that appears while builds are made.
                let late = world.tenant(&format!("late-{number}")).await?;
                world.say(&late, "ticket-1", vec![opened("Kettle"), comment("Late.")]).await?;
                written.push((late, 2));
            }
        }
        anyhow::Ok(38 + 2 * (number - 100))
    };
    let rebuilding = async {
        let done = rebuilding.await;
        stop.request();
        done
    };
    let (head, done) = tokio::join!(writing, rebuilding);
    done?;
    written.push((acme.clone(), head?));
    for (tenant, head) in &written {
        for projection in crate::PROJECTIONS {
            world.reaches(tenant, projection, *head).await?;
        }
    }
    watching.request();
    assert!(watched.await?? > 20, "it has looked");
    assert!(projecting.drain(Duration::from_secs(10)).await);
    assert!(written.len() > 1, "tenants appeared");
    let checked = check(&world.deps, &Selection::all(), &|_| {}).await?;
    assert!(checked.is_clean() && checked.tenants == written.len(), "{checked:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_to_a_build_that_is_behind_would_be_seen_by_the_watcher() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let mut workshop = Workshop::open(&world.deps, projections::ALL).await?;
    let build = workshop.create(projections::ALL[4], Purpose::Serve, world.deps.clock.now()).await?;
    workshop.complete(&build, world.deps.clock.now()).await?;
    let watching = Shutdown::new();
    let desk = world.test.pool(DatabaseRole::Desk).await?;
    let seen = seen(&desk, &acme).await?;
    assert_eq!(seen[1], 24);
    let watched = watching.spawn(watch(desk, acme.clone(), seen, watching.clone()));
    // What the switch does, without what makes it safe.
    sqlx::query!("update read.serving set version = 2 where projection = 'audits'").execute(&world.deps.pool).await?;
    let caught = tokio::time::timeout(Duration::from_secs(30), watched).await??;
    assert!(caught.is_err_and(|error| error.to_string().starts_with("back in time")));
    Ok(())
}
