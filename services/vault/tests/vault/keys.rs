//! Keys are made once, agreed on, wrapped in their place, and held in memory.

use std::collections::HashSet;

use regions::{DatabaseRole, Resident};
use runtime::Ids as _;
use schemas::{EventId, PersonId, TicketId};
use testkit::TestRegion;
use vault::{Error, RegionKey, Scope, Vault};

fn tickets(numbers: impl IntoIterator<Item = i64>) -> Vec<Scope> {
    numbers.into_iter().map(|number| Scope::Ticket(TicketId::new(number))).collect()
}

async fn count(test: &TestRegion, resident: &Resident) -> anyhow::Result<i64> {
    let mut owner = regions::connection(&test.region, DatabaseRole::Owner).await?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from vault.data_key where tenant_id = $1"#,
        resident.tenant_id().get()
    );
    Ok(count.fetch_one(&mut owner).await?)
}

#[tokio::test]
async fn keys_come_in_the_order_of_their_scopes_and_each_scope_has_one() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let vault = test.vault(DatabaseRole::Desk).await?;
    let comment = Scope::Comment(EventId::new(test.ids.uuid()));
    let person = Scope::Person(PersonId::new(7));
    let keys = vault.data_keys(&acme, &[person, Scope::General, comment, person]).await?;
    assert_eq!(keys[0].id(), keys[3].id());
    assert_eq!(keys.iter().map(vault::DataKey::id).collect::<HashSet<_>>().len(), 3);

    let reversed = test.vault(DatabaseRole::Desk).await?.data_keys(&acme, &[comment, Scope::General, person]).await?;
    let ids = |keys: &[vault::DataKey]| keys.iter().map(vault::DataKey::id).collect::<Vec<_>>();
    assert_eq!(ids(&reversed), [keys[2].id(), keys[1].id(), keys[0].id()]);
    assert_eq!(count(&test, &acme).await?, 3);
    Ok(())
}

#[tokio::test]
async fn processes_that_make_the_same_keys_at_once_agree() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let (one, another) = (test.vault(DatabaseRole::Desk).await?, test.vault(DatabaseRole::Desk).await?);
    let makers = (0..32).map(|number| {
        let (vault, acme) = (if number % 2 == 0 { &one } else { &another }, &acme);
        async move {
            // Overlapping scopes in different orders, among them ones that are used once.
            let event = EventId::new(uuid::Uuid::from_u128(5));
            let mut scopes = tickets(1..8);
            scopes.push(Scope::Comment(event));
            scopes.rotate_left(number % 8);
            let keys = vault.data_keys(acme, &scopes).await?;
            anyhow::Ok(scopes.into_iter().zip(keys.into_iter().map(|key| key.id())).collect::<HashSet<_>>())
        }
    });
    let agreed = futures::future::try_join_all(makers).await?;
    assert!(agreed.iter().all(|keys| *keys == agreed[0]), "{agreed:?}");
    assert_eq!(count(&test, &acme).await?, 8);
    Ok(())
}

#[tokio::test]
async fn keys_in_memory_need_no_round_trip() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let pool = test.pool(DatabaseRole::Desk).await?;
    let key = RegionKey::load_or_create(&test.folder.path().join("region.key"), test.ids.as_ref())?;
    let vault = Vault::new(pool.clone(), key, test.clock.clone(), test.ids.clone());
    let scopes = tickets(1..3);
    let before = vault.data_keys(&acme, &scopes).await?;
    let index = vault.blind_index(&acme, "email", "ann@example.com").await?;
    pool.close().await;

    let after = vault.data_keys(&acme, &scopes).await?;
    assert_eq!((before[0].id(), before[1].id()), (after[0].id(), after[1].id()));
    assert_eq!(vault.blind_index(&acme, "email", "ann@example.com").await?, index);
    let absent = vault.data_keys(&acme, &tickets([3])).await;
    assert!(matches!(absent, Err(Error::StoreKeys { .. })), "the database is really gone");
    Ok(())
}

#[tokio::test]
async fn a_worker_reads_keys_and_makes_none() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    for role in [DatabaseRole::Projector, DatabaseRole::Replicator] {
        let made = test.vault(role).await?.data_keys(&acme, &[Scope::General]).await;
        assert!(matches!(made, Err(Error::StoreKeys { .. })), "{role:?} {made:?}");
    }
    assert_eq!(count(&test, &acme).await?, 0);
    let key = test.vault(DatabaseRole::Desk).await?.data_keys(&acme, &[Scope::General]).await?.remove(0);
    let read = test.vault(DatabaseRole::Projector).await?.data_keys(&acme, &[Scope::General]).await?.remove(0);
    assert_eq!(key.id(), read.id());
    Ok(())
}

#[tokio::test]
async fn the_desk_makes_keys_for_the_tenant_it_has_named_and_no_other() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (acme, twin) = (test.tenant("acme").await?, test.tenant("twin").await?);
    let pool = test.pool(DatabaseRole::Desk).await?;
    let key = RegionKey::load_or_create(&test.folder.path().join("region.key"), test.ids.as_ref())?;
    Vault::new(pool.clone(), key, test.clock.clone(), test.ids.clone()).data_keys(&twin, &[Scope::General]).await?;
    // A new one for each try: a refusal ends a transaction.
    let begin = || regions::begin(&pool, &acme);
    let tenant_key = || {
        sqlx::query!(
            "insert into vault.tenant_key (tenant_id, region_key_id, wrapped, created_at) values ($1, 'r', '', now())",
            twin.tenant_id().get()
        )
    };
    let data_key = || {
        sqlx::query!(
            "insert into vault.data_key (tenant_id, key_id, scope, wrapped, created_at)
            values ($1, gen_random_uuid(), 'ticket-1', '', now())",
            twin.tenant_id().get()
        )
    };
    for refused in [
        tenant_key().execute(&mut *begin().await?).await,
        data_key().execute(&mut *begin().await?).await,
        // What the vault named for its own insert ended with it.
        data_key().execute(&pool).await,
    ] {
        let error = refused.expect_err("another tenant's").to_string();
        assert!(error.contains("row-level security"), "{error}");
    }
    data_key().execute(&mut *regions::begin(&pool, &twin).await?).await?;
    Ok(())
}

#[tokio::test]
async fn another_region_key_opens_nothing_and_says_so() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    test.vault(DatabaseRole::Desk).await?.data_keys(&acme, &[Scope::General]).await?;
    let other = RegionKey::create(&test.folder.path().join("other.key"), test.ids.as_ref())?;
    let held = other.id().to_owned();
    let vault = Vault::new(test.pool(DatabaseRole::Desk).await?, other, test.clock.clone(), test.ids.clone());
    let error = vault.data_keys(&acme, &[Scope::General]).await.expect_err("wrapped by another");
    assert!(matches!(&error, Error::AnotherRegionKey { held: named, .. } if *named == held), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_wrapped_key_that_was_moved_to_another_row_does_not_open() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (acme, twin) = (test.tenant("acme").await?, test.tenant("twin").await?);
    let vault = test.vault(DatabaseRole::Desk).await?;
    let key = vault.data_keys(&acme, &[Scope::General]).await?.remove(0);
    let twin_key = vault.data_keys(&twin, &[Scope::General]).await?.remove(0);
    let mut owner = regions::connection(&test.region, DatabaseRole::Owner).await?;
    sqlx::query!(
        "update vault.data_key set wrapped = (select wrapped from vault.data_key where key_id = $1) where key_id = $2",
        twin_key.id().get(),
        key.id().get()
    )
    .execute(&mut owner)
    .await?;
    let error = test.vault(DatabaseRole::Desk).await?.data_keys(&acme, &[Scope::General]).await.expect_err("moved");
    assert!(matches!(error, Error::TamperedDataKey { key_id, .. } if key_id == key.id()));

    sqlx::query!(
        "update vault.tenant_key set wrapped = (select wrapped from vault.tenant_key where tenant_id = $1)
        where tenant_id = $2",
        twin.tenant_id().get(),
        acme.tenant_id().get()
    )
    .execute(&mut owner)
    .await?;
    let error = test.vault(DatabaseRole::Desk).await?.data_keys(&acme, &[Scope::General]).await.expect_err("moved");
    assert!(matches!(error, Error::TamperedTenantKey { tenant_id } if tenant_id == acme.tenant_id()));
    Ok(())
}

#[tokio::test]
async fn a_blind_index_is_the_same_in_every_process_and_differs_between_tenants() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (acme, twin) = (test.tenant("acme").await?, test.tenant("twin").await?);
    let (one, another) = (test.vault(DatabaseRole::Desk).await?, test.vault(DatabaseRole::Desk).await?);
    let index = one.blind_index(&acme, "email", "ann@example.com").await?;
    assert!(index.len() == 32 && index.bytes().all(|byte| byte.is_ascii_hexdigit()), "{index}");
    assert_eq!(index, another.blind_index(&acme, "email", "ann@example.com").await?);
    assert_ne!(index, one.blind_index(&twin, "email", "ann@example.com").await?);
    assert_ne!(index, one.blind_index(&acme, "attachment", "ann@example.com").await?);
    Ok(())
}

#[tokio::test]
async fn an_export_holds_this_tenants_wrapped_keys_and_no_others() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (acme, twin) = (test.tenant("acme").await?, test.tenant("twin").await?);
    let vault = test.vault(DatabaseRole::Desk).await?;
    assert_eq!(vault.export(&acme).await?["tenant_key"], serde_json::Value::Null, "none was made yet");
    let keys = vault.data_keys(&acme, &[Scope::General, Scope::Person(PersonId::new(1))]).await?;
    vault.data_keys(&twin, &[Scope::General]).await?;

    let exported = test.vault(DatabaseRole::Replicator).await?.export(&acme).await?;
    let mut scopes: Vec<_> = exported["data_keys"].as_array().expect("a list").iter().collect();
    scopes.sort_by_key(|key| key["scope"].as_str());
    assert_eq!(scopes.len(), 2);
    assert_eq!((&scopes[0]["scope"], &scopes[0]["key_id"]), (&"general".into(), &keys[0].id().to_string().into()));
    assert_eq!(scopes[1]["scope"], "person-1");
    assert_eq!(exported["tenant_id"], acme.tenant_id().to_string());
    assert!(exported["tenant_key"]["wrapped"].is_string() && scopes[0]["created_at"].is_string(), "{exported}");
    Ok(())
}
