//! What an auditor takes along by their grant, from the tenant's own address, and verifies without it.

use std::{path::Path, process::Command};

use anyhow::Context;
use jiff::SignedDuration;
use runtime::{Clock, SystemClock};
use serde_json::{Value, json};
use system_tests::{Deployment, Setup, Tenant, client, command::Ran, wait};

/// An auditor with a grant.
struct Auditor<'test> {
    deployment: &'test Deployment,
    address: String,
    verifier: String,
    id: i64,
    token: String,
}

impl<'test> Auditor<'test> {
    async fn of(deployment: &'test Deployment, acme: &Tenant, tickets: Value) -> anyhow::Result<Self> {
        let until = SystemClock.now() + SignedDuration::from_hours(1);
        let mut wanted = json!({"name": "Otto", "email": "otto@audit.example", "expires_at": until});
        if !tickets.is_null() {
            wanted["tickets"] = tickets;
        }
        let made = acme.client.post("/api/domicile/v1/auditor_grants", &wanted).await?.expect(201)?.body;
        let verifier = deployment.cli(&["keys", "verifier", "--region", "eu"]).await?.expect(0)?.stdout;
        Ok(Self {
            deployment,
            address: format!("http://{}", acme.client.host()),
            verifier: verifier.trim().to_owned(),
            id: made["auditor_grant"]["id"].as_i64().context("an id")?,
            token: made["token"].as_str().context("a token")?.to_owned(),
        })
    }

    /// Runs `domicile audit <verb> --from ADDRESS --grant TOKEN ...`, knowing the region's key.
    async fn audit(&self, verb: &str, more: &[&str]) -> anyhow::Result<Ran> {
        let from = ["audit", verb, "--from", &self.address, "--grant", &self.token, "--verifier", &self.verifier];
        self.deployment.cli(&[&from[..], more].concat()).await
    }

    /// Runs a verb that knows nothing but a file or a folder, and the region's key.
    async fn offline(&self, verb: &str, more: &[&str]) -> anyhow::Result<Ran> {
        self.deployment.cli(&[&["audit", verb, "--verifier", &self.verifier], more].concat()).await
    }
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("folders of tests have plain names")
}

/// Where the first event of a ticket lies.
async fn first_of(acme: &Tenant, ticket: i64) -> anyhow::Result<String> {
    let stream = format!("ticket-{ticket}");
    let events = acme.events().await?;
    let event = events.iter().find(|event| event["stream"] == stream.as_str()).context("the ticket's first event")?;
    Ok(event["position"].to_string())
}

#[tokio::test]
async fn a_grant_of_everything_gives_bundle_and_proofs_that_verify_offline() -> anyhow::Result<()> {
    let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let ticket = acme.ticket("Printer on fire", "It smokes").await?;
    let otto = Auditor::of(&deployment, &acme, Value::Null).await?;
    acme.archived().await?;

    let (folder, proof) = (deployment.beside("bundle"), deployment.beside("1.tlog-proof"));
    let exported = otto.audit("export", &["--bundle", text(&folder)?]).await?.expect(0)?;
    assert!(exported.stdout.contains("check it anywhere"), "{}", exported.stdout);
    otto.offline("verify", &["--from", text(&folder)?]).await?.expect(0)?;
    otto.audit("verify", &[]).await?.expect(0)?;
    let position = first_of(&acme, ticket).await?;
    let proven = otto.audit("proof", &["--event", &position, "--output", text(&proof)?]).await?.expect(0)?;
    assert!(proven.stdout.contains("it holds under"), "{}", proven.stdout);
    otto.offline("check", &[text(&proof)?]).await?.expect(0)?;

    // Whoever else's key it is said to be: nothing is written, nothing verifies.
    let mut misled =
        Auditor { verifier: another_key(&otto.verifier)?, ..Auditor::of(&deployment, &acme, Value::Null).await? };
    let unwritten = deployment.beside("never.tlog-proof");
    misled.audit("proof", &["--event", "1", "--output", text(&unwritten)?]).await?.expect(1)?;
    assert!(!unwritten.exists());
    misled.audit("verify", &[]).await?.expect(1)?;
    misled.token = "not-a-token".to_owned();
    let refused = misled.audit("export", &["--bundle", text(&deployment.beside("none"))?]).await?.expect(64)?;
    assert!(refused.stderr.contains("the grant has ended or was revoked"), "{}", refused.stderr);
    Ok(())
}

/// A key of the same name that has signed nothing.
fn another_key(verifier: &str) -> anyhow::Result<String> {
    let key: archive::Verifier = verifier.parse().map_err(|_| anyhow::anyhow!("no key: {verifier}"))?;
    let mut bytes = *key.public_key();
    bytes[0] ^= 1;
    Ok(archive::Verifier::new(key.name(), bytes).to_string())
}

#[tokio::test]
async fn a_grant_of_certain_tickets_gives_these_and_ends_and_the_tenant_sees_it_all() -> anyhow::Result<()> {
    let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let (own, other) = (acme.ticket("Printer", "It smokes").await?, acme.ticket("Copier", "It hums").await?);
    let otto = Auditor::of(&deployment, &acme, json!([own])).await?;
    acme.archived().await?;

    let (own, other) = (own.to_string(), other.to_string());
    let verified = otto.audit("verify", &["--ticket", &own]).await?.expect(0)?;
    assert!(verified.stdout.contains(&format!("ticket {own}")), "{}", verified.stdout);
    for more in [&[][..], &["--ticket", &other], &["--ticket", "99"]] {
        let refused = otto.audit("verify", more).await?.expect(64)?;
        assert!(refused.stderr.contains("This grant is about certain tickets only"), "{more:?}: {}", refused.stderr);
    }
    let (position, beyond) = (first_of(&acme, 1).await?, first_of(&acme, 2).await?);
    otto.audit("proof", &["--event", &position]).await?.expect(0)?;
    for event in [beyond.as_str(), "1", "1000000"] {
        let refused = otto.audit("proof", &["--event", event]).await?.expect(64)?;
        assert!(refused.stderr.contains("This grant is about certain tickets only"), "{event}: {}", refused.stderr);
    }

    // Any client will do: it is a tar, whose list names every file.
    let path = format!("/api/domicile/v1/tickets/{own}/bundle");
    let sent = acme.client.with_token(&otto.token).get(&path).await?.expect(200)?;
    let folder = deployment.beside("by-hand");
    std::fs::create_dir(&folder)?;
    std::fs::write(folder.with_extension("tar"), &sent.bytes)?;
    let mut tar = Command::new("tar");
    anyhow::ensure!(tar.arg("-xf").arg(folder.with_extension("tar")).arg("-C").arg(&folder).status()?.success());
    otto.offline("verify", &["--from", text(&folder)?]).await?.expect(0)?;

    let revoke = acme.client.request(reqwest::Method::DELETE, &format!("/api/domicile/v1/auditor_grants/{}", otto.id));
    client::send(revoke).await?.expect(204)?;
    let ended = otto.audit("proof", &["--event", &position]).await?.expect(64)?;
    assert!(ended.stderr.contains("the grant has ended or was revoked"), "{}", ended.stderr);
    what_the_tenant_sees(&acme, &otto).await
}

/// Every look is in the access log, refused ones as well, and what left in the audit log.
async fn what_the_tenant_sees(acme: &Tenant, otto: &Auditor<'_>) -> anyhow::Result<()> {
    let (by, ours) = (otto.id, "/api/domicile/v1/");
    let mut expected = [
        "200 tickets/1/bundle",
        "403 audit/bundle",
        "403 tickets/2/bundle",
        "403 tickets/99/bundle",
        "200 audit/proof",
        "403 audit/proof",
        "403 audit/proof",
        "403 audit/proof",
        "200 tickets/1/bundle",
    ];
    let read = wait::until("what was read is seen", async || {
        let address = format!("/api/v2/access_logs?filter[user_id]={by}");
        let seen = acme.client.get(&address).await?.expect(200)?.body["access_logs"].clone();
        let said = |entry: &Value| {
            let path = entry["url"].as_str().and_then(|url| url.split('?').next()?.split_once(ours));
            format!("{} {}", entry["status"], path.map_or("", |(_, path)| path))
        };
        let read: Vec<_> = seen.as_array().into_iter().flatten().map(said).collect();
        Ok((read.len() >= expected.len()).then_some(read))
    });
    let mut read = read.await?;
    read.sort();
    expected.sort_unstable();
    assert_eq!(read, expected);
    let told = acme.client.get("/api/v2/audit_logs?filter[source_type]=history").await?.expect(200)?.body;
    let told: Vec<_> = told["audit_logs"].as_array().into_iter().flatten().collect();
    assert_eq!(told.len(), 2, "the two bundles that left: {told:?}");
    assert!(told.iter().all(|entry| entry["action"] == "exported" && entry["actor_id"] == by), "{told:?}");
    Ok(())
}
