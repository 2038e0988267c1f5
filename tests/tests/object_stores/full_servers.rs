//! The same on a full server that nobody here wrote: versitygw, which keeps objects in a folder and enforces locks. It is skipped by
//! name where it cannot be had.

use std::{
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, ObjectLockMode, ObjectLockRetention,
    ObjectLockRetentionMode, VersioningConfiguration,
};
use bytes::Bytes;
use regions::{Bucket, BucketRole, Put, Region, S3Endpoint};
use replicator::{archive_tenant, backup};
use runtime::{Clock, SystemClock};
use system_tests::{folder::Folder, others};
use testkit::{RawBucket, refusal};

use crate::world::{World, region_on};

const KEY: &str = "test";
const SECRET: &str = "test-secret";

/// A server that ends with this.
struct Server {
    child: Child,
    address: SocketAddr,
    _folder: Folder,
}

impl Server {
    /// Starts a program that is told its address and its folder, and waits until it takes connections.
    async fn start(program: &Path, arguments: impl Fn(SocketAddr, &Path) -> Vec<String>) -> anyhow::Result<Self> {
        let folder = Folder::new()?;
        // Nobody else takes the port in the moment until the server has it, or this fails and says so.
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(program)
            .args(arguments(address, folder.path()))
            .envs([("ROOT_ACCESS_KEY", KEY), ("ROOT_SECRET_KEY", SECRET)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Self { child, address, _folder: folder };
        testkit::eventually(async || match server.child.try_wait()? {
            Some(status) => anyhow::bail!("the server ended: {status}"),
            None => Ok(TcpStream::connect(address).ok()),
        })
        .await?;
        Ok(server)
    }

    fn endpoint(&self) -> S3Endpoint {
        S3Endpoint::new(format!("http://{}", self.address), KEY, SECRET)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn versitygw_keeps_what_is_archived() -> anyhow::Result<()> {
    let Some(program) = others::program(others::VERSITYGW, "versitygw_keeps_what_is_archived").await? else {
        return Ok(());
    };
    let server = Server::start(&program, |address, folder| {
        let below = |name: &str| folder.join(name).display().to_string();
        for name in ["objects", "versions", "users"] {
            std::fs::create_dir(folder.join(name)).expect("a folder of the test's own");
        }
        let options = ["--region", "eu-central-1", "--quiet"].map(str::to_owned);
        let mut all = vec!["--port".to_owned(), address.to_string(), "--iam-dir".to_owned(), below("users")];
        all.extend(options);
        all.extend(["posix".to_owned(), "--versioning-dir".to_owned(), below("versions"), below("objects")]);
        all
    })
    .await?;
    keeps_what_is_archived(&server).await
}

async fn keeps_what_is_archived(server: &Server) -> anyhow::Result<()> {
    let (test, clock) = (testkit::region().await?, Arc::new(SystemClock) as Arc<dyn Clock>);
    let region = region_on(&test, server.endpoint());
    let raw = RawBucket::new(&region, KEY, SECRET);
    refuses_a_bucket_that_does_not_lock(&region, &raw, &clock).await?;
    set_up(&region, &raw, &clock).await?;
    let bucket = regions::bucket(&region, BucketRole::Replicator, &clock).await?;
    writes_once_and_moves_from_what_was_seen(&bucket).await?;
    locks(&bucket, &raw, &clock).await?;

    let world = World::new(test, region, clock).await?;
    let acme = world.test.tenant("acme").await?;
    for round in 0..2 {
        world.comment(&acme, round * 200, 200).await?;
        world.upload(&acme, round + 1).await?;
        archive_tenant(&world.deps, &acme, None).await?;
    }
    world.holds_the_log(&acme).await?;
    let backup = backup::create(&world.deps, &mut |_| ()).await?;
    assert!(backup::verify(&world.deps, &backup.backup_id, &mut |_| ()).await?.is_clean());
    Ok(())
}

/// In the place the region names: the servers want it said.
fn in_its_place(region: &Region) -> CreateBucketConfiguration {
    let place = BucketLocationConstraint::from(region.cloud_region.as_str());
    CreateBucketConfiguration::builder().location_constraint(place).build()
}

async fn refuses_a_bucket_that_does_not_lock(
    region: &Region,
    raw: &RawBucket,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<()> {
    let mut plain = region.clone();
    plain.bucket = "plain".to_owned();
    raw.create_bucket().bucket("plain").create_bucket_configuration(in_its_place(region)).send().await?;
    let refused = regions::bucket(&plain, BucketRole::Desk, clock).await.expect_err("it keeps no versions");
    assert!(refused.to_string().contains("object_lock"), "{refused}");
    let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    raw.put_bucket_versioning().bucket("plain").versioning_configuration(versions).send().await?;
    let refused = regions::bucket(&plain, BucketRole::Desk, clock).await.expect_err("it does not lock");
    assert!(refused.to_string().contains("object_lock"), "{refused}");
    Ok(())
}

/// As the product sets its own up; the last step, the life cycle, this server does not know.
async fn set_up(region: &Region, raw: &RawBucket, clock: &Arc<dyn Clock>) -> anyhow::Result<()> {
    assert!(Bucket::set_up(region, clock).await.is_err(), "it takes a life cycle by now: hold it to that");
    let locked = raw.get_object_lock_configuration().bucket(&raw.name).send().await?;
    assert!(locked.object_lock_configuration().is_some(), "what came before the life cycle is done");
    Ok(())
}

async fn writes_once_and_moves_from_what_was_seen(bucket: &Bucket) -> anyhow::Result<()> {
    let writes = (0..8_u8).map(|writer| bucket.put_new("tenants/race/manifest", Bytes::from(vec![writer; 1000])));
    let written = futures::future::try_join_all(writes).await?;
    let won = written.iter().position(|put| *put == Put::Written);
    assert_eq!(written.iter().filter(|put| **put == Put::Written).count(), 1);
    let found = bucket.get("tenants/race/manifest").await?.expect("one won");
    assert_eq!(found.body, vec![won.unwrap_or_default() as u8; 1000]);

    let body = |text: &'static str| Bytes::from_static(text.as_bytes());
    let first = bucket.put_if_match("tenants/x/log/checkpoint", body("1"), None).await?.expect("there was none");
    assert!(bucket.put_if_match("tenants/x/log/checkpoint", body("x"), None).await?.is_none());
    let moved = bucket.put_if_match("tenants/x/log/checkpoint", body("2"), Some(&first)).await?;
    assert!(moved.is_some());
    assert!(bucket.put_if_match("tenants/x/log/checkpoint", body("3"), Some(&first)).await?.is_none());
    assert!(bucket.get("tenants/x/nothing").await?.is_none());
    assert_eq!(bucket.head("tenants/x/nothing").await?, None);
    Ok(())
}

/// Nobody deletes or unlocks what was written once, and keys can be deleted.
async fn locks(bucket: &Bucket, raw: &RawBucket, clock: &Arc<dyn Clock>) -> anyhow::Result<()> {
    bucket.put_new("tenants/x/manifest/1", Bytes::from_static(b"m")).await?;
    bucket.put_short_lived("keys/x/1", Bytes::from_static(b"k")).await?;
    for (key, expected) in [("tenants/x/manifest/1", "AccessDenied"), ("keys/x/1", "none")] {
        let head = raw.head_object().bucket(&raw.name).key(key).send().await?;
        let mode = (expected == "AccessDenied").then_some(ObjectLockMode::Governance);
        assert_eq!(head.object_lock_mode(), mode.as_ref(), "{key}");
        let version = head.version_id().unwrap_or_default();
        let deleted = raw.delete_object().bucket(&raw.name).key(key).version_id(version).send().await;
        assert_eq!(refusal(&deleted), expected, "{key}");
    }
    let tomorrow = clock.now().as_second() + 24 * 3600;
    let shorter = ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Governance);
    let shorter = shorter.retain_until_date(aws_sdk_s3::primitives::DateTime::from_secs(tomorrow)).build();
    let shortened = raw.put_object_retention().bucket(&raw.name).key("tenants/x/manifest/1").retention(shorter).send();
    assert_eq!(refusal(&shortened.await), "AccessDenied");
    Ok(())
}
