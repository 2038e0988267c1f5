//! Destroyed keys open nothing, seal nothing, and do not come back; nobody destroys without a record.

use eventlog::Expected;
use regions::{DatabaseRole, Resident};
use schemas::{
    KeyId, PersonId, Recorded, StreamName, TicketId, Version,
    erasure::{DestroyedKey, ErasureEvent, KeysDestroyed},
    values::ErasureReason,
};
use testkit::TestRegion;
use uuid::Uuid;
use vault::{Error, Scope, Vault};

use crate::{recorded, sealed};

const TICKET: Scope = Scope::Ticket(TicketId::new(1));
const ADA: Scope = Scope::Person(PersonId::new(1));

/// A tenant with a ticket's key and a person's, and something sealed under each.
struct World {
    test: TestRegion,
    acme: Resident,
    vault: Vault,
    sealed: [Recorded; 2],
}

impl World {
    async fn new() -> anyhow::Result<Self> {
        let test = testkit::region().await?;
        let acme = test.tenant("acme").await?;
        let vault = test.vault(DatabaseRole::Desk).await?;
        let keys = vault.data_keys(&acme, &[TICKET, ADA, Scope::General]).await?;
        let sealed = [&keys[0], &keys[1]].map(|key| recorded(1, sealed(&test, &acme, key, "secret")));
        Ok(Self { test, acme, vault, sealed })
    }

    /// Puts keys on the erasure list and returns the whole list.
    async fn record(&self, keys: Vec<DestroyedKey>) -> anyhow::Result<Vec<Recorded>> {
        let before = self.list().await?.len();
        let expected = match before {
            0 => Expected::NoStream,
            version => Expected::Exact(Version::new(i64::try_from(version)?)),
        };
        let event = ErasureEvent::from(KeysDestroyed { reason: ErasureReason::TicketErased, keys });
        self.test.append(&self.acme, StreamName::Erasures, expected, vec![event.into()]).await?;
        self.list().await
    }

    async fn list(&self) -> anyhow::Result<Vec<Recorded>> {
        let pool = self.test.pool(DatabaseRole::Desk).await?;
        let mut transaction = regions::begin(&pool, &self.acme).await?;
        Ok(eventlog::read_stream(&mut transaction, &self.acme, &StreamName::Erasures, Version::ZERO, 100).await?)
    }

    /// Which of the two payloads open.
    async fn opens(&self, vault: &Vault) -> anyhow::Result<[bool; 2]> {
        let opened = vault.open_all(&self.acme, &self.sealed).await?;
        Ok([opened[0].is_some(), opened[1].is_some()])
    }
}

#[tokio::test]
async fn a_destroyed_key_is_gone_here_at_once_and_its_scope_gets_no_other() -> anyhow::Result<()> {
    let world = World::new().await?;
    let twin = world.test.tenant("twin").await?;
    world.vault.data_keys(&twin, &[TICKET, ADA]).await?;
    let keys = world.vault.living(&world.acme, &[TICKET]).await?;
    let list = world.record(keys.clone()).await?;
    assert_eq!(world.opens(&world.vault).await?, [true, true], "recorded, and not carried out yet");

    assert_eq!(world.vault.carry_out(&world.acme, &list).await?, 1);
    assert_eq!(world.opens(&world.vault).await?, [false, true]);
    assert_eq!(world.opens(&world.test.vault(DatabaseRole::Projector).await?).await?, [false, true]);
    for vault in [&world.vault, &world.test.vault(DatabaseRole::Desk).await?] {
        let refused = vault.data_keys(&world.acme, &[ADA, TICKET]).await;
        assert!(matches!(refused, Err(Error::Erased { scope: TICKET, .. })), "{refused:?}");
    }
    assert_eq!(world.vault.living(&world.acme, &[TICKET]).await?, [], "there is nothing left to destroy");
    assert_eq!(world.vault.living(&twin, &[TICKET, ADA]).await?.len(), 2, "the twin has its own");
    let export = world.vault.export(&world.acme).await?.to_string();
    assert!(!export.contains(&keys[0].key_id.to_string()), "what is destroyed is not exported any more");
    Ok(())
}

#[tokio::test]
async fn carrying_out_twice_late_or_out_of_order_ends_the_same() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.record(world.vault.living(&world.acme, &[TICKET]).await?).await?;
    let list = world.record(world.vault.living(&world.acme, &[ADA]).await?).await?;
    assert_eq!(world.vault.erasures_due().await?, [(world.acme.tenant_id(), Version::ZERO)]);

    assert_eq!(world.vault.carry_out(&world.acme, &list[1..]).await?, 1);
    assert_eq!(world.vault.erased_to(&world.acme).await?, Version::ZERO, "the first is not done");
    assert_eq!(world.vault.carry_out(&world.acme, &list[..1]).await?, 1);
    assert_eq!(world.vault.erasures_due().await?, [(world.acme.tenant_id(), Version::new(1))]);
    assert_eq!(world.vault.carry_out(&world.acme, &list).await?, 0, "all of it once more");
    assert_eq!(world.vault.erased_to(&world.acme).await?, Version::new(2));
    assert_eq!(world.vault.erasures_due().await?, []);
    assert_eq!(world.opens(&world.vault).await?, [false, false]);
    Ok(())
}

#[tokio::test]
async fn the_desk_destroys_no_key_without_a_record_and_a_worker_none_at_all() -> anyhow::Result<()> {
    let world = World::new().await?;
    let keys = world.vault.living(&world.acme, &[TICKET]).await?;
    let list = world.record(keys).await?;
    let mut unrecorded = list[0].clone();
    // Sealed as it must be, for a place in the list that the log does not have.
    unrecorded.sealed.envelope.version = Version::new(2);
    let key = world.vault.data_keys(&world.acme, &[Scope::General]).await?.remove(0);
    let event = ErasureEvent::from(KeysDestroyed { reason: ErasureReason::TicketErased, keys: Vec::new() });
    unrecorded.sealed = vault::seal_event(&key, unrecorded.sealed.envelope, &event.into());
    let refused = world.vault.carry_out(&world.acme, std::slice::from_ref(&unrecorded)).await;
    assert!(matches!(refused, Err(Error::DestroyKeys { .. })), "{refused:?}");

    let worker = world.test.vault(DatabaseRole::Projector).await?;
    assert!(matches!(worker.carry_out(&world.acme, &list).await, Err(Error::DestroyKeys { .. })));
    let pool = world.test.pool(DatabaseRole::Desk).await?;
    for statement in ["update vault.data_key set wrapped = null", "delete from vault.data_key"] {
        let mut transaction = regions::begin(&pool, &world.acme).await?;
        assert!(sqlx::raw_sql(statement).execute(&mut *transaction).await.is_err(), "{statement}");
    }
    let mut transaction = regions::begin(&pool, &world.acme).await?;
    let buried = world.vault.bury(&mut transaction, &world.acme, &[]).await;
    assert!(matches!(buried, Err(Error::DestroyKeys { .. })), "{buried:?}");
    assert_eq!(world.opens(&world.vault).await?, [true, true]);
    Ok(())
}

#[tokio::test]
async fn the_general_key_is_never_destroyed() -> anyhow::Result<()> {
    let world = World::new().await?;
    let list = world.record(world.vault.living(&world.acme, &[Scope::General]).await?).await?;
    let refused = world.vault.carry_out(&world.acme, &list).await;
    assert!(matches!(refused, Err(Error::DestroyKeys { .. })), "{refused:?}");
    assert_eq!(world.vault.living(&world.acme, &[Scope::General]).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_was_buried_before_it_came_never_comes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut owner = regions::connection(&world.test.region, DatabaseRole::Owner).await?;
    let scope = Scope::Ticket(TicketId::new(9));
    let key = DestroyedKey { key_id: KeyId::new(Uuid::from_u128(9)), scope: scope.to_string() };
    assert_eq!(world.vault.bury(&mut owner, &world.acme, std::slice::from_ref(&key)).await?, 0);
    let brought = sqlx::query!(
        "insert into vault.data_key (tenant_id, key_id, scope, wrapped, created_at)
        values ($1, $2, $3, '\\x00', now()) on conflict do nothing",
        world.acme.tenant_id().get(),
        key.key_id.get(),
        key.scope
    );
    assert_eq!(brought.execute(&mut owner).await?.rows_affected(), 0, "as a restore brings keys back");
    assert!(matches!(world.vault.data_keys(&world.acme, &[scope]).await, Err(Error::Erased { .. })));
    Ok(())
}

#[tokio::test]
async fn a_maker_and_a_destroyer_that_race_leave_no_living_key() -> anyhow::Result<()> {
    let world = World::new().await?;
    let list = world.record(world.vault.living(&world.acme, &[TICKET, ADA]).await?).await?;
    let (maker, destroyer) = (world.test.vault(DatabaseRole::Desk).await?, &world.vault);
    let asking = async {
        for _ in 0..20 {
            let _ = maker.data_keys(&world.acme, &[TICKET, ADA]).await;
            maker.forget(&world.acme, &maker.living(&world.acme, &[TICKET, ADA]).await?);
        }
        anyhow::Ok(())
    };
    let (asked, destroyed) = tokio::join!(asking, destroyer.carry_out(&world.acme, &list));
    asked?;
    assert_eq!(destroyed?, 2);
    assert_eq!(world.vault.living(&world.acme, &[TICKET, ADA]).await?, []);
    Ok(())
}
