//! Sessions: a row as long as somebody is signed in.

use schemas::{
    PersonId, SessionId,
    person::{PasswordSet, PersonEvent, PersonRenamed, PersonSuspended},
    session::{SessionEnded, SessionEvent, SessionStarted},
};

use super::world::{Draft, World};
use crate::{Selection, rebuild};

const ADA: PersonId = PersonId::new(7);
const BOB: PersonId = PersonId::new(8);

fn draft(event: impl Into<SessionEvent>) -> Draft {
    let event: SessionEvent = event.into();
    event.into()
}

fn of_person(event: impl Into<PersonEvent>) -> Draft {
    let event: PersonEvent = event.into();
    event.into()
}

fn started(session: i64, person: PersonId, expires_at: &str) -> Draft {
    draft(SessionStarted {
        session: SessionId::new(session),
        person,
        secret_sha256: format!("{session:064x}").into(),
        address: Some("192.0.2.7".to_owned()).into(),
        client: None.into(),
        expires_at: expires_at.parse().expect("a moment"),
    })
}

const LATER: &str = "2099-01-01T00:00:00Z";
const LONG_AGO: &str = "2001-01-01T00:00:00Z";

async fn rows(world: &World) -> anyhow::Result<Vec<String>> {
    let rows = sqlx::query_scalar!(
        r#"select concat_ws(' ', session_id, person_id, address) as "row!" from session order by session_id"#
    );
    Ok(rows.fetch_all(&mut world.reader().await?).await?)
}

#[tokio::test]
async fn a_session_has_a_row_until_it_ends_or_its_person_sets_a_password_or_is_suspended() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    for (session, person) in [(31, ADA), (32, ADA), (33, BOB), (34, BOB)] {
        world.say(&acme, &format!("session-{session}"), vec![started(session, person, LATER)]).await?;
    }
    world.catch_up(&acme).await?;
    assert_eq!(rows(&world).await?, ["31 7 192.0.2.7", "32 7 192.0.2.7", "33 8 192.0.2.7", "34 8 192.0.2.7"]);
    world.say(&acme, "session-33", vec![draft(SessionEnded { person: BOB })]).await?;
    world.say(&acme, "person-8", vec![of_person(PersonRenamed { name: "Robert".to_owned().into() })]).await?;
    world.say(&acme, "person-7", vec![of_person(PasswordSet { phc: "$argon2id$x".to_owned().into() })]).await?;
    // Who sets a password signs in anew.
    world.say(&acme, "session-35", vec![started(35, ADA, LATER)]).await?;
    world.catch_up(&acme).await?;
    assert_eq!(rows(&world).await?, ["34 8 192.0.2.7", "35 7 192.0.2.7"]);
    world.say(&acme, "person-8", vec![of_person(PersonSuspended {})]).await?;
    world.catch_up(&acme).await?;
    assert_eq!(rows(&world).await?, ["35 7 192.0.2.7"]);
    let live = world.fingerprints(&acme).await?;
    rebuild(&world.deps, &Selection::named(&["sessions"])?, &|_| {}).await?;
    assert_eq!(world.fingerprints(&acme).await?, live, "in one batch as in many");
    Ok(())
}

#[tokio::test]
async fn what_has_expired_is_cleared_away_when_its_person_signs_in_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "session-31", vec![started(31, ADA, LONG_AGO)]).await?;
    world.say(&acme, "session-32", vec![started(32, BOB, LONG_AGO)]).await?;
    world.catch_up(&acme).await?;
    world.say(&acme, "session-33", vec![started(33, ADA, LATER)]).await?;
    world.catch_up(&acme).await?;
    assert_eq!(rows(&world).await?, ["32 8 192.0.2.7", "33 7 192.0.2.7"]);
    let live = world.fingerprints(&acme).await?;
    rebuild(&world.deps, &Selection::named(&["sessions"])?, &|_| {}).await?;
    assert_eq!(world.fingerprints(&acme).await?, live);
    Ok(())
}
