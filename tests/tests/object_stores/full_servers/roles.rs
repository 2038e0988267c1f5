//! Each role tries every call with its own key. What this server cannot hold them to is named, with its answer.

use std::sync::Arc;

use bytes::Bytes;
use regions::{BucketRole, LockMode, auditor_policy};
use runtime::{Clock, SystemClock};
use system_tests::others;
use testkit::{BucketCalls, RawBucket, refusal};

use super::{KEY, SECRET, set_up, users::Users};
use crate::world::region_on;

/// In the order of the handbook's columns.
const COLUMNS: [&str; 6] = ["owner", "desk", "replicator", "reader", "auditor-one", "auditor-other"];

/// What a policy allows only under conditions that this server knows nothing of (`s3:if-match`, `s3:if-none-match`, `s3:object-lock-mode`,
/// `s3:object-lock-remaining-retention-days`): without those statements it allows it to whoever may write there at all. What the product
/// itself sends is held by the server all the same: it writes once, from what was seen, and under a lock.
const WITHOUT_CONDITIONS: [(&str, &[&str]); 7] = [
    ("write an attachment over another", &["desk", "replicator"]),
    ("write an attachment without a lock", &["desk", "replicator"]),
    ("write an attachment, locked for longer", &["desk", "replicator"]),
    ("write an attachment, locked in another mode", &["desk", "replicator"]),
    ("move a checkpoint blindly", &["replicator"]),
    ("replace a cosigned checkpoint blindly", &["replicator"]),
    ("lengthen a lock beyond the region's", &["replicator"]),
];

/// What the server has no such call for, whoever makes it: on this one nothing ends by itself, and nobody of ours deletes.
const NO_SUCH_CALL: (&str, &str) = ("tell the bucket when lives end", "NotImplemented");

#[tokio::test]
async fn versitygw_holds_every_role_to_its_policy_in_both_modes_of_a_lock() -> anyhow::Result<()> {
    let test = "versitygw_holds_every_role_to_its_policy_in_both_modes_of_a_lock";
    let Some(program) = others::program(others::VERSITYGW, test).await? else { return Ok(()) };
    let documented = testkit::documented_calls()?;
    for mode in [LockMode::Governance, LockMode::Compliance] {
        let (test, clock) = (testkit::region_locked(mode).await?, Arc::new(SystemClock) as Arc<dyn Clock>);
        let (server, users) = Users::start(&program).await?;
        let region = region_on(&test, server.endpoint());
        let root = RawBucket::new(&region, KEY, SECRET);
        set_up(&region, &root, &clock).await?;
        let roles = users.roles(&region).await?;
        let calls = BucketCalls::new(root.clone(), mode, clock.now());
        for (column, who) in COLUMNS.into_iter().enumerate() {
            let role = roles.iter().find(|(role, _)| role.as_str() == who).map(|(_, key)| key.clone());
            let key = match role {
                Some(key) => key,
                None => users.auditor(who.trim_start_matches("auditor-"), &region).await?,
            };
            let key = RawBucket::new(&region, &key.id, &key.secret);
            for (call, answer) in calls.made_by(who, key).await? {
                let beyond = WITHOUT_CONDITIONS.iter().any(|(name, whose)| *name == call && whose.contains(&who));
                let expected = match documented[call][column].as_str() {
                    _ if call == NO_SUCH_CALL.0 => NO_SUCH_CALL.1,
                    "yes" => "none",
                    _ if beyond => "none",
                    _ => "AccessDenied",
                };
                assert_eq!(answer, expected, "{mode:?}: {who}: {call}");
            }
        }
        // The twin: without a policy nobody is refused but by a lock.
        let root = calls.made_by("root", root).await?;
        assert_eq!((root["delete an object"].as_str(), root["delete a version"].as_str()), ("none", "AccessDenied"));
    }
    Ok(())
}

#[tokio::test]
async fn versitygw_refuses_what_hangs_on_a_condition_or_a_variable_that_it_does_not_know() -> anyhow::Result<()> {
    let test = "versitygw_refuses_what_hangs_on_a_condition_or_a_variable_that_it_does_not_know";
    let Some(program) = others::program(others::VERSITYGW, test).await? else { return Ok(()) };
    let (test, clock) = (testkit::region().await?, Arc::new(SystemClock) as Arc<dyn Clock>);
    let (server, users) = Users::start(&program).await?;
    let region = region_on(&test, server.endpoint());
    set_up(&region, &RawBucket::new(&region, KEY, SECRET), &clock).await?;
    let region = region_on(&test, users.endpoint(&server, &region).await?);
    let bucket = regions::bucket(&region, BucketRole::Replicator, &clock).await?;
    bucket.put_new("tenants/x/manifest/1", Bytes::from_static(b"m")).await?;
    // The same user under the whole policy.
    let whole = serde_json::from_str(&BucketRole::Replicator.policy(&region))?;
    users.allow("replicator", &whole).await?;
    let refused = bucket.put_new("tenants/x/manifest/2", Bytes::from_static(b"m")).await.expect_err("it is refused");
    let refused = format!("{:#}", anyhow::Error::from(refused));
    assert!(
        refused.contains("AccessDenied"),
        "it knows the conditions by now: hold it to the whole policy ({refused})"
    );
    assert!(bucket.get("tenants/x/manifest/1").await?.is_some(), "what has no condition is allowed");

    let key = users.auditor("x", &region).await?;
    let auditor = RawBucket::new(&region, &key.id, &key.secret);
    let list = async || {
        let listed = auditor.list_objects_v2().bucket(&auditor.name).prefix("tenants/x/").send().await;
        refusal(&listed).to_owned()
    };
    assert_eq!(list().await, "none");
    users.allow("auditor-x", &serde_json::from_str(&auditor_policy(&region))?).await?;
    assert_eq!(list().await, "AccessDenied", "it knows the variable by now: hold it to the whole policy");
    Ok(())
}
