use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, SUPPORT};

async fn organization(bench: &Bench, name: &str) -> i64 {
    let answer = bench.post(GRACE, "/api/v2/organizations", json!({"organization": {"name": name}})).await;
    answer.body["organization"]["id"].as_i64().expect("an id")
}

#[tokio::test]
async fn a_membership_is_begun_shown_and_ended() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let engines = organization(&bench, "Engines").await;
    let sent = json!({"organization_membership": {"user_id": ADA.id, "organization_id": engines}});
    let answer = bench.post(ALAN, "/api/v2/organization_memberships.json", sent.clone()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("location"), "http://acme.localhost:8080/api/v2/organization_memberships/7.json");
    assert_eq!(
        answer.body["organization_membership"],
        json!({
            "id": 7, "url": "http://acme.localhost:8080/api/v2/organization_memberships/7.json", "user_id": ADA.id,
            "organization_id": engines, "organization_name": "Engines", "default": true, "view_tickets": false,
            "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z",
        })
    );
    for path in ["organization_memberships/7", "users/3/organization_memberships/7"] {
        assert_eq!(bench.get(ALAN, &format!("/api/v2/{path}")).await.body, answer.body, "{path}");
    }
    assert_eq!(bench.get(ALAN, "/api/v2/users/4/organization_memberships/7").await.status, 404, "another's");
    assert_eq!(bench.get(ALAN, "/api/v2/group_memberships/7").await.status, 404, "of another kind");
    let twice = bench.post(ALAN, "/api/v2/organization_memberships", sent).await;
    assert_eq!(twice.body["details"]["organization_id"][0]["error"], "DuplicateValue");
    assert_eq!(bench.delete(ALAN, "/api/v2/users/4/organization_memberships/7").await.status, 404);
    assert_eq!(bench.delete(ALAN, "/api/v2/organization_memberships/7").await.status, 204);
    assert_eq!(bench.delete(ALAN, "/api/v2/organization_memberships/7").await.status, 404, "once");
    assert_eq!(bench.get(ALAN, "/api/v2/users/3/organizations").await.body["count"], 0);
    Ok(())
}

#[tokio::test]
async fn the_default_is_the_oldest_until_another_is_made_it() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let mut memberships = Vec::new();
    for name in ["Engines", "Looms"] {
        let organization = organization(&bench, name).await;
        let sent = json!({"organization_membership": {"organization_id": organization}});
        let answer = bench.post(ALAN, "/api/v2/users/3/organization_memberships", sent).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        memberships.push((answer.body["organization_membership"]["id"].as_i64().expect("an id"), organization));
    }
    let defaults = |body: &Value| {
        let rows = body["organization_memberships"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row["default"].clone()).collect::<Vec<_>>()
    };
    let all = bench.get(ALAN, "/api/v2/users/3/organization_memberships").await.body;
    assert_eq!(defaults(&all), [json!(true), Value::Null]);
    let path = format!("/api/v2/users/3/organization_memberships/{}/make_default.json", memberships[1].0);
    assert_eq!(defaults(&bench.put(ALAN, &path, json!({})).await.body), [Value::Null, json!(true)]);
    assert_eq!(bench.get(ALAN, "/api/v2/users/3").await.body["user"]["organization_id"], memberships[1].1);
    bench.delete(ALAN, &format!("/api/v2/organization_memberships/{}", memberships[1].0)).await;
    assert_eq!(bench.get(ALAN, "/api/v2/users/3").await.body["user"]["organization_id"], memberships[0].1);
    Ok(())
}

#[tokio::test]
async fn what_is_missing_or_names_nothing_is_refused_by_its_field() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let post = async |sent: Value| {
        let sent = json!({ "organization_membership": sent });
        bench.post(ALAN, "/api/v2/organization_memberships", sent).await.wrong_fields()
    };
    assert_eq!(post(json!({})).await, ["organization_id", "user_id"]);
    assert_eq!(post(json!({"user_id": 99, "organization_id": 99})).await, ["user_id"]);
    assert_eq!(post(json!({"user_id": 3, "organization_id": 99})).await, ["organization_id"]);
    let group = json!({"group_membership": {"user_id": ALAN.id, "group_id": SUPPORT}});
    assert_eq!(bench.post(ALAN, "/api/v2/group_memberships", group.clone()).await.status, 403);
    assert_eq!(bench.post(GRACE, "/api/v2/group_memberships", group).await.wrong_fields(), ["group_id"], "once");
    assert_eq!(bench.get(EVE, "/api/v2/group_memberships").await.status, 403);
    Ok(())
}

#[tokio::test]
async fn a_membership_that_is_sent_again_is_one() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let engines = organization(&bench, "Engines").await;
    let sent = || json!({"organization_membership": {"user_id": ADA.id, "organization_id": engines, "default": true}});
    let post = async || bench.keyed("POST", ALAN, ("/api/v2/organization_memberships", sent()), "once").await;
    let (first, again) = (post().await, post().await);
    assert_eq!((again.status.as_u16(), again.header("x-domicile-replayed")), (201, "yes"));
    assert_eq!(first.body, again.body);
    Ok(())
}
