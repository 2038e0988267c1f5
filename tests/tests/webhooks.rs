//! Servers outside are told what happened, also through a kill between any two steps: the same again where it may have been sent, and
//! nothing is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{Arc, Mutex},
};

use anyhow::Context;
use axum::{Router, http::HeaderMap, routing::post};
use serde_json::{Value, json};
use system_tests::{Deployment, Setup, Tenant, process::was_killed, wait};
use tokio::net::TcpListener;

/// The points between an event and the record that it was told.
const POINTS: [&str; 2] = ["webhooks.noted", "webhooks.sent"];

/// What a server was sent: the invocation's id, the key, and the body.
type Heard = Arc<Mutex<Vec<(String, String, String)>>>;

/// A server on this machine that takes everything.
async fn server() -> anyhow::Result<(String, Heard)> {
    let heard = Heard::default();
    let noted = heard.clone();
    let routes = Router::new().route(
        "/hook",
        post(async move |headers: HeaderMap, body: String| {
            let header = |name: &str| headers[name].to_str().unwrap_or_default().to_owned();
            let told = (header("x-zendesk-webhook-invocation-id"), header("idempotency-key"), body);
            noted.lock().expect("nobody panics with it").push(told);
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok((url, heard))
}

/// A region whose webhooks reach this machine.
async fn region() -> anyhow::Result<(Deployment, Tenant)> {
    let mut deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    deployment.kill().await?;
    let file = deployment.regions_folder().join("eu.toml");
    let text = fs::read_to_string(&file)?;
    fs::write(&file, format!("private_networks = [\"127.0.0.0/8\"]\n{text}"))?;
    deployment.begin().await?;
    let acme = acme.again(&deployment)?;
    Ok((deployment, acme))
}

async fn made(acme: &Tenant, url: &str) -> anyhow::Result<String> {
    let webhook = json!({"webhook": {
        "name": "Warehouse", "endpoint": url, "http_method": "POST", "request_format": "json", "status": "active",
        "subscriptions": ["zen:event-type:ticket.created"],
    }});
    let made = acme.client.post("/api/v2/webhooks", &webhook).await?.expect(201)?.body;
    Ok(made["webhook"]["id"].as_str().context("an id")?.to_owned())
}

/// The subjects of what a server was told, each with the ids and bodies under which it was.
fn told(heard: &Heard) -> BTreeMap<String, Vec<(String, String, String)>> {
    let mut told = BTreeMap::<_, Vec<_>>::new();
    for one in heard.lock().expect("nobody panics with it").iter() {
        let body: Value = serde_json::from_str(&one.2).expect("JSON");
        told.entry(body["detail"]["subject"].as_str().unwrap_or_default().to_owned()).or_default().push(one.clone());
    }
    told
}

#[tokio::test]
async fn a_kill_between_any_two_steps_of_telling_loses_nothing_and_tells_the_same_again() -> anyhow::Result<()> {
    let (url, heard) = server().await?;
    let (mut deployment, mut acme) = region().await?;
    made(&acme, &url).await?;
    let mut opened = BTreeSet::new();
    for point in POINTS {
        deployment.kill().await?;
        deployment.launch(&[("DOMICILE_CRASH_AT", point)]).await?;
        acme = acme.again(&deployment)?;
        let mut number = 0;
        wait::until(&format!("the process dies at {point}"), async || {
            if deployment.has_ended() {
                return Ok(Some(()));
            }
            number += 1;
            let subject = format!("{point} {number}");
            if acme.ticket(&subject, "x").await.is_ok() {
                opened.insert(subject);
            }
            Ok(None)
        })
        .await?;
        let status = deployment.ended().await?;
        anyhow::ensure!(was_killed(status), "it ended by itself: {status}\n{}", deployment.log()?);
        deployment.begin().await?;
        acme = acme.again(&deployment)?;
    }
    anyhow::ensure!(!opened.is_empty(), "nothing was acknowledged");
    wait::until("everything that was acknowledged is told", async || {
        let told = told(&heard);
        let is_again = told.values().any(|times| times.len() > 1);
        Ok((is_again && opened.iter().all(|subject| told.contains_key(subject))).then_some(()))
    })
    .await?;
    for (subject, times) in told(&heard) {
        anyhow::ensure!(times.iter().all(|one| *one == times[0]), "{subject} was told in two ways: {times:?}");
    }
    let report = deployment.cli(&["doctor"]).await?.expect(0)?.stdout;
    anyhow::ensure!(report.contains("webhooks may reach private networks"), "doctor says what is open: {report}");
    Ok(())
}
