//! Nobody waits for anybody else, and nobody is told what is somebody else's.

use eventlog::Expected;
use regions::DatabaseRole;
use schemas::{
    StreamName, Version,
    tenant::{PlanChosen, TenantEvent},
    values::Plan,
};
use sqlx::Connection;

use super::*;

#[tokio::test]
async fn a_server_that_always_fails_is_asked_once_in_a_while_and_nobody_else_waits_for_it() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (broken, good) = (Server::start(&bench).await?, Server::start(&bench).await?);
    let webhook = made(&bench, &broken.url, &["ticket.created"]).await;
    made(&bench, &good.url, &["ticket.created"]).await;
    broken.answer(500, 10);
    for number in 0..12 {
        ticket(&bench, &number.to_string()).await;
    }
    let desk = &bench.test.desk;
    let mut largest = 0;
    loop {
        let sent = pass(desk).await;
        largest = largest.max(sent);
        if sent == 0 {
            break;
        }
    }
    assert_eq!(largest, 10, "five of a webhook at a time");
    assert_eq!((broken.heard().len(), good.heard().len()), (10, 12), "the breaker is open for one of them");
    ticket(&bench, "while it is open").await;
    assert_eq!(pass(desk).await, 1, "to the other one");
    let told = invocations(&bench, &webhook).await;
    assert_eq!((told.len(), &told[10]["status"]), (11, &json!("circuit broken")), "two wait, and no more will");
    bench.advance_seconds(5);
    broken.answer(500, 1);
    assert_eq!(pass(desk).await, 1, "one, to see whether it is taken");
    ticket(&bench, "while it is open still").await;
    assert_eq!(pass(desk).await, 1, "it was not");
    bench.advance_seconds(5);
    while pass(desk).await > 0 {}
    assert_eq!((broken.heard().len(), good.heard().len()), (12, 14), "it was, and nothing is left");
    ticket(&bench, "after it").await;
    assert_eq!(pass(desk).await, 2, "whatever comes is told again");
    Ok(())
}

#[tokio::test]
async fn who_tries_the_product_out_has_ten_webhooks_and_sixty_tellings_a_minute() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let tried = TenantEvent::from(PlanChosen { plan: Plan::Trial });
    let region = &bench.test.region;
    region.append(&bench.acme, StreamName::Tenant, Expected::Exact(Version::new(4)), vec![tried.into()]).await?;
    bench.settle(&bench.acme).await?;
    let first = made(&bench, &server.url, &["ticket.created"]).await;
    for _ in 1..10 {
        made(&bench, &server.url, &["ticket.created"]).await;
    }
    let one_more = bench.post(GRACE, &format!("/api/v2/webhooks?clone_webhook_id={first}"), json!({})).await;
    assert_eq!(one_more.wrong_fields(), ["base"]);
    let by_hand = async || {
        let body = json!({"request": {"endpoint": server.url, "payload": "{}"}});
        bench.post(GRACE, "/api/v2/webhooks/test", body).await.status.as_u16()
    };
    assert_eq!(by_hand().await, 200);
    for number in 0..7 {
        ticket(&bench, &number.to_string()).await;
    }
    while pass(&bench.test.desk).await > 0 {}
    assert_eq!(server.heard().len(), 60, "what is sent by hand counts");
    assert_eq!(by_hand().await, 429);
    let told = invocations(&bench, &first).await;
    assert_eq!((told.len(), &told[6]["status"]), (7, &json!("throttled")));
    bench.advance_seconds(61);
    ticket(&bench, "a minute later").await;
    while pass(&bench.test.desk).await > 0 {}
    assert_eq!(server.heard().len(), 70);
    Ok(())
}

#[tokio::test]
async fn one_tenants_events_are_told_to_its_own_webhooks_alone() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let others = Server::start(&bench).await?;
    made(&bench, &server.url, &["ticket.created"]).await;
    let webhook = json!({"webhook": {
        "name": "Globex", "endpoint": others.url, "http_method": "POST", "request_format": "json", "status": "active",
        "subscriptions": ["zen:event-type:ticket.created"],
    }});
    let webhook = request("POST", "globex", Some(GRACE), "/api/v2/webhooks", Body::from(webhook.to_string()));
    assert_eq!(bench.send(webhook).await.status, 201);
    let body = json!({"ticket": {"subject": "of globex", "comment": {"body": "x"}}}).to_string();
    let sent = bench.send(request("POST", "globex", Some(ALAN), "/api/v2/tickets", Body::from(body))).await;
    assert_eq!(sent.status, 201);
    ticket(&bench, "of acme").await;
    while pass(&bench.test.desk).await > 0 {}
    let told = |server: &Server| -> Vec<Value> {
        server.heard().iter().map(|(_, body)| body["detail"]["subject"].clone()).collect()
    };
    assert_eq!((told(&server), told(&others)), (vec![json!("of acme")], vec![json!("of globex")]));
    Ok(())
}

#[tokio::test]
async fn what_was_sent_is_recorded_while_nothing_can_be_taken() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["ticket.created"]).await;
    server.say_nothing(true);
    ticket(&bench, "Printer").await;
    let shutdown = Shutdown::new();
    let running = bench.test.region.shutdown.spawn(super::super::run(bench.test.desk.clone(), shutdown.clone()));
    tokio::time::timeout(Duration::from_secs(20), server.heard.came.notified()).await?;
    bench.advance_seconds(3);
    // Whoever asks what is due waits from now on.
    let mut owner = regions::connection(&bench.test.region.region, DatabaseRole::Owner).await?;
    let mut held = owner.begin().await?;
    sqlx::query!("lock table log.tenant in access exclusive mode").execute(&mut *held).await?;
    tokio::time::sleep(2 * super::super::INTERVAL).await;
    server.say_nothing(false);
    let recorded = async {
        loop {
            let status = sqlx::query_scalar!("select status from deliveries.invocation").fetch_one(&mut *held).await?;
            if let Some(status) = status {
                return anyhow::Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // Sooner than the database gives up the waiting.
    assert_eq!(tokio::time::timeout(Duration::from_secs(3), recorded).await??, "success");
    held.rollback().await?;
    shutdown.request();
    running.await?;
    let told = invocations(&bench, &webhook).await;
    let sent = attempts(&bench, &webhook, &told[0]).await[0]["request"]["headers"].clone();
    let stamp = server.heard()[0].0["x-zendesk-webhook-signature-timestamp"].to_str()?.to_owned();
    let shown = json!({"key": "X-Zendesk-Webhook-Signature-Timestamp", "value": stamp});
    assert!(sent.as_array().expect("a list").contains(&shown), "when it was sent, not when it was answered: {sent}");
    Ok(())
}
