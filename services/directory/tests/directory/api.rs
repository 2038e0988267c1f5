//! The HTTP API through the client, over a real socket, and in process where a client would not send such a thing.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use directory::{ClaimError, Client, map};
use http_body_util::BodyExt as _;
use runtime::Shutdown;
use schemas::Epoch;
use tower::ServiceExt as _;

use crate::support::{TOKEN, World, client, region, serve, slug};

const LONG: Duration = Duration::from_secs(25);

#[tokio::test]
async fn a_second_tenant_hears_that_the_name_is_taken() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let client = client(world.directory().await?, &shutdown).await?;
    let (acme, other) = (world.tenant(), world.tenant());
    client.claim(&slug("acme"), acme, &region("eu"), Epoch::FIRST).await?;
    client.claim(&slug("acme"), acme, &region("eu"), Epoch::FIRST).await?;
    let taken = client.claim(&slug("acme"), other, &region("us"), Epoch::FIRST).await;
    assert!(matches!(taken, Err(ClaimError::Taken)), "{taken:?}");
    let foreign = client.release(&slug("acme"), other).await;
    assert!(matches!(foreign, Err(ClaimError::Taken)), "{foreign:?}");
    assert_eq!(client.pending(&region("eu")).await?.len(), 1);
    client.confirm(&slug("acme"), acme).await?;
    assert!(matches!(client.release(&slug("acme"), acme).await, Err(ClaimError::Confirmed)));
    assert!(matches!(client.confirm(&slug("nobody"), acme).await, Err(ClaimError::NotClaimed)));
    Ok(())
}

#[tokio::test]
async fn whether_a_name_is_held_can_be_asked_without_taking_it() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let client = client(world.directory().await?, &shutdown).await?;
    let acme = world.tenant();
    for _ in 0..2 {
        assert!(!client.is_taken(&slug("acme")).await?, "asking takes nothing");
    }
    client.claim(&slug("acme"), acme, &region("eu"), Epoch::FIRST).await?;
    assert!(client.is_taken(&slug("acme")).await?, "a claim that nobody confirmed yet counts");
    client.release(&slug("acme"), acme).await?;
    assert!(!client.is_taken(&slug("acme")).await?);
    Ok(())
}

#[tokio::test]
async fn without_the_token_nothing_is_read_or_written() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let url = serve(world.directory().await?, &shutdown).await?;
    let stranger = Client::new(&url, "another")?;
    let claim = stranger.claim(&slug("acme"), world.tenant(), &region("eu"), Epoch::FIRST).await;
    assert!(matches!(claim, Err(ClaimError::Refused { status: 401, .. })), "{claim:?}");
    let map = stranger.map(None, None, Duration::ZERO).await;
    assert!(matches!(map, Err(ClaimError::Refused { status: 401, .. })), "{map:?}");
    assert!(matches!(stranger.is_taken(&slug("acme")).await, Err(ClaimError::Refused { status: 401, .. })));
    assert!(matches!(stranger.pending(&region("eu")).await, Err(ClaimError::Refused { status: 401, .. })));
    Ok(())
}

#[tokio::test]
async fn a_map_that_is_known_is_not_sent_again() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let client = client(world.directory().await?, &shutdown).await?;
    let bytes = client.map(None, None, Duration::ZERO).await?.expect("a map");
    let etag = map::etag(&bytes);
    assert_eq!(client.map(None, Some(&etag), Duration::ZERO).await?, None);
    client.claim(&slug("acme"), world.tenant(), &region("eu"), Epoch::FIRST).await?;
    assert!(client.map(None, Some(&etag), Duration::ZERO).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn who_waits_for_a_newer_map_gets_it_when_it_is_there() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let directory = world.directory().await?;
    let client = client(directory.clone(), &shutdown).await?;
    let bytes = client.map(None, None, Duration::ZERO).await?.expect("a map");
    let known = map::verify(&bytes, &directory.public_key())?;
    let etag = map::etag(&bytes);
    let waiting = client.map(Some(known.version), Some(&etag), LONG);
    let (acme, eu) = (slug("acme"), region("eu"));
    let (newer, claimed) = tokio::join!(waiting, client.claim(&acme, world.tenant(), &eu, Epoch::FIRST));
    claimed?;
    let newer = map::verify(&newer?.expect("a newer map"), &directory.public_key())?;
    assert!(newer.version > known.version && newer.names.contains_key(&slug("acme")));
    Ok(())
}

#[tokio::test]
async fn who_waits_hears_of_what_another_process_wrote() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let (here, there) = (world.directory().await?, world.directory().await?);
    let client = client(here.clone(), &shutdown).await?;
    there.claim(slug("acme"), world.tenant(), region("eu"), Epoch::FIRST).await?;
    let newer = client.map(Some(schemas::Position::ZERO), None, LONG).await?.expect("a map");
    assert!(map::verify(&newer, &here.public_key())?.names.contains_key(&slug("acme")));
    Ok(())
}

#[tokio::test]
async fn a_stopping_directory_does_not_wait_for_those_who_wait() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let directory = world.directory().await?;
    let client = client(directory.clone(), &shutdown).await?;
    let bytes = client.map(None, None, Duration::ZERO).await?.expect("a map");
    let known = map::verify(&bytes, &directory.public_key())?;
    let etag = map::etag(&bytes);
    let waiting = client.map(Some(known.version), Some(&etag), LONG);
    let stopping = async {
        tokio::task::yield_now().await;
        shutdown.drain(Duration::from_secs(10)).await
    };
    let (_, drained) = tokio::join!(waiting, stopping);
    assert!(drained, "the server ended");
    Ok(())
}

#[tokio::test]
async fn a_directory_that_is_gone_is_unavailable() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let client = client(world.directory().await?, &shutdown).await?;
    assert!(shutdown.drain(Duration::from_secs(10)).await);
    let claim = client.claim(&slug("acme"), world.tenant(), &region("eu"), Epoch::FIRST).await;
    assert!(matches!(claim, Err(ClaimError::Unavailable { .. })), "{claim:?}");
    Ok(())
}

#[tokio::test]
async fn a_bad_request_names_the_field_and_changes_nothing() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let directory = world.directory().await?;
    let good = format!(r#""tenant_id":"{}","region":"eu","epoch":1"#, world.tenant());
    for (path, body, names) in [
        ("/names/Bad_Name/claim", format!("{{{good}}}"), "slug: takes"),
        ("/names/acme/claim", "{".to_owned(), "EOF"),
        ("/names/acme/claim", r#"{"tenant_id":"x","region":"eu","epoch":1}"#.to_owned(), "UUID"),
        ("/names/acme/claim", format!("{{{}}}", good.replace("eu", "xx")), "region: takes"),
        ("/names/acme/claim", format!("{{{}}}", good.replace(":1", ":0")), "epoch: takes"),
        ("/names/acme/claim", format!(r#"{{{good},"email":"a@b.example"}}"#), "unknown field"),
        ("/names/acme/confirm", "{}".to_owned(), "tenant_id"),
    ] {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(Body::from(body))?;
        let response = directory.router(shutdown.clone()).oneshot(request).await?;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let body = response.into_body().collect().await?.to_bytes();
        assert!(String::from_utf8_lossy(&body).contains(names), "{path}: {body:?}");
    }
    assert!(directory.pending(&region("eu")).is_empty());
    Ok(())
}

#[tokio::test]
async fn health_is_told_without_a_token() -> anyhow::Result<()> {
    let (world, shutdown) = (World::new().await?, Shutdown::new());
    let request = Request::builder().uri("/healthz").body(Body::empty())?;
    let response = world.directory().await?.router(shutdown).oneshot(request).await?;
    assert_eq!(response.status(), StatusCode::OK);
    Ok(())
}
