//! A rebuild that is broken off, anywhere, and begun again.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use schemas::Position;
use tokio::sync::Notify;

use super::{
    checking::lived_in,
    world::{World, comment, opened},
};
use crate::{BuildState, Error, Phase, Rebuilt, Selection, rebuild, rebuild::Workshop};

/// Rebuilds until something was told for the `count`-th time, then lets everything fall, as a kill does: connections included.
async fn broken_off_after(world: &World, count: usize) -> anyhow::Result<Option<Rebuilt>> {
    let (told, enough) = (AtomicUsize::new(0), Notify::new());
    let tell = |_| {
        if told.fetch_add(1, Ordering::Relaxed) + 1 == count {
            enough.notify_one();
        }
    };
    let (deps, all) = (world.restarted().await?, Selection::all());
    tokio::select! {
        biased;
        () = enough.notified() => Ok(None),
        rebuilt = rebuild(&deps, &all, &tell) => Ok(Some(rebuilt?)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_broken_off_at_every_step_goes_on_and_ends_with_the_same_rows() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    // More than one batch.
    for number in 20..26 {
        world.say(&acme, &format!("ticket-{number}"), (0..800).map(|_| opened("Kettle")).collect()).await?;
    }
    world.catch_up(&acme).await?;
    let before = world.fingerprints(&acme).await?;
    let mut attempts = 0;
    // Each attempt may do a little more than the one before, so every step is one at which something is broken off.
    let rebuilt = loop {
        attempts += 1;
        assert!(attempts < 60, "it never comes to an end");
        if let Some(rebuilt) = broken_off_after(&world, attempts).await? {
            break rebuilt;
        }
        assert_eq!(world.fingerprints(&acme).await?, before, "whatever serves is complete");
    };
    assert!(attempts > 7 && rebuilt.is_done(), "{attempts}: {rebuilt:?}");
    assert_eq!(world.fingerprints(&acme).await?, before);
    let builds = crate::builds(&mut *world.deps.pool.acquire().await?).await?;
    let serving: Vec<_> = builds.iter().filter(|build| build.state == BuildState::Serving).collect();
    assert_eq!(serving.len(), crate::PROJECTIONS.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_attempt_has_filled_is_not_filled_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    for number in 20..26 {
        world.say(&acme, &format!("ticket-{number}"), (0..800).map(|_| opened("Kettle")).collect()).await?;
    }
    world.catch_up(&acme).await?;
    let (told, enough) = (Mutex::new(0), Notify::new());
    // Not before the second batch.
    let tell = |progress: crate::RebuildProgress| {
        if progress.events_done > progress.events_total / 2 {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = progress.events_done;
            enough.notify_one();
        }
    };
    let (deps, audits) = (world.restarted().await?, Selection::named(&["audits"])?);
    tokio::select! {
        biased;
        () = enough.notified() => {}
        rebuilt = rebuild(&deps, &audits, &tell) => panic!("it is broken off before: {rebuilt:?}"),
    }
    let rebuilt = rebuild(&world.deps, &audits, &|_| {}).await?;
    assert!(rebuilt.events < 4838 / 2, "{} events were read again", rebuilt.events);
    assert!(rebuilt.is_done());
    assert_eq!(world.status(&acme, "audits").await?.position, Position::new(4838));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rebuilds_at_once_are_refused_and_the_first_goes_on() -> anyhow::Result<()> {
    let world = World::new().await?;
    lived_in(&world).await?;
    let workshop = Workshop::open(&world.deps, crate::projections::ALL).await?;
    let second = rebuild(&world.deps, &Selection::named(&["audits"])?, &|_| {}).await;
    assert!(matches!(second, Err(Error::UnderWay { projection: "audits" })), "{second:?}");
    drop(workshop);
    assert!(rebuild(&world.deps, &Selection::named(&["audits"])?, &|_| {}).await?.is_done());
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_appears_between_two_attempts_is_built_too() -> anyhow::Result<()> {
    let world = World::new().await?;
    lived_in(&world).await?;
    let phases = Mutex::new(Vec::new());
    let options = crate::RebuildOptions { switch: false, ..Default::default() };
    crate::rebuild_with(&world.deps, &Selection::all(), options, &|at| phases.lock().expect("no panic").push(at.phase))
        .await?;
    assert_eq!(phases.lock().expect("no panic").last(), Some(&Phase::Comparing), "and nothing was switched");
    let late = world.tenant("late").await?;
    world.say(&late, "ticket-1", vec![opened("Kettle"), comment("Late.")]).await?;
    world.catch_up(&late).await?;
    let before = world.fingerprints(&late).await?;
    let rebuilt = rebuild(&world.deps, &Selection::all(), &|_| {}).await?;
    assert!(rebuilt.is_done() && rebuilt.builds.iter().all(|built| built.version == 2), "{rebuilt:?}");
    assert_eq!(world.fingerprints(&late).await?, before);
    Ok(())
}
