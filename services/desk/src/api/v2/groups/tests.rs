use serde_json::json;

use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, SUPPORT};

async fn group(bench: &Bench, name: &str) -> i64 {
    let answer = bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": name}})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["group"]["id"].as_i64().expect("an id")
}

#[tokio::test]
async fn a_group_is_changed_and_once_private_stays_so() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let path = format!("/api/v2/groups/{SUPPORT}.json");
    let change = json!({"group": {"name": "First line", "description": "Answers first", "is_public": false}});
    let answer = bench.put(GRACE, &path, change).await;
    let shown = |field: &str| answer.body["group"][field].clone();
    assert_eq!((answer.status.as_u16(), shown("name"), shown("is_public")), (200, json!("First line"), json!(false)));
    assert_eq!(bench.get(ALAN, &path).await.body, answer.body);
    let public = bench.put(GRACE, &path, json!({"group": {"is_public": true}})).await;
    assert_eq!(public.wrong_fields(), ["is_public"]);
    assert_eq!(bench.put(GRACE, &path, json!({"group": {"name": ""}})).await.wrong_fields(), ["name"]);
    assert_eq!(bench.put(ALAN, &path, json!({"group": {"name": "x"}})).await.status, 403);
    assert_eq!(bench.put(GRACE, "/api/v2/groups/99", json!({"group": {"name": "x"}})).await.status, 404);
    let log = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=group").await.body;
    let told = log["audit_logs"][0]["change_description"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains("name changed from Support to First line"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_deleted_group_is_shown_and_nowhere_listed_and_takes_nobody() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/groups/{SUPPORT}")).await.wrong_fields(), ["id"], "the last one");
    let sales = group(&bench, "Sales").await;
    let membership = json!({"group_membership": {"user_id": ALAN.id, "group_id": sales, "default": true}});
    assert_eq!(bench.post(GRACE, "/api/v2/group_memberships", membership.clone()).await.status, 201);
    let path = format!("/api/v2/groups/{sales}");
    assert_eq!(bench.delete(ALAN, &path).await.status, 403);
    assert_eq!(bench.delete(GRACE, &path).await.status, 204);
    assert_eq!(bench.delete(GRACE, &path).await.status, 404, "once");
    assert_eq!(bench.get(ALAN, &path).await.body["group"]["deleted"], true);
    let listed = bench.get(ALAN, "/api/v2/groups").await.body;
    assert_eq!((&listed["count"], &listed["groups"][0]["id"]), (&json!(1), &json!(SUPPORT)));
    assert_eq!(bench.get(ALAN, "/api/v2/groups/count").await.body["count"]["value"], 1);
    assert_eq!(bench.get(ALAN, &format!("{path}/users")).await.status, 404);
    let of_alan = bench.get(ALAN, &format!("/api/v2/users/{}/group_memberships", ALAN.id)).await.body;
    assert_eq!((&of_alan["count"], &of_alan["group_memberships"][0]["default"]), (&json!(1), &json!(true)));
    assert_eq!(bench.get(ALAN, &format!("/api/v2/users/{}", ALAN.id)).await.body["user"]["default_group_id"], SUPPORT);
    assert_eq!(bench.post(GRACE, "/api/v2/group_memberships", membership).await.wrong_fields(), ["group_id"]);
    let ticket = json!({"ticket": {"group_id": sales, "comment": {"body": "x"}}});
    assert_eq!(bench.post(ALAN, "/api/v2/tickets", ticket).await.wrong_fields(), ["group_id"]);
    assert_eq!(group(&bench, "Sales").await, sales + 2, "the name is free");
    Ok(())
}

#[tokio::test]
async fn one_group_stands_first() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let sales = group(&bench, "Sales").await;
    let first = async || {
        let body = bench.get(ALAN, "/api/v2/groups/assignable").await.body;
        let groups = body["groups"].as_array().cloned().unwrap_or_default();
        groups
            .iter()
            .filter(|group| group["default"] == true)
            .filter_map(|group| group["id"].as_i64())
            .collect::<Vec<_>>()
    };
    assert_eq!(first().await, [SUPPORT]);
    let choose = json!({"group": {"default": true}});
    assert_eq!(bench.put(GRACE, &format!("/api/v2/groups/{sales}"), choose).await.body["group"]["default"], true);
    assert_eq!(first().await, [sales]);
    bench.delete(GRACE, &format!("/api/v2/groups/{sales}")).await;
    assert_eq!(first().await, [SUPPORT]);
    Ok(())
}

#[tokio::test]
async fn the_agents_of_a_group_are_listed_and_an_end_user_never_is_one() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ids = |body: &serde_json::Value, key: &str| {
        let rows = body[key].as_array().cloned().unwrap_or_default();
        rows.iter().filter_map(|row| row["id"].as_i64()).collect::<Vec<_>>()
    };
    let users = bench.get(ALAN, &format!("/api/v2/groups/{SUPPORT}/users?page[size]=1")).await.body;
    assert_eq!((ids(&users, "users"), &users["meta"]["has_more"]), (vec![GRACE.id], &json!(true)));
    let all = bench.get(ALAN, &format!("/api/v2/groups/{SUPPORT}/memberships")).await.body;
    assert_eq!(ids(&all, "group_memberships"), [901, 902]);
    assert_eq!(ids(&bench.get(ALAN, &format!("/api/v2/users/{}/groups", ALAN.id)).await.body, "groups"), [SUPPORT]);
    let membership = json!({"group_membership": {"user_id": ADA.id, "group_id": SUPPORT}});
    assert_eq!(bench.post(GRACE, "/api/v2/group_memberships", membership).await.wrong_fields(), ["user_id"]);
    bench.put(GRACE, &format!("/api/v2/users/{}", ALAN.id), json!({"user": {"role": "end-user"}})).await;
    let all = bench.get(GRACE, &format!("/api/v2/groups/{SUPPORT}/memberships")).await.body;
    assert_eq!(ids(&all, "group_memberships"), [901], "who is no agent any more belongs to no group");
    assert_eq!(bench.get(EVE, "/api/v2/groups/count").await.status, 403);
    Ok(())
}
