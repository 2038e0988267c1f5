//! The projection `people`.

use schemas::{
    PersonId, TokenId,
    person::{
        ApiTokenIssued, ApiTokenRevoked, PasswordSet, PersonAdded, PersonEmailChanged, PersonEvent, PersonRenamed,
        RoleChanged,
    },
    values::Role,
};

use super::world::{Draft, World};

fn person(event: impl Into<PersonEvent>) -> Draft {
    let event: PersonEvent = event.into();
    event.into()
}

pub(super) fn added(id: i64, name: &str, email: Option<&str>) -> Draft {
    person(PersonAdded {
        person: PersonId::new(id),
        name: name.to_owned().into(),
        email: email.map(str::to_owned).into(),
        role: Role::EndUser,
    })
}

fn moved_to(email: &str) -> Draft {
    person(PersonEmailChanged { email: Some(email.to_owned()).into() })
}

fn issued(token: i64) -> Draft {
    person(ApiTokenIssued {
        token: TokenId::new(token),
        token_sha256: format!("{token:064}").into(),
        description: "ci".to_owned().into(),
        expires_at: None,
    })
}

#[tokio::test]
async fn a_profile_shows_its_last_change_in_one_batch_or_many() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (at_once, bit_by_bit) = (world.tenant("at-once").await?, world.tenant("bit-by-bit").await?);
    let changes: [fn() -> Draft; 5] = [
        || added(3, "Ann", Some("ann@example.com")),
        || person(PersonRenamed { name: "Anna".to_owned().into() }),
        || moved_to("anna@example.com"),
        || person(RoleChanged { role: Role::Agent }),
        || person(PasswordSet { phc: "$argon2id$x".to_owned().into() }),
    ];
    for change in changes {
        world.say(&at_once, "person-3", vec![change()]).await?;
        world.say(&bit_by_bit, "person-3", vec![change()]).await?;
        world.catch_up(&bit_by_bit).await?;
    }
    world.catch_up(&at_once).await?;
    for tenant in [at_once, bit_by_bit] {
        let row = sqlx::query!(
            "select name, email, role, password_phc from person where tenant_id = $1 and person_id = 3",
            tenant.tenant_id().get()
        )
        .fetch_one(&mut world.reader().await?)
        .await?;
        assert_eq!((row.name.as_str(), row.email.as_deref()), ("Anna", Some("anna@example.com")), "{}", tenant.slug());
        assert_eq!((row.role.as_str(), row.password_phc.as_deref()), ("agent", Some("$argon2id$x")));
    }
    Ok(())
}

#[tokio::test]
async fn two_people_may_swap_their_addresses_in_one_batch() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "person-1", vec![added(1, "Ann", Some("x@example.com"))]).await?;
    world.say(&acme, "person-2", vec![added(2, "Bob", Some("y@example.com"))]).await?;
    world.catch_up(&acme).await?;
    world.say(&acme, "person-1", vec![moved_to("z@example.com")]).await?;
    world.say(&acme, "person-2", vec![moved_to("x@example.com")]).await?;
    world.say(&acme, "person-1", vec![moved_to("y@example.com")]).await?;
    assert_eq!(world.catch_up(&acme).await?.get(), 5, "nothing halts");
    Ok(())
}

#[tokio::test]
async fn a_token_stays_revoked() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let revoked = |token| person(ApiTokenRevoked { token: TokenId::new(token) });
    // Token 8 is issued and revoked in one batch, token 9 in two.
    world.say(&acme, "person-3", vec![added(3, "Ann", None), issued(8), revoked(8), issued(9), issued(10)]).await?;
    world.catch_up(&acme).await?;
    world.say(&acme, "person-3", vec![revoked(9)]).await?;
    world.catch_up(&acme).await?;
    let tokens = sqlx::query!(
        r#"select token_id, person_id, revoked_at is null as "works!" from api_token where tenant_id = $1
           order by token_id"#,
        acme.tenant_id().get()
    )
    .fetch_all(&mut world.reader().await?)
    .await?;
    let tokens: Vec<_> = tokens.iter().map(|token| (token.token_id, token.person_id, token.works)).collect();
    assert_eq!(tokens, [(8, 3, false), (9, 3, false), (10, 3, true)]);
    Ok(())
}
