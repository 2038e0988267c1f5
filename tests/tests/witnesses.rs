//! Regions witness each other: one that forks its history is found by every other.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::Context;
use serde_json::Value;
use system_tests::{Deployment, Setup, Tenant, wait};

/// A log that was refused rests before it is shown again.
const PATIENCE: Duration = Duration::from_secs(240);
const OTHERS: [&str; 2] = ["jp", "us"];

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(Command::new("cp").arg("-a").arg(from).arg(to).status()?.success());
    Ok(())
}

/// What the other regions say of a tenant's log in `eu`.
async fn witnesses(deployment: &Deployment, code: i32) -> anyhow::Result<Vec<Value>> {
    let asked = ["audit", "witnesses", "--region", "eu", "--tenant", "acme", "--format", "json"];
    let asked = deployment.cli(&asked).await?;
    anyhow::ensure!(asked.code == Some(code), "{asked:?}");
    Ok(asked.json()?.as_array().cloned().unwrap_or_default())
}

/// Waits until both others have cosigned at least so much; gives the least that one has.
async fn cosigned(deployment: &Deployment, size: i64) -> anyhow::Result<i64> {
    wait::until_within(PATIENCE, "the others have cosigned", async || {
        let seen = witnesses(deployment, 0).await?;
        let sizes: Vec<_> = seen.iter().filter_map(|seen| seen["size"].as_i64()).collect();
        let least = sizes.iter().min().copied().unwrap_or(0);
        Ok((sizes.len() == OTHERS.len() && least >= size).then_some(least))
    })
    .await
}

/// For how long a region has held something against `eu`. A region says nothing of it before it has looked.
async fn unproven_seconds(deployment: &Deployment, region: &str) -> anyhow::Result<f64> {
    wait::until_within(PATIENCE, "the figure is shown", async || {
        let page = deployment.client(region)?.get("/metrics").await?.expect(200)?.text();
        let line = page.lines().find(|line| line.starts_with("domicile_witness_unproven_seconds{of=\"eu\""));
        line.map(|line| line.rsplit(' ').next().context("a figure")?.parse().context("a number")).transpose()
    })
    .await
}

/// Comments until the archive holds more than `size` events.
async fn grow(acme: &Tenant, ticket: i64, (history, size): (&str, i64)) -> anyhow::Result<i64> {
    for number in 0.. {
        acme.comment(ticket, &format!("{history} {number}"), &format!("{history}-{number}")).await?.expect(200)?;
        let head = acme.archived().await?;
        if head > size {
            return Ok(head);
        }
    }
    unreachable!("it grows")
}

#[tokio::test]
async fn a_region_that_forks_its_history_is_found_by_every_other() -> anyhow::Result<()> {
    let mut deployment = Deployment::start(Setup::regions(&["eu", "us", "jp"])).await?;
    let mut acme = deployment.signup("eu", "acme").await?;
    let ticket = acme.ticket("Printer on fire", "It smokes").await?;
    let verify = ["audit", "verify", "--region", "eu", "--tenant", "acme"];
    cosigned(&deployment, acme.archived().await?).await?;
    let verified = deployment.cli(&verify).await?.expect(0)?;
    assert!(verified.stdout.contains("cosigned     domicile/jp up to position"), "{}", verified.stdout);

    // The whole region is put back, bucket and all, once the others have seen more: nothing of its own can tell.
    deployment.interrupt().await?;
    let (region, old) = (deployment.data().join("eu"), deployment.beside("old"));
    copy(&region, &old)?;
    deployment.begin().await?;
    acme = acme.again(&deployment)?;
    let seen = cosigned(&deployment, grow(&acme, ticket, ("first", 0)).await?).await?;
    deployment.interrupt().await?;
    fs::remove_dir_all(&region)?;
    copy(&old, &region)?;
    deployment.begin().await?;
    acme = acme.again(&deployment)?;
    for other in OTHERS {
        assert_eq!(unproven_seconds(&deployment, other).await?, 0.0, "{other}: nothing was forked yet");
    }

    grow(&acme, ticket, ("second", seen + 1)).await?;
    for other in OTHERS {
        wait::until_within(PATIENCE, "the fork is found", async || {
            Ok((unproven_seconds(&deployment, other).await? > 0.0).then_some(()))
        })
        .await?;
    }
    let log = deployment.log()?;
    assert!(log.contains("both tree heads are kept"), "{log}");
    assert!(log.contains("a witness refuses a tree head"), "{log}");
    let refused = deployment.cli(&verify).await?.expect(1)?;
    for other in OTHERS {
        let wrong = format!("witness/{other}: another region has cosigned another history under the same key");
        assert!(refused.stdout.contains(&wrong), "{}", refused.stdout);
    }
    for found in witnesses(&deployment, 1).await? {
        assert_eq!(found["state"], "fork", "{found}");
        assert!(found["size"].as_i64() >= Some(seen), "what it has cosigned stays: {found}");
        let kept = found["conflicts"].as_array().map_or(0, Vec::len);
        assert!(kept > 0, "both tree heads are kept: {found}");
    }
    Ok(())
}
