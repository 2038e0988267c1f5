//! What happens is told: once noted, signed, tried again, and to nobody else's cost.

mod fair;
mod kept;
mod restores;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::hmac;
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::future::join_all;
use runtime::Shutdown;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};

use super::{deliver, follow};
use crate::{
    api::testing::{ALAN, Bench, GRACE, request},
    state::Desk,
};

/// What a server was sent, and what it answers.
#[derive(Default)]
struct Heard {
    requests: Mutex<Vec<(HeaderMap, String)>>,
    answers: Mutex<VecDeque<(u16, Option<&'static str>)>>,
    came: Notify,
    is_silent: Mutex<bool>,
}

/// A server of somebody else's.
struct Server {
    url: String,
    heard: Arc<Heard>,
}

impl Server {
    async fn start(bench: &Bench) -> anyhow::Result<Self> {
        let heard = Arc::new(Heard::default());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let routes = Router::new().route("/hook", post(hear)).with_state(heard.clone());
        bench.test.region.shutdown.spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, heard })
    }

    fn answer(&self, status: u16, times: usize) {
        let mut answers = self.heard.answers.lock().expect("nobody panics with it");
        answers.extend(std::iter::repeat_n((status, None), times));
    }

    fn say_nothing(&self, is_silent: bool) {
        *self.heard.is_silent.lock().expect("nobody panics with it") = is_silent;
    }

    fn heard(&self) -> Vec<(HeaderMap, Value)> {
        let requests = self.heard.requests.lock().expect("nobody panics with it");
        requests.iter().map(|(headers, body)| (headers.clone(), serde_json::from_str(body).expect("JSON"))).collect()
    }

    fn types(&self) -> Vec<String> {
        let name =
            |body: &Value| body["type"].as_str().map(|name| name.trim_start_matches("zen:event-type:").to_owned());
        self.heard().iter().filter_map(|(_, body)| name(body)).collect()
    }
}

async fn hear(State(heard): State<Arc<Heard>>, headers: HeaderMap, body: String) -> (StatusCode, HeaderMap) {
    heard.requests.lock().expect("nobody panics with it").push((headers, body));
    heard.came.notify_one();
    while *heard.is_silent.lock().expect("nobody panics with it") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (status, retry_after) = heard.answers.lock().expect("nobody panics with it").pop_front().unwrap_or((200, None));
    let header = retry_after.map(|value| ("retry-after".parse().expect("a name"), value.parse().expect("a value")));
    (StatusCode::from_u16(status).expect("a status"), header.into_iter().collect())
}

/// A webhook of acme that leads to the server.
async fn made(bench: &Bench, url: &str, subscriptions: &[&str]) -> String {
    let names: Vec<String> = subscriptions.iter().map(|name| format!("zen:event-type:{name}")).collect();
    let webhook = json!({"webhook": {
        "name": "Warehouse", "endpoint": url, "http_method": "POST", "request_format": "json", "status": "active",
        "subscriptions": names,
        "authentication": {"type": "bearer_token", "add_position": "header", "data": {"token": "s3cret-of-the-hook"}},
        "custom_headers": {"X-Shelf": "7"},
    }});
    let answer = bench.post(GRACE, "/api/v2/webhooks", webhook).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["webhook"]["id"].as_str().expect("an id").to_owned()
}

/// Changes some of it.
async fn change(bench: &Bench, webhook: &str, changed: Value) {
    let (path, body) = (format!("/api/v2/webhooks/{webhook}"), json!({"webhook": changed}).to_string());
    let answer = bench.send(request("PATCH", "acme", Some(GRACE), &path, Body::from(body))).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

async fn ticket(bench: &Bench, subject: &str) {
    bench.ticket(ALAN, json!({"subject": subject, "comment": {"body": "It smokes"}})).await;
}

/// Looks through the logs, and sends what is due. How much that was.
async fn pass(desk: &Desk) -> usize {
    follow::pass(desk, &Shutdown::new()).await;
    let taken = deliver::take(desk, 64).await;
    let count = taken.len();
    join_all(taken.into_iter().map(|one| deliver::send(desk, one))).await;
    count
}

async fn invocations(bench: &Bench, webhook: &str) -> Vec<Value> {
    let listed = bench.get(GRACE, &format!("/api/v2/webhooks/{webhook}/invocations")).await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    listed.body["invocations"].as_array().cloned().unwrap_or_default()
}

async fn attempts(bench: &Bench, webhook: &str, invocation: &Value) -> Vec<Value> {
    let id = invocation["id"].as_str().expect("an id");
    let path = format!("/api/v2/webhooks/{webhook}/invocations/{id}/attempts");
    bench.get(GRACE, &path).await.body["attempts"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn what_happens_is_told_once_and_signed() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    ticket(&bench, "before there was a webhook").await;
    let webhook = made(&bench, &server.url, &["ticket.created", "ticket.comment_added", "ticket.status_changed"]).await;
    let secret = bench.get(GRACE, &format!("/api/v2/webhooks/{webhook}/signing_secret")).await.body;
    ticket(&bench, "Printer").await;
    bench.put(ALAN, "/api/v2/tickets/2", json!({"ticket": {"status": "open", "priority": "high"}})).await;
    let desk = &bench.test.desk;
    while pass(desk).await > 0 {}
    let mut types = server.types();
    types.sort_unstable();
    assert_eq!(types, ["ticket.comment_added", "ticket.created", "ticket.status_changed"]);

    let of = |name: &str| server.types().iter().position(|known| known == name).expect("it was told");
    let opened = of("ticket.created");
    let (headers, body) = server.heard().swap_remove(opened);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let raw = server.heard.requests.lock().expect("nobody panics with it")[opened].1.clone();
    let key =
        hmac::Key::new(hmac::HMAC_SHA256, secret["signing_secret"]["secret"].as_str().expect("a secret").as_bytes());
    let signed = format!("{}{raw}", header("x-zendesk-webhook-signature-timestamp"));
    let signature = STANDARD.decode(header("x-zendesk-webhook-signature"))?;
    assert!(hmac::verify(&key, signed.as_bytes(), &signature).is_ok());
    assert!(hmac::verify(&key, raw.as_bytes(), &signature).is_err(), "the moment is signed too");
    assert_eq!(header("x-zendesk-webhook-id"), webhook);
    assert_eq!((header("authorization"), header("x-shelf")), ("Bearer s3cret-of-the-hook", "7"));
    assert_eq!(
        (header("user-agent"), header("idempotency-key")),
        ("Zendesk Webhook", body["id"].as_str().expect("an id"))
    );
    assert_eq!(body["subject"], "zen:ticket:2");
    assert_eq!((&body["detail"]["id"], &body["detail"]["subject"]), (&json!("2"), &json!("Printer")));
    assert_eq!(body["detail"]["status"], "NEW", "as it was then");
    let status = server.heard().swap_remove(of("ticket.status_changed")).1;
    assert_eq!((&status["event"]["current"], &status["event"]["previous"]), (&json!("OPEN"), &json!("NEW")));

    let told = invocations(&bench, &webhook).await;
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|one| one["status"] == "success" && one["status_code"] == 200));
    assert_eq!(header("x-zendesk-webhook-invocation-id"), told[0]["id"]);
    let attempt = attempts(&bench, &webhook, &told[0]).await.remove(0);
    assert_eq!(attempt["request"]["payload"], raw);
    assert!(!attempt.to_string().contains("s3cret-of-the-hook"), "no secret is shown");
    assert!(!bench.holds("s3cret-of-the-hook").await?, "and none is kept in the clear");
    Ok(())
}

#[tokio::test]
async fn what_a_server_cannot_take_now_is_sent_again_and_what_it_will_not_is_given_up() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["ticket.created"]).await;
    server.answer(503, 2);
    ticket(&bench, "Printer").await;
    let desk = &bench.test.desk;
    assert_eq!((pass(desk).await, pass(desk).await), (1, 0), "not before it is due");
    bench.advance_seconds(5);
    assert_eq!((pass(desk).await, pass(desk).await), (1, 0));
    bench.advance_seconds(9);
    assert_eq!(pass(desk).await, 0, "twice as long after the second");
    bench.advance_seconds(1);
    assert_eq!(pass(desk).await, 1);
    let heard = server.heard();
    let key = |name: &str| {
        heard.iter().map(|(headers, _)| headers[name].clone()).collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!((heard.len(), key("x-zendesk-webhook-invocation-id"), key("idempotency-key")), (3, 1, 1));
    let told = invocations(&bench, &webhook).await;
    assert_eq!((told.len(), &told[0]["status"]), (1, &json!("success")));
    let codes: Vec<_> = attempts(&bench, &webhook, &told[0]).await.iter().map(|it| it["status_code"].clone()).collect();
    assert_eq!(codes, [503, 503, 200]);

    server.answer(404, 1);
    ticket(&bench, "Kettle").await;
    assert_eq!(pass(desk).await, 1);
    bench.advance_seconds(600);
    assert_eq!(pass(desk).await, 0);
    let told = invocations(&bench, &webhook).await;
    assert_eq!((&told[1]["status"], &told[1]["status_code"]), (&json!("failed"), &json!(404)));

    let again =
        format!("/api/domicile/v1/webhooks/{webhook}/invocations/{}/replay", told[1]["id"].as_str().expect("an id"));
    assert_eq!(bench.post(GRACE, &again, json!({})).await.status, 202);
    assert_eq!(pass(desk).await, 1);
    assert_eq!(invocations(&bench, &webhook).await[1]["status"], "success");
    let heard = server.heard();
    assert_eq!(heard[3].0["idempotency-key"], heard[4].0["idempotency-key"], "by hand too, it is the same");
    Ok(())
}

#[tokio::test]
async fn who_dies_between_sending_and_recording_sends_the_same_again() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["ticket.created"]).await;
    ticket(&bench, "Printer").await;
    let desk = &bench.test.desk;
    follow::pass(desk, &Shutdown::new()).await;
    server.say_nothing(true);
    let taken = deliver::take(desk, 64).await.remove(0);
    tokio::select! {
        () = deliver::send(desk, taken) => panic!("the server says nothing"),
        () = server.heard.came.notified() => {}
    }
    server.say_nothing(false);
    let other = bench.test.another().await?;
    assert_eq!(pass(&other).await, 0, "somebody has it, as far as anybody knows");
    bench.advance_seconds(31);
    assert_eq!(pass(&other).await, 1);
    let heard = server.heard();
    assert_eq!(heard.len(), 2);
    for name in ["x-zendesk-webhook-invocation-id", "idempotency-key"] {
        assert_eq!(heard[0].0[name], heard[1].0[name]);
    }
    assert_eq!(heard[0].1, heard[1].1, "word for word");
    assert_eq!(invocations(&bench, &webhook).await[0]["status"], "success");
    Ok(())
}

#[tokio::test]
async fn what_was_erased_is_told_to_nobody_and_a_webhook_that_is_gone_is_told_nothing() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["ticket.created"]).await;
    let desk = &bench.test.desk;
    ticket(&bench, "Printer").await;
    follow::pass(desk, &Shutdown::new()).await;
    change(&bench, &webhook, json!({"status": "inactive"})).await;
    assert_eq!(pass(desk).await, 1);
    assert_eq!((server.heard().len(), &invocations(&bench, &webhook).await[0]["status"]), (0, &json!("terminated")));
    ticket(&bench, "while it was off").await;
    change(&bench, &webhook, json!({"status": "active"})).await;
    assert_eq!(pass(desk).await, 0, "what happened while it was off is not told");
    ticket(&bench, "Kettle").await;
    assert_eq!(pass(desk).await, 1);
    Ok(())
}

#[tokio::test]
async fn who_was_erased_before_it_was_told_is_told_of_to_nobody() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["user.created"]).await;
    for name in ["Zoe", "Yan"] {
        let user = json!({"user": {"name": name, "email": format!("{name}@x.example")}});
        assert_eq!(bench.post(GRACE, "/api/v2/users", user).await.status, 201);
    }
    follow::pass(&bench.test.desk, &Shutdown::new()).await;
    bench.settle(&bench.acme).await?;
    let found = bench.get(GRACE, "/api/v2/users/search?query=Zoe").await.body;
    let zoe = found["users"][0]["id"].as_i64().expect("somebody");
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/users/{zoe}")).await.status, 200);
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/deleted_users/{zoe}")).await.status, 200);
    assert_eq!(pass(&bench.test.desk).await, 2);
    let heard = server.heard();
    assert_eq!((heard.len(), &heard[0].1["detail"]["email"]), (1, &json!("yan@x.example")));
    let mut told: Vec<_> = invocations(&bench, &webhook).await.iter().map(|one| one["status"].clone()).collect();
    told.sort_by_key(Value::to_string);
    assert_eq!(told, ["success", "terminated"]);
    Ok(())
}

#[tokio::test]
async fn what_a_webhook_is_not_told_any_more_is_not_sent() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["ticket.created"]).await;
    let desk = &bench.test.desk;
    ticket(&bench, "Printer").await;
    follow::pass(desk, &Shutdown::new()).await;
    change(&bench, &webhook, json!({"subscriptions": ["zen:event-type:user.created"]})).await;
    assert_eq!(pass(desk).await, 1);
    assert_eq!((server.heard().len(), &invocations(&bench, &webhook).await[0]["status"]), (0, &json!("terminated")));
    Ok(())
}

#[tokio::test]
async fn a_log_is_not_looked_at_when_it_has_nothing_after_the_webhook() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    made(&bench, &server.url, &["ticket.created"]).await;
    let desk = &bench.test.desk;
    let mut owner = regions::connection(&bench.test.region.region, regions::DatabaseRole::Owner).await?;
    sqlx::query!(
        "update read_webhooks_1.webhook as hook set since = head.position from log.tenant as head
         where head.tenant_id = hook.tenant_id"
    )
    .execute(&mut owner)
    .await?;
    assert_eq!(super::checkpoint::behind(desk).await?, [bench.acme.tenant_id()]);
    follow::pass(desk, &Shutdown::new()).await;
    assert_eq!(super::checkpoint::behind(desk).await?, []);
    Ok(())
}
