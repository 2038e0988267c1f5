//! The plain port: from the first request's Host to the home region.

use runtime::proxy_protocol::Header;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{FakeRegion, World, expect, get};

#[tokio::test]
async fn a_request_reaches_the_home_region_behind_a_proxy_header() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router().await?;
    let mut client = TcpStream::connect(router.plain).await?;
    client.write_all(get("ACME.localhost:8080").as_bytes()).await?;
    let mut arrival = world.eu.next().await?;
    let header = Header::Proxied { source: client.local_addr()?, destination: router.plain };
    assert_eq!(arrival.header, header);
    expect(&mut arrival.stream, get("ACME.localhost:8080").as_bytes()).await?;
    arrival.stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
    expect(&mut client, b"HTTP/1.1 204 No Content\r\n\r\n").await?;
    Ok(())
}

#[tokio::test]
async fn the_apex_leads_to_the_default_region_and_a_region_to_itself() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router().await?;
    for (host, region) in [("localhost", &mut world.us), ("eu.localhost:8080", &mut world.eu)] {
        let mut client = TcpStream::connect(router.plain).await?;
        client.write_all(get(host).as_bytes()).await?;
        expect(&mut region.next().await?.stream, get(host).as_bytes()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_request_that_comes_byte_by_byte_arrives_whole_with_its_body() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router().await?;
    let request = "POST / HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 4\r\n\r\nbody";
    let mut client = TcpStream::connect(router.plain).await?;
    client.set_nodelay(true)?;
    for byte in request.as_bytes() {
        client.write_all(&[*byte]).await?;
        tokio::task::yield_now().await;
    }
    expect(&mut world.eu.next().await?.stream, request.as_bytes()).await
}

#[tokio::test]
async fn an_unknown_a_claimed_and_a_foreign_name_get_the_same_bytes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let router = world.router().await?;
    let unknown = router.answer_to(get("nobody.localhost")).await?;
    assert!(unknown.starts_with("HTTP/1.1 404 Not Found\r\n"), "{unknown}");
    assert!(unknown.contains("\r\nConnection: close\r\n"));
    for other in ["fresh.localhost", "example.com", "a.acme.localhost", "127.0.0.1:8080", "[::1]"] {
        assert_eq!(router.answer_to(get(other)).await?, unknown, "{other}");
    }
    Ok(())
}

#[tokio::test]
async fn a_head_request_is_refused_without_a_body() -> anyhow::Result<()> {
    let world = World::new().await?;
    let router = world.router().await?;
    let answer = router.answer_to("HEAD / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n").await?;
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_region_that_is_down_is_told_apart_and_to_be_tried_again() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let gone = std::mem::replace(&mut world.eu, FakeRegion::start().await?);
    let mut config = world.config()?;
    for backend in config.regions.values_mut().filter(|backend| backend.plain == world.eu.address) {
        backend.plain = gone.address;
    }
    drop(gone);
    let router = crate::support::run(config).await?;
    let answer = router.answer_to(get("acme.localhost")).await?;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: "), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_bad_head_a_long_head_and_http2_are_each_told_so() -> anyhow::Result<()> {
    let world = World::new().await?;
    let router = world.router().await?;
    let long = format!("GET / HTTP/1.1\r\nHost: acme.localhost\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("\u{16}\u{3}\u{1}", "400"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
        (&long, "431"),
    ] {
        let answer = router.answer_to(request).await?;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let page = router.metrics.page();
    for outcome in ["malformed\"} 2", "http2\"} 1", "too_long\"} 1"] {
        assert!(page.contains(outcome), "{outcome}: {page}");
    }
    Ok(())
}

#[tokio::test]
async fn each_direction_closes_by_itself() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router().await?;
    let mut client = TcpStream::connect(router.plain).await?;
    client.write_all(get("acme.localhost").as_bytes()).await?;
    client.shutdown().await?;
    let mut arrival = world.eu.next().await?;
    let mut request = String::new();
    arrival.stream.read_to_string(&mut request).await?;
    assert_eq!(request, get("acme.localhost"), "the client's end of sending reached the region");
    let large = vec![7; 3 << 20];
    arrival.stream.write_all(&large).await?;
    drop(arrival);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await?;
    assert!(answer == large, "{} bytes", answer.len());
    Ok(())
}

#[tokio::test]
async fn a_client_that_still_sends_hears_why_the_region_stopped_listening() -> anyhow::Result<()> {
    const ANSWER: &str = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let mut world = World::new().await?;
    let router = world.router().await?;
    for _ in 0..10 {
        let mut client = TcpStream::connect(router.plain).await?;
        client.write_all(get("acme.localhost").as_bytes()).await?;
        let mut arrival = world.eu.next().await?;
        let (mut reads, mut writes) = client.split();
        let pour = async {
            // More than all buffers hold: it ends when nobody takes it any more.
            while writes.write_all(&[0; 64 << 10]).await.is_ok() {}
        };
        let region = async {
            expect(&mut arrival.stream, get("acme.localhost").as_bytes()).await?;
            arrival.stream.write_all(ANSWER.as_bytes()).await?;
            // Closed with much unread: what the kernel sends is a reset.
            drop(arrival);
            anyhow::Ok(())
        };
        let mut answer = vec![0; ANSWER.len()];
        let (answered, (), closed) = tokio::join!(reads.read_exact(&mut answer), pour, region);
        closed?;
        answered?;
        assert_eq!(String::from_utf8(answer)?, ANSWER);
    }
    Ok(())
}
