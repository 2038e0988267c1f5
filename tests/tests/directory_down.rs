//! Without the directory: tenants work as before, also through a router that starts meanwhile; signups are put off.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
};

use anyhow::Context;
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use regions::DatabaseRole;
use schemas::RegionId;
use system_tests::{
    Client, Deployment, Setup, Tenant, command,
    process::{Child, children_of},
    setup::signup,
    wait,
};

/// A server that stands still. It goes on when this is dropped.
struct Frozen(Vec<Pid>);

impl Frozen {
    /// The server first, so that it makes no new children while they are stopped.
    fn freeze(server: Pid) -> anyhow::Result<Self> {
        signal::kill(server, Signal::SIGSTOP)?;
        let mut frozen = Self(vec![server]);
        for child in children_of(server) {
            signal::kill(child, Signal::SIGSTOP)?;
            frozen.0.push(child);
        }
        Ok(frozen)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in &self.0 {
            let _ = signal::kill(*process, Signal::SIGCONT);
        }
    }
}

#[tokio::test]
async fn without_the_directory_tenants_work_and_signups_are_put_off() -> anyhow::Result<()> {
    let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?;
    let cached = deployment.data().join("router/map.json");
    wait::until("the router keeps its map", async || {
        Ok(fs::read_to_string(&cached).is_ok_and(|map| map.contains("acme")).then_some(()))
    })
    .await?;

    let frozen = Frozen::freeze(deployment.postgres("directory")?)?;
    let late = signup("eu", "late");
    let (put_off, worked) = tokio::join!(deployment.try_signup("eu", &late), works(&acme, ticket));
    worked?;
    let put_off = put_off?.expect(503)?;
    assert_eq!(put_off.header("content-type"), "application/problem+json");
    assert!(!put_off.header("retry-after").is_empty(), "says when to come again");
    assert_eq!(head_rows(&deployment, "late").await?, 0, "nothing half made");
    deployment.client("late")?.get("/api/v2/users/me.json").await?.expect(404)?;
    through_a_router_that_starts_now(&deployment, &acme).await?;
    drop(frozen);

    deployment.signup("eu", "later").await.context("another name, as soon as the directory answers")?;
    let again = wait::until("the same name, put off before", async || {
        let answer = deployment.try_signup("eu", &late).await?;
        anyhow::ensure!(matches!(answer.status, 201 | 409 | 503), "{}", answer.text());
        Ok((answer.status == 201).then_some(()))
    });
    again.await
}

async fn works(acme: &Tenant, ticket: i64) -> anyhow::Result<()> {
    acme.comment(ticket, "Still", "still").await?.expect(200)?;
    assert_eq!(acme.comments(ticket).await?, ["It smokes", "Still"]);
    acme.archived().await?;
    Ok(())
}

async fn head_rows(deployment: &Deployment, slug: &str) -> anyhow::Result<i64> {
    let mut owner = regions::connection(&deployment.region("eu")?, DatabaseRole::Owner).await?;
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from log.tenant where slug = $1"#, slug);
    Ok(count.fetch_one(&mut owner).await?)
}

/// A router that never heard the directory routes by the map on its disk; the twin without that map knows nobody.
async fn through_a_router_that_starts_now(deployment: &Deployment, acme: &Tenant) -> anyhow::Result<()> {
    let with_map = deployment.beside("router-with-map");
    fs::create_dir_all(with_map.join("router"))?;
    fs::copy(deployment.data().join("router/map.json"), with_map.join("router/map.json"))?;
    let without_map = deployment.beside("router-without-map");
    for (data, status) in [(&with_map, 200), (&without_map, 404)] {
        let (_router, address) = start_router(deployment, data)?;
        let client = Client::new(address, &format!("acme.localhost:{}", address.port()))?.with_token(&acme.token);
        let answer =
            wait::until("the router listens", async || Ok(client.get("/api/v2/users/me.json").await.ok())).await?;
        anyhow::ensure!(answer.status == status, "{}: {} {}", data.display(), answer.status, answer.text());
    }
    Ok(())
}

/// Nobody listens at the directory's address it is given.
fn start_router(deployment: &Deployment, data: &Path) -> anyhow::Result<(Child, SocketAddr)> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let eu: RegionId = "eu".parse()?;
    let desk = deployment.running()?.regions.get(&eu).context("the region runs")?;
    let key =
        deployment.library()?.signing_key(&"directory".parse()?).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let token = deployment.data().join("directory/keys/token");
    let mut command: Command =
        command::command(&["router", "--directory", "http://127.0.0.1:9", "--directory-token-file"])?;
    command.arg(token).arg("--directory-key").arg(hex::encode(key.public_key()));
    command.arg("--apex").arg(format!("localhost:{}", address.port())).arg("--listen").arg(address.to_string());
    command.arg("--backend").arg(format!("eu={},{}", desk.desk, desk.desk_tls));
    command.env("DOMICILE_DATA", data).env("DOMICILE_REGIONS", deployment.regions_folder());
    let said = deployment.beside("router.log");
    Ok((Child::start(&command, &said, &said)?, address))
}
