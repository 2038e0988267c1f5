//! The map: followed, cached, and refused when it is not the directory's or goes back.

use directory::NameState;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{FakeDirectory, Running, World, expect, get, map_of};

/// Whether `acme` is routed to its home.
async fn reaches_home(world: &mut World, router: &Running) -> anyhow::Result<()> {
    let mut client = TcpStream::connect(router.plain).await?;
    client.write_all(get("acme.localhost").as_bytes()).await?;
    expect(&mut world.eu.next().await?.stream, get("acme.localhost").as_bytes()).await
}

/// A router that has routed, and thus fetched and cached a map.
async fn with_a_cached_map(world: &mut World) -> anyhow::Result<()> {
    let router = world.router().await?;
    reaches_home(world, &router).await?;
    assert!(router.stop().await);
    assert!(world.cache.exists());
    Ok(())
}

async fn status(router: &Running, host: &str) -> anyhow::Result<String> {
    let answer = router.answer_to(get(host)).await?;
    Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
}

#[tokio::test]
async fn with_the_directory_stopped_tenants_are_routed_also_after_a_restart() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router().await?;
    reaches_home(&mut world, &router).await?;
    world.directory.stop().await;
    reaches_home(&mut world, &router).await?;
    assert!(router.stop().await);
    let restarted = world.router().await?;
    reaches_home(&mut world, &restarted).await?;
    assert_eq!(status(&restarted, "nobody.localhost").await?, "404");
    Ok(())
}

#[tokio::test]
async fn a_cached_map_that_was_changed_is_refused() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    with_a_cached_map(&mut world).await?;
    world.directory.stop().await;
    let changed = std::fs::read_to_string(&world.cache)?.replace("\"eu\"", "\"us\"");
    std::fs::write(&world.cache, changed)?;
    let router = world.router().await?;
    assert_eq!(status(&router, "acme.localhost").await?, "404", "nothing is routed by it");
    assert!(router.metrics.page().contains("domicile_router_map_refusals_total{reason=\"unsigned\"} 1"));
    Ok(())
}

#[tokio::test]
async fn a_map_signed_by_somebody_else_is_refused() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    with_a_cached_map(&mut world).await?;
    let other = FakeDirectory::start().await?;
    world.directory.publish(map_of(9, &[("acme", "us", NameState::Confirmed)]).sign(&other.key));
    let router = world.router().await?;
    assert_eq!(status(&router, "nobody.localhost").await?, "404", "the directory was asked for news");
    reaches_home(&mut world, &router).await?;
    assert!(router.metrics.page().contains("reason=\"unsigned\""));
    Ok(())
}

#[tokio::test]
async fn a_map_older_than_the_cached_one_is_refused() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    with_a_cached_map(&mut world).await?;
    world.directory.publish_map(&map_of(6, &[("acme", "us", NameState::Confirmed)]));
    let router = world.router().await?;
    assert_eq!(status(&router, "nobody.localhost").await?, "404", "the directory was asked for news");
    reaches_home(&mut world, &router).await?;
    assert!(router.metrics.page().contains("reason=\"older\""));
    Ok(())
}

#[tokio::test]
async fn a_name_confirmed_a_moment_ago_is_routed_at_once() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    world.directory.publish_map(&map_of(7, &[("acme", "eu", NameState::Claimed)]));
    let router = world.router().await?;
    assert_eq!(status(&router, "acme.localhost").await?, "404");
    world.directory.publish_map(&map_of(8, &[("acme", "eu", NameState::Confirmed)]));
    reaches_home(&mut world, &router).await
}

#[tokio::test]
async fn a_region_this_router_was_not_told_of_is_nowhere() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.directory.publish_map(&map_of(8, &[("acme", "mars", NameState::Confirmed)]));
    let router = world.router().await?;
    assert_eq!(status(&router, "acme.localhost").await?, "404");
    Ok(())
}
