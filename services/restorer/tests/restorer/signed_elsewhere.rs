//! Archives that a key from after the database's time has signed, or one that nobody here knows, or none.

use std::{fs, path::Path};

use archive::{Checkpoint, Signer, layout};
use regions::Resident;
use replicator::{fence, signing};
use restorer::{TenantRestore, restore_tenant};
use runtime::Clock as _;
use vault::SigningKey;

use crate::ground::{Ground, ground};

/// Two tenants, settled.
async fn settled() -> anyhow::Result<(Ground, Resident, Resident)> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    Ok((eu, acme, globex))
}

/// What stands in the way of each tenant, and when it takes writes again.
async fn closed(eu: &Ground) -> anyhow::Result<Vec<String>> {
    let behind = fence::close_behind(&eu.deps.replicator).await?;
    Ok(behind.iter().map(|tenant| tenant.line(&eu.deps.region().id)).collect())
}

async fn healed(eu: &Ground, tenant: &Resident) -> anyhow::Result<()> {
    restore_tenant(&eu.deps, &TenantRestore::of(tenant.tenant_id(), false), &|_| ()).await?;
    Ok(())
}

async fn is_refused(eu: &Ground, tenant: &Resident) -> anyhow::Result<()> {
    let refused = eu.ticket(tenant, 1, 1).await.expect_err("it is closed");
    anyhow::ensure!(refused.to_string().contains("not at home"), "{refused:#}");
    Ok(())
}

/// Puts a new signing key to work, under which both archives are published. Gives the old one, and the new one's verifier key.
async fn rotated(eu: &Ground, tenants: [&Resident; 2]) -> anyhow::Result<(Vec<u8>, String)> {
    let (folder, replicator) = (eu.test.folder.path(), &eu.deps.replicator);
    let old = fs::read(folder.join("signing.key"))?;
    let succession =
        signing::rotate(&replicator.region.id, &replicator.signing, eu.test.ids.as_ref(), eu.test.clock.now())?;
    for tenant in tenants {
        eu.settle(tenant).await?;
    }
    Ok((old, succession.new.to_string()))
}

/// Puts the key of before in the place of the one at work, as an old image of the machine does; gives what was there.
fn put_key_back(folder: &Path, old: &[u8]) -> anyhow::Result<Vec<u8>> {
    let new = fs::read(folder.join("signing.key"))?;
    fs::write(folder.join("signing.key"), old)?;
    fs::rename(folder.join("successions"), folder.join("successions.away"))?;
    Ok(new)
}

fn bring_key(folder: &Path, new: &[u8]) -> anyhow::Result<()> {
    fs::rename(folder.join("successions.away"), folder.join("successions"))?;
    Ok(fs::write(folder.join("signing.key"), new)?)
}

#[tokio::test]
async fn an_old_database_with_the_old_key_is_closed_by_the_archives_successions_and_a_sound_one_stays_open()
-> anyhow::Result<()> {
    let (eu, acme, globex) = settled().await?;
    eu.ticket(&acme, 1, 4).await?;
    let (old, verifier) = rotated(&eu, [&acme, &globex]).await?;
    assert_eq!(closed(&eu).await?, Vec::<String>::new());
    let before = eu.seen(&acme).await?;
    let new = put_key_back(eu.test.folder.path(), &old)?;
    assert_eq!(closed(&eu).await?, Vec::<String>::new(), "an old key is no old database");

    eu.put_back(&acme, 13).await?;
    let [line] = &closed(&eu).await?[..] else { anyhow::bail!("one of two is closed") };
    let named = format!("the region signs with {verifier}, and the key here is retired");
    assert!(
        line.contains("at position 17, the database ends at 13: 4 events are missing") && line.contains(&named),
        "{line}"
    );
    is_refused(&eu, &acme).await?;
    eu.ticket(&globex, 1, 1).await?;

    bring_key(eu.test.folder.path(), &new)?;
    healed(&eu, &acme).await?;
    assert_eq!(closed(&eu).await?, Vec::<String>::new());
    assert_eq!(eu.seen(&acme).await?.events, before.events);
    eu.ticket(&acme, 1, 1).await?;
    Ok(())
}

#[tokio::test]
async fn a_key_to_which_no_succession_leads_closes_whom_it_signed_for_and_is_named() -> anyhow::Result<()> {
    let (eu, acme, globex) = settled().await?;
    let (old, _) = rotated(&eu, [&acme, &globex]).await?;
    put_key_back(eu.test.folder.path(), &old)?;
    fs::remove_file(eu.file(&acme, &layout::succession(1)))?;
    let [line] = &closed(&eu).await?[..] else { anyhow::bail!("one of two is closed") };
    let signer = archive::note::signers(&fs::read_to_string(eu.file(&acme, layout::CHECKPOINT))?);
    let named = format!("the checkpoint is signed by {}", signer.join(", "));
    assert!(signer.len() == 1 && line.contains(&named), "{line}");
    assert!(line.contains("tenant acme: nobody can say whether the database is an old one"), "{line}");
    assert!(line.ends_with("and then: domicile doctor --heal"), "{line}");
    is_refused(&eu, &acme).await?;
    eu.ticket(&globex, 1, 1).await?;
    Ok(())
}

#[tokio::test]
async fn a_checkpoint_that_is_none_or_a_strangers_closes_its_tenant_until_the_true_one_is_back() -> anyhow::Result<()> {
    let (eu, acme, globex) = settled().await?;
    let path = eu.file(&acme, layout::CHECKPOINT);
    let sound = fs::read_to_string(&path)?;
    let stranger = SigningKey::load_or_create(&eu.test.folder.path().join("stranger.key"), eu.test.ids.as_ref())?;
    let head = Checkpoint::claimed(&sound)?;
    let signer = Signer::new(head.origin.clone(), stranger.public_key(), move |message| stranger.sign(message));
    for wrong in ["not a checkpoint".to_owned(), head.sign(&signer)] {
        fs::write(&path, wrong)?;
        let [line] = &closed(&eu).await?[..] else { anyhow::bail!("one of two is closed") };
        assert!(line.contains("tenant acme: nobody can say whether the database is an old one"), "{line}");
        is_refused(&eu, &acme).await?;
        assert!(healed(&eu, &acme).await.is_err(), "nobody knows what there was");
        is_refused(&eu, &acme).await?;
        fs::write(&path, &sound)?;
        healed(&eu, &acme).await?;
        assert_eq!(closed(&eu).await?, Vec::<String>::new());
        eu.ticket(&acme, 1, 1).await?;
        eu.ticket(&globex, 1, 1).await?;
    }
    Ok(())
}
