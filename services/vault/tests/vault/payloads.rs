//! Payloads open in their place, for their tenant, as long as their key is there.

use proptest::{prelude::any, prop_assert_eq, proptest};
use regions::{DatabaseRole, Resident};
use schemas::{KeyId, TicketId, Version};
use testkit::TestRegion;
use vault::{Error, Scope, Vault};

use crate::{event, recorded, sealed};

async fn destroy(test: &TestRegion, resident: &Resident, key_id: KeyId) -> anyhow::Result<()> {
    let mut owner = regions::connection(&test.region, DatabaseRole::Owner).await?;
    let done = sqlx::query!(
        "delete from vault.data_key where tenant_id = $1 and key_id = $2",
        resident.tenant_id().get(),
        key_id.get()
    )
    .execute(&mut owner)
    .await?;
    anyhow::ensure!(done.rows_affected() == 1, "the key was there");
    Ok(())
}

async fn key_of(vault: &Vault, resident: &Resident, scope: Scope) -> anyhow::Result<vault::DataKey> {
    Ok(vault.data_keys(resident, &[scope]).await?.remove(0))
}

#[tokio::test]
async fn a_payload_opens_in_another_process() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let desk = test.vault(DatabaseRole::Desk).await?;
    let key = key_of(&desk, &acme, Scope::General).await?;
    let event = recorded(1, sealed(&test, &acme, &key, "Second line"));

    for role in [DatabaseRole::Desk, DatabaseRole::Projector, DatabaseRole::Replicator] {
        let opened = test.vault(role).await?.open_all(&acme, std::slice::from_ref(&event)).await?;
        let plaintext = opened[0].as_ref().expect("the key is there");
        assert_eq!(**plaintext, crate::event("Second line").encode(), "{role:?}");
    }
    Ok(())
}

#[tokio::test]
async fn tenants_with_identical_ids_never_open_each_others_payloads() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (acme, twin) = (test.tenant("acme").await?, test.tenant("twin").await?);
    let vault = test.vault(DatabaseRole::Desk).await?;
    let scope = Scope::Ticket(TicketId::new(1));
    let (key, twin_key) = (key_of(&vault, &acme, scope).await?, key_of(&vault, &twin, scope).await?);
    assert_ne!(key.id(), twin_key.id());

    let foreign = recorded(1, sealed(&test, &acme, &key, "secret"));
    let refused = vault.open_all(&twin, std::slice::from_ref(&foreign)).await;
    assert!(matches!(refused, Err(Error::Tampered { position }) if position.get() == 1));
    assert_eq!(vault.open(&twin, key.id(), b"", &foreign.sealed.payload).await?, None, "it has no such key");

    // Relabelled as the twin's own, under the twin's key of the same scope: the ciphertext still is acme's.
    let mut relabelled = foreign;
    relabelled.sealed.envelope.tenant_id = twin.tenant_id();
    relabelled.sealed.envelope.key_id = twin_key.id();
    assert!(matches!(vault.open_all(&twin, &[relabelled]).await, Err(Error::Tampered { .. })));
    Ok(())
}

#[tokio::test]
async fn a_moved_or_changed_payload_does_not_open_and_is_named_by_its_position() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let vault = test.vault(DatabaseRole::Desk).await?;
    let key = key_of(&vault, &acme, Scope::General).await?;
    let good = recorded(1, sealed(&test, &acme, &key, "first"));

    let mut moved = recorded(2, good.sealed.clone());
    moved.sealed.envelope.version = Version::new(2);
    let mut changed = recorded(2, good.sealed.clone());
    changed.sealed.payload[20] ^= 1;
    let mut swapped = recorded(2, sealed(&test, &acme, &key, "second"));
    swapped.sealed.payload.clone_from(&good.sealed.payload);
    for bad in [moved, changed, swapped] {
        let error = vault.open_all(&acme, &[good.clone(), bad]).await.expect_err("tampered");
        assert!(matches!(error, Error::Tampered { position } if position.get() == 2), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_destroyed_key_sealed_reads_as_nothing_and_the_rest_stays() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let vault = test.vault(DatabaseRole::Desk).await?;
    let general = key_of(&vault, &acme, Scope::General).await?;
    let ticket = key_of(&vault, &acme, Scope::Ticket(TicketId::new(1))).await?;
    let events =
        [recorded(1, sealed(&test, &acme, &general, "kept")), recorded(2, sealed(&test, &acme, &ticket, "erased"))];
    let file = ticket.seal(b"attachment 1", b"erased too");

    destroy(&test, &acme, ticket.id()).await?;
    let another_process = test.vault(DatabaseRole::Projector).await?;
    let opened = another_process.open_all(&acme, &events).await?;
    assert_eq!((opened[0].is_some(), opened[1].is_some()), (true, false));
    assert_eq!(another_process.open(&acme, ticket.id(), b"attachment 1", &file).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_scope_whose_key_was_destroyed_gets_another_key() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let scope = Scope::Ticket(TicketId::new(1));
    let before = key_of(&test.vault(DatabaseRole::Desk).await?, &acme, scope).await?;
    destroy(&test, &acme, before.id()).await?;
    let after = key_of(&test.vault(DatabaseRole::Desk).await?, &acme, scope).await?;
    assert_ne!(before.id(), after.id());
    Ok(())
}

#[tokio::test]
async fn a_file_opens_in_its_place_only() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let vault = test.vault(DatabaseRole::Desk).await?;
    let key = key_of(&vault, &acme, Scope::General).await?;
    let sealed = key.seal(b"attachment 1", b"bytes");
    let opened = vault.open(&acme, key.id(), b"attachment 1", &sealed).await?.expect("the key is there");
    assert_eq!(opened.as_slice(), b"bytes");
    let moved = vault.open(&acme, key.id(), b"attachment 2", &sealed).await;
    assert!(matches!(moved, Err(Error::TamperedCiphertext { key_id }) if key_id == key.id()));
    Ok(())
}

#[tokio::test]
async fn an_envelope_that_names_another_key_is_never_sealed() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let acme = test.tenant("acme").await?;
    let vault = test.vault(DatabaseRole::Desk).await?;
    let keys = vault.data_keys(&acme, &[Scope::General, Scope::Ticket(TicketId::new(1))]).await?;
    let envelope = crate::envelope(&test, &acme, &keys[0]);
    let sealing = std::panic::AssertUnwindSafe(|| vault::seal_event(&keys[1], envelope, &event("lost")));
    assert!(std::panic::catch_unwind(sealing).is_err());
    Ok(())
}

#[test]
fn whatever_is_sealed_opens_again() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (_test, acme, vault, key) = runtime.block_on(async {
        let test = testkit::region().await.expect("stores");
        let acme = test.tenant("acme").await.expect("a tenant");
        let vault = test.vault(DatabaseRole::Desk).await.expect("a vault");
        let key = key_of(&vault, &acme, Scope::General).await.expect("a key");
        (test, acme, vault, key)
    });
    proptest!(|(place in any::<Vec<u8>>(), payload in any::<Vec<u8>>())| {
        let sealed = key.seal(&place, &payload);
        let opened = runtime.block_on(vault.open(&acme, key.id(), &place, &sealed)).expect("it opens");
        prop_assert_eq!(opened.as_ref().map(|opened| opened.as_slice()), Some(payload.as_slice()));
    });
}
