//! Every call that somebody may make of a region's bucket, and what comes of each: for tests of who may do what, on any server.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    operation::put_object::builders::PutObjectFluentBuilder,
    primitives::DateTime,
    types::{
        BucketLifecycleConfiguration, BucketVersioningStatus, ExpirationStatus, LifecycleExpiration, LifecycleRule,
        LifecycleRuleFilter, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention,
        ObjectLockRetentionMode, Tag, Tagging, VersioningConfiguration,
    },
};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use regions::LockMode;

use crate::{RawBucket, refusal};

/// A bucket whose calls are tried.
pub struct BucketCalls {
    /// Entered with a key that may do everything.
    root: RawBucket,
    mode: LockMode,
    now: Timestamp,
}

/// What a call works on: the bucket as somebody enters it, and objects that are there and are nobody else's.
struct Ground {
    bucket: RawBucket,
    /// Ends the names of objects that are written.
    who: String,
    mode: LockMode,
    now: i64,
    /// A locked manifest's version.
    version: String,
    /// The tags of objects that are replaced.
    etags: BTreeMap<&'static str, String>,
}

type Call = for<'ground> fn(&'ground Ground) -> BoxFuture<'ground, String>;

const MANIFEST: &str = "tenants/one/manifest/00000001.json";
const ATTACHMENT: &str = "tenants/one/attachments/1";
const BACKUP: &str = "backups/0/manifest.json";
const WRAPPED_KEYS: &str = "keys/one/00000001.json";
const CHECKPOINT: &str = "tenants/one/log/checkpoint";
const COSIGNED: &str = "tenants/one/witness/us";

impl Ground {
    fn after(&self, days: i64) -> DateTime {
        DateTime::from_secs(self.now + days * 24 * 3600)
    }

    fn put(&self, key: &str) -> PutObjectFluentBuilder {
        self.bucket.put_object().bucket(&self.bucket.name).key(key).body(Bytes::from_static(b"x").into())
    }

    fn put_new(&self, folder: &str) -> PutObjectFluentBuilder {
        self.put(&format!("{folder}-{}", self.who)).if_none_match("*")
    }

    fn locked(&self, put: PutObjectFluentBuilder, days: i64) -> PutObjectFluentBuilder {
        let mode = match self.mode {
            LockMode::Governance => ObjectLockMode::Governance,
            LockMode::Compliance => ObjectLockMode::Compliance,
        };
        put.object_lock_mode(mode).object_lock_retain_until_date(self.after(days))
    }

    /// Under the lock that the region does not ask for.
    fn locked_otherwise(&self, put: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        let mode = match self.mode {
            LockMode::Governance => ObjectLockMode::Compliance,
            LockMode::Compliance => ObjectLockMode::Governance,
        };
        put.object_lock_mode(mode).object_lock_retain_until_date(self.after(1))
    }

    async fn get(&self, key: &str) -> String {
        refusal(&self.bucket.get_object().bucket(&self.bucket.name).key(key).send().await).to_owned()
    }

    async fn retain(&self, days: i64, bypass: bool) -> String {
        let retention = ObjectLockRetention::builder().mode(match self.mode {
            LockMode::Governance => ObjectLockRetentionMode::Governance,
            LockMode::Compliance => ObjectLockRetentionMode::Compliance,
        });
        let retention = retention.retain_until_date(self.after(days)).build();
        let put = self.bucket.put_object_retention().bucket(&self.bucket.name).key(MANIFEST).version_id(&self.version);
        let put = put.retention(retention).set_bypass_governance_retention(bypass.then_some(true));
        refusal(&put.send().await).to_owned()
    }

    async fn delete(&self, version: Option<&str>, bypass: bool) -> String {
        let delete = self.bucket.delete_object().bucket(&self.bucket.name).key(MANIFEST);
        let delete = delete.set_version_id(version.map(str::to_owned));
        refusal(&delete.set_bypass_governance_retention(bypass.then_some(true)).send().await).to_owned()
    }

    async fn list(&self, prefix: &str) -> String {
        refusal(&self.bucket.list_objects_v2().bucket(&self.bucket.name).prefix(prefix).send().await).to_owned()
    }
}

/// Sends a call and gives the code it was refused with.
macro_rules! call {
    ($ground:ident => $call:expr) => {
        |$ground| async move { refusal(&$call.send().await).to_owned() }.boxed()
    };
}

const CALLS: [(&str, Call); 28] = [
    ("write an attachment once, locked", call!(it => it.locked(it.put_new("tenants/one/attachments/2"), 30))),
    ("write an attachment over another", call!(it => it.locked(it.put(ATTACHMENT), 30))),
    ("write an attachment without a lock", call!(it => it.put_new("tenants/one/attachments/3"))),
    ("write an attachment, locked for longer", call!(it => it.locked(it.put_new("tenants/one/attachments/4"), 60))),
    (
        "write an attachment, locked in another mode",
        call!(it => it.locked_otherwise(it.put_new("tenants/one/attachments/5"))),
    ),
    ("write a manifest once, locked", call!(it => it.locked(it.put_new("tenants/one/manifest/2"), 30))),
    ("write a backup once, locked", call!(it => it.locked(it.put_new("backups/1/manifest.json"), 30))),
    (
        "mark a backup as over",
        call!(it => it.bucket.put_object_tagging().bucket(&it.bucket.name).key(BACKUP).tagging(over())),
    ),
    (
        "mark an archive as over",
        call!(it => it.bucket.put_object_tagging().bucket(&it.bucket.name).key(MANIFEST).tagging(over())),
    ),
    ("write a drill once, locked", call!(it => it.locked(it.put_new("drills/1.json"), 30))),
    ("write wrapped keys once", call!(it => it.put_new("keys/one/2"))),
    ("move a checkpoint from what was seen", call!(it => it.put(CHECKPOINT).if_match(&it.etags[CHECKPOINT]))),
    ("move a checkpoint blindly", call!(it => it.put(CHECKPOINT))),
    ("replace a cosigned checkpoint that was seen", call!(it => it.put(COSIGNED).if_match(&it.etags[COSIGNED]))),
    ("replace a cosigned checkpoint blindly", call!(it => it.put(COSIGNED))),
    ("read an attachment", |it| it.get(ATTACHMENT).boxed()),
    ("read a manifest", |it| it.get(MANIFEST).boxed()),
    ("read wrapped keys", |it| it.get(WRAPPED_KEYS).boxed()),
    ("list a tenant's objects", |it| it.list("tenants/one/").boxed()),
    ("list the bucket", |it| it.list("").boxed()),
    ("delete an object", |it| it.delete(None, false).boxed()),
    ("delete a version", |it| it.delete(Some(&it.version), false).boxed()),
    ("delete a version around its lock", |it| it.delete(Some(&it.version), true).boxed()),
    ("shorten a lock", |it| it.retain(1, true).boxed()),
    ("lengthen a lock beyond the region's", |it| it.retain(300, false).boxed()),
    (
        "put a legal hold on an object",
        call!(it => it.bucket.put_object_legal_hold().bucket(&it.bucket.name).key(MANIFEST)
        .legal_hold(ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::On).build())),
    ),
    (
        "tell the bucket to keep versions",
        call!(it => it.bucket.put_bucket_versioning().bucket(&it.bucket.name)
        .versioning_configuration(VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build())),
    ),
    (
        "tell the bucket when lives end",
        call!(it => it.bucket.put_bucket_lifecycle_configuration().bucket(&it.bucket.name)
        .lifecycle_configuration(lives())),
    ),
];

fn over() -> Tagging {
    let tag = Tag::builder().key("domicile-life").value("over").build().expect("a tag");
    Tagging::builder().tag_set(tag).build().expect("tags")
}

fn lives() -> BucketLifecycleConfiguration {
    let rule = LifecycleRule::builder().id("1").status(ExpirationStatus::Disabled);
    let rule = rule.filter(LifecycleRuleFilter::builder().prefix("nothing/").build());
    let rule = rule.expiration(LifecycleExpiration::builder().days(9).build()).build().expect("a rule");
    BucketLifecycleConfiguration::builder().rules(rule).build().expect("rules")
}

impl BucketCalls {
    /// Of a bucket whose objects are locked so from now on. `root` may do everything.
    pub const fn new(root: RawBucket, mode: LockMode, now: Timestamp) -> Self {
        Self { root, mode, now }
    }

    /// Makes every call as whoever holds a key; `who` names them. The code each was refused with; `none` for one that was not.
    ///
    /// # Errors
    /// If what the calls work on cannot be made.
    pub async fn made_by(&self, who: &str, key: RawBucket) -> anyhow::Result<BTreeMap<&'static str, String>> {
        let ground = self.ground(who, key).await?;
        let mut answers = BTreeMap::new();
        for (name, call) in CALLS {
            answers.insert(name, call(&ground).await);
        }
        Ok(answers)
    }

    /// Makes the objects anew and enters the bucket with a key.
    async fn ground(&self, who: &str, key: RawBucket) -> anyhow::Result<Ground> {
        let (bucket, who, etags) = (self.root.clone(), who.to_owned(), BTreeMap::new());
        let (mode, now) = (self.mode, self.now.as_second());
        let mut ground = Ground { bucket, who, mode, now, version: String::new(), etags };
        for key in [ATTACHMENT, BACKUP, WRAPPED_KEYS, COSIGNED, CHECKPOINT] {
            let etag = ground.put(key).send().await?.e_tag.unwrap_or_default();
            ground.etags.insert(key, etag);
        }
        let manifest = ground.locked(ground.put(MANIFEST), 30).send().await?;
        ground.version = manifest.version_id.unwrap_or_default();
        ground.bucket = key;
        Ok(ground)
    }
}

/// Who may make which call, by the table in the operator's handbook: `yes` or `no` for each of its columns.
///
/// # Errors
/// If the handbook cannot be read.
pub fn documented_calls() -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let text = std::fs::read_to_string(crate::repository().join("docs/operations.md"))?;
    let rows = text.lines().skip_while(|line| !line.starts_with("| call | owner |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        (cells.next().unwrap_or_default(), cells.collect())
    });
    Ok(rows.collect())
}
