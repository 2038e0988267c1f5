use std::time::Duration;

use axum::{body::Body, http::header};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use regions::DatabaseRole;
use schemas::TenantId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::sign_ins;
use crate::{
    api::testing::{Bench, GRACE, request},
    testing::{ADMIN, Answer, TestDesk, a_signup, basic, get, post},
};

async fn as_whom(desk: &TestDesk, host: &str, authorization: Option<&str>) -> anyhow::Result<Answer> {
    let mut request = get(host, "/api/v2/api_tokens");
    if let Some(authorization) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, authorization.parse()?);
    }
    Ok(desk.call(request).await)
}

#[tokio::test]
async fn a_caller_proves_who_they_are_with_a_token_of_this_tenant() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let (acme, other) = (desk.tenant("acme").await?, desk.tenant("other").await?);
    let token = acme.token.as_str();
    for good in [
        basic(&format!("{ADMIN}/token"), token),
        basic("ADA@Example.com/token", token),
        format!("Bearer {token}"),
        format!("bearer {token}"),
    ] {
        assert_eq!(as_whom(&desk, &acme.host, Some(&good)).await?.status, 200, "{good}");
    }
    for bad in [
        basic("bob@example.com/token", token),
        basic(ADMIN, token),
        basic(&format!("{ADMIN}/token"), &other.token),
        format!("Bearer {}", other.token),
        "Bearer x".to_owned(),
        format!("Digest {token}"),
        format!("Basic {}", STANDARD.encode([0xff, b':', 0xfe])),
    ] {
        let answer = as_whom(&desk, &acme.host, Some(&bad)).await?;
        assert_eq!(answer.status, 401, "{bad}");
        assert_eq!(answer.json(), json!({ "error": "Couldn't authenticate you" }));
        assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Basic realm=")));
    }
    assert_eq!(as_whom(&desk, &acme.host, None).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn a_token_that_may_only_not_be_visible_yet_is_not_called_wrong() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let (known, unknown) = (format!("Bearer {}", acme.token), "Bearer unknown");
    // Without a projector the checkpoint stays where it is put.
    desk.region.shutdown.request();
    assert!(desk.region.shutdown.drain(Duration::from_secs(60)).await);
    let behind = "update read.checkpoint set position = position - 1 where projection = 'people'";
    sqlx::raw_sql(behind).execute(&desk.region.pool(DatabaseRole::Owner).await?).await?;
    assert_eq!(as_whom(&desk, &acme.host, Some(&known)).await?.status, 200);
    let answer = as_whom(&desk, &acme.host, Some(unknown)).await?;
    assert_eq!(answer.status, 503, "{:?}", answer.json());
    assert_eq!(answer.header("retry-after"), Some("1"));
    Ok(())
}

#[tokio::test]
async fn a_password_is_tried_ten_times_and_then_has_to_wait() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    assert_eq!(desk.call(post("eu.localhost", "/api/signup", &a_signup("acme"))).await.status, 201);
    let host = "acme.localhost";
    let (right, wrong) = (basic(ADMIN, "correct horse"), basic(ADMIN, "wrong horse"));
    assert_eq!(as_whom(&desk, host, Some(&basic("bob@example.com", "correct horse"))).await?.status, 401);
    for _ in 0..10 {
        assert_eq!(as_whom(&desk, host, Some(&wrong)).await?.status, 401);
    }
    let answer = as_whom(&desk, host, Some(&right)).await?;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("300"));
    desk.region.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(as_whom(&desk, host, Some(&right)).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn passwords_sent_at_the_same_time_are_counted_like_those_sent_one_by_one() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    desk.tenant("acme").await?;
    let wrong = basic(ADMIN, "wrong horse");
    let tries = (0..30).map(|_| as_whom(&desk, "acme.localhost", Some(&wrong)));
    let answers = futures::future::try_join_all(tries).await?;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(401), count(429)), (10, 20));
    Ok(())
}

#[tokio::test]
async fn twins_with_the_same_ids_do_not_meet() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let one = desk.tenant_with_id("one", TenantId::new(Uuid::from_u128(1))).await?;
    let two = desk.tenant_with_id("two", TenantId::new(Uuid::from_u128(2))).await?;
    let list = |tenant: &crate::testing::TestTenant| tenant.request("GET", "/api/v2/api_tokens");
    let (of_one, of_two) = (desk.call(list(&one)).await.json(), desk.call(list(&two)).await.json());
    assert_eq!(of_one["api_tokens"][0]["id"], of_two["api_tokens"][0]["id"], "the same ids in both");
    let id = &of_one["api_tokens"][0]["id"];
    assert_eq!(desk.call(one.request("DELETE", &format!("/api/v2/api_tokens/{id}"))).await.status, 204);
    assert_eq!(desk.call(list(&one)).await.status, 401);
    assert_eq!(desk.call(list(&two)).await.status, 200);
    Ok(())
}

/// What the audit log tells of failed logins: whom for, how many, by what.
async fn failed(bench: &Bench) -> anyhow::Result<Vec<Value>> {
    bench.settle(&bench.acme).await?;
    let logs = bench.get(GRACE, "/api/v2/audit_logs?filter[action]=login_failed&sort_order=asc").await.body;
    let told = |entry: &Value| {
        json!([
            entry["source_type"],
            entry["source_id"],
            entry["source_label"],
            entry["change_description"],
            entry["means"],
            entry["ip_address"]
        ])
    };
    Ok(logs["audit_logs"].as_array().map(|logs| logs.iter().map(told).collect()).unwrap_or_default())
}

async fn wrong(bench: &Bench, authorization: &str, last: u8) {
    let mut request = request("GET", "acme", None, "/api/v2/users/me", Body::empty());
    request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().expect("a header"));
    let address = std::net::SocketAddr::from(([192, 0, 2, last], 9));
    request.extensions_mut().insert(crate::serve::Peer { address: Some(address), tls: false });
    assert_eq!(bench.send(request).await.status, 401);
}

#[tokio::test]
async fn failed_logins_are_in_the_audit_log_counted_and_one_a_minute() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (alan, wrong_token) = (basic("alan@acme.example", "wrong"), basic("alan@acme.example/token", "wrong"));
    for authorization in [&alan, &alan, &wrong_token] {
        wrong(&bench, authorization, 1).await;
    }
    wrong(&bench, &alan, 2).await;
    wrong(&bench, "Bearer wrong", 1).await;
    wrong(&bench, &basic("nobody@acme.example", "wrong"), 1).await;
    sign_ins::tell(&bench.test.desk, false).await;
    let of_alan = |attempts: u32, means: &str, from: &str| {
        json!(["user", 2, "alan@acme.example", format!("attempts set to {attempts}"), means, from])
    };
    let first = failed(&bench).await?;
    assert_eq!(first.len(), 3, "two clients of Alan's and one of nobody's: {first:?}");
    for told in [of_alan(3, "basic_token", "192.0.2.1"), of_alan(1, "password", "192.0.2.2")] {
        assert!(first.contains(&told), "{told}: {first:?}");
    }
    let of_nobody = json!(["account", 0, "", "attempts set to 2", "password", null]);
    assert!(first.contains(&of_nobody), "from where is nobody's to erase: {first:?}");

    for _ in 0..5 {
        wrong(&bench, &wrong_token, 1).await;
        sign_ins::tell(&bench.test.desk, false).await;
    }
    assert_eq!(failed(&bench).await?.len(), 3, "not within the same minute");
    bench.advance_seconds(60);
    sign_ins::tell(&bench.test.desk, false).await;
    sign_ins::tell(&bench.test.desk, true).await;
    assert_eq!(failed(&bench).await?[3..], [of_alan(5, "basic_token", "192.0.2.1")], "all of them in one entry");
    Ok(())
}

#[tokio::test]
async fn sign_ins_by_password_are_in_the_audit_log_one_an_hour() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let signed_up = desk.call(post("eu.localhost", "/api/signup", &a_signup("acme"))).await.json();
    let token = format!("Bearer {}", signed_up["api_token"].as_str().expect("a token"));
    let sign_in = async || {
        let answer = as_whom(&desk, "acme.localhost", Some(&basic(ADMIN, "correct horse"))).await?;
        anyhow::ensure!(answer.status == 200, "{}", answer.text());
        Ok(())
    };
    sign_in().await?;
    sign_ins::tell(&desk.desk, false).await;
    sign_in().await?;
    sign_in().await?;
    sign_ins::tell(&desk.desk, false).await;
    desk.region.clock.advance(SignedDuration::from_hours(1));
    sign_ins::tell(&desk.desk, false).await;
    let told = testkit::eventually(async || {
        let mut request = get("acme.localhost", "/api/v2/audit_logs?filter[action]=login&sort_order=asc");
        request.headers_mut().insert(header::AUTHORIZATION, token.parse()?);
        let logs = desk.call(request).await.json();
        Ok((logs["count"] == 2).then(|| logs["audit_logs"].as_array().cloned().unwrap_or_default()))
    });
    let told: Vec<_> = told
        .await?
        .iter()
        .map(|entry| {
            json!([entry["action_label"], entry["actor_name"], entry["source_label"], entry["change_description"]])
        })
        .collect();
    let of_ada = |times: u32| json!(["Signed in", "Ada Lovelace", ADMIN, format!("attempts set to {times}")]);
    assert_eq!(told, [of_ada(1), of_ada(2)], "requests with a token are none");
    Ok(())
}

#[tokio::test]
async fn failed_logins_of_a_tenant_that_was_closed_meanwhile_are_told_when_it_opens() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    wrong(&bench, "Bearer wrong", 1).await;
    crate::access::set_home(&bench, "eu", "restoring").await?;
    sign_ins::tell(&bench.test.desk, true).await;
    crate::access::set_home(&bench, "eu", "active").await?;
    sign_ins::tell(&bench.test.desk, true).await;
    sign_ins::tell(&bench.test.desk, true).await;
    let told = failed(&bench).await?;
    assert_eq!(told.len(), 1, "once, under the epoch of now: {told:?}");
    Ok(())
}

#[tokio::test]
async fn failed_logins_that_perhaps_were_told_are_not_told_twice() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    wrong(&bench, "Bearer wrong", 1).await;
    sign_ins::answered_too_late(&bench.test.desk).await;
    wrong(&bench, "Bearer wrong", 1).await;
    sign_ins::tell(&bench.test.desk, true).await;
    let told: Vec<_> = failed(&bench).await?.into_iter().map(|told| told[3].clone()).collect();
    assert_eq!(told, ["attempts set to 1", "attempts set to 1"]);
    Ok(())
}

#[tokio::test]
async fn more_unknown_tokens_than_there_are_places_to_wait_are_told_to_come_back() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let guard = bench.test.desk.guard();
    let mut places = Vec::new();
    while let Ok(place) = guard.unknown_token() {
        places.push(place);
    }
    let stranger = || {
        let mut request = request("GET", "acme", None, "/api/v2/users/me", Body::empty());
        request.headers_mut().insert(header::AUTHORIZATION, "Bearer unknown".parse().expect("a header"));
        bench.send(request)
    };
    assert_eq!(stranger().await.status, 503);
    assert_eq!(bench.get(GRACE, "/api/v2/users/me").await.status, 200, "a known token waits for nothing");
    places.pop();
    assert_eq!(stranger().await.status, 401);
    Ok(())
}

#[tokio::test]
async fn a_flood_from_many_addresses_is_told_in_a_bounded_number_of_entries() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for last in 0..=120 {
        wrong(&bench, "Bearer wrong", last).await;
    }
    sign_ins::tell(&bench.test.desk, true).await;
    bench.settle(&bench.acme).await?;
    let logs = bench.get(GRACE, "/api/v2/audit_logs?filter[action]=login_failed&per_page=100").await.body;
    assert_eq!(logs["count"], 101, "a hundred clients, and one entry for the others");
    Ok(())
}
