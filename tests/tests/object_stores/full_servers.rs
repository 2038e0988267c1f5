//! The same on a full server that nobody here wrote: versitygw, which keeps objects in a folder and enforces locks. It is skipped by
//! name where it cannot be had.

mod restored;
mod roles;
mod users;

use std::{
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use aws_sdk_s3::{
    primitives::DateTime,
    types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, ObjectLockMode,
        ObjectLockRetention, ObjectLockRetentionMode, VersioningConfiguration,
    },
};
use bytes::Bytes;
use regions::{Bucket, BucketRole, LockMode, ObjectLock, Put, Region, S3Endpoint};
use replicator::{archive_tenant, backup};
use runtime::{Clock, SystemClock};
use system_tests::{folder::Folder, others};
use testkit::{RawBucket, refusal};

use crate::world::{World, region_on};

const KEY: &str = "test";
const SECRET: &str = "test-secret";

/// Programs that end with this.
struct Server {
    children: Vec<Child>,
    address: SocketAddr,
    folder: Folder,
}

impl Server {
    /// Nothing runs yet.
    fn new() -> anyhow::Result<Self> {
        // Nobody else takes the port in the moment until the server has it, or it fails and says so.
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let folder = Folder::new()?;
        for name in ["objects", "versions", "users"] {
            std::fs::create_dir(folder.path().join(name))?;
        }
        Ok(Self { children: Vec::new(), address, folder })
    }

    /// Runs a program, and waits until it takes connections.
    async fn run(&mut self, program: &Path, address: SocketAddr, arguments: &[&str]) -> anyhow::Result<()> {
        let child = Command::new(program)
            .args(["--port", &address.to_string(), "--region", "eu-central-1"])
            .args(arguments)
            .envs([("ROOT_ACCESS_KEY", KEY), ("ROOT_SECRET_KEY", SECRET)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.children.push(child);
        testkit::eventually(async || match self.children.last_mut().and_then(|child| child.try_wait().transpose()) {
            Some(ended) => anyhow::bail!("the server ended: {}", ended?),
            None => Ok(TcpStream::connect(address).ok()),
        })
        .await?;
        Ok(())
    }

    /// Runs versitygw over its folders; `users` says where it knows people from.
    async fn gateway(&mut self, program: &Path, users: [&str; 2]) -> anyhow::Result<()> {
        let [objects, versions] = ["objects", "versions"].map(|name| self.below(name));
        let [option, users] = users;
        let arguments = ["--quiet", option, users, "posix", "--versioning-dir", &versions, &objects];
        self.run(program, self.address, &arguments).await
    }

    fn below(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn endpoint(&self) -> S3Endpoint {
        S3Endpoint::new(format!("http://{}", self.address), KEY, SECRET)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[tokio::test]
async fn versitygw_keeps_what_is_archived() -> anyhow::Result<()> {
    let Some(program) = others::program(others::VERSITYGW, "versitygw_keeps_what_is_archived").await? else {
        return Ok(());
    };
    let mut server = Server::new()?;
    let users = server.below("users");
    server.gateway(&program, ["--iam-dir", &users]).await?;
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
    for mode in [LockMode::Governance, LockMode::Compliance] {
        locks(&locked(&region, mode), &raw, &clock).await?;
    }

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

/// The region, with its objects locked in a mode.
fn locked(region: &Region, mode: LockMode) -> Region {
    let mut region = region.clone();
    region.storage.lock = region.storage.lock.map(|lock| ObjectLock { mode, ..lock });
    region
}

/// Nobody deletes or unlocks what was written once, and keys can be deleted. Around governance whoever may do everything comes with the
/// call that says so, which none of ours may make; around compliance nobody does.
async fn locks(region: &Region, raw: &RawBucket, clock: &Arc<dyn Clock>) -> anyhow::Result<()> {
    let bucket = regions::bucket(region, BucketRole::Replicator, clock).await?;
    let lock = region.storage.lock.expect("the region locks");
    let (mode, weaker) = match lock.mode {
        LockMode::Governance => (ObjectLockMode::Governance, ObjectLockRetentionMode::Governance),
        LockMode::Compliance => (ObjectLockMode::Compliance, ObjectLockRetentionMode::Compliance),
    };
    let (manifest, keys) = (format!("tenants/{mode}/manifest/1"), format!("keys/{mode}/1"));
    bucket.put_new(&manifest, Bytes::from_static(b"m")).await?;
    bucket.put_short_lived(&keys, Bytes::from_static(b"k")).await?;
    let head = async |key: &str| raw.head_object().bucket(&raw.name).key(key).send().await;
    let delete = async |key: &str, version: &str, bypass: bool| {
        let delete = raw.delete_object().bucket(&raw.name).key(key).version_id(version);
        refusal(&delete.set_bypass_governance_retention(bypass.then_some(true)).send().await).to_owned()
    };
    let found = head(&keys).await?;
    assert_eq!(found.object_lock_mode(), None);
    assert_eq!(delete(&keys, found.version_id().unwrap_or_default(), false).await, "none");

    let found = head(&manifest).await?;
    let until = found.object_lock_retain_until_date().map(DateTime::secs);
    let lasts = until.unwrap_or_default() - clock.now().as_second();
    let days = i64::from(lock.days) * 24 * 3600;
    assert_eq!(found.object_lock_mode(), Some(&mode));
    assert!((days - 3600..=days).contains(&lasts), "{lasts} s");
    let version = found.version_id().unwrap_or_default();
    let retain = async |mode: ObjectLockRetentionMode, days: i64, bypass: bool| {
        let at = DateTime::from_secs(clock.now().as_second() + days * 24 * 3600);
        let retention = ObjectLockRetention::builder().mode(mode).retain_until_date(at).build();
        let put = raw.put_object_retention().bucket(&raw.name).key(&manifest).version_id(version).retention(retention);
        refusal(&put.set_bypass_governance_retention(bypass.then_some(true)).send().await).to_owned()
    };
    assert_eq!(delete(&manifest, version, false).await, "AccessDenied");
    assert_eq!(retain(weaker.clone(), 1, false).await, "AccessDenied", "not to be shortened");
    assert_eq!(retain(weaker, i64::from(lock.days) + 1, false).await, "none", "to be lengthened");
    if lock.mode == LockMode::Compliance {
        let governance = ObjectLockRetentionMode::Governance;
        assert_eq!(retain(governance, i64::from(lock.days) + 2, true).await, "AccessDenied", "not to be weakened");
        assert_eq!(retain(ObjectLockRetentionMode::Compliance, 1, true).await, "AccessDenied");
        assert_eq!(delete(&manifest, version, true).await, "AccessDenied");
    } else {
        // The twin: it is the lock that refuses, and not the server whatever is asked.
        assert_eq!(delete(&manifest, version, true).await, "none");
    }
    Ok(())
}
