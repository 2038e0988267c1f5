//! Who may call what: every role tries every call, and what comes of it is the table in docs/operations.md.

use std::collections::BTreeMap;

use bytes::Bytes;
use regions::LockMode;
use runtime::Clock;
use testkit::{BucketCalls, TestRegion};

/// The keys that try, in the order of the table's columns.
const KEYS: [&str; 6] = ["owner", "desk", "replicator", "reader", "auditor-one", "auditor-other"];

/// What each key may call, as the table has it: `yes` or `no`.
async fn table(test: &TestRegion, calls: &BucketCalls) -> anyhow::Result<BTreeMap<&'static str, Vec<&'static str>>> {
    let mut table: BTreeMap<_, Vec<&'static str>> = BTreeMap::new();
    for who in KEYS {
        for (call, answer) in calls.made_by(who, test.raw_bucket_with(who)).await? {
            table.entry(call).or_default().push(match answer.as_str() {
                "none" => "yes",
                "AccessDenied" => "no",
                other => anyhow::bail!("{who}: {call}: {other}"),
            });
        }
    }
    Ok(table)
}

#[tokio::test]
async fn every_role_may_call_what_the_handbook_says_and_nothing_else_in_both_modes_of_a_lock() -> anyhow::Result<()> {
    let documented = testkit::documented_calls()?;
    for mode in [LockMode::Governance, LockMode::Compliance] {
        let test = testkit::region_locked(mode).await?;
        let calls = BucketCalls::new(test.raw_bucket(), mode, test.clock.now());
        let found = table(&test, &calls).await?;
        for (call, row) in &found {
            let documented = documented.get(*call).map(|row| row.iter().map(String::as_str).collect());
            assert_eq!(documented, Some(row.clone()), "{mode:?}: {call}");
        }
        assert_eq!(documented.len(), found.len(), "the handbook names calls that nobody tried");
        // The twin: a key without a policy is refused nothing that its own lock does not refuse.
        let locks: &[&str] = match mode {
            LockMode::Governance => &["delete a version"],
            LockMode::Compliance => &["delete a version", "delete a version around its lock", "shorten a lock"],
        };
        for (call, answer) in calls.made_by("root", test.raw_bucket()).await? {
            assert_eq!(answer == "AccessDenied", locks.contains(&call), "{mode:?}: {call}: {answer}");
        }
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
