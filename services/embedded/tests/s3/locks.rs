//! Locks: retention and legal hold of versions.

use aws_sdk_s3::{
    primitives::DateTime,
    types::{
        ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode,
    },
};
use bytes::Bytes;
use embedded::s3::{Config, Credential, Durability, Endpoint};
use jiff::SignedDuration;
use regions::{Endpoints, S3Endpoint};
use runtime::{Clock, Shutdown};
use testkit::{RawBucket, TestRegion, refusal};

const HOUR: i64 = 3600;

/// The test's time, and hours.
fn hours(test: &TestRegion, hours: i64) -> DateTime {
    DateTime::from_secs(test.clock.now().as_second() + hours * HOUR)
}

async fn locked(test: &TestRegion, key: &str, mode: ObjectLockMode) -> anyhow::Result<(RawBucket, String)> {
    let bucket = test.raw_bucket();
    let put = bucket.put_object().bucket(&bucket.name).key(key).body(Bytes::from_static(b"locked").into());
    let put = put.object_lock_mode(mode).object_lock_retain_until_date(hours(test, 10)).send().await?;
    let version = put.version_id().unwrap_or_default().to_owned();
    Ok((bucket, version))
}

/// The code with which the deletion of a version is refused.
async fn delete(bucket: &RawBucket, key: &str, version: &str, bypass: bool) -> String {
    let delete = bucket.delete_object().bucket(&bucket.name).key(key).version_id(version);
    refusal(&delete.bypass_governance_retention(bypass).send().await).to_owned()
}

async fn retain(
    bucket: &RawBucket,
    (key, version): (&str, &str),
    (mode, until): (ObjectLockRetentionMode, DateTime),
    bypass: bool,
) -> String {
    let retention = ObjectLockRetention::builder().mode(mode).retain_until_date(until).build();
    let put = bucket.put_object_retention().bucket(&bucket.name).key(key).version_id(version).retention(retention);
    refusal(&put.bypass_governance_retention(bypass).send().await).to_owned()
}

#[tokio::test]
async fn a_locked_version_goes_when_its_time_is_over_and_not_before() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    for (mode, bypassed) in [(ObjectLockMode::Governance, "none"), (ObjectLockMode::Compliance, "AccessDenied")] {
        let key = format!("events/{}", mode.as_str());
        let (bucket, version) = locked(&test, &key, mode.clone()).await?;
        assert_eq!(delete(&bucket, &key, &version, false).await, "AccessDenied");
        let head = bucket.head_object().bucket(&bucket.name).key(&key).send().await?;
        assert_eq!(
            (head.object_lock_mode(), head.object_lock_retain_until_date()),
            (Some(&mode), Some(&hours(&test, 10)))
        );
        // A marker hides it and takes nothing away; a new object is another version.
        bucket.delete_object().bucket(&bucket.name).key(&key).send().await?;
        assert_eq!(delete(&bucket, &key, &version, false).await, "AccessDenied");
        assert_eq!(delete(&bucket, &key, &version, true).await, bypassed);

        let (bucket, version) = locked(&test, &key, mode).await?;
        test.clock.advance(SignedDuration::from_hours(11));
        assert_eq!(delete(&bucket, &key, &version, false).await, "none");
    }
    Ok(())
}

#[tokio::test]
async fn a_retention_grows_and_shrinks_only_by_a_bypass_of_governance() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (bucket, version) = locked(&test, "manifest/1", ObjectLockMode::Governance).await?;
    let at = ("manifest/1", version.as_str());
    let to = |mode: ObjectLockRetentionMode, after| (mode, hours(&test, after));
    assert_eq!(retain(&bucket, at, to(ObjectLockRetentionMode::Governance, 12), false).await, "none");
    assert_eq!(retain(&bucket, at, to(ObjectLockRetentionMode::Governance, 11), false).await, "AccessDenied");
    assert_eq!(retain(&bucket, at, to(ObjectLockRetentionMode::Governance, 11), true).await, "none");
    assert_eq!(retain(&bucket, at, to(ObjectLockRetentionMode::Governance, -1), true).await, "InvalidArgument");
    assert_eq!(retain(&bucket, at, to(ObjectLockRetentionMode::Compliance, 11), true).await, "none");
    assert_eq!(retain(&bucket, at, to(ObjectLockRetentionMode::Governance, 20), true).await, "AccessDenied");
    let found = bucket.get_object_retention().bucket(&bucket.name).key(at.0).send().await?;
    let retention = found.retention().expect("it has one");
    assert_eq!(retention.mode(), Some(&ObjectLockRetentionMode::Compliance));
    assert_eq!(retention.retain_until_date(), Some(&hours(&test, 11)));
    Ok(())
}

#[tokio::test]
async fn a_legal_hold_holds_without_an_end() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (bucket, version) = locked(&test, "audit/1", ObjectLockMode::Governance).await?;
    let hold = |status| ObjectLockLegalHold::builder().status(status).build();
    let put = || bucket.put_object_legal_hold().bucket(&bucket.name).key("audit/1");
    put().legal_hold(hold(ObjectLockLegalHoldStatus::On)).send().await?;
    test.clock.advance(SignedDuration::from_hours(24 * 365));
    assert_eq!(delete(&bucket, "audit/1", &version, true).await, "AccessDenied");
    put().legal_hold(hold(ObjectLockLegalHoldStatus::Off)).send().await?;
    let found = bucket.get_object_legal_hold().bucket(&bucket.name).key("audit/1").send().await?;
    assert_eq!(found.legal_hold().and_then(|hold| hold.status()), Some(&ObjectLockLegalHoldStatus::Off));
    assert_eq!(delete(&bucket, "audit/1", &version, false).await, "none");
    Ok(())
}

#[tokio::test]
async fn what_the_product_writes_once_is_locked_as_the_region_says_and_keys_and_checkpoints_are_not()
-> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (ours, bucket) = (test.bucket().await?, test.raw_bucket());
    ours.put_new("tenants/t/manifest/1", Bytes::from_static(b"m")).await?;
    ours.put_short_lived("keys/t/1", Bytes::from_static(b"k")).await?;
    ours.put_if_match("tenants/t/log/checkpoint", Bytes::from_static(b"c"), None).await?;
    for (key, lock) in [
        ("tenants/t/manifest/1", Some((ObjectLockMode::Governance, hours(&test, 24 * 30)))),
        ("keys/t/1", None),
        ("tenants/t/log/checkpoint", None),
    ] {
        let head = bucket.head_object().bucket(&bucket.name).key(key).send().await?;
        assert_eq!(head.object_lock_mode.zip(head.object_lock_retain_until_date), lock, "{key}");
    }
    Ok(())
}

#[tokio::test]
async fn a_lock_takes_a_bucket_that_locks_and_an_end_that_is_ahead() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let bucket = test.raw_bucket();
    let put = || bucket.put_object().bucket(&bucket.name).key("x").object_lock_mode(ObjectLockMode::Governance);
    assert_eq!(refusal(&put().object_lock_retain_until_date(hours(&test, -1)).send().await), "InvalidArgument");
    assert_eq!(refusal(&put().send().await), "InvalidArgument");
    let place =
        aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint("eu-central-1".into()).build();
    bucket.create_bucket().bucket("no-locks").create_bucket_configuration(place).send().await?;
    let lock = put().bucket("no-locks").object_lock_retain_until_date(hours(&test, 1)).send().await;
    assert_eq!(refusal(&lock), "InvalidRequest");
    Ok(())
}

#[tokio::test]
async fn what_was_locked_stays_so_when_the_endpoint_comes_back_and_what_was_half_written_is_gone() -> anyhow::Result<()>
{
    let test = testkit::region().await?;
    let (_, version) = locked(&test, "events/1", ObjectLockMode::Governance).await?;
    let (folder, shutdown) = (test.folder.path().join("s3"), Shutdown::new());
    // What an endpoint leaves that dies in the middle of an upload.
    std::fs::write(folder.join(".staging/7"), "half")?;
    let config = Config {
        folder: folder.clone(),
        location: test.region.cloud_region.clone(),
        credentials: vec![Credential::unlimited("again", "again")],
        durability: Durability::Test,
        clock: test.clock.clone(),
    };
    let again = Endpoint::start(config, &shutdown).await?;
    assert_eq!(std::fs::read_dir(folder.join(".staging"))?.count(), 0);
    let Endpoints { postgres, .. } = test.region.endpoints().expect("a region with stores");
    let s3 = S3Endpoint::new(again.url(), "again", "again");
    let bucket = RawBucket::new(&test.region.clone().with_endpoints(Endpoints { postgres, s3 }), "again", "again");
    assert_eq!(delete(&bucket, "events/1", &version, false).await, "AccessDenied");
    let keys: Vec<_> = super::versions::listed(&bucket, "").await?.into_iter().map(|version| version.0).collect();
    assert_eq!(keys, ["events/1"], "half of an object is none");
    shutdown.request();
    Ok(())
}
