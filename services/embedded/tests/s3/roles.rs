//! Who may call what: every role tries every call, and what comes of it is the table in docs/operations.md.

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
use runtime::Clock;
use testkit::{RawBucket, TestRegion, refusal};

/// The keys that try, in the order of the table's columns.
const KEYS: [&str; 6] = ["owner", "desk", "replicator", "reader", "auditor-one", "auditor-other"];

/// What a call works on: the bucket as somebody enters it, and objects that are there and are nobody else's.
struct Ground {
    bucket: RawBucket,
    /// Ends the names of objects that are written.
    who: &'static str,
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
        put.object_lock_mode(ObjectLockMode::Governance).object_lock_retain_until_date(self.after(days))
    }

    async fn get(&self, key: &str) -> String {
        refusal(&self.bucket.get_object().bucket(&self.bucket.name).key(key).send().await).to_owned()
    }

    async fn retain(&self, days: i64, bypass: bool) -> String {
        let retention = ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Governance);
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

const CALLS: [(&str, Call); 27] = [
    ("write an attachment once, locked", call!(it => it.locked(it.put_new("tenants/one/attachments/2"), 30))),
    ("write an attachment over another", call!(it => it.locked(it.put(ATTACHMENT), 30))),
    ("write an attachment without a lock", call!(it => it.put_new("tenants/one/attachments/3"))),
    ("write an attachment, locked for longer", call!(it => it.locked(it.put_new("tenants/one/attachments/4"), 60))),
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

/// Makes the objects anew and enters the bucket with a key.
async fn ground(test: &TestRegion, who: &'static str) -> anyhow::Result<Ground> {
    let root = test.raw_bucket();
    let mut ground =
        Ground { bucket: root, who, now: test.clock.now().as_second(), version: String::new(), etags: BTreeMap::new() };
    for key in [ATTACHMENT, BACKUP, WRAPPED_KEYS, COSIGNED, CHECKPOINT] {
        let etag = ground.put(key).send().await?.e_tag.unwrap_or_default();
        ground.etags.insert(key, etag);
    }
    let manifest = ground.locked(ground.put(MANIFEST), 30).send().await?;
    ground.version = manifest.version_id.unwrap_or_default();
    ground.bucket = test.raw_bucket_with(who);
    Ok(ground)
}

/// What each key may call, as the table has it: `yes` or `no`.
async fn table(test: &TestRegion) -> anyhow::Result<BTreeMap<String, Vec<&'static str>>> {
    let mut table: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for who in KEYS {
        let ground = ground(test, who).await?;
        for (name, call) in CALLS {
            table.entry(name.to_owned()).or_default().push(match call(&ground).await.as_str() {
                "none" => "yes",
                "AccessDenied" => "no",
                other => anyhow::bail!("{who}: {name}: {other}"),
            });
        }
    }
    Ok(table)
}

/// The rows of the table in the operator's handbook.
fn documented() -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let text = std::fs::read_to_string(testkit::repository().join("docs/operations.md"))?;
    let rows = text.lines().skip_while(|line| !line.starts_with("| call | owner |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        (cells.next().unwrap_or_default(), cells.collect())
    });
    Ok(rows.collect())
}

#[tokio::test]
async fn every_role_may_call_what_the_handbook_says_and_nothing_else() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let (found, documented) = (table(&test).await?, documented()?);
    for (call, row) in &found {
        assert_eq!(
            documented.get(call).map(|row| row.iter().map(String::as_str).collect()),
            Some(row.clone()),
            "{call}"
        );
    }
    assert_eq!(documented.len(), found.len(), "the handbook names calls that nobody tried");
    // The twin: a key without a policy is refused nothing that its own lock does not refuse.
    let root = Ground { bucket: test.raw_bucket(), ..ground(&test, "reader").await? };
    for (name, call) in CALLS {
        let refused = call(&root).await;
        assert_eq!(refused == "AccessDenied", name == "delete a version", "{name}: {refused}");
    }
    Ok(())
}

#[tokio::test]
async fn the_product_works_with_the_keys_of_its_roles_and_a_desk_cannot_write_an_archive() -> anyhow::Result<()> {
    let test = testkit::region().await?;
    let desk = test.bucket_as(regions::BucketRole::Desk).await?;
    let body = Bytes::from_static(b"x");
    desk.put_new("tenants/one/attachments/1", body.clone()).await?;
    assert!(desk.get("tenants/one/attachments/1").await?.is_some());
    assert!(desk.get("tenants/one/attachments/2").await?.is_none(), "missing, not forbidden");
    assert!(desk.put_new("tenants/one/manifest/00000001.json", body.clone()).await.is_err());
    assert!(desk.put_short_lived("tenants/one/attachments/3", body.clone()).await.is_err());
    let reader = test.bucket_as(regions::BucketRole::Reader).await?;
    assert_eq!(reader.list("tenants/").await?.len(), 1);
    assert!(reader.put_new("tenants/one/attachments/4", body).await.is_err());
    Ok(())
}
