//! Buckets that keep versions.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use bytes::Bytes;
use testkit::{RawBucket, refusal};

/// Every version below a prefix, newest first for each key: key, id or marker's id, whether it is the latest, whether a marker.
pub(crate) async fn listed(bucket: &RawBucket, prefix: &str) -> anyhow::Result<Vec<(String, String, bool, bool)>> {
    let found = bucket.list_object_versions().bucket(&bucket.name).prefix(prefix).send().await?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let versions = found.versions().iter().map(|it| (text(it.key()), text(it.version_id()), it.is_latest(), false));
    let markers = found.delete_markers().iter().map(|it| (text(it.key()), text(it.version_id()), it.is_latest(), true));
    let mut all: Vec<_> =
        versions.chain(markers).map(|(key, id, latest, marker)| (key, id, latest == Some(true), marker)).collect();
    all.sort_by(|one, other| (&one.0, &other.1).cmp(&(&other.0, &one.1)));
    Ok(all)
}

async fn body(bucket: &RawBucket, key: &str, version: Option<&str>) -> anyhow::Result<Bytes> {
    let get = bucket.get_object().bucket(&bucket.name).key(key).set_version_id(version.map(str::to_owned));
    Ok(get.send().await?.body.collect().await?.into_bytes())
}

async fn put(bucket: &RawBucket, key: &str, body: &'static str) -> anyhow::Result<String> {
    let put = bucket.put_object().bucket(&bucket.name).key(key).body(Bytes::from_static(body.as_bytes()).into());
    Ok(put.send().await?.version_id().unwrap_or("none").to_owned())
}

#[tokio::test]
async fn what_is_replaced_or_deleted_stays_readable_by_its_version() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let bucket = test.raw_bucket();
    let first = put(&bucket, "a/checkpoint", "1").await?;
    let second = put(&bucket, "a/checkpoint", "2").await?;
    assert_ne!(first, second);
    assert_eq!(body(&bucket, "a/checkpoint", None).await?, "2");
    assert_eq!(body(&bucket, "a/checkpoint", Some(&first)).await?, "1");

    let deleted = bucket.delete_object().bucket(&bucket.name).key("a/checkpoint").send().await?;
    assert_eq!(deleted.delete_marker(), Some(true));
    let gone = bucket.get_object().bucket(&bucket.name).key("a/checkpoint").send().await;
    assert_eq!(refusal(&gone), "NoSuchKey");
    assert!(test.bucket().await?.list("a/").await?.is_empty());
    let marker = deleted.version_id().unwrap_or_default().to_owned();
    let key = "a/checkpoint".to_owned();
    let expected = [
        (key.clone(), marker.clone(), true, true),
        (key.clone(), second.clone(), false, false),
        (key, first, false, false),
    ];
    assert_eq!(listed(&bucket, "a/").await?, expected);

    // A new object comes after the marker; without the marker and it, the one before is there again.
    assert_eq!(
        test.bucket().await?.put_short_lived("a/checkpoint", Bytes::from_static(b"3")).await?,
        regions::Put::Written
    );
    let third = listed(&bucket, "a/").await?[0].1.clone();
    for version in [&third, &marker] {
        bucket.delete_object().bucket(&bucket.name).key("a/checkpoint").version_id(version).send().await?;
    }
    assert_eq!(body(&bucket, "a/checkpoint", None).await?, "2");
    assert_eq!(listed(&bucket, "a/").await?[0].1, second, "it has kept its id");
    Ok(())
}

#[tokio::test]
async fn a_long_list_of_versions_comes_whole_and_in_order() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let bucket = test.raw_bucket();
    for key in ["b/1", "b/2", "c"] {
        for body in ["1", "2", "3"] {
            put(&bucket, key, body).await?;
        }
    }
    let (mut key_marker, mut version_marker, mut seen) = (None, None, Vec::new());
    loop {
        let page = bucket.list_object_versions().bucket(&bucket.name).prefix("b/").max_keys(2);
        let page = page.set_key_marker(key_marker).set_version_id_marker(version_marker).send().await?;
        assert!(page.versions().len() <= 2);
        seen.extend(page.versions().iter().map(|it| it.version_id().unwrap_or_default().to_owned()));
        if page.is_truncated() != Some(true) {
            break;
        }
        (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
    }
    let whole: Vec<_> = listed(&bucket, "b/").await?.into_iter().map(|version| version.1).collect();
    assert_eq!((seen.len(), seen), (6, whole));
    Ok(())
}

#[tokio::test]
async fn objects_of_a_bucket_that_kept_no_versions_are_its_first_ones_when_it_begins_to() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (mut old, key) = (test.raw_bucket(), "tenants/t/log/checkpoint");
    old.name = "an-old-bucket".to_owned();
    let place =
        aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint("eu-central-1".into()).build();
    old.create_bucket().bucket(&old.name).create_bucket_configuration(place).send().await?;
    put(&old, key, "0").await?;
    assert_eq!(put(&old, key, "1").await?, "none");
    assert_eq!(listed(&old, "").await?, [(key.to_owned(), "null".to_owned(), true, false)], "it was replaced");

    let mut region = test.unlimited();
    region.bucket = old.name.clone();
    let clock: std::sync::Arc<dyn runtime::Clock> = test.clock.clone();
    let refused = regions::bucket(&region, regions::BucketRole::Desk, &clock).await.expect_err("it keeps no versions");
    assert!(
        refused.is_refused_bucket() && refused.to_string().starts_with("object_lock: bucket an-old-bucket"),
        "{refused}"
    );
    regions::Bucket::set_up(&region, &clock).await?;
    let bucket = regions::bucket(&region, regions::BucketRole::Desk, &clock).await?;
    let etag = bucket.get(key).await?.expect("it is there").etag;
    assert!(bucket.put_if_match(key, Bytes::from_static(b"2"), Some(&etag)).await?.is_some());
    assert_eq!(body(&old, key, None).await?, "2");
    assert_eq!(body(&old, key, Some("null")).await?, "1");
    let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    let suspended = old.put_bucket_versioning().bucket(&old.name).versioning_configuration(suspended).send().await;
    assert_eq!(refusal(&suspended), "InvalidBucketState");
    Ok(())
}

#[tokio::test]
async fn a_crash_between_keeping_a_version_and_replacing_it_shows_it_once() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let bucket = test.raw_bucket();
    let first = put(&bucket, "d/x", "1").await?;
    // What the first half of a replacement leaves: two names for one version.
    let folder = test.folder.path().join("s3");
    let kept = folder.join(".versions").join(&bucket.name).join("d/x");
    std::fs::create_dir_all(&kept)?;
    std::fs::hard_link(folder.join(&bucket.name).join("d/x"), kept.join(format!("~{first}")))?;
    assert_eq!(listed(&bucket, "d/").await?, [("d/x".to_owned(), first.clone(), true, false)]);
    let deleted = bucket.delete_object().bucket(&bucket.name).key("d/x").send().await?;
    assert_eq!(deleted.delete_marker(), Some(true));
    assert_eq!(refusal(&bucket.head_object().bucket(&bucket.name).key("d/x").send().await), "NotFound");
    assert_eq!(body(&bucket, "d/x", Some(&first)).await?, "1");
    assert_eq!(listed(&bucket, "d/").await?.len(), 2);
    Ok(())
}
