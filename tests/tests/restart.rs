//! The end of the process, asked for and not: what is started again is what was acknowledged.

use std::collections::BTreeMap;

use futures::future::join_all;
use nix::sys::signal::{self, Signal};
use system_tests::{Deployment, Setup, Tenant, process::processes_of, wait};

const WRITERS: usize = 8;
/// Acknowledged comments before the end comes.
const WARM: usize = 24;

#[tokio::test]
async fn ctrl_c_leaves_no_process_behind_and_the_next_start_finds_all_data() -> anyhow::Result<()> {
    let mut deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?;
    let servers = processes_of(&deployment.data());
    assert!(servers.len() > 2, "two servers with their children run, or the look shows nothing: {servers:?}");

    let status = deployment.interrupt().await?;
    assert!(status.success(), "{status}\n{}", deployment.log()?);
    let left = processes_of(&deployment.data());
    assert!(left.is_empty(), "left behind: {left:?}");
    assert!(!deployment.data().join("running.json").exists());
    let refused = deployment.cli(&["tenant", "list"]).await?.expect(69)?;
    assert!(refused.stderr.contains("nothing runs on"), "{}", refused.stderr);

    deployment.begin().await?;
    let acme = acme.again(&deployment)?;
    assert_eq!(acme.comments(ticket).await?, ["It smokes"]);
    acme.comment(ticket, "Still", "k").await?.expect(200)?;
    let twice = deployment.cli(&["up", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"]).await?.expect(69)?;
    assert!(twice.stderr.contains("another `domicile up` is using"), "{}", twice.stderr);
    Ok(())
}

#[tokio::test]
async fn kills_under_concurrent_writers_lose_nothing_acknowledged_and_double_nothing() -> anyhow::Result<()> {
    let mut deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let mut tickets = Vec::new();
    for number in 0..WRITERS / 2 {
        tickets.push(acme.ticket(&format!("Ticket {number}"), "opened").await?);
    }
    for round in ["process", "everything", "server"] {
        let acme = acme.again(&deployment)?;
        let writers = join_all((0..WRITERS).map(|writer| write(&acme, &tickets, format!("{round} {writer}"))));
        let both = async { tokio::join!(writers, kill(&deployment, &acme, round)) };
        let (asked, killed) = tokio::time::timeout(wait::PATIENCE * 2, both).await?;
        killed?;
        deployment.begin().await?;
        let asked: Vec<Asked> = asked.into_iter().flatten().collect();
        compare(&acme.again(&deployment)?, &tickets, round, &asked).await?;
    }
    Ok(())
}

/// A comment somebody asked for.
struct Asked {
    ticket: i64,
    text: String,
    is_acknowledged: bool,
}

/// Writes until nobody answers any more. Somebody who is told to come again does, with the same key.
async fn write(acme: &Tenant, tickets: &[i64], name: String) -> Vec<Asked> {
    let mut asked = Vec::new();
    loop {
        let ticket = tickets[asked.len() % tickets.len()];
        let text = format!("{name} {}", asked.len());
        loop {
            let answer = acme.comment(ticket, &text, &text.replace(' ', "-")).await;
            let is_acknowledged = answer.as_ref().is_ok_and(|answer| answer.status == 200);
            if is_acknowledged || answer.is_err() {
                asked.push(Asked { ticket, text: text.clone(), is_acknowledged });
            }
            match answer {
                Ok(_) if is_acknowledged => break,
                Ok(_) => {}
                Err(_) => return asked,
            }
        }
    }
}

/// Lets some comments through, then kills.
async fn kill(deployment: &Deployment, acme: &Tenant, what: &str) -> anyhow::Result<()> {
    let before = acme.mark("acked").await?;
    wait::until("writers are at it", async || Ok((acme.mark("acked").await? >= before + WARM as i64).then_some(())))
        .await?;
    match what {
        "process" => deployment.kill().await,
        "everything" => deployment.kill_everything().await,
        _ => {
            signal::kill(deployment.postgres("eu")?, Signal::SIGKILL)?;
            let status = deployment.ended().await?;
            anyhow::ensure!(status.code() == Some(69), "a process without its store says so and ends: {status}");
            anyhow::ensure!(deployment.log()?.contains("ended by itself"), "{}", deployment.log()?);
            Ok(())
        }
    }
}

/// Holds what is there against what was asked; then asks again for what was not acknowledged.
async fn compare(acme: &Tenant, tickets: &[i64], round: &str, asked: &[Asked]) -> anyhow::Result<()> {
    let acknowledged = asked.iter().filter(|asked| asked.is_acknowledged).count();
    anyhow::ensure!(acknowledged >= WARM / 2, "{round}: only {acknowledged} were acknowledged");
    let head = acme.assert_dense().await?;
    anyhow::ensure!(acme.mark("acked").await? >= head, "{round}: the head is the last event, or a read after it");
    for asked in asked.iter().filter(|asked| !asked.is_acknowledged) {
        acme.comment(asked.ticket, &asked.text, &asked.text.replace(' ', "-")).await?.expect(200)?;
    }
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for ticket in tickets {
        for comment in acme.comments(*ticket).await? {
            *found.entry(comment).or_default() += 1;
        }
    }
    for Asked { text, is_acknowledged, .. } in asked {
        let count = found.get(text).copied().unwrap_or(0);
        anyhow::ensure!(count == 1, "{text} (acknowledged: {is_acknowledged}) is there {count} times");
    }
    Ok(())
}
