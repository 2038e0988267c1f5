//! Claiming, confirming, releasing; who wins; what a restart and a second process know.

use std::time::Duration;

use directory::{Directory, Error, NameState, map};
use domain::name::Rejection;
use jiff::SignedDuration;
use runtime::Shutdown;
use schemas::{Epoch, Position};

use crate::support::{World, client, region, slug};

async fn map_of(directory: &Directory) -> anyhow::Result<directory::Map> {
    let shutdown = Shutdown::new();
    let client = client(directory.clone(), &shutdown).await?;
    let bytes = client.map(None, None, Duration::ZERO).await?.ok_or_else(|| anyhow::anyhow!("no map"))?;
    shutdown.drain(Duration::from_secs(10)).await;
    Ok(map::verify(&bytes, &directory.public_key())?)
}

#[tokio::test]
async fn a_claimed_name_is_confirmed_and_stays_so_over_a_restart() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (directory, acme) = (world.directory().await?, world.tenant());
    assert_eq!(directory.claim(slug("acme"), acme, region("eu"), Epoch::FIRST).await?, Position::new(1));
    assert_eq!(map_of(&directory).await?.names[&slug("acme")].state, NameState::Claimed);
    directory.confirm(slug("acme"), acme).await?;
    let before = map_of(&directory).await?;
    let entry = &before.names[&slug("acme")];
    assert_eq!((entry.tenant_id, &entry.region, entry.state), (acme, &region("eu"), NameState::Confirmed));
    assert_eq!(before.version, Position::new(2));
    assert_eq!(map_of(&world.directory().await?).await?, before);
    Ok(())
}

#[tokio::test]
async fn of_two_claims_at_once_one_wins_and_the_other_is_told() -> anyhow::Result<()> {
    let world = World::new().await?;
    // Two processes over one log, so that the memory of one cannot decide for both.
    let (here, there) = (world.directory().await?, world.directory().await?);
    for round in 0..10 {
        let name = slug(&format!("round-{round}"));
        let (ours, theirs) = (world.tenant(), world.tenant());
        let (first, second) = tokio::join!(
            here.claim(name.clone(), ours, region("eu"), Epoch::FIRST),
            there.claim(name.clone(), theirs, region("us"), Epoch::FIRST)
        );
        let refused = match (first, second) {
            (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
            both => anyhow::bail!("not one winner: {both:?}"),
        };
        assert!(matches!(refused, Error::Rejected(Rejection::Taken)), "{refused}");
    }
    assert_eq!(map_of(&here).await?.version, Position::new(10), "the losers left nothing");
    Ok(())
}

#[tokio::test]
async fn the_same_claim_twice_is_one_claim() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (directory, acme) = (world.directory().await?, world.tenant());
    for _ in 0..2 {
        let position = directory.claim(slug("acme"), acme, region("eu"), Epoch::FIRST).await?;
        assert_eq!(position, Position::new(1));
    }
    Ok(())
}

#[tokio::test]
async fn a_released_name_can_be_claimed_by_another_tenant() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (directory, acme, other) = (world.directory().await?, world.tenant(), world.tenant());
    directory.claim(slug("acme"), acme, region("eu"), Epoch::FIRST).await?;
    directory.release(slug("acme"), acme).await?;
    assert!(map_of(&directory).await?.names.is_empty());
    directory.claim(slug("acme"), other, region("us"), Epoch::FIRST).await?;
    let error = directory.confirm(slug("acme"), acme).await.expect_err("it holds it no more");
    assert!(matches!(error, Error::Rejected(Rejection::Taken)), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_region_sees_its_own_unconfirmed_claims_with_their_age() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (directory, acme) = (world.directory().await?, world.tenant());
    directory.claim(slug("acme"), acme, region("eu"), Epoch::FIRST).await?;
    directory.claim(slug("other"), world.tenant(), region("us"), Epoch::FIRST).await?;
    world.test.clock.advance(SignedDuration::from_secs(90));
    let pending = directory.pending(&region("eu"));
    assert_eq!(pending.len(), 1);
    assert_eq!((&pending[0].slug, pending[0].tenant_id), (&slug("acme"), acme));
    assert_eq!(pending[0].age(), Duration::from_secs(90));
    let restarted = world.directory().await?;
    assert_eq!(restarted.pending(&region("eu")), pending, "a claim outlives the process that took it");
    directory.confirm(slug("acme"), acme).await?;
    assert!(directory.pending(&region("eu")).is_empty());
    Ok(())
}

#[tokio::test]
async fn a_region_nobody_knows_and_a_name_of_a_region_are_refused() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (directory, tenant) = (world.directory().await?, world.tenant());
    let unknown = directory.claim(slug("acme"), tenant, region("xx"), Epoch::FIRST).await;
    assert!(matches!(unknown, Err(Error::UnknownRegion)));
    let reserved = directory.claim(slug("mars"), tenant, region("eu"), Epoch::FIRST).await;
    assert!(matches!(reserved, Err(Error::Reserved)));
    Ok(())
}
