use axum::body::Body;
use serde_json::json;

use super::super::testing::{page, text};
use crate::{
    access::flush,
    api::testing::{ADA, ALAN, Bench, GRACE, request},
};

#[tokio::test]
async fn whoever_has_no_views_works_from_those_that_everybody_has() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer smokes", "comment": {"body": "x"}})).await;
    let mine = json!({"subject": "Kettle", "comment": {"body": "x"}, "assignee_id": ALAN.id});
    bench.ticket(ALAN, mine).await;
    let first = page(&bench, ALAN, "/agent").await;
    assert!(first.contains("Your unsolved tickets") && first.contains("Kettle") && !first.contains("Printer smokes"));
    let unassigned = page(&bench, ALAN, "/agent/views/unassigned").await;
    assert!(unassigned.contains("Printer smokes") && !unassigned.contains("Kettle"));
    assert!(unassigned.contains(r#"aria-current="page"><bdi>Unassigned"#), "{unassigned}");
    bench.put(ALAN, "/api/v2/tickets/2", json!({"ticket": {"status": "solved"}})).await;
    assert!(page(&bench, ALAN, "/agent/views/solved").await.contains("Kettle"));
    assert!(!page(&bench, ALAN, "/agent/views/unsolved").await.contains("Kettle"));
    assert_eq!(bench.get(ALAN, "/agent/views/nonsense").await.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_view_that_was_made_shows_its_columns_and_is_sorted_by_them() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for (subject, priority) in [("Bees", "low"), ("Ants", "urgent"), ("Cats", "normal")] {
        bench.ticket(ALAN, json!({"subject": subject, "comment": {"body": "x"}, "priority": priority})).await;
    }
    let all = json!([{"field": "status", "operator": "less_than", "value": "solved"}]);
    let output = json!({"columns": ["priority", "subject"]});
    let view = json!({"view": {"title": "Zoo", "all": all, "output": output}});
    let made = bench.post(GRACE, "/api/v2/views", view).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let path = format!("/agent/views/{}", made.body["view"]["id"]);
    let order = |page: &str| {
        let mut found: Vec<_> = ["Ants", "Bees", "Cats"].map(|name| (page.find(&format!("<bdi>{name}")), name)).into();
        found.sort_unstable();
        found.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let by_subject = page(&bench, ALAN, &format!("{path}?sort=subject&order=asc")).await;
    assert_eq!(order(&by_subject), ["Ants", "Bees", "Cats"]);
    assert!(by_subject.contains(r#"aria-sort="ascending""#) && by_subject.contains("Zoo"), "{by_subject}");
    let by_priority = page(&bench, ALAN, &format!("{path}?sort=priority&order=desc")).await;
    assert_eq!(order(&by_priority), ["Ants", "Cats", "Bees"]);
    assert!(!by_priority.contains("Your unsolved tickets"), "those are for who has none");
    Ok(())
}

#[tokio::test]
async fn hostile_subjects_and_names_are_text() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let requester = json!({"name": "<img src=x onerror=alert(1)> عَلِيّ 🦊", "email": "mallory@evil.example"});
    let subject = "\"><script>alert(1)</script>";
    bench.ticket(ALAN, json!({"subject": subject, "comment": {"body": "x"}, "requester": requester})).await;
    let shown = page(&bench, ALAN, "/agent/views/unassigned").await;
    assert!(!shown.contains("<script>") && !shown.contains("<img"), "{shown}");
    assert!(shown.contains("<bdi>&#60;img src=x onerror=alert(1)&#62; عَلِيّ 🦊</bdi>"), "{shown}");
    Ok(())
}

#[tokio::test]
async fn what_a_page_shows_is_in_the_access_log() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    for path in ["/agent/views/unassigned", "/agent/tickets/1", "/agent/tickets/1/history?version=1"] {
        page(&bench, ALAN, path).await;
    }
    flush(&bench).await;
    let logged = bench.get(GRACE, "/api/v2/access_logs").await.body;
    let entries: Vec<_> = logged["access_logs"].as_array().into_iter().flatten().collect();
    let told = |path: &str, category: &str, id: i64| {
        let is_it = |entry: &&&serde_json::Value| {
            entry["category"] == category && entry.to_string().contains(path) && entry["read_ids"] == json!([id])
        };
        entries.iter().any(|entry| is_it(&entry))
    };
    for path in ["/agent/views/unassigned", "/agent/tickets/1", "/agent/tickets/1/history?version=1"] {
        assert!(told(path, "ticket", 1), "{path}: {logged}");
        assert!(told(path, "user", ADA.id), "whose name stands beside: {path}: {logged}");
    }
    Ok(())
}

#[tokio::test]
async fn the_desk_shows_nothing_of_another_tenant() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    for path in ["/agent/tickets/1", "/agent/tickets/1/history", "/agent/tickets/1/merge"] {
        let foreign = request("GET", "globex", Some(ALAN), path, Body::empty());
        assert_eq!(bench.send(foreign).await.status, 404, "{path}");
    }
    for path in ["/agent/views/unassigned", "/agent/search?q=printer"] {
        let foreign = bench.send(request("GET", "globex", Some(ALAN), path, Body::empty())).await;
        assert!(foreign.status == 200 && !text(&foreign).contains("/agent/tickets/1\""), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn the_desk_is_for_insiders_and_says_so_in_a_page() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let refused = bench.get(ADA, "/agent").await;
    assert_eq!((refused.status.as_u16(), refused.header("content-type")), (403, "text/html; charset=utf-8"));
    assert!(text(&refused).contains("You may not do this"));
    Ok(())
}
