//! Tokens and passwords that open nothing.

use anyhow::Context;
use http::Method;
use serde_json::json;
use system_tests::{Client, Deployment, client, wait};

#[tokio::test]
async fn wrong_expired_and_foreign_credentials_open_nothing() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let (acme, other) = (deployment.signup("eu", "bad-token").await?, deployment.signup("us", "bad-token-b").await?);
    let soon = now(&acme.client).await? + jiff::SignedDuration::from_secs(3);
    let issue = json!({"api_token": {"description": "short-lived", "expires_at": soon.to_string()}});
    let issued = acme.client.post("/api/v2/api_tokens.json", &issue).await?.expect(201)?.body;
    let expiring = issued["api_token"]["token"].as_str().context("a token")?.to_owned();
    let lasting = json!({"api_token": {"description": "to be revoked"}});
    let lasting = acme.client.post("/api/v2/api_tokens.json", &lasting).await?.expect(201)?.body["api_token"].clone();
    let revoked = lasting["token"].as_str().context("a token")?.to_owned();
    acme.client.with_token(&revoked).get("/api/v2/users/me.json").await?.expect(200)?;
    client::send(acme.client.request(Method::DELETE, &format!("/api/v2/api_tokens/{}.json", lasting["id"])))
        .await?
        .expect(204)?;

    let expired = acme.client.with_token(&expiring);
    wait::until("a token expires", async || {
        Ok((expired.get("/api/v2/users/me.json").await?.status == 401).then_some(()))
    })
    .await?;
    for (what, token) in [
        ("expired", expiring.as_str()),
        ("revoked", &revoked),
        ("foreign", &other.token),
        ("made up", "dom_x"),
        ("empty", ""),
    ] {
        for path in ["/api/v2/users/me.json", "/api/v2/tickets.json", "/api/domicile/v1/marks"] {
            let answer = acme.client.with_token(token).get(path).await?;
            assert_eq!(answer.status, 401, "{what} token at {path}: {}", answer.text());
            assert!(answer.header("www-authenticate").starts_with("Basic "), "{what}");
        }
    }
    let basic = acme.client.without_token().request(Method::GET, "/api/v2/users/me.json");
    let wrong_password = client::send(basic.basic_auth("grace@bad-token.example", Some("wrong horse battery"))).await?;
    assert_eq!(wrong_password.status, 401);
    Ok(())
}

/// The region's time.
async fn now(client: &Client) -> anyhow::Result<jiff::Timestamp> {
    let answer = client.get("/api/v2/users/me.json").await?.expect(200)?;
    Ok(jiff::fmt::rfc2822::parse(answer.header("date")).context("a date")?.timestamp())
}
