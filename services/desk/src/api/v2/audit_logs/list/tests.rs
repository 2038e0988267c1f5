use std::net::SocketAddr;

use axum::body::Body;
use serde_json::{Value, json};

use crate::{
    api::testing::{ADA, ALAN, Bench, GRACE, request},
    serve::Peer,
};

async fn rows(bench: &Bench, query: &str) -> Vec<Value> {
    let answer = bench.get(GRACE, &format!("/api/v2/audit_logs.json?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["audit_logs"].as_array().expect("a list").clone()
}

/// Makes Alan an admin, from an address.
async fn promote(bench: &Bench) -> anyhow::Result<()> {
    let body = json!({"user": {"role": "admin", "name": "Alan T."}}).to_string();
    let mut promoted = request("PUT", "acme", Some(GRACE), "/api/v2/users/2", Body::from(body));
    promoted.extensions_mut().insert(Peer { address: Some(SocketAddr::from(([192, 0, 2, 7], 9))), tls: false });
    assert_eq!(bench.send(promoted).await.status, 200);
    bench.settle(&bench.acme).await
}

#[tokio::test]
async fn a_change_is_told_with_who_where_how_and_what_was() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    promote(&bench).await?;
    let rows = rows(&bench, "").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    for (name, expected) in [
        ("action", json!("update")),
        ("action_label", json!("Updated")),
        ("actor_id", json!(GRACE.id)),
        ("actor_name", json!("grace")),
        ("source_type", json!("user")),
        ("source_id", json!(ALAN.id)),
        ("source_label", json!("alan")),
        ("ip_address", json!("192.0.2.7")),
        ("means", json!("bearer_token")),
        ("token_id", json!(GRACE.id)),
        ("change_description", json!("name changed from alan to Alan T.; role changed from agent to admin")),
    ] {
        assert_eq!(row[name], expected, "{name}: {row}");
    }
    let one = bench.get(GRACE, &format!("/api/v2/audit_logs/{}.json", row["id"])).await;
    assert_eq!(one.body["audit_log"], *row);
    assert_eq!(bench.get(GRACE, "/api/v2/audit_logs/1").await.status, 404, "an event that is no entry");
    Ok(())
}

#[tokio::test]
async fn tokens_groups_and_people_are_audited_and_tickets_are_not() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "y"}})).await;
    bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": "Second line"}})).await;
    bench.post(GRACE, "/api/v2/users", json!({"user": {"name": "Eric", "email": "eric@acme.example"}})).await;
    let token = bench.post(GRACE, "/api/v2/api_tokens", json!({"api_token": {"description": "importer"}})).await.body;
    let id = &token["api_token"]["id"];
    bench.send(request("DELETE", "acme", Some(GRACE), &format!("/api/v2/api_tokens/{id}"), Body::empty())).await;
    bench.settle(&bench.acme).await?;
    let told: Vec<_> = rows(&bench, "sort_order=asc").await;
    let told: Vec<_> = told.iter().map(|row| json!([row["action"], row["source_type"], row["source_label"]])).collect();
    assert_eq!(
        told,
        [
            json!(["create", "group", "Second line"]),
            json!(["create", "user", "Eric"]),
            json!(["create", "apitoken", "importer"]),
            json!(["destroy", "apitoken", "importer"]),
        ]
    );
    let secret = token["api_token"]["token"].as_str().expect("a token");
    assert!(!json!(rows(&bench, "").await).to_string().contains(secret));
    Ok(())
}

#[tokio::test]
async fn entries_are_filtered_sorted_and_paged() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for number in 1..=5 {
        bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": format!("Group {number}")}})).await;
        bench.advance_seconds(60);
    }
    promote(&bench).await?;
    for (query, count) in [
        ("filter[source_type]=group", 5),
        ("filter[source_type]=user&filter[source_id]=2", 1),
        ("filter[actor_id]=1", 6),
        ("filter[actor_id]=2", 0),
        ("filter[ip_address]=192.0.2.7", 1),
        ("filter[action]=create", 5),
        ("filter[created_at]=2026-11-22T10:01:00Z&filter[created_at]=2026-11-22T10:02:30Z", 2),
        ("filter[created_at][]=2026-11-22T10:01:00Z&filter[created_at][]=2026-11-22T10:02:30Z", 2),
    ] {
        assert_eq!(rows(&bench, query).await.len(), count, "{query}");
    }
    for (name, query) in [
        ("filter[source_id]", "filter[source_id]=2"),
        ("filter[created_at]", "filter[created_at]=2026-11-22T10:01:00Z"),
        ("sort_order", "sort_order=x"),
        ("sort_by", "sort_by=action"),
        ("sort", "sort=x"),
    ] {
        let answer = bench.get(GRACE, &format!("/api/v2/audit_logs?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.to_string().contains(name), "{}", answer.body);
    }
    let ids = |page: &Value| -> Vec<i64> {
        page["audit_logs"].as_array().into_iter().flatten().filter_map(|row| row["id"].as_i64()).collect()
    };
    let page = async |url: &str| bench.get(GRACE, url.trim_start_matches("http://acme.localhost:8080")).await.body;
    let newest = ids(&page("/api/v2/audit_logs").await);
    assert!(newest.len() == 6 && newest.is_sorted_by(|a, b| a > b), "{newest:?}");
    for (sort, expected) in [("-created_at", newest.clone()), ("created_at", newest.iter().rev().copied().collect())] {
        let first = page(&format!("/api/v2/audit_logs?page[size]=4&sort={sort}")).await;
        let second = page(first["links"]["next"].as_str().unwrap_or_default()).await;
        assert_eq!([ids(&first), ids(&second)].concat(), expected, "{sort}");
        let back = page(second["links"]["prev"].as_str().unwrap_or_default()).await;
        assert_eq!(ids(&back), ids(&first), "{sort}");
    }
    let offset = page("/api/v2/audit_logs?per_page=4&page=2").await;
    assert_eq!((ids(&offset), &offset["count"]), (newest[4..].to_vec(), &json!(6)));
    Ok(())
}

#[tokio::test]
async fn the_audit_log_is_for_admins_of_its_tenant() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    promote(&bench).await?;
    let id = rows(&bench, "").await[0]["id"].clone();
    for path in [
        "/api/v2/audit_logs".to_owned(),
        format!("/api/v2/audit_logs/{id}"),
        "/api/domicile/v1/audit_logs.csv".to_owned(),
    ] {
        assert_eq!(bench.get(ADA, &path).await.status, 403, "{path}");
    }
    let globex = bench.send(request("GET", "globex", Some(GRACE), "/api/v2/audit_logs", Body::empty())).await;
    assert_eq!(globex.body["count"], 0, "{}", globex.body);
    let other =
        bench.send(request("GET", "globex", Some(GRACE), &format!("/api/v2/audit_logs/{id}"), Body::empty())).await;
    assert_eq!(other.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_file_of_the_log_is_an_entry_of_the_log() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": "=1+1, \"x\""}})).await;
    bench.settle(&bench.acme).await?;
    let file = bench.get(GRACE, "/api/domicile/v1/audit_logs.csv?filter[source_type]=group").await;
    assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "text/csv; charset=utf-8"));
    let text = String::from_utf8(file.bytes.to_vec())?;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[1].contains("create,1,grace,group,") && lines[1].contains("\"'=1+1, \"\"x\"\"\""), "{text}");
    bench.settle(&bench.acme).await?;
    let newest = rows(&bench, "").await.remove(0);
    assert_eq!(
        (&newest["action"], &newest["source_type"], &newest["actor_id"]),
        (&json!("exported"), &json!("audit_log"), &json!(1))
    );
    Ok(())
}

#[tokio::test]
async fn rows_after_an_erasure_are_those_of_a_rebuild() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    promote(&bench).await?;
    // What was done to Alan, and where he did something from, are to go; what he did to Ada stays.
    let body = json!({"user": {"name": "Ada L"}}).to_string();
    let mut renamed = request("PUT", "acme", Some(ALAN), "/api/v2/users/3", Body::from(body));
    renamed.extensions_mut().insert(Peer { address: Some(SocketAddr::from(([192, 0, 2, 9], 9))), tls: false });
    assert_eq!(bench.send(renamed).await.status, 200);
    bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": "Second line"}})).await;
    for path in ["/api/v2/users/2", "/api/v2/deleted_users/2"] {
        assert_eq!(bench.delete(GRACE, path).await.status, 200, "{path}");
    }
    bench.settle(&bench.acme).await?;
    let live = rows(&bench, "").await;
    let left = json!(live).to_string();
    assert!(!left.contains("Alan") && !left.contains("192.0.2.9") && left.contains("Ada L"), "{left}");
    let region = &bench.test.region;
    let deps = projector::ProjectorDeps {
        region: region.region.clone(),
        pool: region.pool(regions::DatabaseRole::Projector).await?,
        vault: region.vault(regions::DatabaseRole::Projector).await?,
        clock: region.clock.clone(),
        metrics: region.metrics.clone(),
    };
    let rebuilt = projector::rebuild(&deps, &projector::Selection::all(), &|_| {}).await?;
    assert!(rebuilt.is_done(), "without accepting differences: {:?}", rebuilt.builds);
    assert_eq!(rows(&bench, "").await, live);
    Ok(())
}
