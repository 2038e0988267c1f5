//! Rebuilding, and the check that must find what is wrong.

use std::sync::Mutex;

use regions::Resident;
use schemas::Position;

use super::{
    accounts, people,
    world::{Draft, World, comment, opened},
};
use crate::{Error, RebuildOptions, Selection, check, rebuild, rebuild_with};

/// A rebuild that mends rows finds them different.
pub(super) const MENDING: RebuildOptions = RebuildOptions { accept_differences: true, switch: true };

pub(super) async fn lived_in(world: &World) -> anyhow::Result<Resident> {
    let acme = world.tenant("acme").await?;
    world.say(&acme, "tenant", vec![accounts::registered("Acme Inc.")]).await?;
    world.say(&acme, "person-3", vec![people::added(3, "Ann", None)]).await?;
    for number in 1..=12 {
        world.say(&acme, &format!("ticket-{number}"), vec![opened("Kettle"), comment("It whistles.")]).await?;
        world.say(&acme, &format!("ticket-{number}"), vec![comment("More.")]).await?;
    }
    world.catch_up(&acme).await?;
    Ok(acme)
}

#[tokio::test]
async fn a_rebuild_makes_the_same_rows_and_tells_how_far_it_is() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let before = world.fingerprints(&acme).await?;
    let told = Mutex::new(Vec::new());
    let rebuilt =
        rebuild(&world.deps, &Selection::all(), &|progress| told.lock().expect("no panic").push(progress)).await?;
    assert_eq!((rebuilt.tenants, rebuilt.events, rebuilt.refused.len()), (1, 38, 0));
    assert_eq!(world.fingerprints(&acme).await?, before);
    assert_eq!(world.status(&acme, "audits").await?.position, Position::new(38));
    let told = told.into_inner().expect("no panic");
    assert!(told.is_sorted_by_key(|progress| progress.events_done));
    let last = told.last().expect("progress was told");
    assert_eq!((last.tenants_done, last.tenants_total), (1, 1));
    assert_eq!((last.events_done, last.events_total), (14 * 38, 14 * 38));
    Ok(())
}

#[tokio::test]
async fn progress_is_counted_over_everything_selected_even_what_is_refused() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let other = world.tenant("other").await?;
    world.say(&other, "ticket-1", vec![opened("Kettle"), Draft::raw("comment_added", 9, "{}"), comment("No.")]).await?;
    world.say(&acme, "ticket-1", vec![comment("Above the live rows.")]).await?;
    let selection = Selection::named(&["ticket_list", "audits"])?;
    let done = Mutex::new(Vec::new());
    let tell = |progress: crate::RebuildProgress| {
        assert_eq!((progress.events_total, progress.tenants_total), (2 * (39 + 3), 2));
        done.lock().expect("no panic").push(progress.events_done);
    };
    check(&world.deps, &selection, &tell).await?;
    rebuild(&world.deps, &selection, &tell).await?;
    let done = done.into_inner().expect("no panic");
    let runs: Vec<_> = done.chunk_by(|one, next| one <= next).collect();
    assert_eq!(runs.iter().map(|run| run.last().copied()).collect::<Vec<_>>(), [Some(84), Some(84)], "{done:?}");
    Ok(())
}

#[tokio::test]
async fn a_rebuild_makes_everything_from_nothing() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let before = world.fingerprints(&acme).await?;
    world
        .alter(
            "truncate account, agent_group, person, api_token, ticket_list, comment, attachment, audit, audit_ticket",
        )
        .await?;
    world.as_owner("delete from read.checkpoint where tenant_id = ", &acme).await?;
    // Nobody waits for anybody else's row.
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, rebuild(&world.deps, &Selection::all(), &|_| {})).await??;
    assert_eq!(world.fingerprints(&acme).await?, before);
    assert_eq!(world.status(&acme, "audits").await?.position, Position::new(38));
    Ok(())
}

#[tokio::test]
async fn a_rebuild_mends_what_was_spoilt_and_reads_what_was_new() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let before = world.fingerprints(&acme).await?;
    world.as_owner("update ticket_list set subject = 'spoilt' where tenant_id = ", &acme).await?;
    world.as_owner("delete from read.checkpoint where tenant_id = ", &acme).await?;
    rebuild_with(&world.deps, &Selection::named(&["ticket_list"])?, MENDING, &|_| {}).await?;
    assert_eq!(world.fingerprints(&acme).await?, before);
    assert_eq!(world.status(&acme, "ticket_list").await?.position, Position::new(38));
    assert_eq!(world.status(&acme, "audits").await?.position, Position::ZERO, "only what was selected");
    Ok(())
}

#[tokio::test]
async fn a_projection_that_cannot_be_replayed_keeps_its_rows() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let before = world.fingerprints(&acme).await?;
    world.say(&acme, "ticket-1", vec![Draft::raw("comment_added", 9, "{}")]).await?;
    let rebuilt = rebuild(&world.deps, &Selection::all(), &|_| {}).await?;
    let refused: Vec<_> = rebuilt.refused.iter().map(|refused| (refused.projection, refused.position.get())).collect();
    let readers = ["ticket_list", "ticket_thread", "audits", "changes", "search", "ticket_metrics"];
    assert_eq!(refused, readers.map(|projection| (projection, 39)));
    assert_eq!(world.fingerprints(&acme).await?, before);
    Ok(())
}

#[tokio::test]
async fn the_check_is_clean_on_what_the_projector_wrote_and_changes_nothing() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    // What the projector has not handled yet is no difference.
    world.say(&acme, "ticket-1", vec![comment("Not read yet.")]).await?;
    let before = world.fingerprints(&acme).await?;
    let checked = check(&world.deps, &Selection::all(), &|_| {}).await?;
    assert!(checked.is_clean(), "{checked:?}");
    assert_eq!((checked.tenants, checked.rows), (1, 1 + 1 + 12 + 24 + 24 + 12 + (12 + 1 + 1) + (24 + 24 + 1) + 12));
    assert_eq!(world.fingerprints(&acme).await?, before);
    assert_eq!(world.status(&acme, "audits").await?.position, Position::new(38));
    Ok(())
}

#[tokio::test]
async fn the_check_finds_a_corrupted_a_missing_and_a_surplus_row() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = lived_in(&world).await?;
    let corruptions = [
        ("update ticket_list set priority = 'low' where ticket_id = 11 and tenant_id = ", "ticket_list", 0, Some("11")),
        ("delete from comment where comment_id = 256 and tenant_id = ", "comment", -1, Some("256")),
        (
            "insert into agent_group (group_id, name, created_at, tenant_id) select 4, 'x', now(), id from
             (values (1)) as one cross join lateral (select $1::uuid as id) as tenant where id = ",
            "agent_group",
            1,
            Some("4"),
        ),
        ("update audit set events = events - 0 where audit_id = 255 and tenant_id = ", "audit", 0, Some("255")),
        ("update person set name = 'Eve' where tenant_id = ", "person", 0, Some("3")),
    ];
    for (corruption, table, surplus, key) in corruptions {
        assert_eq!(world.as_owner(corruption, &acme).await?, 1, "{corruption}");
        let checked = check(&world.deps, &Selection::all(), &|_| {}).await?;
        let [difference] = checked.differences.as_slice() else { panic!("{table}: {checked:?}") };
        assert_eq!((difference.table, difference.first_key.as_deref()), (table, key));
        assert_eq!(difference.live_rows - difference.replayed_rows, surplus);
        rebuild_with(&world.deps, &Selection::all(), MENDING, &|_| {}).await?;
    }
    assert!(check(&world.deps, &Selection::all(), &|_| {}).await?.is_clean());
    Ok(())
}

#[test]
fn a_name_no_projection_has_is_refused_with_the_names_there_are() {
    let Err(error @ Error::UnknownProjection { .. }) = Selection::named(&["tickets"]) else { panic!("refused") };
    assert_eq!(
        error.to_string(),
        "projection: takes account, people, ticket_list, ticket_thread, audits, audit_log, jobs, changes, ticket_fields, rules, webhooks, sessions, search, ticket_metrics, not \"tickets\""
    );
}
