//! The life cycle: what is due goes, what is held stays.

use bytes::Bytes;
use embedded::s3::Ended;
use jiff::SignedDuration;
use testkit::TestRegion;

use super::versions::listed;

const DAY: i64 = 24;

async fn ended_after(test: &TestRegion, days: i64) -> anyhow::Result<Ended> {
    test.clock.advance(SignedDuration::from_hours(DAY * days));
    Ok(test.objects.as_ref().expect("the region's own").end_lives().await?)
}

#[tokio::test]
async fn keys_live_for_their_days_and_archives_for_ever() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (ours, bucket) = (test.bucket().await?, test.raw_bucket());
    ours.put_short_lived("keys/t/1", Bytes::from_static(b"k")).await?;
    ours.put_new("tenants/t/manifest/1", Bytes::from_static(b"m")).await?;
    assert_eq!(ended_after(&test, 29).await?, Ended::default());
    ours.put_short_lived("keys/t/2", Bytes::from_static(b"k")).await?;
    assert_eq!(ended_after(&test, 1).await?, Ended { objects: 1, ..Ended::default() });
    assert_eq!(ours.list("keys/").await?.len(), 1, "the younger one");
    assert_eq!(listed(&bucket, "keys/t/1").await?.len(), 2, "a version and a marker");
    assert_eq!(ended_after(&test, 6).await?, Ended::default());
    assert_eq!(ended_after(&test, 1).await?, Ended { versions: 1, markers: 1, ..Ended::default() });
    assert!(listed(&bucket, "keys/t/1").await?.is_empty(), "nothing of it is left");
    ended_after(&test, 365).await?;
    ended_after(&test, 7).await?;
    assert!(listed(&bucket, "keys/").await?.is_empty());
    assert!(ours.get("tenants/t/manifest/1").await?.is_some());
    let left = testkit_files(&test);
    assert!(!left.iter().any(|path| path.contains("keys/")), "{left:?}");
    Ok(())
}

#[tokio::test]
async fn reports_of_drills_live_for_their_days() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (ours, bucket) = (test.bucket().await?, test.raw_bucket());
    let days = i64::from(test.region.storage.deletion.drills_days);
    ours.put_new("drills/1.json", Bytes::from_static(b"d")).await?;
    ours.put_new("tenants/t/manifest/1", Bytes::from_static(b"m")).await?;
    assert_eq!(ended_after(&test, days - 1).await?, Ended::default());
    ours.put_new("drills/2.json", Bytes::from_static(b"d")).await?;
    assert_eq!(ended_after(&test, 1).await?, Ended { objects: 1, ..Ended::default() });
    assert_eq!(ours.list("drills/").await?.len(), 1, "the younger one");
    assert_eq!(ended_after(&test, 6).await?, Ended::default());
    assert_eq!(ended_after(&test, 1).await?, Ended { versions: 1, markers: 1, ..Ended::default() });
    assert!(listed(&bucket, "drills/1.json").await?.is_empty(), "nothing of it is left");
    assert!(ours.get("drills/2.json").await?.is_some() && ours.get("tenants/t/manifest/1").await?.is_some());
    Ok(())
}

fn testkit_files(test: &TestRegion) -> Vec<String> {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { walk(&path, found) } else { found.push(path.to_string_lossy().into_owned()) }
        }
    }
    let mut found = Vec::new();
    walk(&test.folder.path().join("s3"), &mut found);
    found
}

#[tokio::test]
async fn replaced_versions_go_after_their_days_and_never_while_a_lock_holds_them() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (ours, bucket) = (test.bucket().await?, test.raw_bucket());
    let mut etag = None;
    for body in ["1", "2", "3"] {
        etag =
            ours.put_if_match("tenants/t/log/checkpoint", Bytes::from_static(body.as_bytes()), etag.as_deref()).await?;
        assert!(etag.is_some());
    }
    ours.put_new("tenants/t/events/1", Bytes::from_static(b"e")).await?;
    bucket.delete_object().bucket(&bucket.name).key("tenants/t/events/1").send().await?;
    assert_eq!(ended_after(&test, 7).await?, Ended { versions: 2, ..Ended::default() }, "two of the checkpoint's");
    assert_eq!(ours.get("tenants/t/log/checkpoint").await?.expect("the newest stays").body, "3");
    assert_eq!(listed(&bucket, "tenants/t/events/1").await?.len(), 2, "the lock holds it");
    assert_eq!(ended_after(&test, 22).await?, Ended::default(), "29 days");
    assert_eq!(ended_after(&test, 1).await?, Ended { versions: 1, markers: 1, ..Ended::default() }, "30 days");
    Ok(())
}
