//! Which keys are at work after a restore over another history.

use regions::{DatabaseRole, Resident};
use restorer::{RestoredTenant, TenantRestore, restore_tenant};
use schemas::{PersonId, Position, TicketId};
use vault::Scope;

use crate::ground::{Ground, ground};

const ANN: Scope = Scope::Person(PersonId::new(7));
const TICKET: Scope = Scope::Ticket(TicketId::new(2));

async fn restored(eu: &Ground, tenant: &Resident) -> anyhow::Result<RestoredTenant> {
    eu.test.clock.advance(jiff::SignedDuration::from_secs(1));
    let tenant_id = tenant.tenant_id();
    let asked = TenantRestore::of(tenant_id, true);
    Ok(restore_tenant(&eu.deps, &asked, &|_| ()).await?)
}

/// The positions of events that open for nobody.
async fn closed(eu: &Ground, tenant: &Resident) -> anyhow::Result<Vec<i64>> {
    let events = eventlog::read_log(&mut eu.owner().await?, tenant, Position::ZERO, 1_000).await?;
    let opened = eu.test.vault(DatabaseRole::Desk).await?.open_all(tenant, &events).await?;
    let closed = events.iter().zip(opened).filter(|(_, opened)| opened.is_none());
    Ok(closed.map(|(event, _)| event.position.get()).collect())
}

/// How many keys of a scope live, and how many of them are set aside.
async fn living(eu: &Ground, tenant: &Resident, scope: Scope) -> anyhow::Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"select count(*) as "all!", count(set_aside_at) as "aside!" from vault.data_key
        where tenant_id = $1 and scope = $2 and wrapped is not null"#,
        tenant.tenant_id().get(),
        scope.to_string()
    );
    let row = row.fetch_one(&mut eu.owner().await?).await?;
    Ok((row.all, row.aside))
}

/// Puts the database back to before the second ticket, and its key with it.
async fn put_back_with_key(eu: &mut Ground, tenant: &Resident) -> anyhow::Result<()> {
    eu.put_back(tenant, 8).await?;
    sqlx::query!(
        "delete from vault.data_key where tenant_id = $1 and scope = $2",
        tenant.tenant_id().get(),
        TICKET.to_string()
    )
    .execute(&mut eu.owner().await?)
    .await?;
    eu.test.forget_keys();
    Ok(())
}

#[tokio::test]
async fn the_archives_key_is_at_work_again_where_another_history_has_made_one() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    put_back_with_key(&mut eu, &acme).await?;
    eu.ticket(&acme, 2, 7).await?;

    let first = restored(&eu, &acme).await?;
    assert_eq!((first.put.set_aside, first.keys.restored, first.keys.set_aside), (7, 1, 1));
    assert_eq!((first.keys.missing, first.keys.stay_destroyed), (0, 0));
    assert_eq!(closed(&eu, &acme).await?, [0; 0]);
    assert_eq!(living(&eu, &acme, TICKET).await?, (2, 1));
    // What is sealed now is archived under a key that is exported, and comes back from there.
    eu.ticket(&acme, 2, 2).await?;
    eu.settle(&acme).await?;
    eu.lose_database().await?;
    let second = restored(&eu, &acme).await?;
    assert_eq!((second.size, second.keys.missing), (15, 0));
    assert_eq!(closed(&eu, &acme).await?, [0; 0]);
    Ok(())
}

#[tokio::test]
async fn a_key_that_was_set_aside_is_erased_with_its_scope() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    put_back_with_key(&mut eu, &acme).await?;
    eu.ticket(&acme, 2, 7).await?;
    restored(&eu, &acme).await?;
    let named = eu.test.vault(DatabaseRole::Desk).await?.living(&acme, &[TICKET]).await?;
    assert_eq!(named.len(), 2, "the erasure list names both");
    eu.record_erasure(&acme, TICKET).await?;
    eu.carry_out(&acme).await?;
    assert_eq!(living(&eu, &acme, TICKET).await?, (0, 0));
    assert_eq!(closed(&eu, &acme).await?, [9, 10, 12, 13], "all but the comment, which has a key of its own");
    Ok(())
}

#[tokio::test]
async fn an_erasure_of_another_history_stays_done_and_does_not_stand_for_one_of_this() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.ticket(&acme, 1, 1).await?;
    eu.settle(&acme).await?;
    eu.put_back(&acme, 13).await?;
    eu.erase(&acme, ANN).await?;
    let restored = restored(&eu, &acme).await?;
    assert_eq!((restored.put.set_aside, restored.keys.stay_destroyed, restored.keys.missing), (1, 1, 0));
    assert_eq!(closed(&eu, &acme).await?, [3], "her name");
    assert_eq!(living(&eu, &acme, ANN).await?, (0, 0));

    // The first erasure of this history: recorded, and the process dies before it carries it out.
    eu.record_erasure(&acme, TICKET).await?;
    let due = eu.test.vault(DatabaseRole::Desk).await?.erasures_due().await?;
    assert_eq!(due.len(), 1, "it is not taken for the other history's");
    eu.carry_out(&acme).await?;
    assert_eq!(living(&eu, &acme, TICKET).await?, (0, 0));
    assert_eq!(eu.test.vault(DatabaseRole::Desk).await?.erasures_due().await?, []);
    Ok(())
}
