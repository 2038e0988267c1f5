//! A kill between any two steps of the walk: what was acknowledged is there once, what was not is there once or not at all, and
//! the same functions that do the normal work finish what was begun.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use http::Method;
use regions::DatabaseRole;
use system_tests::{Begun, Deployment, Setup, Tenant, client, process::was_killed, repository, wait};

/// The points of the write itself and of what makes it readable, in the order of the walk.
const WRITING: [&str; 5] = ["desk.decided", "desk.sealed", "eventlog.committed", "desk.answering", "projector.applied"];

/// The points of the way into the bucket.
const ARCHIVING: [&str; 5] =
    ["replicator.sealed", "replicator.segment", "replicator.tiles", "replicator.checkpoint", "replicator.manifest"];

/// Between the record of an erasure and the destruction of its keys.
const ERASING: &str = "desk.erasure_recorded";

/// Comments somebody asked for, each with a key of its own.
struct Walk {
    deployment: Deployment,
    acme: Tenant,
    ticket: i64,
    /// By their text; whether they were acknowledged.
    asked: BTreeMap<String, bool>,
}

#[tokio::test]
async fn a_kill_between_any_two_steps_of_a_write_loses_nothing_and_doubles_nothing() -> anyhow::Result<()> {
    killed_at_each(&WRITING).await
}

#[tokio::test]
async fn a_kill_between_any_two_steps_of_archiving_loses_nothing_and_doubles_nothing() -> anyhow::Result<()> {
    killed_at_each(&ARCHIVING).await
}

#[tokio::test]
async fn an_erasure_that_was_recorded_is_carried_out_after_a_kill() -> anyhow::Result<()> {
    let mut deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let ticket = acme.ticket("Printer on fire", "It burns").await?;
    deployment.kill().await?;
    deployment.launch(&[("DOMICILE_CRASH_AT", ERASING)]).await?;
    let acme = acme.again(&deployment)?;
    let delete = async |path: String| client::send(acme.client.request(Method::DELETE, &path)).await;
    delete(format!("/api/v2/tickets/{ticket}.json")).await?.expect(204)?;
    // It dies of this one, so nobody answers.
    let _ = delete(format!("/api/v2/deleted_tickets/{ticket}.json")).await;
    let status = deployment.ended().await?;
    anyhow::ensure!(was_killed(status), "it ended by itself: {status}\n{}", deployment.log()?);

    deployment.begin().await?;
    let mut owner = regions::connection(&deployment.region("eu")?, DatabaseRole::Owner).await?;
    let scope = format!("ticket-{ticket}");
    wait::until("the ticket's key is destroyed", async || {
        let living = sqlx::query_scalar("select count(*) from vault.data_key where scope = $1 and wrapped is not null");
        let living: i64 = living.bind(&scope).fetch_one(&mut owner).await?;
        Ok((living == 0).then_some(()))
    })
    .await?;
    deployment.flush("eu").await?;
    deployment.cli(&["audit", "verify", "--region", "eu", "--tenant", "acme"]).await?.expect(0)?;
    Ok(())
}

/// One after the other, on the same data.
async fn killed_at_each(points: &[&str]) -> anyhow::Result<()> {
    let mut walk = Walk::start().await?;
    for point in points {
        walk.until_killed_at(point).await.with_context(|| format!("killed at {point}"))?;
        walk.resumed().await.with_context(|| format!("after a kill at {point}"))?;
    }
    Ok(())
}

impl Walk {
    async fn start() -> anyhow::Result<Self> {
        let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
        let acme = deployment.signup("eu", "acme").await?;
        let ticket = acme.ticket("Printer on fire", "comment 0").await?;
        deployment.kill().await?;
        Ok(Self { deployment, acme, ticket, asked: BTreeMap::new() })
    }

    /// Starts it armed and adds comments until it dies. It may die of what an earlier kill left to be done.
    async fn until_killed_at(&mut self, point: &str) -> anyhow::Result<()> {
        if let Begun::Ready = self.deployment.launch(&[("DOMICILE_CRASH_AT", point)]).await? {
            let acme = self.acme.again(&self.deployment)?;
            let mut number = 0;
            let what = format!("the process dies at {point}");
            wait::until(&what, async || {
                if self.deployment.has_ended() {
                    return Ok(Some(()));
                }
                number += 1;
                let text = format!("{point} {number}");
                let answered = acme.comment(self.ticket, &text, &text.replace(' ', "-")).await;
                self.asked.insert(text, answered.is_ok_and(|answer| answer.status == 200));
                Ok(None)
            })
            .await?;
        }
        let status = self.deployment.ended().await?;
        anyhow::ensure!(was_killed(status), "it ended by itself: {status}\n{}", self.deployment.log()?);
        Ok(())
    }

    /// Starts it as always and holds everything against what was asked and acknowledged.
    async fn resumed(&mut self) -> anyhow::Result<()> {
        self.deployment.begin().await?;
        let acme = self.acme.again(&self.deployment)?;
        let what = "the read models show every comment that the log holds";
        let comments = wait::until(what, async || {
            let comments = acme.comments(self.ticket).await?;
            Ok((comments.len() == self.in_log(&acme).await?).then_some(comments))
        });
        let comments = comments.await?;
        for (text, is_acknowledged) in &self.asked {
            let count = comments.iter().filter(|comment| *comment == text).count();
            anyhow::ensure!(count <= 1, "{text} is there {count} times");
            anyhow::ensure!(!is_acknowledged || count == 1, "{text} was acknowledged and is gone");
        }
        for (text, is_acknowledged) in &mut self.asked {
            acme.comment(self.ticket, text, &text.replace(' ', "-")).await?.expect(200)?;
            *is_acknowledged = true;
        }
        let mut comments = acme.comments(self.ticket).await?;
        anyhow::ensure!(comments.remove(0) == "comment 0");
        comments.sort();
        anyhow::ensure!(comments.iter().eq(self.asked.keys()), "after asking again, each once: {comments:?}");
        self.whole(&acme).await?;
        self.deployment.kill().await
    }

    async fn in_log(&self, acme: &Tenant) -> anyhow::Result<usize> {
        let events = acme.events().await?;
        Ok(events.iter().filter(|event| event["type"] == "comment_added").count())
    }

    /// Log, read models and archive agree with one another.
    async fn whole(&self, acme: &Tenant) -> anyhow::Result<()> {
        let head = acme.assert_dense().await?;
        self.deployment.flush("eu").await?;
        anyhow::ensure!(acme.mark("archived").await? >= head);
        self.deployment.cli(&["projections", "check", "--region", "eu"]).await?.expect(0)?;
        let verify = ["audit", "verify", "--region", "eu", "--tenant", "acme", "--format", "json"];
        let report = self.deployment.cli(&verify).await?.expect(0)?.json()?;
        anyhow::ensure!(report["size"].as_i64() >= Some(head), "{report}");
        Ok(())
    }
}

/// Where a rebuild, a restore, telling tenants of what an operator did, and telling webhooks are killed at each of their points.
const ELSEWHERE: [&str; 4] =
    [include_str!("rebuild.rs"), include_str!("restore.rs"), include_str!("operator.rs"), include_str!("webhooks.rs")];

/// A point nobody is killed at shows nothing.
#[test]
fn every_crash_point_of_the_program_is_in_a_walk() -> anyhow::Result<()> {
    let mut found = Vec::new();
    points_in(&repository().join("services"), &mut found)?;
    found.sort();
    found.dedup();
    let mut walked = [WRITING.as_slice(), ARCHIVING.as_slice(), &[ERASING]].concat();
    let is_elsewhere = |point: &str| ELSEWHERE.iter().any(|file| file.contains(&format!("\"{point}\"")));
    found.retain(|point| walked.contains(&point.as_str()) || !is_elsewhere(point));
    walked.sort_unstable();
    assert_eq!(found, walked);
    Ok(())
}

fn points_in(folder: &Path, found: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            points_in(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path)?;
            let calls = source.split("crash::point(\"").skip(1);
            found.extend(calls.filter_map(|call| call.split('"').next().map(str::to_owned)));
        }
    }
    Ok(())
}
