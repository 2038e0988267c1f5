//! A region of managed stores, in which each role runs alone and no `up` says where anything is: by the directory that they are
//! given, commands drill it, heal it and bring it back.

use std::time::Duration;

use anyhow::Context;
use regions::DatabaseRole;
use reqwest::Method;
use sqlx::{AssertSqlSafe, PgConnection};
use system_tests::{
    Tenant, client,
    roles::{Role, Roles, Setup},
    wait,
};

const PATIENCE: Duration = Duration::from_secs(120);

struct Region {
    roles: Roles,
    desk: Role,
    projector: Role,
    acme: Tenant,
    ticket: i64,
}

impl Region {
    async fn start() -> anyhow::Result<Self> {
        let roles = Roles::start(Setup::regions(&["eu"])).await?;
        let desk = roles.desk("eu", "desk").await?;
        let projector = roles.worker("eu", "projector", "projector").await?;
        let acme = roles.signup(&desk, "acme").await?;
        let ticket = acme.ticket("Printer on fire", "It smokes").await?;
        let region = Self { roles, desk, projector, acme, ticket };
        region.archive().await?;
        Ok(region)
    }

    async fn archive(&self) -> anyhow::Result<()> {
        self.roles.cli(&["backup", "create", "--region", "eu"]).await?.expect(0).map(drop)
    }

    /// Ends the roles, and does something to their database.
    async fn stop_and(&self, statements: &[&'static str]) -> anyhow::Result<()> {
        self.desk.kill().await?;
        self.projector.kill().await?;
        let elsewhere = self.roles.region("eu")?.in_database("template1");
        let mut owner = regions::connection(&elsewhere, DatabaseRole::Owner).await?;
        for statement in statements {
            wait::until_within(PATIENCE, statement, async || Ok(run(&mut owner, statement).await.ok())).await?;
        }
        Ok(())
    }

    async fn again(&mut self) -> anyhow::Result<()> {
        self.roles.begin(&mut self.desk).await?;
        self.roles.begin(&mut self.projector).await
    }

    async fn has_comments(&self, expected: &[&str]) -> anyhow::Result<()> {
        wait::until("the comments are there", async || {
            let comments = self.acme.comments(self.ticket).await.unwrap_or_default();
            Ok((comments == expected).then_some(()))
        })
        .await
    }
}

/// A role that was killed holds its connections for a moment, and Postgres copies no database that somebody is in.
async fn run(owner: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(owner).await.map(drop)
}

#[tokio::test]
async fn a_region_without_an_up_is_drilled_and_verified_by_the_directory_that_is_given() -> anyhow::Result<()> {
    let region = Region::start().await?;
    let roles = &region.roles;
    for command in [&["drill", "--region", "eu"][..], &["audit", "verify", "--region", "eu", "--tenant", "acme"]] {
        let nowhere = roles.cli(command).await?.expect(69)?;
        assert!(nowhere.stderr.contains("give --directory, --directory-token-file and --directory-key"), "{nowhere:?}");
        assert!(nowhere.stderr.contains("or name its folder with --data"), "{nowhere:?}");
        let part = roles.cli(&[command, &["--directory", "http://127.0.0.1:1"]].concat()).await?.expect(64)?;
        assert!(part.stderr.contains("--directory-token-file, --directory-key: is missing"), "{part:?}");
        roles.cli_by_directory(command).await?.expect(0)?;
    }
    assert!(region.acme.mark("verified").await? > 0);
    let listed = roles.cli_by_directory(&["drill", "--region", "eu", "--list", "--format", "json"]).await?.expect(0)?;
    assert_eq!(listed.json()?[0]["result"], "the same");
    roles.cli_by_directory(&["residency", "verify"]).await?.expect(0)?;
    roles.cli_by_directory(&["audit", "witnesses", "--region", "eu", "--tenant", "acme"]).await?.expect(0)?;

    // With other keys nothing that the region signed can be believed. That closes nobody.
    let elsewhere = roles.folder().path().join("elsewhere");
    let elsewhere = ["--data", elsewhere.to_str().context("folders of tests have plain names")?];
    roles.cli(&[&["keys", "create", "--region", "eu"], &elsewhere[..]].concat()).await?.expect(0)?;
    let doubtful = roles.cli_by_directory(&[&["doctor"], &elsewhere[..]].concat()).await?.expect(1)?;
    assert!(doubtful.stdout.contains("nobody can say whether the database is an old one"), "{}", doubtful.stdout);
    region.acme.comment(region.ticket, "And on", "on").await?.expect(200).map(drop)
}

#[tokio::test]
async fn a_region_without_an_up_is_healed_and_restored_by_the_directory_that_is_given() -> anyhow::Result<()> {
    let mut region = Region::start().await?;
    region.stop_and(&["create database older template postgres"]).await?;
    region.again().await?;
    region.acme.comment(region.ticket, "It burns", "burns").await?.expect(200)?;
    region.archive().await?;
    region.stop_and(&["drop database postgres with (force)", "alter database older rename to postgres"]).await?;
    region.again().await?;
    let refused = region.acme.comment(region.ticket, "A second history", "fork").await?;
    assert_eq!(refused.status, 503, "{:?}", refused.body);
    // A region whose stores are not to be had from here keeps nobody from looking at the others.
    let us = (system_tests::repository().join("regions/us.toml"), region.roles.folder().path().join("regions/us.toml"));
    std::fs::copy(us.0, us.1)?;
    let found = region.roles.cli_by_directory(&["doctor"]).await?.expect(1)?;
    assert!(found.stdout.contains("stores of us") && found.stdout.contains("tenant acme: "), "{}", found.stdout);
    let healed = region.roles.cli_by_directory(&["doctor", "--heal", "--region", "eu"]).await?.expect(0)?;
    assert!(healed.stdout.contains("brought forward by"), "{}", healed.stdout);
    region.has_comments(&["It smokes", "It burns"]).await?;
    region.archive().await?;

    region.stop_and(&["drop database postgres with (force)", "create database postgres template template0"]).await?;
    region.again().await?;
    let restore = async |rest: &[&str]| {
        region.roles.cli_by_directory(&[&["restore"], rest, &["--region", "eu"]].concat()).await?.expect(0)
    };
    restore(&["region"]).await?;
    region.has_comments(&["It smokes", "It burns"]).await?;
    let path = format!("/api/v2/tickets/{}", region.ticket);
    client::send(region.acme.client.request(Method::DELETE, &path)).await?.expect(204)?;
    restore(&["ticket", "--tenant", "acme", "--ticket", &region.ticket.to_string()]).await?;
    region.has_comments(&["It smokes", "It burns"]).await?;
    restore(&["tenant", "--tenant", "acme"]).await?;
    region.acme.comment(region.ticket, "And on", "on").await?.expect(200).map(drop)
}

#[tokio::test]
async fn the_roles_run_and_drill_with_the_logins_of_the_handbook() -> anyhow::Result<()> {
    let roles = Roles::start(Setup::regions(&["eu"]).with_logins()).await?;
    roles.configure("eu", "", "[drill]\nevery = \"1m\"\nsample = 1")?;
    let mut desk = roles.desk("eu", "desk").await?;
    let _projector = roles.worker("eu", "projector", "projector").await?;
    let acme = roles.signup(&desk, "acme").await?;
    let ticket = acme.ticket("Printer on fire", "It smokes").await?;
    wait::until("the comment is there", async || {
        Ok(acme.comments(ticket).await.ok().filter(|comments| comments == &["It smokes"]))
    })
    .await?;
    // Its first look, a minute from now, finds a tenant of more than a minute.
    let _replicator = roles.worker("eu", "replicator", "replicator").await?;
    let listed = wait::until_within(PATIENCE, "a drill by the clock", async || {
        let list = ["drill", "--region", "eu", "--list", "--format", "json"];
        let listed = roles.cli_by_directory(&list).await?.expect(0)?.json()?;
        Ok((listed.as_array().is_some_and(|drills| !drills.is_empty())).then_some(listed))
    })
    .await?;
    assert_eq!(listed[0]["result"], "the same", "{listed}");
    for command in [
        &["drill", "--region", "eu"][..],
        &["restore", "beside", "--region", "eu", "--tenant", "acme", "--name", "then"],
        &["doctor"],
    ] {
        roles.cli_by_directory(command).await?.expect(0)?;
    }
    roles.cli(&["projections", "rebuild", "--region", "eu"]).await?.expect(0)?;
    desk.kill().await?;
    roles.begin(&mut desk).await?;
    acme.comment(ticket, "It burns", "burns").await?.expect(200).map(drop)
}
