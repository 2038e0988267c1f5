//! A full disk: appends are refused, the log stays whole, and with room again everything goes on.

use regions::DatabaseRole;
use sqlx::Executor;
use system_tests::{Deployment, Setup, Tenant, disk::Disk, wait};

/// Room for a cluster and little more.
const DISK_MB: u64 = 192;
/// Comments after which a disk without a free page must have refused one.
const COMMENTS_MAX: usize = 400;

#[tokio::test]
async fn a_full_disk_refuses_appends_and_the_log_stays_whole() -> anyhow::Result<()> {
    let mut deployment = Deployment::prepare(Setup::regions(&["eu"]))?;
    let Some(disk) = Disk::mount(&deployment.data().join("eu/postgres"), DISK_MB)? else {
        testkit::skipped("a_full_disk_refuses_appends_and_the_log_stays_whole", "this user cannot mount a small disk");
        return Ok(());
    };
    deployment.begin().await?;
    let acme = deployment.signup("eu", "acme").await?;
    let ticket = acme.ticket("Printer", "opened").await?;
    // A fresh segment of the write-ahead log: its room is taken already, so that it is the tables that find none.
    let mut owner = regions::connection(&deployment.region("eu")?, DatabaseRole::Owner).await?;
    owner.execute("select pg_switch_wal()").await?;
    owner.execute("checkpoint").await?;
    acme.comment(ticket, "before", "before").await?.expect(200)?;

    disk.fill()?;
    let mut asked = vec!["before".to_owned()];
    let refused = until_refused(&acme, ticket, &mut asked).await?;
    let acknowledged: Vec<String> = asked.iter().filter(|text| **text != refused).cloned().collect();
    assert!(in_log(&acme).await?.is_none_or(|count| count == acknowledged.len() + 1), "what was refused is not there");

    disk.empty()?;
    let again = wait::until("with room again, appends go on", async || {
        let answer = acme.comment(ticket, &refused, &key(&refused)).await;
        Ok(answer.ok().filter(|answer| answer.status == 200))
    });
    again.await?;
    let head = acme.assert_dense().await?;
    assert_eq!(in_log(&acme).await?, Some(asked.len() + 1), "each once: {head}");
    let comments = wait::until("the read models catch up", async || {
        let comments = acme.comments(ticket).await?;
        Ok((comments.len() == asked.len() + 1).then_some(comments))
    });
    assert_eq!(comments.await?[1..], asked);
    deployment.cli(&["projections", "check", "--region", "eu"]).await?.expect(0)?;
    Ok(())
}

/// Adds long comments until one is refused; gives that one.
async fn until_refused(acme: &Tenant, ticket: i64, asked: &mut Vec<String>) -> anyhow::Result<String> {
    // Random enough that it does not shrink: sealed payloads never do.
    let filler = "x".repeat(30_000);
    for number in 0..COMMENTS_MAX {
        let text = format!("{number} {filler}");
        asked.push(text.clone());
        let answer = acme.comment(ticket, &text, &key(&text)).await?;
        if answer.status != 200 {
            anyhow::ensure!(answer.status == 503, "{} {}", answer.status, answer.text());
            anyhow::ensure!(!answer.header("retry-after").is_empty(), "says when to come again");
            return Ok(text);
        }
    }
    anyhow::bail!("the disk never was full")
}

fn key(text: &str) -> String {
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// How many comments the log holds, if it can be read now.
async fn in_log(acme: &Tenant) -> anyhow::Result<Option<usize>> {
    let events = acme.events().await.ok();
    Ok(events.map(|events| events.iter().filter(|event| event["type"] == "comment_added").count()))
}
