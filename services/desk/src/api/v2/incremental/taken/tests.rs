use axum::{body::Body, http::header};
use serde_json::{Value, json};

use crate::api::testing::{ALAN, Answer, Bench, GRACE, request};

const TICKETS: &str = "/api/v2/incremental/tickets/cursor?start_time=0";

async fn bench() -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    for subject in ["1", "2", "3"] {
        bench.ticket(ALAN, json!({"subject": subject, "comment": {"body": subject}})).await;
    }
    bench.advance_seconds(120);
    bench.settle(&bench.acme).await?;
    Ok(bench)
}

/// The exports in the audit log, oldest first.
async fn exports(bench: &Bench) -> anyhow::Result<Vec<Value>> {
    bench.settle(&bench.acme).await?;
    let log = bench.get(GRACE, "/api/v2/audit_logs?filter[action]=exported&sort_order=asc").await.body;
    Ok(log["audit_logs"].as_array().expect("entries").clone())
}

async fn page(bench: &Bench, path: &str) -> Answer {
    let answer = bench.get(GRACE, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer
}

fn next(answer: &Answer) -> String {
    let url = answer.body["after_url"].as_str().or(answer.body["next_page"].as_str()).expect("a way on");
    url.strip_prefix("http://acme.localhost:8080").expect("a link to the tenant's own host").to_owned()
}

#[tokio::test]
async fn an_export_is_an_entry_however_many_pages_it_has() -> anyhow::Result<()> {
    let bench = bench().await?;
    let mut path = format!("{TICKETS}&per_page=1");
    for _ in 0..4 {
        path = next(&page(&bench, &path).await);
    }
    let exports = exports(&bench).await?;
    assert_eq!(exports.len(), 1, "{exports:?}");
    let of = ["action", "action_label", "source_type", "source_id", "source_label", "actor_id", "means", "token_id"];
    let told: Value = of.iter().map(|name| exports[0][name].clone()).collect();
    assert_eq!(told, json!(["exported", "Exported", "ticket", 0, "Incremental export", GRACE.id, "bearer_token", 1]));
    let changes = &exports[0]["changes"];
    assert_eq!((&changes[0]["field"], &changes[0]["new"]), (&json!("contents"), &json!("tickets")));
    assert_eq!(changes[1]["field"], "from");
    assert!(changes[1]["new"].as_str().is_some_and(|new| new.starts_with("event ")), "{changes}");
    Ok(())
}

#[tokio::test]
async fn who_asks_every_minute_is_told_once_an_hour() -> anyhow::Result<()> {
    let bench = bench().await?;
    // By time, each page begins with the second that the last one ended with: it always holds something.
    let mut path = "/api/v2/incremental/users?start_time=0".to_owned();
    for minute in 0..=120 {
        path = next(&page(&bench, &path).await);
        let expected = 1 + minute / 60;
        if minute % 20 == 0 {
            let told: Vec<_> = exports(&bench).await?.iter().map(|entry| entry["source_type"].clone()).collect();
            assert_eq!(told, vec![json!("user"); expected], "after {minute} minutes");
        }
        bench.advance_seconds(60);
    }
    Ok(())
}

#[tokio::test]
async fn a_page_that_holds_nothing_and_one_that_is_refused_take_nothing() -> anyhow::Result<()> {
    let bench = bench().await?;
    assert_eq!(bench.get(ALAN, TICKETS).await.status, 403);
    assert_eq!(bench.get(GRACE, "/api/v2/incremental/tickets/cursor?start_time=x").await.status, 400);
    bench.advance_seconds(600);
    let now = runtime::Clock::now(&*bench.test.region.clock).as_second() - 60;
    page(&bench, &format!("/api/v2/incremental/tickets/cursor?start_time={now}")).await;
    page(&bench, &format!("/api/v2/incremental/tickets?start_time={now}")).await;
    assert_eq!(exports(&bench).await?, [] as [Value; 0]);
    Ok(())
}

#[tokio::test]
async fn what_reaches_further_back_is_told_though_something_was_told_a_moment_ago() -> anyhow::Result<()> {
    let bench = bench().await?;
    let later = runtime::Clock::now(&*bench.test.region.clock).as_second();
    bench.ticket(ALAN, json!({"subject": "4", "comment": {"body": "4"}})).await;
    bench.advance_seconds(120);
    bench.settle(&bench.acme).await?;
    for (path, entries) in [
        (format!("/api/v2/incremental/tickets/cursor?start_time={later}"), 1),
        (format!("/api/v2/incremental/tickets?start_time={later}"), 1),
        (TICKETS.to_owned(), 2),
        (format!("/api/v2/incremental/tickets/cursor?start_time={later}"), 2),
        ("/api/v2/incremental/ticket_events?start_time=0".to_owned(), 3),
        ("/api/v2/incremental/users/cursor?start_time=0".to_owned(), 4),
    ] {
        page(&bench, &path).await;
        assert_eq!(exports(&bench).await?.len(), entries, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn another_token_and_another_tenant_are_told_apart() -> anyhow::Result<()> {
    let bench = bench().await?;
    page(&bench, TICKETS).await;
    let issued = bench.post(GRACE, "/api/v2/api_tokens", json!({"api_token": {"description": "export"}})).await;
    let secret = issued.body["api_token"]["token"].as_str().or(issued.body["token"].as_str()).expect("a token");
    let mut other = request("GET", "acme", None, TICKETS, Body::empty());
    other.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {secret}").parse()?);
    assert_eq!(bench.send(other).await.status, 200);
    let foreign = "/api/v2/incremental/users/cursor?start_time=0";
    assert_eq!(bench.send(request("GET", "globex", Some(GRACE), foreign, Body::empty())).await.status, 200);
    let tokens: Vec<_> = exports(&bench).await?.iter().map(|entry| entry["token_id"].clone()).collect();
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    assert_ne!(tokens[0], tokens[1]);
    Ok(())
}
