use axum::body::Body;
use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Answer, Bench, EVE, GRACE, email, request};

const PATH: &str = "/api/v2/users/3/identities";

async fn add(bench: &Bench, identity: Value) -> Answer {
    bench.post(ALAN, PATH, json!({ "identity": identity })).await
}

fn values(body: &Value) -> Vec<(Value, Value)> {
    let rows = body["identities"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| (row["value"].clone(), row["primary"].clone())).collect()
}

#[tokio::test]
async fn a_user_is_known_by_an_address_and_by_what_is_added() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let answer = add(&bench, json!({"type": "email", "value": "Ada@Engines.example", "verified": true})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let url = "http://acme.localhost:8080/api/v2/users/3/identities/6.json";
    assert_eq!(answer.header("location"), url);
    assert_eq!(
        answer.body["identity"],
        json!({
            "id": 6, "url": url, "user_id": 3, "type": "email", "value": "ada@engines.example", "verified": true,
            "primary": false, "deliverable_state": "deliverable", "undeliverable_count": 0,
            "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z",
        })
    );
    let phone = add(&bench, json!({"type": "phone_number", "value": "+44 20 7946 0000"})).await;
    assert_eq!(phone.body["identity"]["value"], "+442079460000");
    let all = bench.get(ADA, PATH).await.body;
    let expected =
        [(email("acme", ADA), true), ("ada@engines.example".to_owned(), false), ("+442079460000".to_owned(), false)];
    assert_eq!(values(&all), expected.map(|(value, primary)| (json!(value), json!(primary))));
    assert_eq!(bench.get(ALAN, &format!("{PATH}/3")).await.body["identity"]["id"], 3);
    assert_eq!(bench.get(EVE, PATH).await.status, 404);
    let found = bench.get(ALAN, "/api/v2/users/search?query=email:ada@engines.example").await.body;
    assert_eq!((&found["count"], &found["users"][0]["id"]), (&json!(1), &json!(3)), "found by every address");
    Ok(())
}

#[tokio::test]
async fn nobody_else_is_known_by_it() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for (kind, value) in [("email", "ada@engines.example"), ("phone_number", "+44 20 7946 0000")] {
        let sent = json!({"type": kind, "value": value});
        assert_eq!(add(&bench, sent.clone()).await.status, 201);
        assert_eq!(add(&bench, sent.clone()).await.wrong_fields(), ["value"], "twice");
        let taken = bench.post(ALAN, "/api/v2/users/4/identities", json!({ "identity": sent })).await;
        assert_eq!(taken.status, 422, "{}", taken.body);
    }
    let user = json!({"user": {"name": "Zoe", "email": "ada@engines.example"}});
    assert_eq!(bench.post(ALAN, "/api/v2/users", user.clone()).await.wrong_fields(), ["email"]);
    assert_eq!(bench.delete(ALAN, &format!("{PATH}/6")).await.status, 204);
    assert_eq!(bench.post(ALAN, "/api/v2/users", user).await.status, 201, "free again");
    for bad in [
        json!({}),
        json!({"type": "email"}),
        json!({"type": "fax", "value": "1"}),
        json!({"type": "email", "value": "@"}),
    ] {
        assert_eq!(add(&bench, bad.clone()).await.status, 422, "{bad}");
    }
    Ok(())
}

#[tokio::test]
async fn another_address_becomes_the_primary_one() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    add(&bench, json!({"type": "email", "value": "ada@engines.example"})).await;
    assert_eq!(bench.delete(ALAN, &format!("{PATH}/3")).await.wrong_fields(), ["id"], "the primary one stays");
    let all = bench.put(ALAN, &format!("{PATH}/6/make_primary.json"), json!({})).await;
    assert_eq!(values(&all.body)[1], (json!("ada@engines.example"), json!(true)), "{}", all.body);
    assert_eq!(bench.get(ALAN, "/api/v2/users/3").await.body["user"]["email"], "ada@engines.example");
    assert_eq!(bench.delete(ALAN, &format!("{PATH}/3")).await.status, 204);
    assert_eq!(bench.put(ALAN, &format!("{PATH}/99/make_primary"), json!({})).await.status, 404);
    Ok(())
}

#[tokio::test]
async fn an_identity_is_verified_and_changed() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let path = format!("{PATH}/3");
    assert_eq!(bench.put(ALAN, &format!("{path}/verify"), json!({})).await.body["identity"]["verified"], true);
    assert_eq!(bench.get(ALAN, "/api/v2/users/3").await.body["user"]["verified"], true);
    let changed = bench.put(ALAN, &path, json!({"identity": {"value": "countess@engines.example"}})).await;
    let shown = |field: &str| changed.body["identity"][field].clone();
    assert_eq!((shown("value"), shown("verified")), (json!("countess@engines.example"), json!(false)));
    assert_eq!(bench.get(ALAN, "/api/v2/users/3").await.body["user"]["email"], "countess@engines.example");
    let both = json!({"identity": {"value": "ada@engines.example", "verified": true}});
    assert_eq!(bench.put(ALAN, &path, both).await.body["identity"]["verified"], true);
    let taken = json!({"identity": {"value": email("acme", EVE)}});
    assert_eq!(bench.put(ALAN, &path, taken).await.status, 422);
    let user = json!({"user": {"name": "Zoe", "email": email("acme", ADA)}});
    assert_eq!(bench.post(ALAN, "/api/v2/users", user).await.status, 201, "what was given up is free");
    Ok(())
}

#[tokio::test]
async fn agents_change_end_users_and_admins_everybody() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let sent = || json!({"identity": {"type": "email", "value": "x@engines.example"}});
    assert_eq!(bench.post(ADA, PATH, sent()).await.status, 403);
    assert_eq!(bench.post(ALAN, "/api/v2/users/1/identities", sent()).await.status, 403);
    assert_eq!(bench.post(GRACE, "/api/v2/users/2/identities", sent()).await.status, 201);
    assert_eq!(bench.post(GRACE, "/api/v2/users/99/identities", sent()).await.status, 404);
    let twin = bench.send(request("GET", "globex", Some(ALAN), "/api/v2/users/2/identities", Body::empty())).await;
    assert_eq!(twin.body["count"], 1, "the same id is another person there");
    Ok(())
}
