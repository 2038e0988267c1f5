//! What one connection, and all of them, may take; and how they end when the router stops.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{World, expect, get};

const SOON: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn who_sends_nothing_is_told_after_the_time_for_the_first_byte() -> anyhow::Result<()> {
    let world = World::new().await?;
    let router = world.router_with(|limits| limits.first_byte_timeout = SOON).await?;
    assert!(router.answer_to("").await?.starts_with("HTTP/1.1 408 "));
    Ok(())
}

#[tokio::test]
async fn who_does_not_finish_the_head_is_told_after_the_time_for_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let router = world.router_with(|limits| limits.head_timeout = SOON).await?;
    assert!(router.answer_to("GET / HTTP/1.1\r\nHost: acme").await?.starts_with("HTTP/1.1 408 "));
    Ok(())
}

#[tokio::test]
async fn one_address_gets_only_its_share_of_connections() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router_with(|limits| limits.connections_per_address_max = 1).await?;
    let mut held = TcpStream::connect(router.plain).await?;
    held.write_all(get("acme.localhost").as_bytes()).await?;
    let arrival = world.eu.next().await?;
    let mut refused = TcpStream::connect(router.plain).await?;
    let mut answer = String::new();
    refused.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: "), "{answer}");
    drop((held, arrival));
    Ok(())
}

#[tokio::test]
async fn a_connection_on_which_nothing_moves_is_closed() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router_with(|limits| limits.idle_timeout = SOON).await?;
    let mut client = TcpStream::connect(router.plain).await?;
    client.write_all(get("acme.localhost").as_bytes()).await?;
    let _arrival = world.eu.next().await?;
    assert_eq!(client.read(&mut [0; 1]).await.unwrap_or_default(), 0, "closed");
    Ok(())
}

#[tokio::test]
async fn a_stopping_router_lets_an_answer_finish_and_takes_nothing_new() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router_with(|limits| (limits.drain_timeout, limits.drain_idle_timeout) = (NEVER, NEVER)).await?;
    let mut client = TcpStream::connect(router.plain).await?;
    client.write_all(get("acme.localhost").as_bytes()).await?;
    let mut arrival = world.eu.next().await?;
    let plain = router.plain;
    router.shutdown.request();
    while TcpStream::connect(plain).await.is_ok() {
        tokio::task::yield_now().await;
    }
    arrival.stream.write_all(b"the answer").await?;
    expect(&mut client, b"the answer").await?;
    drop((client, arrival));
    assert!(router.stop().await, "everything ended");
    Ok(())
}

#[tokio::test]
async fn a_stopping_router_closes_what_is_quiet() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router_with(|limits| limits.drain_idle_timeout = SOON).await?;
    let mut client = TcpStream::connect(router.plain).await?;
    client.write_all(get("acme.localhost").as_bytes()).await?;
    let _arrival = world.eu.next().await?;
    assert!(router.stop().await, "everything ended");
    assert_eq!(client.read(&mut [0; 1]).await.unwrap_or_default(), 0);
    Ok(())
}

#[tokio::test]
async fn a_stopping_router_cuts_what_goes_on_for_too_long() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router_with(|limits| (limits.drain_timeout, limits.drain_idle_timeout) = (SOON, NEVER)).await?;
    let mut client = TcpStream::connect(router.plain).await?;
    client.write_all(get("acme.localhost").as_bytes()).await?;
    let _arrival = world.eu.next().await?;
    assert!(router.stop().await, "everything ended");
    Ok(())
}

#[tokio::test]
async fn a_port_in_use_is_named() -> anyhow::Result<()> {
    let world = World::new().await?;
    let taken = world.router().await?;
    let mut config = world.config()?;
    config.listen = taken.plain;
    let error = router::Router::bind(config).await.expect_err("the port is taken");
    assert_eq!(error.to_string(), format!("cannot listen on {}", taken.plain));
    Ok(())
}
