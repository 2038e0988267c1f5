//! An event that cannot be applied halts its tenant in that projection, and nobody and nothing else.

use std::collections::BTreeSet;

use schemas::{
    Position,
    tenant::{PlanChosen, TenantEvent},
    values::Plan,
};

use super::{
    accounts,
    world::{Draft, World, comment, opened},
};
use crate::{
    Error, Selection,
    build::Build,
    catch_up,
    checkpoint::Patience,
    delivery::Delivery,
    feed,
    follow::{self, Manner},
    projections::{self, Projection},
    step::{self, Step},
};

const TICKET_PROJECTIONS: [&str; 3] = ["ticket_list", "ticket_thread", "audits"];

#[tokio::test]
async fn a_forged_key_halts_one_tenant_where_it_matters_and_the_fix_lets_it_go_on() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (acme, other) = (world.tenant("acme").await?, world.tenant("other").await?);
    for tenant in [&acme, &other] {
        world.say(tenant, "tenant", vec![accounts::registered("Acme Inc.")]).await?;
        world.say(tenant, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
        world.say(tenant, "ticket-1", vec![comment("Poisoned.")]).await?;
        world.say(tenant, "ticket-1", vec![comment("After.")]).await?;
    }
    let flip = "update vault.data_key set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)
                where key_id = (select key_id from log.event where position = 4 and tenant_id = data_key.tenant_id)
                and tenant_id = ";
    assert_eq!(world.as_owner(flip, &acme).await?, 1);

    assert_eq!(catch_up(&world.deps, &acme).await?, Position::new(3), "up to the event before");
    assert_eq!(catch_up(&world.deps, &other).await?, Position::new(5), "nobody else halts");
    for projection in TICKET_PROJECTIONS {
        let status = world.status(&acme, projection).await?;
        assert_eq!((status.position.get(), status.lag_positions()), (3, 2), "{projection}");
        let halted = status.halted.expect("halted");
        assert_eq!((halted.position.get(), halted.event_type.as_str()), (4, "comment_added"));
        assert_eq!(halted.reason, "its wrapped data key does not open");
    }
    for projection in ["account", "people"] {
        let status = world.status(&acme, projection).await?;
        assert_eq!((status.position.get(), status.halted), (5, None), "{projection} has no use for comments");
    }
    let comments =
        sqlx::query_scalar!(r#"select count(*) as "count!" from comment where tenant_id = $1"#, acme.tenant_id().get());
    assert_eq!(comments.fetch_one(&mut world.reader().await?).await?, 1, "nothing after it is applied");

    assert_eq!(world.as_owner(flip, &acme).await?, 1);
    assert_eq!(catch_up(&world.deps, &acme).await?, Position::new(5));
    for projection in TICKET_PROJECTIONS {
        assert_eq!(world.status(&acme, projection).await?.halted, None, "{projection}");
    }
    let comments =
        sqlx::query_scalar!(r#"select count(*) as "count!" from comment where tenant_id = $1"#, acme.tenant_id().get());
    assert_eq!(comments.fetch_one(&mut world.reader().await?).await?, 3, "nothing was skipped");
    Ok(())
}

#[tokio::test]
async fn everything_before_a_refused_command_is_applied() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    for number in 1..=40 {
        // PostgreSQL's text takes no NUL. The rules refuse it; bytes from elsewhere may hold it.
        let body = if number == 27 { "a\\u0000b" } else { "ok" };
        let raw = format!(r#"{{"author":7,"public":true,"body":"{body}","attachments":[]}}"#);
        let drafts = vec![opened("Kettle"), Draft::raw("comment_added", 1, &raw)];
        world.say(&acme, &format!("ticket-{number}"), drafts).await?;
    }
    world.catch_up(&acme).await?;
    for projection in TICKET_PROJECTIONS {
        let status = world.status(&acme, projection).await?;
        assert_eq!(status.position, Position::new(52), "{projection}");
        let halted = status.halted.expect("halted");
        assert!((53..=54).contains(&halted.position.get()), "{projection}: {halted:?}");
        assert!(halted.reason.starts_with("the rows were refused (SQLSTATE 22"), "{projection}: {halted:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_event_nobody_knows_yet_halts_instead_of_slipping_by() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.say(&acme, "ticket-1", vec![Draft::raw("ticket_merged", 1, r#"{"into":2}"#)]).await?;
    world.catch_up(&acme).await?;
    for projection in TICKET_PROJECTIONS {
        let halted = world.status(&acme, projection).await?.halted.expect("halted");
        assert_eq!((halted.position.get(), halted.event_type.as_str()), (3, "ticket_merged"), "{projection}");
    }
    Ok(())
}

#[tokio::test]
async fn a_payload_that_does_not_fit_is_reported_without_its_data() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let wrong = Draft::raw("comment_added", 2, r#"{"author":"jane@example.com","body":"secret"}"#);
    world.say(&acme, "ticket-1", vec![opened("Kettle"), wrong]).await?;
    world.catch_up(&acme).await?;
    let halted = world.status(&acme, "ticket_thread").await?.halted.expect("halted");
    assert!(halted.reason.starts_with("comment_added: the payload does not have the shape of its version"));
    assert!(!halted.reason.contains("jane") && !halted.reason.contains("secret"), "{}", halted.reason);
    Ok(())
}

#[tokio::test]
async fn an_event_without_what_it_changes_halts_only_the_projection_it_concerns() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let plan = TenantEvent::from(PlanChosen { plan: Plan::Team });
    world.say(&acme, "tenant", vec![plan.into()]).await?;
    world.catch_up(&acme).await?;
    let halted = world.status(&acme, "account").await?.halted.expect("halted");
    assert_eq!(halted.reason, "changes a tenant that was never registered");
    assert_eq!(world.status(&acme, "ticket_list").await?.position, Position::new(1));
    Ok(())
}

#[tokio::test]
async fn a_hole_in_the_log_itself_halts_before_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    for number in 1..=3 {
        world.say(&acme, &format!("ticket-{number}"), vec![opened("Kettle"), comment("It whistles.")]).await?;
    }
    world.as_owner("delete from log.event where position = 3 and tenant_id = ", &acme).await?;
    world.catch_up(&acme).await?;
    for projection in crate::PROJECTIONS {
        let halted = world.status(&acme, projection).await?.halted.expect("halted");
        assert_eq!(halted.position, Position::new(3), "{projection}");
        assert_eq!(halted.reason, "the log has no event at this position, and has later ones");
    }
    Ok(())
}

#[tokio::test]
async fn a_hole_right_after_the_checkpoint_halts_a_follower() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.catch_up(&acme).await?;
    for body in ["Lost.", "There."] {
        world.say(&acme, "ticket-1", vec![comment(body)]).await?;
    }
    world.as_owner("delete from log.event where position = 3 and tenant_id = ", &acme).await?;
    let manner = Manner { patience: Patience::Leave, delivery: Delivery::default() };
    let (mut halted, all) = (BTreeSet::new(), crate::PROJECTIONS.iter().copied().collect::<BTreeSet<_>>());
    // A projection whose gate is not free is passed over, and comes with a later round.
    for _ in 0..100 {
        halted.extend(follow::round(&world.deps, &acme, projections::ALL, &manner).await?.halted);
        if halted == all {
            break;
        }
    }
    assert_eq!(halted, all);
    assert_eq!(world.status(&acme, "audits").await?.halted.expect("halted").position, Position::new(3));
    Ok(())
}

#[tokio::test]
async fn a_log_that_ends_before_its_head_halts_instead_of_looking_finished() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.say(&acme, "ticket-1", vec![comment("Lost.")]).await?;
    world.as_owner("delete from log.event where position = 3 and tenant_id = ", &acme).await?;
    assert_eq!(world.catch_up(&acme).await?, Position::new(2));
    let halted = world.status(&acme, "ticket_list").await?.halted.expect("halted");
    assert_eq!(halted.position, Position::new(3));
    Ok(())
}

#[tokio::test]
async fn an_envelope_nobody_can_read_halts_every_projection() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.catch_up(&acme).await?;
    world.say(&acme, "ticket-1", vec![comment("More.")]).await?;
    world.as_owner("update log.event set stream = 'voyage-1' where position = 3 and tenant_id = ", &acme).await?;
    assert_eq!(world.catch_up(&acme).await?, Position::new(2));
    for projection in crate::PROJECTIONS {
        let halted = world.status(&acme, projection).await?.halted.expect("halted");
        assert_eq!(halted.reason, "the envelope's stream is unreadable", "{projection}");
    }
    let rebuilt = crate::rebuild(&world.deps, &crate::Selection::all(), &|_| {}).await?;
    assert_eq!(rebuilt.refused.len(), crate::PROJECTIONS.len(), "and no rebuild hides it");
    Ok(())
}

#[tokio::test]
async fn what_stands_before_an_unreadable_envelope_is_applied_and_never_half_a_command() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.say(&acme, "ticket-1", vec![comment("More.")]).await?;
    world.say(&acme, "ticket-1", vec![comment("Half."), comment("Spoilt.")]).await?;
    world.say(&acme, "ticket-1", vec![comment("After.")]).await?;
    world.as_owner("update log.event set stream = 'voyage-1' where position = 5 and tenant_id = ", &acme).await?;
    assert_eq!(world.catch_up(&acme).await?, Position::new(3));
    for projection in crate::PROJECTIONS {
        let status = world.status(&acme, projection).await?;
        assert_eq!(status.position, Position::new(3), "{projection}");
        assert_eq!(status.halted.expect("halted").position, Position::new(5), "{projection}");
    }
    let checked = crate::check(&world.deps, &Selection::all(), &|_| {}).await?;
    assert!(checked.is_clean(), "what comes after the live rows is no concern of a check: {checked:?}");
    Ok(())
}

#[tokio::test]
async fn a_projection_that_panics_halts_like_one_that_refuses() -> anyhow::Result<()> {
    static PANICS: Projection = Projection {
        name: "audits",
        shape: 1,
        tables_sql: "",
        indexes_sql: "",
        tables: &[],
        reads: |_| true,
        passes_over: &[],
        span: || tracing::Span::none(),
        apply: |_, _, events| {
            Box::pin(async {
                assert!(events.iter().all(|event| event.position < Position::new(3)), "a broken invariant");
                Ok(())
            })
        },
    };
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    for number in 1..=4 {
        world.say(&acme, &format!("ticket-{number}"), vec![opened("Kettle")]).await?;
    }
    world.prepare(&acme).await?;
    let batch = feed::read(&world.deps, &acme, Position::ZERO).await?;
    let step = step::step(
        &world.deps,
        &Build { projection: &PANICS, version: 1, is_serving: true },
        (&acme, &batch.events),
        Patience::Leave,
    )
    .await?;
    assert_eq!(step, Step::Halted);
    let status = world.status(&acme, "audits").await?;
    assert_eq!(status.position, Position::new(2), "everything before it is applied");
    let halted = status.halted.expect("halted");
    assert_eq!((halted.position.get(), halted.reason.as_str()), (3, "the projection panicked"));
    Ok(())
}

#[tokio::test]
async fn a_store_that_fails_one_projection_keeps_none_of_the_others() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.alter("alter table comment rename to comment_away").await?;
    // The second time, those that have gone on are at another position than the one that has not.
    for head in [2, 4] {
        world.say(&acme, &format!("ticket-{head}"), vec![opened("Kettle"), comment("It whistles.")]).await?;
        let failed = catch_up(&world.deps, &acme).await;
        assert!(matches!(failed, Err(Error::Write { projection: "ticket_thread", .. })), "{failed:?}");
        for projection in projections::ALL {
            let status = world.status(&acme, projection.name).await?;
            let expected = if projection.name == "ticket_thread" { 0 } else { head };
            assert_eq!((status.position.get(), status.halted), (expected, None), "{}", projection.name);
        }
    }
    world.alter("alter table comment_away rename to comment").await?;
    assert_eq!(world.catch_up(&acme).await?, Position::new(4));
    Ok(())
}
