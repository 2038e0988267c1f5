//! Exported keys end; living ones are exported anew before, destroyed ones are not.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use regions::{DatabaseRole, Resident};
use replicator::{archive_tenant, renew_keys};
use runtime::Clock as _;
use schemas::{
    StreamName, TicketId,
    erasure::{DestroyedKey, ErasureEvent, KeysDestroyed},
    values::ErasureReason,
};
use vault::Scope;

use crate::region::{Archiving, archiving};

const LIFE_DAYS: i64 = 30;

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// The scopes in the exports that the bucket's life cycle has not ended, if those of the generations were written at `began_at`.
async fn exported(eu: &Archiving, tenant: &Resident, began_at: Timestamp) -> anyhow::Result<BTreeSet<String>> {
    let mut scopes = BTreeSet::new();
    for (key, bytes) in eu.objects(&format!("keys/{}/", tenant.tenant_id())).await? {
        let renewed = key.split_once("renewed-").and_then(|(_, rest)| rest.split_once('-'));
        let written_at = match renewed {
            Some((time, _)) => Timestamp::strptime("%Y%m%dT%H%M%S%z", time.replace('Z', "+0000"))?,
            None => began_at,
        };
        if eu.test.clock.now().duration_since(written_at) >= days(LIFE_DAYS) {
            continue;
        }
        let export: serde_json::Value = serde_json::from_slice(&bytes)?;
        anyhow::ensure!(export["tenant_key"]["wrapped"].is_string(), "each part opens by itself");
        let rows = export["data_keys"].as_array().into_iter().flatten();
        scopes.extend(rows.filter_map(|row| row["scope"].as_str().map(str::to_owned)));
    }
    Ok(scopes)
}

#[tokio::test]
async fn living_keys_are_exported_anew_at_half_their_life_and_destroyed_ones_end() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, twin) = (eu.test.tenant("acme").await?, eu.test.tenant("twin").await?);
    for tenant in [&acme, &twin] {
        for ticket in [1, 2] {
            eu.append(tenant, ticket, 0, 2).await?;
        }
        archive_tenant(&eu.deps, tenant, None).await?;
    }
    assert_eq!(eu.deps.region.storage.deletion.keys_days, 30, "what the figures here are about");
    assert_eq!(renew_keys(&eu.deps).await?, 0, "nothing is due");
    let began_at = eu.test.clock.now();
    assert_eq!(exported(&eu, &acme, began_at).await?.len(), 2);

    let desk = eu.test.vault(DatabaseRole::Desk).await?;
    let keys: Vec<DestroyedKey> = desk.living(&acme, &[Scope::Ticket(TicketId::new(1))]).await?;
    let event = KeysDestroyed { reason: ErasureReason::TicketErased, keys };
    let list = ErasureEvent::from(event).into();
    eu.test.append(&acme, StreamName::Erasures, eventlog::Expected::NoStream, vec![list]).await?;
    let pool = eu.test.pool(DatabaseRole::Desk).await?;
    let mut transaction = regions::begin(&pool, &acme).await?;
    let list = eventlog::read_stream(&mut transaction, &acme, &StreamName::Erasures, schemas::Version::ZERO, 1).await?;
    drop(transaction);
    assert_eq!(desk.carry_out(&acme, &list).await?, 1);

    for half in 1..=4 {
        eu.test.clock.advance(days(LIFE_DAYS / 2));
        let without = exported(&eu, &acme, began_at).await?;
        assert_eq!(
            without.contains("ticket-2"),
            half <= 3,
            "half {half}: what was not renewed for two halves has ended"
        );
        if half == 4 {
            break;
        }
        let renewed = if half == 3 { 0 } else { renew_keys(&eu.deps).await? };
        assert_eq!(renewed, if half == 3 { 0 } else { 2 }, "half {half}");
        let living = exported(&eu, &acme, began_at).await?;
        assert!(living.contains("general") && living.contains("ticket-2"), "half {half}: {living:?}");
        assert_eq!(living.contains("ticket-1"), half == 1, "half {half}: what was destroyed ends and is not renewed");
        assert_eq!(exported(&eu, &twin, began_at).await?.len(), 2, "half {half}");
    }
    assert_eq!(renew_keys(&eu.deps).await?, 2, "late, and all the same");
    assert!(exported(&eu, &acme, began_at).await?.contains("ticket-2"));
    assert_eq!(renew_keys(&eu.deps).await?, 0, "once");
    Ok(())
}
