//! Verifying a backup looks at the exported keys too, as a restore into an empty database would need them.

use archive::{BackupManifest, layout};
use eventlog::Expected;
use jiff::SignedDuration;
use regions::{DatabaseRole, Resident};
use replicator::{
    archive_tenant,
    backup::{self, KeysVerified, Verified},
    renew_keys,
};
use schemas::{
    StreamName, TicketId, Version,
    erasure::{ErasureEvent, KeysDestroyed},
    values::ErasureReason,
};
use serde_json::Value;
use vault::Scope;

use crate::region::{Archiving, archiving, files_ending};

/// A region with two tenants of two tickets each, backed up.
async fn backed_up() -> anyhow::Result<(Archiving, Resident, BackupManifest)> {
    let eu = archiving().await?;
    let (acme, twin) = (eu.test.tenant("acme").await?, eu.test.tenant("twin").await?);
    for tenant in [&acme, &twin] {
        eu.append(tenant, 1, 0, 4).await?;
        eu.append(tenant, 2, 0, 4).await?;
    }
    let backup = backup::create(&eu.deps, &mut |_| ()).await?;
    Ok((eu, acme, backup))
}

async fn verified(eu: &Archiving, backup: &BackupManifest) -> anyhow::Result<Verified> {
    Ok(backup::verify(&eu.deps, &backup.backup_id, &mut |_| ()).await?)
}

fn keys_of<'found>(verified: &'found Verified, tenant: &Resident) -> &'found KeysVerified {
    let found = verified.tenants.iter().find(|found| found.tenant_id == tenant.tenant_id());
    found.and_then(|found| found.keys.as_ref()).expect("a tenant with events")
}

/// The file of the tenant's only export.
fn export(eu: &Archiving, tenant: &Resident) -> std::path::PathBuf {
    files_ending(&eu.s3_folder(), &layout::keys(tenant.tenant_id(), 1)).remove(0)
}

/// Writes an export in the place of the one that is there, as no client of the bucket may.
fn change(eu: &Archiving, tenant: &Resident, change: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
    let path = export(eu, tenant);
    let mut export: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    change(&mut export);
    std::fs::write(path, export.to_string())?;
    Ok(())
}

/// Ticket 1 is erased: its key stands on the erasure list, and is destroyed.
async fn erase_ticket(eu: &Archiving, tenant: &Resident) -> anyhow::Result<()> {
    let desk = eu.test.vault(DatabaseRole::Desk).await?;
    let keys = desk.living(tenant, &[Scope::Ticket(TicketId::new(1))]).await?;
    let list = ErasureEvent::from(KeysDestroyed { reason: ErasureReason::TicketErased, keys }).into();
    eu.test.append(tenant, StreamName::Erasures, Expected::NoStream, vec![list]).await?;
    let pool = eu.test.pool(DatabaseRole::Desk).await?;
    let mut transaction = regions::begin(&pool, tenant).await?;
    let list = eventlog::read_stream(&mut transaction, tenant, &StreamName::Erasures, Version::ZERO, 1).await?;
    drop(transaction);
    assert_eq!(desk.carry_out(tenant, &list).await?, 1);
    Ok(())
}

#[tokio::test]
async fn every_key_that_events_of_a_backup_need_is_found_to_open() -> anyhow::Result<()> {
    let (eu, acme, backup) = backed_up().await?;
    let verified = verified(&eu, &backup).await?;
    assert!(verified.is_clean(), "{verified:?}");
    let keys = keys_of(&verified, &acme);
    assert_eq!((keys.named, keys.destroyed), (2, 0), "one a ticket");
    assert!(verified.not_checked().iter().any(|(what, tenants)| what.contains("the region key") && *tenants == 2));
    Ok(())
}

#[tokio::test]
async fn an_export_that_is_gone_is_found_with_every_key_and_tenant_that_lacks_it() -> anyhow::Result<()> {
    let (eu, acme, backup) = backed_up().await?;
    let export_of_acme: Value = serde_json::from_slice(&std::fs::read(export(&eu, &acme))?)?;
    std::fs::remove_file(export(&eu, &acme))?;
    let verified = verified(&eu, &backup).await?;
    assert!(!verified.is_clean());
    let wrong: Vec<_> = verified.tenants.iter().filter(|tenant| !tenant.is_clean()).collect();
    let [wrong] = wrong.as_slice() else { anyhow::bail!("acme alone: {verified:?}") };
    let findings = wrong.findings();
    assert_eq!(findings.len(), 2, "{findings:?}");
    for key in export_of_acme["data_keys"].as_array().into_iter().flatten() {
        let key_id = key["key_id"].as_str().unwrap_or_default();
        let names = |line: &&String| line.contains(key_id) && line.contains(&acme.tenant_id().to_string());
        assert!(findings.iter().any(|line| names(&line)), "{key_id}: {findings:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_export_that_was_changed_is_found() -> anyhow::Result<()> {
    let (eu, acme, backup) = backed_up().await?;
    let whole = std::fs::read(export(&eu, &acme))?;
    let key_id = |export: &Value| export["data_keys"][0]["key_id"].as_str().unwrap_or_default().to_owned();
    let first = key_id(&serde_json::from_slice(&whole)?);
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 4] = [
        (|export| export["data_keys"][0]["wrapped"] = export["data_keys"][1]["wrapped"].clone(), &first),
        (|export| export["data_keys"][0]["scope"] = "general".into(), &first),
        (|export| export["tenant_key"]["wrapped"] = "AAAA".into(), "the wrapped tenant key does not open"),
        (|export| *export = Value::Null, "not the shape of an export"),
    ];
    for (made, named) in changes {
        change(&eu, &acme, made)?;
        let verified = verified(&eu, &backup).await?;
        let findings: Vec<_> = keys_of(&verified, &acme).findings.iter().map(ToString::to_string).collect();
        assert!(!verified.is_clean() && findings.iter().any(|line| line.contains(named)), "{named}: {findings:?}");
        std::fs::write(export(&eu, &acme), &whole)?;
    }
    assert!(verified(&eu, &backup).await?.is_clean(), "as it was");
    Ok(())
}

#[tokio::test]
async fn exports_whose_life_is_over_count_for_nothing_until_they_are_renewed() -> anyhow::Result<()> {
    let (eu, acme, backup) = backed_up().await?;
    let life = i64::from(eu.deps.region.storage.deletion.keys_days);
    eu.test.clock.advance(SignedDuration::from_hours(24 * life - 1));
    assert!(verified(&eu, &backup).await?.is_clean(), "an hour before");
    eu.test.clock.advance(SignedDuration::from_hours(1));
    let over = verified(&eu, &backup).await?;
    let findings = &keys_of(&over, &acme).findings;
    assert!(findings.iter().all(|finding| finding.to_string().ends_with("the life of 1 exports is over")), "{over:?}");
    assert_eq!(findings.len(), 2);
    renew_keys(&eu.deps).await?;
    assert!(verified(&eu, &backup).await?.is_clean());
    Ok(())
}

#[tokio::test]
async fn a_key_on_the_erasure_list_needs_no_export_whether_the_list_is_archived_or_not() -> anyhow::Result<()> {
    let (eu, acme, backup) = backed_up().await?;
    erase_ticket(&eu, &acme).await?;
    change(&eu, &acme, |export| {
        let keys = export["data_keys"].as_array_mut().expect("keys");
        keys.retain(|key| key["scope"] != "ticket-1");
    })?;
    // The list is sealed under the general key, which no event of the backup needed.
    for is_archived in [false, true] {
        if is_archived {
            archive_tenant(&eu.deps, &acme, None).await?;
        } else {
            eu.test.clock.advance(SignedDuration::from_hours(15 * 24));
            renew_keys(&eu.deps).await?;
        }
        let verified = verified(&eu, &backup).await?;
        let keys = keys_of(&verified, &acme);
        assert!(verified.is_clean(), "{is_archived}: {keys:?}");
        assert_eq!((keys.named, keys.destroyed), (2, 1), "{is_archived}");
    }
    Ok(())
}

#[tokio::test]
async fn a_region_without_its_database_says_what_it_could_not_ask() -> anyhow::Result<()> {
    let (eu, acme, backup) = backed_up().await?;
    std::fs::remove_file(export(&eu, &acme))?;
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    sqlx::query!("update log.tenant set state = 'moving' where tenant_id = $1", acme.tenant_id().get())
        .execute(&owner)
        .await?;
    let verified = verified(&eu, &backup).await?;
    assert!(!verified.is_clean());
    let not_checked = &keys_of(&verified, &acme).not_checked;
    assert!(not_checked.iter().any(|what| what.contains("the tenant's log could not be asked")), "{not_checked:?}");
    Ok(())
}
