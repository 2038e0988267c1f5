use axum::{
    body::Body,
    http::{HeaderValue, header},
};
use serde_json::{Value, json};

use crate::{
    access::flush,
    api::testing::{ALAN, Answer, Bench, GRACE, request},
    pages::agent::testing::{page, post_form, text},
};

async fn tokens(bench: &Bench) -> Vec<Value> {
    bench.get(GRACE, "/api/v2/api_tokens").await.body["api_tokens"].as_array().cloned().unwrap_or_default()
}

async fn by_token(bench: &Bench, token: &str) -> Answer {
    let mut request = request("GET", "acme", None, "/api/v2/users/me", Body::empty());
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).expect("a header");
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    bench.send(request).await
}

#[tokio::test]
async fn a_token_is_issued_and_shown_once_however_often_the_form_is_sent() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let there = tokens(&bench).await.len();
    let fields = [("once", "t"), ("description", "Deploys"), ("user_id", "2"), ("expires_on", "2026-12-24")];
    let issued = post_form(&bench, GRACE, "/agent/admin/tokens", &fields).await;
    let shown = text(&issued);
    assert_eq!((issued.status.as_u16(), issued.header("cache-control")), (201, "no-store"), "{shown}");
    let secret = shown.split("<pre tabindex=\"0\"><code>").nth(1).and_then(|rest| rest.split('<').next());
    let secret = secret.expect("a token").to_owned();
    assert_eq!(by_token(&bench, &secret).await.body["user"]["id"], ALAN.id, "it speaks for the person who was chosen");
    let again = post_form(&bench, GRACE, "/agent/admin/tokens", &fields).await;
    assert_eq!((again.status.as_u16(), again.header("location")), (303, "/agent/admin/tokens?done=issued"));
    assert!(!text(&again).contains(&secret));
    let all = tokens(&bench).await;
    assert_eq!(all.len(), there + 1);
    let token = all.iter().find(|token| token["description"] == "Deploys").expect("the token");
    assert_eq!((&token["user_id"], &token["expires_at"]), (&json!(2), &json!("2026-12-25T00:00:00Z")));
    assert!(!page(&bench, GRACE, "/agent/admin/tokens").await.contains(&secret), "it is never shown again");
    bench.advance_seconds(33 * 24 * 3600);
    assert_eq!(by_token(&bench, &secret).await.status, 401, "its last day is over");
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_ended_works_no_longer() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let issued = bench.post(GRACE, "/api/v2/api_tokens", json!({"api_token": {"description": "Old"}})).await.body;
    let secret = issued["api_token"]["token"].as_str().expect("a token").to_owned();
    assert_eq!(by_token(&bench, &secret).await.status, 200);
    let end = format!("/agent/admin/tokens/{}/end", issued["api_token"]["id"]);
    assert!(page(&bench, GRACE, "/agent/admin/tokens").await.contains(&end));
    for _ in 0..2 {
        let ended = post_form(&bench, GRACE, &end, &[("once", "e")]).await;
        assert_eq!(ended.header("location"), "/agent/admin/tokens?done=ended", "{}", text(&ended));
    }
    assert_eq!(by_token(&bench, &secret).await.status, 401);
    assert!(!page(&bench, GRACE, "/agent/admin/tokens").await.contains(&end));
    Ok(())
}

#[tokio::test]
async fn a_wrong_form_comes_again_with_what_was_typed_and_issues_nothing() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let there = tokens(&bench).await.len();
    let fields = [("description", ""), ("user_id", "2"), ("expires_on", "2020-01-31")];
    let answer = post_form(&bench, GRACE, "/agent/admin/tokens", &fields).await;
    let shown = text(&answer);
    assert_eq!(answer.status, 422, "{shown}");
    for part in [
        r##"<a href="#description">What it is for: "##,
        r##"<a href="#expires_on">Last day: Takes a moment in the future"##,
        r#"value="2020-01-31""#,
        r#"<option value="2" selected>"#,
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let unknown = [("description", "x"), ("user_id", "99")];
    assert_eq!(post_form(&bench, GRACE, "/agent/admin/tokens", &unknown).await.status, 422);
    assert_eq!(tokens(&bench).await.len(), there);
    Ok(())
}

#[tokio::test]
async fn whoever_is_shown_with_tokens_is_in_the_access_log() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    page(&bench, GRACE, "/agent/admin/tokens").await;
    let nameless = [("description", ""), ("user_id", "2")];
    assert_eq!(post_form(&bench, GRACE, "/agent/admin/tokens", &nameless).await.status, 422);
    flush(&bench).await;
    bench.settle(&bench.acme).await?;
    let told = bench.get(GRACE, "/api/v2/access_logs").await.body;
    let told = told["access_logs"].as_array().expect("entries").iter();
    let told: Vec<_> = told.map(|entry| json!([entry["method"], entry["category"], entry["read_ids"]])).collect();
    let expected = [
        json!(["GET", "api_token", [1, 2, 3, 4]]),
        json!(["GET", "user", [1, 2, 3, 4]]),
        json!(["POST", "api_token", []]),
        json!(["POST", "user", [1, 2]]),
    ];
    assert_eq!(told, expected, "tokens, whom they speak for, and whom the form offers");
    Ok(())
}
