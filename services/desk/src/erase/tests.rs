use schemas::{PersonId, TicketId, Version};

use super::*;
use crate::caller::provenance::Provenance;
use crate::testing::{TestDesk, TestTenant};

const REASON: ErasureReason = ErasureReason::TicketErased;

fn ticket(number: i64) -> Scope {
    Scope::Ticket(TicketId::new(number))
}

async fn desk_with_keys(scopes: &[Scope]) -> anyhow::Result<(TestDesk, TestTenant)> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    desk.desk.vault.data_keys(&acme.resident, scopes).await?;
    Ok((desk, acme))
}

#[tokio::test]
async fn erasures_that_race_are_all_recorded_and_carried_out() -> anyhow::Result<()> {
    let scopes = [ticket(1), ticket(2), ticket(3)];
    let (desk, acme) = desk_with_keys(&scopes).await?;
    let one = async |scope| destroy(&desk.desk, &acme.resident, REASON, &[scope]).await;
    let (a, b, c) = tokio::join!(one(scopes[0]), one(scopes[1]), one(scopes[2]));
    assert_eq!(a? + b? + c?, 3, "each key is counted by whoever was first");
    assert_eq!(desk.desk.vault.living(&acme.resident, &scopes).await?, []);
    assert_eq!(desk.desk.vault.erased_to(&acme.resident).await?, Version::new(3));
    Ok(())
}

#[tokio::test]
async fn what_has_no_living_key_leaves_no_event() -> anyhow::Result<()> {
    let (desk, acme) = desk_with_keys(&[ticket(1)]).await?;
    let scopes = [ticket(1), Scope::Person(PersonId::new(99))];
    assert_eq!(destroy(&desk.desk, &acme.resident, REASON, &scopes).await?, 1);
    assert_eq!(destroy(&desk.desk, &acme.resident, REASON, &scopes).await?, 0);
    assert_eq!(desk.desk.vault.erased_to(&acme.resident).await?, Version::new(1));
    Ok(())
}

#[tokio::test]
async fn what_a_crash_left_between_record_and_destruction_is_finished() -> anyhow::Result<()> {
    let (desk, acme) = desk_with_keys(&[ticket(1)]).await?;
    let by = Issuer::system(&desk.desk, &acme.resident, Provenance::system());
    let keys = desk.desk.vault.living(&acme.resident, &[ticket(1)]).await?;
    list(Batch::new(&desk.desk, &by), REASON, keys).await?.commit().await?;
    assert_eq!(desk.desk.vault.living(&acme.resident, &[ticket(1)]).await?.len(), 1, "recorded only");
    pass(&desk.desk).await;
    assert_eq!(desk.desk.vault.living(&acme.resident, &[ticket(1)]).await?, []);
    assert_eq!(desk.desk.vault.erasures_due().await?, []);
    Ok(())
}
