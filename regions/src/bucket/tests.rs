//! A store that takes requests and does not answer them in time.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use runtime::{Shutdown, SystemClock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::region::{PostgresEndpoint, S3Endpoint};

/// Short enough for a test; between attempts the client pauses a tenth of a second and more.
const PATIENCE: BucketPatience = BucketPatience {
    connect: Duration::from_secs(3),
    attempt: Duration::from_secs(1),
    operation: Duration::from_secs(20),
};
/// What four attempts and their pauses take, with room for a slow machine; far below the product's own limits.
const ENOUGH: Duration = Duration::from_secs(15);

/// A store that takes every request, answers it with these bytes, and then is silent; and how many it took.
async fn silent(answer: &'static [u8]) -> std::io::Result<(SocketAddr, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let (shutdown, connections) = (Shutdown::new(), Shutdown::new());
    shutdown.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let counted = Arc::clone(&counted);
            connections.spawn(async move {
                let mut bytes = [0; 4096];
                let mut is_first = true;
                while client.read(&mut bytes).await.is_ok_and(|length| length > 0) {
                    if std::mem::take(&mut is_first) {
                        counted.fetch_add(1, Ordering::SeqCst);
                        if client.write_all(answer).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    Ok((address, taken))
}

fn bucket_at(address: SocketAddr, patience: BucketPatience) -> Bucket {
    let database = PostgresEndpoint::new("nowhere", 5432, "domicile", "domicile", "");
    let s3 = S3Endpoint::new(format!("http://{address}"), "test", "test-secret").with_patience(patience);
    let region = Region { bucket: "files".to_owned(), s3: Some(s3), ..Region::for_directory(database) };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Bucket::new(&region, BucketRole::Replicator, &clock).expect("a region with a store")
}

#[tokio::test]
async fn what_a_store_does_not_answer_is_tried_again_and_then_fails_as_what_it_was() -> anyhow::Result<()> {
    let body = || Bytes::from_static(b"x");
    for operation in ["cannot write a/1", "cannot read a/1", "cannot list a/", "cannot ask where it is"] {
        let (address, taken) = silent(b"").await?;
        let bucket = bucket_at(address, PATIENCE);
        let begun = Instant::now();
        let failed = match operation {
            "cannot write a/1" => bucket.put_new("a/1", body()).await.err(),
            "cannot read a/1" => bucket.get("a/1").await.err(),
            "cannot list a/" => bucket.list("a/").await.err(),
            _ => bucket.check_location().await.err(),
        };
        let failed = runtime::chain(&failed.expect("nobody answered"));
        assert!(begun.elapsed() < ENOUGH, "{operation}: {:?}", begun.elapsed());
        assert!(failed.contains("files") && failed.contains(operation), "{failed}");
        assert!(failed.contains("time"), "why: {failed}");
        assert_eq!(taken.load(Ordering::SeqCst), ATTEMPTS_MAX as usize, "{operation}");
    }
    Ok(())
}

#[tokio::test]
async fn a_store_that_never_answers_takes_no_retries_from_another() -> anyhow::Result<()> {
    // More than all retries that a process has.
    const READS: usize = 30;
    let ((first, taken), (second, asked)) = (silent(b"").await?, silent(b"").await?);
    let (first, second) = (bucket_at(first, PATIENCE), bucket_at(second, PATIENCE));
    let failed = futures::future::join_all((0..READS).map(|_| first.get("a/1"))).await;
    assert!(failed.iter().all(Result::is_err));
    assert!(taken.load(Ordering::SeqCst) < READS * ATTEMPTS_MAX as usize, "the first has none left");
    second.get("a/1").await.expect_err("nobody answers");
    assert_eq!(asked.load(Ordering::SeqCst), ATTEMPTS_MAX as usize);
    Ok(())
}

#[tokio::test]
async fn an_object_that_begins_and_does_not_end_is_given_up() -> anyhow::Result<()> {
    let (address, _) = silent(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\netag: \"e\"\r\n\r\nhalf of it").await?;
    let begun = Instant::now();
    let patience = BucketPatience { operation: PATIENCE.attempt, ..PATIENCE };
    let failed =
        runtime::chain(&bucket_at(address, patience).get("a/1").await.expect_err("it does not come to its end"));
    assert!(begun.elapsed() < ENOUGH, "{:?}", begun.elapsed());
    assert_eq!(failed, "bucket files: cannot read a/1: the object did not come to its end within 1s");
    Ok(())
}

#[test]
fn the_products_own_limits_leave_room_for_every_attempt_but_the_last() {
    let patience = BucketPatience::default();
    assert!(patience.connect < patience.attempt && patience.attempt * (ATTEMPTS_MAX - 1) <= patience.operation);
}
