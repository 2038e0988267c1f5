use axum::http::header;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::testing::{TestDesk, TestTenant, get};

async fn issue(desk: &TestDesk, tenant: &TestTenant, token: Value) -> crate::testing::Answer {
    desk.call(tenant.send("POST", "/api/v2/api_tokens", &json!({ "api_token": token }))).await
}

/// Waits until requests with a token are answered so: a write is answered before it can be read, if the read models are late.
async fn until(desk: &TestDesk, tenant: &TestTenant, token: &str, status: u16) -> anyhow::Result<()> {
    testkit::eventually(async || {
        let mut request = get(&tenant.host, "/api/v2/api_tokens");
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse()?);
        Ok((desk.call(request).await.status == status).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_token_is_shown_once_works_and_stops_when_revoked() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let answer = issue(&desk, &acme, json!({ "description": "for the importer" })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let (id, secret) = (answer.json()["api_token"]["id"].clone(), answer.json()["api_token"]["token"].clone());
    let secret = secret.as_str().expect("a token");
    until(&desk, &acme, secret, 200).await?;

    let list = desk.call(acme.request("GET", "/api/v2/api_tokens")).await;
    assert_eq!(list.json()["count"], 2);
    assert!(!list.text().contains(secret), "only the hash is kept");

    let path = format!("/api/v2/api_tokens/{id}.json");
    assert_eq!(desk.call(acme.request("DELETE", &path)).await.status, 204);
    until(&desk, &acme, secret, 401).await
}

#[tokio::test]
async fn a_token_stops_when_it_expires() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let answer = issue(&desk, &acme, json!({ "description": "short", "expires_at": "2026-11-22T11:00:00Z" })).await;
    let secret = answer.json()["api_token"]["token"].as_str().expect("a token").to_owned();
    until(&desk, &acme, &secret, 200).await?;
    desk.region.clock.advance(SignedDuration::from_hours(1));
    until(&desk, &acme, &secret, 401).await
}

#[tokio::test]
async fn wrong_fields_are_named() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    for (token, fields) in [
        (json!({}), vec!["description"]),
        (
            json!({ "description": " ", "expires_at": "2020-01-01T00:00:00Z", "user_id": "x" }),
            vec!["description", "expires_at", "user_id"],
        ),
        (json!({ "description": "a", "user_id": 999_999 }), vec!["user_id"]),
    ] {
        let answer = issue(&desk, &acme, token).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        let body = answer.json();
        assert_eq!(body["error"], "RecordInvalid");
        let named: Vec<&String> = body["details"].as_object().expect("details").keys().collect();
        assert_eq!(named, fields);
    }
    let answer = desk.call(acme.send("POST", "/api/v2/api_tokens", &json!({ "token": {} }))).await;
    assert_eq!(answer.status, 422);
    assert_eq!(desk.call(acme.request("DELETE", "/api/v2/api_tokens/x")).await.status, 400);
    assert_eq!(desk.call(acme.request("DELETE", "/api/v2/api_tokens/999")).await.status, 404);
    Ok(())
}
