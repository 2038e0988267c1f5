//! The endpoint through the product's own client.

mod s3 {
    mod lives;
    mod locks;
    mod roles;
    mod versions;
}

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use regions::{Bucket, BucketRole, Put};
use runtime::Clock;

fn clock(region: &testkit::TestRegion) -> Arc<dyn Clock> {
    region.clock.clone()
}

async fn bucket() -> anyhow::Result<(testkit::TestRegion, Bucket)> {
    let region = testkit::region().await?;
    let bucket = region.bucket().await?;
    Ok((region, bucket))
}

#[tokio::test]
async fn an_object_reads_back_as_it_was_written() -> anyhow::Result<()> {
    let (_region, bucket) = bucket().await?;
    let body: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    assert_eq!(bucket.put_new("a/b/c", Bytes::from(body.clone())).await?, Put::Written);
    let object = bucket.get("a/b/c").await?.expect("it was written");
    assert_eq!(object.body, body);
    assert_eq!(bucket.head("a/b/c").await?, Some(3_000_000));
    assert!(bucket.get("a/b").await?.is_none(), "a folder is no object");
    assert_eq!(bucket.head("a/b/d").await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writers_of_one_new_object_one_wins() -> anyhow::Result<()> {
    let (_region, bucket) = bucket().await?;
    let writes =
        (0..24_u8).map(|writer| {
            let bucket = bucket.clone();
            async move {
                Ok::<_, anyhow::Error>((writer, bucket.put_new("manifest/1", Bytes::from(vec![writer; 1000])).await?))
            }
        });
    let written = futures::future::try_join_all(writes).await?;
    let winners: Vec<u8> =
        written.into_iter().filter(|(_, put)| *put == Put::Written).map(|(writer, _)| writer).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(bucket.get("manifest/1").await?.expect("one won").body, vec![winners[0]; 1000]);
    Ok(())
}

#[tokio::test]
async fn an_object_moves_only_from_what_the_writer_has_seen() -> anyhow::Result<()> {
    let (_region, bucket) = bucket().await?;
    let first = bucket.put_if_match("checkpoint", Bytes::from_static(b"1"), None).await?.expect("there was none");
    assert!(bucket.put_if_match("checkpoint", Bytes::from_static(b"x"), None).await?.is_none(), "there is one now");
    let second = bucket.put_if_match("checkpoint", Bytes::from_static(b"2"), Some(&first)).await?.expect("unmoved");
    assert_ne!(first, second);
    assert!(bucket.put_if_match("checkpoint", Bytes::from_static(b"x"), Some(&first)).await?.is_none(), "moved since");
    assert_eq!(bucket.get("checkpoint").await?.expect("written").body, "2");
    Ok(())
}

#[tokio::test]
async fn a_long_list_comes_whole_and_in_order() -> anyhow::Result<()> {
    let (_region, bucket) = bucket().await?;
    let writes = (0..1005).map(|number| {
        let bucket = bucket.clone();
        async move { Ok::<_, anyhow::Error>(bucket.put_new(&format!("list/{number:04}/x"), Bytes::new()).await?) }
    });
    // As many at once as a busy machine answers in time.
    futures::stream::iter(writes).buffer_unordered(16).try_collect::<Vec<_>>().await?;
    bucket.put_new("lisp", Bytes::new()).await?;
    let keys: Vec<String> = bucket.list("list/").await?.into_iter().map(|object| object.key).collect();
    assert_eq!(keys, (0..1005).map(|number| format!("list/{number:04}/x")).collect::<Vec<_>>());
    assert_eq!(bucket.list("lis").await?.len(), 1006);
    Ok(())
}

#[tokio::test]
async fn a_key_cannot_leave_the_bucket() -> anyhow::Result<()> {
    let (region, bucket) = bucket().await?;
    for key in ["../escaped", "a/../../escaped", "/etc/escaped", "a//b", "./a"] {
        assert!(bucket.put_new(key, Bytes::from_static(b"x")).await.is_err(), "{key}");
    }
    assert!(!region.folder.path().join("s3/escaped").exists());
    assert!(!region.folder.path().join("escaped").exists());
    Ok(())
}

#[tokio::test]
async fn another_secret_is_refused() -> anyhow::Result<()> {
    let (region, _bucket) = bucket().await?;
    let mut endpoints = region.region.endpoints().expect("a test region has endpoints");
    endpoints.s3 = regions::S3Endpoint::new(endpoints.s3.url, "test", "another-secret");
    let region_named = region.region.clone().with_endpoints(endpoints);
    assert!(regions::bucket(&region_named, BucketRole::Reader, &clock(&region)).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_bucket_elsewhere_is_refused() -> anyhow::Result<()> {
    let (region, _bucket) = bucket().await?;
    let mut moved = region.region.clone();
    moved.cloud_region = "us-east-1".to_owned();
    let refused =
        regions::bucket(&moved, BucketRole::Reader, &clock(&region)).await.expect_err("the bucket says eu-central-1");
    assert!(refused.to_string().contains("eu-central-1"), "{refused}");
    Ok(())
}
