use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::json;

use crate::{
    access::flush,
    api::testing::{ADA, ALAN, Bench, EVE, GRACE, Who, request},
    testing::Answer,
};

/// A page, as a browser asks for it.
fn page(who: Who, path: &str) -> Request<Body> {
    request("GET", "acme", Some(who), path, Body::empty())
}

/// A form, as a browser sends it.
fn form(who: Who, path: &str, body: &'static str) -> Request<Body> {
    let mut request = request("POST", "acme", Some(who), path, Body::from(body));
    let sent = "application/x-www-form-urlencoded".parse().expect("a header");
    request.headers_mut().insert(header::CONTENT_TYPE, sent);
    request
}

async fn text(bench: &Bench, who: Who, path: &str) -> String {
    let answer: Answer = bench.test.call(page(who, path)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

#[tokio::test]
async fn somebody_asks_reads_the_answer_and_says_that_it_helped() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let sent = bench.test.call(form(ADA, "/requests", "once=a&subject=Printer&body=It+burns")).await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (303, Some("/requests/1")), "{}", sent.text());
    let again = bench.test.call(form(ADA, "/requests", "once=a&subject=Printer&body=It+burns")).await;
    assert_eq!(again.header("location"), Some("/requests/1"), "a double click asks once");
    let answer =
        json!({"status": "pending", "assignee_id": ALAN.id, "comment": {"body": "Pull the plug", "public": true}});
    bench.put(ALAN, "/api/v2/tickets/1", json!({ "ticket": answer })).await;
    let note = json!({"comment": {"body": "She smokes", "public": false}});
    bench.put(ALAN, "/api/v2/tickets/1", json!({ "ticket": note })).await;
    let shown = text(&bench, ADA, "/requests/1").await;
    assert!(shown.contains("Pull the plug") && shown.contains("Waiting for your reply"), "{shown}");
    assert!(!shown.contains("She smokes"), "notes are the agents'");
    let solved = bench.test.call(form(ADA, "/requests/1", "once=b&body=Thank+you&solved=true")).await;
    assert_eq!(solved.header("location"), Some("/requests/1#end"), "{}", solved.text());
    let ticket = bench.get(ALAN, "/api/v2/tickets/1").await.body;
    assert_eq!(ticket["ticket"]["status"], "solved");
    let list = text(&bench, ADA, "/requests").await;
    assert!(list.contains("Printer") && list.contains("Solved"), "{list}");
    assert_eq!(list.matches("href=\"/requests/1\"").count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_request_is_its_askers_alone_also_before_agents() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Mine", "comment": {"body": "mine"}})).await;
    for who in [EVE, ALAN] {
        assert_eq!(bench.test.call(page(who, "/requests/1")).await.status, 404, "{}", who.name);
        let reply = bench.test.call(form(who, "/requests/1", "body=Hello")).await;
        assert_eq!(reply.status, 404, "{}", who.name);
        assert!(!text(&bench, who, "/requests").await.contains("Mine"));
    }
    let shown = text(&bench, ADA, "/requests/1").await;
    assert!(!shown.contains("Hello"));
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_field_and_what_was_typed_stays() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let refused = bench.test.call(form(ADA, "/requests", "subject=&body=It+%3Cb%3Eburns")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("It &#60;b&#62;burns</textarea>"), "{}", refused.text());
    assert!(refused.text().contains("id=\"subject-error\"") && !refused.text().contains("id=\"body-error\""));
    bench.ticket(ADA, json!({"subject": "Mine", "comment": {"body": "mine"}})).await;
    let empty = bench.test.call(form(ADA, "/requests/1", "body=+")).await;
    assert_eq!(empty.status, 422);
    assert!(empty.text().contains("Write something first"), "{}", empty.text());
    Ok(())
}

#[tokio::test]
async fn nothing_that_people_write_becomes_markup() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>";
    let comment = json!({"html_body": format!("<p onclick=\"alert(1)\">hi</p>{hostile}<form action=//evil.example><input></form>")});
    bench.ticket(ADA, json!({"subject": hostile, "comment": comment})).await;
    for path in ["/requests", "/requests/1"] {
        let shown = text(&bench, ADA, path).await;
        let body = shown.split("<main").nth(1).and_then(|rest| rest.split("</main").next()).expect("a main part");
        for word in ["<script", "onerror=\"", "<img src=x onerror", "onclick", "evil.example"] {
            assert!(!body.contains(word), "{path}: {word}: {body}");
        }
        assert!(body.contains("&#60;script&#62;alert(1)"), "{path}: the subject is shown as it is: {body}");
    }
    Ok(())
}

#[tokio::test]
async fn people_see_take_along_and_ask_to_erase_what_is_held_about_them() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Mine", "comment": {"body": "mine"}})).await;
    bench.ticket(EVE, json!({"subject": "Hers", "comment": {"body": "hers"}})).await;
    bench
        .put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"comment": {"body": "a secret note", "public": false}}}))
        .await;
    let shown = text(&bench, ADA, "/account/data").await;
    assert!(shown.contains("One request</a>"), "{shown}");
    assert!(shown.contains("ada@") && shown.contains("/account/data/export?part=1"), "{shown}");
    let file = bench.test.call(page(ADA, "/account/data/export?part=1")).await;
    assert!(file.header("content-disposition").is_some_and(|name| name.starts_with("attachment")));
    let held: serde_json::Value = serde_json::from_slice(&file.body)?;
    assert_eq!(held["user"]["id"], ADA.id);
    assert_eq!(held["requests"].as_array().map(Vec::len), Some(1), "{held:#}");
    assert_eq!(held["requests"][0]["comments"][0]["body"], "mine");
    assert!(!file.text().contains("hers") && !file.text().contains("a secret note"));
    assert_eq!(bench.test.call(page(ADA, "/account/data/export?part=2")).await.status, 400);
    let asked = bench.test.call(form(ADA, "/account/data/erasure", "once=x")).await;
    assert_eq!(asked.header("location"), Some("/requests/3"), "{}", asked.text());
    assert!(text(&bench, ADA, "/requests/3").await.contains("article 17"));
    Ok(())
}

#[tokio::test]
async fn long_lists_and_threads_go_on_on_further_pages() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for number in 1..=27 {
        bench.ticket(ADA, json!({"subject": format!("Request {number}"), "comment": {"body": "x"}})).await;
    }
    let first = text(&bench, ADA, "/requests").await;
    assert!(first.contains("Request 27<") && first.contains("Request 3<") && !first.contains("Request 2<"));
    assert!(first.contains("/requests?before=3\""), "{first}");
    let second = text(&bench, ADA, "/requests?before=3").await;
    assert!(second.contains("Request 2<") && second.contains("Request 1<") && !second.contains("before="));
    Ok(())
}

#[tokio::test]
async fn whoever_is_shown_is_in_the_access_log() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Mine", "comment": {"body": "mine"}})).await;
    bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"comment": {"body": "yes", "public": true}}})).await;
    for path in ["/requests", "/requests/1", "/account/data", "/account/data/export"] {
        text(&bench, ADA, path).await;
    }
    flush(&bench).await;
    bench.settle(&bench.acme).await?;
    let told = bench.get(GRACE, "/api/v2/access_logs").await.body;
    let told = told["access_logs"].as_array().expect("entries").iter();
    let told: Vec<_> = told.map(|entry| json!([entry["category"], entry["read_ids"]])).collect();
    let expected = [
        json!(["ticket", [1]]),
        json!(["ticket", [1]]),
        json!(["user", [2, 3]]),
        json!(["user", [3]]),
        json!(["user", [3]]),
        json!(["ticket", [1]]),
    ];
    assert_eq!(told, expected);
    Ok(())
}
