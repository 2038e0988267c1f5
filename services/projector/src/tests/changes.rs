//! The projection `changes`.

use jiff::SignedDuration;
use regions::Resident;
use schemas::{
    ticket::{StatusSet, TicketErased},
    values::Status,
};

use super::{
    people::added,
    world::{World, comment, opened, ticket},
};
use crate::{Selection, rebuild};

/// Tickets with their last position, people with theirs, and seconds since the first with their first position.
type Found = (Vec<(i64, i64, bool)>, Vec<(i64, i64)>, Vec<(i64, i64)>);

async fn found(world: &World, tenant: &Resident) -> anyhow::Result<Found> {
    let mut conn = world.reader().await?;
    let id = tenant.tenant_id().get();
    let tickets = sqlx::query!(
        "select ticket_id, position, is_erased from ticket_change where tenant_id = $1 order by position",
        id
    )
    .fetch_all(&mut conn)
    .await?;
    let people =
        sqlx::query!("select person_id, position from person_change where tenant_id = $1 order by position", id)
            .fetch_all(&mut conn)
            .await?;
    let moments = sqlx::query!("select second, first_position from moment where tenant_id = $1 order by second", id)
        .fetch_all(&mut conn)
        .await?;
    let first = moments.first().map_or(0, |moment| moment.second);
    Ok((
        tickets.into_iter().map(|row| (row.ticket_id, row.position, row.is_erased)).collect(),
        people.into_iter().map(|row| (row.person_id, row.position)).collect(),
        moments.into_iter().map(|row| (row.second - first, row.first_position)).collect(),
    ))
}

#[tokio::test]
async fn a_thing_stands_where_it_changed_last_and_time_never_goes_back() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let later = |seconds| world.test.clock.advance(SignedDuration::from_secs(seconds));
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.say(&acme, "ticket-2", vec![opened("Toaster")]).await?;
    later(5);
    world.say(&acme, "person-3", vec![added(3, "Ann", None)]).await?;
    world.catch_up(&acme).await?;
    later(-3);
    world.say(&acme, "ticket-1", vec![ticket(StatusSet { status: Status::Open })]).await?;
    world.catch_up(&acme).await?;
    later(1);
    world.say(&acme, "ticket-3", vec![opened("Fridge")]).await?;
    later(9);
    world.say(&acme, "ticket-2", vec![ticket(TicketErased { attachments: vec![] })]).await?;
    world.catch_up(&acme).await?;
    let live = found(&world, &acme).await?;
    let moments = vec![(0, 1), (5, 4), (12, 7)];
    assert_eq!(live, (vec![(1, 5, false), (3, 6, false), (2, 7, true)], vec![(3, 4)], moments));
    rebuild(&world.deps, &Selection::all(), &|_| {}).await?;
    assert_eq!(found(&world, &acme).await?, live, "also when it is filled at once");
    Ok(())
}
