//! The access log of a running region: who sees it and when, what a kill leaves of it, and that the archive holds it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Context;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use system_tests::{Deployment, Setup, Tenant, folder::Folder, wait};

const READERS: usize = 4;
/// Reads that are answered before the kill.
const WARM: usize = 200;
/// What a kill may lose: the reads of the last 250 ms and of one append, on a machine that does other things as well.
const WINDOW: Duration = Duration::from_secs(1);

/// Every entry whose address begins with `path`, oldest first.
async fn entries(tenant: &Tenant, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut address = format!("/api/v2/access_logs?filter[path]={path}");
    let mut all = Vec::new();
    loop {
        let page = tenant.client.get(&address).await?.expect(200)?.body;
        all.extend(page["access_logs"].as_array().context("entries")?.iter().cloned());
        if page["meta"]["has_more"] != true {
            return Ok(all);
        }
        let cursor = page["meta"]["after_cursor"].as_str().context("a cursor")?;
        address = format!("/api/v2/access_logs?filter[path]={path}&page[after]={cursor}");
    }
}

fn url(entry: &Value) -> &str {
    entry["url"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_read_is_seen_by_its_tenants_admin_within_a_second_and_by_nobody_else() -> anyhow::Result<()> {
    let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let (acme, globex) = (deployment.signup("eu", "acme").await?, deployment.signup("eu", "globex").await?);
    for tenant in [&acme, &globex] {
        let ticket = tenant.ticket("Printer", "It smokes").await?;
        assert_eq!(ticket, 1, "the same ids in both");
        tenant.client.get(&format!("/api/v2/tickets/1.json?mark={}", tenant.slug)).await?.expect(200)?;
    }
    for (tenant, other) in [(&acme, &globex), (&globex, &acme)] {
        let seen = wait::until("the read is seen", async || {
            let seen = entries(tenant, "/api/v2/tickets/1").await?;
            Ok((!seen.is_empty()).then_some(seen))
        });
        let seen = seen.await?;
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(url(&seen[0]).ends_with(&format!("?mark={}", tenant.slug)), "{seen:?}");
        assert_eq!((&seen[0]["status"], &seen[0]["read_ids"][0]), (&200.into(), &1.into()));
        assert_eq!(seen[0]["ip_address"], "127.0.0.1", "of the client, not of the router");
        assert!(!serde_json::to_string(&seen)?.contains(&other.slug));

        let events = tenant.events().await?;
        let recorded = events.iter().find(|event| event["type"] == "accesses_recorded").context("an event")?;
        let time = |value: &Value| -> anyhow::Result<Timestamp> { Ok(value.as_str().context("a time")?.parse()?) };
        let waited = time(&recorded["recorded_at"])?.duration_since(time(&seen[0]["timestamp"])?);
        assert!(waited < SignedDuration::from_secs(1), "it waited {waited}");
    }
    Ok(())
}

#[tokio::test]
async fn what_an_operator_opens_on_the_command_line_is_told_to_the_tenant_and_a_copy_tells_nobody() -> anyhow::Result<()>
{
    let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?.to_string();
    acme.archived().await?;
    let acme_of = ["--region", "eu", "--tenant", "acme"];
    deployment.cli(&[&["restore", "beside", "--name", "then"], &acme_of[..]].concat()).await?.expect(0)?;
    let then = ["--region", "eu", "--name", "then"];
    let stream = format!("ticket-{ticket}");
    let looks: [(&[&str], &[&str]); 5] = [
        (&["audit", "replay", "--ticket", &ticket, "--format", "ndjson", "--reason", "case 4711"], &acme_of),
        (&["audit", "show", "--as-of", "3"], &acme_of),
        (&["audit", "diff", "--from-moment", "1"], &acme_of),
        (&["restore", "show", "--stream", &stream, "--reason", "case 4712"], &then),
        (&["restore", "diff"], &then),
    ];
    for (look, whose) in looks {
        deployment.cli(&[look, whose].concat()).await?.expect(0)?;
    }
    let told = acme.client.get("/api/v2/access_logs").await?.expect(200)?.body;
    let told = told["access_logs"].as_array().context("entries")?.iter().filter(|entry| entry["actor"] == "operator");
    let told: Vec<_> = told.map(|entry| (entry["reason"].as_str(), entry["category"].as_str())).collect();
    let everything = (Some("none given"), Some("event"));
    let (of_log, of_copy) = ((Some("case 4711"), Some("ticket")), (Some("case 4712"), Some("ticket")));
    assert_eq!(told, [of_log, everything, everything, of_copy, everything]);

    let folder = Folder::new()?;
    let copy = folder.path().join("copy");
    let copy = copy.to_str().context("a path of this test")?;
    deployment.cli(&["audit", "export", "--to", copy, "--region", "eu", "--tenant", "acme"]).await?.expect(0)?;
    deployment.cli(&["audit", "replay", "--from", copy]).await?.expect(0)?;
    let seen = wait::until("the audit log has them", async || {
        let logs =
            acme.client.get("/api/v2/audit_logs?filter[source_type]=history&sort_order=asc").await?.expect(200)?.body;
        let logs = logs["audit_logs"].as_array().context("entries")?.clone();
        Ok((logs.len() >= 6).then_some(logs))
    });
    let actions: Vec<_> = seen.await?.iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["accessed", "accessed", "accessed", "accessed", "accessed", "exported"]);
    Ok(())
}

/// A read that was answered, by the mark in its address.
type Answered = BTreeMap<String, Instant>;

#[tokio::test]
async fn a_kill_under_load_loses_the_last_window_of_reads_at_most_and_doubles_none() -> anyhow::Result<()> {
    let mut deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    acme.ticket("Printer", "It smokes").await?;
    let readers = join_all((0..READERS).map(|reader| read(&acme, reader)));
    let killed_at = async {
        wait::until("readers are at it", async || {
            Ok((entries(&acme, "/api/v2/tickets").await?.len() >= WARM).then_some(()))
        })
        .await?;
        deployment.kill().await?;
        anyhow::Ok(Instant::now())
    };
    let (answered, killed_at) = tokio::join!(readers, killed_at);
    let killed_at = killed_at?;
    let answered: Answered = answered.into_iter().flatten().collect();

    deployment.begin().await?;
    let acme = acme.again(&deployment)?;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries(&acme, "/api/v2/tickets").await? {
        let (_, mark) = url(&entry).split_once("?mark=").context("a mark")?;
        *found.entry(mark.to_owned()).or_default() += 1;
    }
    assert!(found.values().all(|count| *count == 1), "each once: {found:?}");
    let lost: Vec<_> = answered.iter().filter(|(mark, _)| !found.contains_key(*mark)).collect();
    for (mark, at) in &lost {
        let before = killed_at.saturating_duration_since(**at);
        assert!(before < WINDOW, "{mark} was answered {before:?} before the kill and is not recorded");
    }
    assert!(answered.len() >= WARM && lost.len() < answered.len() / 2, "{} of {} lost", lost.len(), answered.len());

    // What is recorded is archived and proven like everything else.
    acme.assert_dense().await?;
    acme.archived().await?;
    let verify = ["audit", "verify", "--region", "eu", "--tenant", "acme"];
    deployment.cli(&verify).await?.expect(0)?;
    Ok(())
}

#[tokio::test]
async fn a_process_that_is_asked_to_end_records_every_read_it_answered() -> anyhow::Result<()> {
    let mut deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    acme.ticket("Printer", "It smokes").await?;
    for number in 0..20 {
        acme.client.get(&format!("/api/v2/tickets.json?mark={number}")).await?.expect(200)?;
    }
    let status = deployment.interrupt().await?;
    assert!(status.success(), "{status}\n{}", deployment.log()?);
    deployment.begin().await?;
    assert_eq!(entries(&acme.again(&deployment)?, "/api/v2/tickets").await?.len(), 20);
    Ok(())
}

/// Reads until nobody answers any more.
async fn read(acme: &Tenant, reader: usize) -> Answered {
    let mut answered = Answered::new();
    for number in 0.. {
        let mark = format!("{reader}-{number}");
        match acme.client.get(&format!("/api/v2/tickets.json?mark={mark}")).await {
            Ok(answer) if answer.status == 200 => _ = answered.insert(mark, Instant::now()),
            _ => break,
        }
    }
    answered
}
