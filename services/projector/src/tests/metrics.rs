//! The projection `ticket_metrics`.

use jiff::SignedDuration;
use regions::Resident;
use runtime::Clock;
use schemas::{
    GroupId, PersonId, RuleId,
    ticket::{AssigneeSet, GroupSet, RuleApplied, StatusSet, TicketErased, TicketImported},
    values::{RuleKind, Status, Visibility},
};

use super::world::{World, comment, comment_of, opened, ticket};
use crate::{Selection, rebuild};

/// The moments of a ticket, in minutes since it was opened.
type Moments = [Option<i64>; 9];

async fn moments(world: &World, tenant: &Resident) -> anyhow::Result<Moments> {
    let row = sqlx::query!(
        r#"select array(select extract(epoch from at - created_at)::bigint / 60 from unnest(array[updated_at, status_updated_at,
                  initially_assigned_at, assigned_at, assignee_updated_at, latest_comment_added_at, first_replied_at,
                  first_solved_at, solved_at]) with ordinality as moment (at, place) order by place) as "minutes!: Vec<Option<i64>>"
           from ticket_metric where tenant_id = $1 and ticket_id = 1"#,
        tenant.tenant_id().get()
    )
    .fetch_one(&mut world.reader().await?)
    .await?;
    Ok(row.minutes.try_into().expect("nine of them"))
}

/// How often, and for how many minutes.
async fn counts(world: &World, tenant: &Resident) -> anyhow::Result<([i32; 4], [i64; 3])> {
    let row = sqlx::query!(
        "select replies, reopens, group_stations, assignee_stations, requester_wait_seconds, agent_wait_seconds, hold_seconds
         from ticket_metric where tenant_id = $1 and ticket_id = 1",
        tenant.tenant_id().get()
    )
    .fetch_one(&mut world.reader().await?)
    .await?;
    let seconds = [row.requester_wait_seconds, row.agent_wait_seconds, row.hold_seconds];
    Ok(([row.replies, row.reopens, row.group_stations, row.assignee_stations], seconds.map(|seconds| seconds / 60)))
}

fn status(status: Status) -> super::world::Draft {
    ticket(StatusSet { status })
}

fn assignee(person: Option<i64>) -> super::world::Draft {
    ticket(AssigneeSet { assignee: person.map(PersonId::new) })
}

#[tokio::test]
async fn what_a_ticket_waits_for_is_measured_from_change_to_change() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let later = |minutes| world.test.clock.advance(SignedDuration::from_mins(minutes));
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    later(5);
    world.say(&acme, "ticket-1", vec![assignee(Some(7)), status(Status::Open)]).await?;
    later(5);
    let internal = comment_of("Hm.", Visibility::Internal, &[]);
    world.say(&acme, "ticket-1", vec![internal, status(Status::Hold)]).await?;
    world.catch_up(&acme).await?;
    assert_eq!(counts(&world, &acme).await?, ([0, 0, 1, 1], [10, 0, 0]));
    later(10);
    world.say(&acme, "ticket-1", vec![comment("Unplug it."), status(Status::Pending)]).await?;
    later(20);
    let group = ticket(GroupSet { group: Some(GroupId::new(6)) });
    world.say(&acme, "ticket-1", vec![status(Status::Solved), group]).await?;
    world.catch_up(&acme).await?;
    assert_eq!(counts(&world, &acme).await?, ([1, 0, 2, 1], [20, 20, 10]));
    later(40);
    world.say(&acme, "ticket-1", vec![status(Status::Open), assignee(None)]).await?;
    world.catch_up(&acme).await?;
    let open = moments(&world, &acme).await?;
    assert_eq!(open, [Some(80), Some(80), Some(5), None, Some(80), Some(20), Some(20), Some(40), Some(40)]);
    later(10);
    world.say(&acme, "ticket-1", vec![assignee(Some(9)), status(Status::Solved)]).await?;
    later(10);
    world.say(&acme, "ticket-1", vec![status(Status::Closed)]).await?;
    world.catch_up(&acme).await?;
    let closed = (moments(&world, &acme).await?, counts(&world, &acme).await?);
    let moments_of = [Some(100), Some(100), Some(5), Some(90), Some(80), Some(20), Some(20), Some(40), Some(90)];
    assert_eq!(closed, (moments_of, ([1, 1, 2, 2], [30, 20, 10])), "closing what is solved solves nothing");
    rebuild(&world.deps, &Selection::all(), &|_| {}).await?;
    assert_eq!((moments(&world, &acme).await?, counts(&world, &acme).await?), closed, "also when it is filled at once");
    Ok(())
}

#[tokio::test]
async fn what_happened_elsewhere_happened_then() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let ago = |hours| world.test.clock.now() - SignedDuration::from_hours(hours);
    let imported = ticket(TicketImported {
        created_at: ago(50),
        updated_at: ago(10),
        solved_at: Some(ago(20)),
        said_at: vec![ago(50), ago(40)],
    });
    let said = vec![opened("Kettle"), comment("It whistles."), comment("No more."), status(Status::Solved), imported];
    world.say(&acme, "ticket-1", said).await?;
    world.catch_up(&acme).await?;
    let hours = moments(&world, &acme).await?.map(|minutes| minutes.map(|minutes| minutes / 60));
    assert_eq!(hours, [Some(40), Some(30), None, None, None, Some(10), None, Some(30), Some(30)]);
    assert_eq!(counts(&world, &acme).await?, ([0, 0, 1, 0], [0, 0, 0]));
    Ok(())
}

#[tokio::test]
async fn what_an_automation_did_is_noted_with_its_moment_and_goes_with_the_ticket() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let now = world.test.clock.now();
    let by = |rule, kind| {
        ticket(RuleApplied { rule: RuleId::new(rule), kind, said_at: now, title: "Late".to_owned().into(), changes: 1 })
    };
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.say(&acme, "ticket-1", vec![by(4, RuleKind::Automation), status(Status::Open)]).await?;
    world.say(&acme, "ticket-1", vec![by(5, RuleKind::Trigger), status(Status::Pending)]).await?;
    world.catch_up(&acme).await?;
    let mut conn = world.reader().await?;
    let row = sqlx::query!(
        r#"select automated ->> '4' as "seconds!", automated ? '5' as "is_trigger!", automation_updates, version from ticket_metric
           where tenant_id = $1"#,
        acme.tenant_id().get()
    );
    let row = row.fetch_one(&mut conn).await?;
    assert_eq!((row.seconds, row.is_trigger), (now.as_second().to_string(), false));
    assert_eq!((row.automation_updates, row.version), (1, 6));
    world.say(&acme, "ticket-1", vec![ticket(TicketErased { attachments: vec![] })]).await?;
    world.catch_up(&acme).await?;
    let left = sqlx::query_scalar!("select ticket_id from ticket_metric where tenant_id = $1", acme.tenant_id().get());
    assert_eq!(left.fetch_all(&mut conn).await?, Vec::<i64>::new());
    Ok(())
}
