use std::{collections::BTreeMap, fs, sync::Arc};

use eventlog::Expected;
use regions::{DatabaseRole, Regions};
use replicator::signing;
use runtime::Clock;
use schemas::{
    RestoreId, TenantLogEvent, Version,
    audit::AuditEvent,
    tenant::{HostingPolicyReplaced, LogRestored, TenantEvent},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{
    Deps,
    access::set_home,
    api::testing::{Bench, GRACE},
    testing,
};

/// What the operator did, as a word.
fn said(event: &TenantLogEvent) -> Option<String> {
    let TenantLogEvent::Tenant(event) = event else { return None };
    match event {
        TenantEvent::SigningKeySucceeded(done) => Some(format!("key {}", done.number)),
        TenantEvent::HostingPolicyReplaced(done) => Some(format!("policy {} > {}", done.old, done.new)),
        TenantEvent::LogRestored(done) => Some(format!("restore {}", done.restore.get().as_u128())),
        _ => None,
    }
}

/// What a tenant's log says of the operator's work, each with the entries that its command has in the audit log.
async fn told(bench: &Bench, resident: &Resident) -> anyhow::Result<Vec<(String, usize)>> {
    let mut transaction = regions::begin(&bench.test.desk.pool, resident).await?;
    let log = eventlog::read_log(&mut transaction, resident, Position::ZERO, 10_000).await?;
    drop(transaction);
    let opened = bench.test.desk.vault.open_all(resident, &log).await?;
    let (mut said_by, mut entries) = (Vec::new(), BTreeMap::new());
    for (recorded, payload) in log.iter().zip(opened) {
        let envelope = &recorded.sealed.envelope;
        let payload = payload.expect("nothing is erased");
        let event = TenantLogEvent::decode(&envelope.event_type, envelope.schema_version, &payload)?;
        said_by.extend(said(&event).map(|said| (said, envelope.command_id)));
        if matches!(event, TenantLogEvent::Audit(AuditEvent::ChangeNoted(_))) {
            *entries.entry(envelope.command_id).or_insert(0) += 1;
        }
    }
    let entries_of = |command| entries.get(&command).copied().unwrap_or_default();
    Ok(said_by.into_iter().map(|(said, command)| (said, entries_of(command))).collect())
}

/// What is wrong with what tenants were told: all of what was done, in order, each once and with its entry.
async fn faults(bench: &Bench, done: &[(&Resident, &[&str])]) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for (resident, done) in done {
        let told = told(bench, resident).await?;
        let times = |what: &str| told.iter().filter(|(said, _)| said == what).count();
        let slug = resident.slug();
        faults.extend(done.iter().filter(|what| times(what) == 0).map(|what| format!("{slug}: {what} is missing")));
        faults.extend(done.iter().filter(|what| times(what) > 1).map(|what| format!("{slug}: {what} is doubled")));
        for (what, entries) in &told {
            if !done.contains(&what.as_str()) {
                faults.push(format!("{slug}: {what} was not done"));
            }
            if *entries != 1 {
                faults.push(format!("{slug}: {what} has {entries} entries"));
            }
        }
    }
    Ok(faults)
}

/// Looks once, as a process that has just started.
async fn look(desk: &Desk) -> anyhow::Result<Told> {
    let mut told = Told::default();
    told.look(desk, &Shutdown::new()).await?;
    Ok(told)
}

fn rotate(bench: &Bench) -> anyhow::Result<SigningKeySucceeded> {
    let region = &bench.test.region;
    bench.advance_seconds(60);
    let Succession { number, old, new, at } =
        signing::rotate(&region.region.id, &bench.test.desk.witness.signing, region.ids.as_ref(), region.clock.now())?;
    bench.advance_seconds(60);
    Ok(SigningKeySucceeded { number, old: old.to_string(), new: new.to_string(), at })
}

/// A desk of the same region that works under another version of the policy.
async fn under_policy(bench: &Bench, version: u32) -> anyhow::Result<Desk> {
    let (folder, repository) = (tempfile::tempdir()?, testkit::repository().join("regions"));
    for file in fs::read_dir(repository)? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            fs::copy(&file, folder.path().join(file.file_name().expect("a file has a name")))?;
        }
    }
    let policy = folder.path().join("hosting-policy.toml");
    let text = fs::read_to_string(&policy)?;
    let lines = text.lines().map(|line| match line.starts_with("version = ") {
        true => format!("version = {version}\n"),
        false => format!("{line}\n"),
    });
    fs::write(&policy, lines.collect::<String>())?;
    let deps = testing::deps(&bench.test.region, bench.test.desk.directory.clone()).await?;
    Ok(Desk::new(Deps { regions: Arc::new(Regions::load(folder.path())?), ..deps }))
}

/// Under the version that every tenant of a test signed up under.
async fn under_no_newer_policy(bench: &Bench) -> anyhow::Result<Desk> {
    under_policy(bench, 1).await
}

/// Notes that a tenant's log came back.
async fn note_restore(bench: &Bench, resident: &Resident, id: u128) -> anyhow::Result<LogRestored> {
    let told = LogRestored {
        restore: RestoreId::new(Uuid::from_u128(id)),
        backup: None,
        archived: Position::new(8),
        old_end: Position::new(12),
        new_end: Position::new(9),
        set_aside: 4,
        at: "2026-11-22T12:00:00Z".parse()?,
    };
    let mut owner = regions::connection(&bench.test.region.region, DatabaseRole::Owner).await?;
    sqlx::query!(
        "insert into log.restored
            (tenant_id, restore_id, command, archived, old_end, new_end, set_aside, restored_at)
        values ($1, $2, 'domicile restore tenant --set-aside', 8, 12, 9, 4, '2026-11-22T12:00:00Z')",
        resident.tenant_id().get(),
        told.restore.get(),
    )
    .execute(&mut owner)
    .await?;
    Ok(told)
}

async fn entries(bench: &Bench, source: &str) -> anyhow::Result<Vec<Value>> {
    bench.settle(&bench.acme).await?;
    let answer = bench.get(GRACE, &format!("/api/v2/audit_logs.json?filter[source_type]={source}")).await;
    Ok(answer.body["audit_logs"].as_array().expect("entries").clone())
}

fn shown(entry: &Value) -> Value {
    json!([
        entry["action"],
        entry["actor_name"],
        entry["actor_id"],
        entry["means"],
        entry["client"],
        entry["source_id"],
        entry["change_description"]
    ])
}

#[tokio::test]
async fn a_new_signing_key_is_told_to_every_tenant_once_and_to_nobody_who_came_after() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let desk = under_no_newer_policy(&bench).await?;
    let first = rotate(&bench)?;
    let later = bench.test.tenant("later").await?.resident;
    look(&desk).await?;
    look(&under_no_newer_policy(&bench).await?).await?;
    let (acme, globex) = (&bench.acme, &bench.globex);
    assert_eq!(faults(&bench, &[(acme, &["key 1"]), (globex, &["key 1"]), (&later, &[])]).await?, [""; 0]);
    rotate(&bench)?;
    look(&desk).await?;
    let all: [(&Resident, &[&str]); 3] =
        [(acme, &["key 1", "key 2"]), (globex, &["key 1", "key 2"]), (&later, &["key 2"])];
    assert_eq!(faults(&bench, &all).await?, [""; 0]);
    let entries = entries(&bench, "signing_key").await?;
    let keys = format!("verifier key changed from {} to {}; at set to {}", first.old, first.new, first.at);
    let expected = json!(["update", "Operator", -1, "command_line", "domicile keys rotate", 1, keys]);
    assert_eq!(entries.iter().map(shown).next_back(), Some(expected));
    Ok(())
}

#[tokio::test]
async fn a_takeover_that_is_not_finished_is_not_told() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let file = |name: &str| bench.test.region.folder.path().join(name);
    fs::copy(file("signing.key"), file("old.key"))?;
    rotate(&bench)?;
    // As it is when the process dies before the last of its three steps.
    fs::rename(file("signing.key"), file("signing.next.key"))?;
    fs::rename(file("old.key"), file("signing.key"))?;
    look(&under_no_newer_policy(&bench).await?).await?;
    assert_eq!(faults(&bench, &[(&bench.acme, &[])]).await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_process_that_died_in_the_middle_leaves_the_rest_to_the_next_and_two_tell_it_once() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let desk = under_no_newer_policy(&bench).await?;
    rotate(&bench)?;
    rotate(&bench)?;
    assert!(tell(&desk, &Known::read(&desk).await?, bench.acme.tenant_id()).await?);
    let all: [(&Resident, &[&str]); 2] = [(&bench.acme, &["key 1", "key 2"]), (&bench.globex, &["key 1", "key 2"])];
    let half = ["globex: key 1 is missing", "globex: key 2 is missing"];
    assert_eq!(faults(&bench, &all).await?, half);
    let another = under_no_newer_policy(&bench).await?;
    tokio::try_join!(look(&desk), look(&another))?;
    assert_eq!(faults(&bench, &all).await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_newer_policy_is_told_from_the_version_each_tenant_knew() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let newer = under_policy(&bench, 70).await?;
    let later = testing::deps(&bench.test.region, bench.test.desk.directory.clone()).await?.regions.policy().version();
    let later = (bench.test.tenant("later").await?.resident, format!("policy {later} > 70"));
    look(&newer).await?;
    // A desk that was not replaced yet.
    look(&bench.test.desk).await?;
    look(&newer).await?;
    let all: [(&Resident, &[&str]); 2] = [(&bench.acme, &["policy 1 > 70"]), (&later.0, &[&later.1])];
    assert_eq!(faults(&bench, &all).await?, [""; 0]);
    look(&under_policy(&bench, 80).await?).await?;
    assert_eq!(faults(&bench, &[(&bench.acme, &["policy 1 > 70", "policy 70 > 80"])]).await?, [""; 0]);
    let entries = entries(&bench, "hosting_policy").await?;
    let what = "version changed from 70 to 80";
    let expected = json!(["update", "Operator", -1, "configuration", "hosting-policy.toml", 80, what]);
    assert_eq!(entries.iter().map(shown).next(), Some(expected));
    Ok(())
}

#[tokio::test]
async fn a_restore_is_told_to_its_tenant_alone_when_it_is_open_again() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let desk = under_no_newer_policy(&bench).await?;
    note_restore(&bench, &bench.acme, 41).await?;
    set_home(&bench, "eu", "restoring").await?;
    let mut told = look(&desk).await?;
    set_home(&bench, "eu", "active").await?;
    let all: [(&Resident, &[&str]); 2] = [(&bench.acme, &["restore 41"]), (&bench.globex, &[])];
    assert_eq!(faults(&bench, &all).await?, ["acme: restore 41 is missing"]);
    told.look(&desk, &Shutdown::new()).await?;
    look(&desk).await?;
    assert_eq!(faults(&bench, &all).await?, [""; 0]);
    let what = "end of log changed from 12 to 9; end of archive set to 8; events set aside set to 4; at set to 2026-11-22T12:00:00Z";
    let expected = json!(["update", "Operator", -1, "command_line", "domicile restore tenant --set-aside", 0, what]);
    assert_eq!(entries(&bench, "history").await?.iter().map(shown).collect::<Vec<_>>(), [expected]);
    Ok(())
}

#[tokio::test]
async fn what_is_told_twice_or_without_an_entry_or_was_never_done_is_found() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    rotate(&bench)?;
    look(&under_no_newer_policy(&bench).await?).await?;
    let mut transaction = regions::begin(&bench.test.desk.pool, &bench.acme).await?;
    let version = eventlog::stream_version(&mut transaction, &bench.acme, &StreamName::Tenant).await?;
    drop(transaction);
    let known = Known::read(&bench.test.desk).await?;
    let again: [TenantEvent; 2] =
        [known.successions[0].clone().into(), HostingPolicyReplaced { old: 1, new: 2 }.into()];
    let expected = Expected::Exact(Version::new(version.get()));
    let again = again.map(Into::into).to_vec();
    bench.test.region.append(&bench.acme, StreamName::Tenant, expected, again).await?;
    let found = faults(&bench, &[(&bench.acme, &["key 1"])]).await?;
    let expected = [
        "acme: key 1 is doubled",
        "acme: key 1 has 0 entries",
        "acme: policy 1 > 2 was not done",
        "acme: policy 1 > 2 has 0 entries",
    ];
    assert_eq!(found, expected);
    Ok(())
}
