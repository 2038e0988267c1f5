use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Answer, Bench, GRACE, request};

const PATH: &str = "/api/domicile/v1/auditor_grants";

async fn grant(bench: &Bench, grant: Value) -> Answer {
    bench.post(GRACE, PATH, grant).await
}

/// A grant of ten days, and its token.
async fn granted(bench: &Bench, tickets: Option<Value>) -> (i64, String) {
    let mut wanted = json!({"name": "Otto Audit", "email": "Otto@Audit.example", "expires_at": "2026-12-02T10:00:00Z"});
    if let Some(tickets) = tickets {
        wanted["tickets"] = tickets;
    }
    let answer = grant(bench, wanted).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let token = answer.body["token"].as_str().expect("a token").to_owned();
    (answer.body["auditor_grant"]["id"].as_i64().expect("an id"), token)
}

fn with_token(method: &str, path: &str, token: &str) -> Request<Body> {
    let mut request = request(method, "acme", None, path, Body::from("{}"));
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().expect("a header"));
    request
}

async fn read(bench: &Bench, path: &str, token: &str) -> u16 {
    bench.send(with_token("GET", path, token)).await.status.as_u16()
}

#[tokio::test]
async fn a_grant_is_shown_with_its_token_once_and_listed_without() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (id, token) = granted(&bench, None).await;
    let list = bench.get(GRACE, PATH).await;
    assert_eq!(
        list.body,
        json!({"auditor_grants": [{
            "id": id, "name": "Otto Audit", "email": "otto@audit.example", "expires_at": "2026-12-02T10:00:00Z", "tickets": [],
            "active": true, "revoked_at": null, "created_at": "2026-11-22T10:00:00Z",
        }]})
    );
    assert!(!list.body.to_string().contains(&token) && !bench.holds(&token).await?);
    assert_eq!(bench.get(GRACE, "/api/v2/users").await.body["count"], 4, "an auditor is no user");
    for who in [ALAN, ADA] {
        assert_eq!(bench.get(who, PATH).await.status, 403);
        assert_eq!(bench.post(who, PATH, json!({})).await.status, 403);
    }
    Ok(())
}

#[tokio::test]
async fn a_grant_ends_when_it_says_and_at_once_when_it_is_revoked() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ((first, one), (_, other)) = (granted(&bench, None).await, granted(&bench, None).await);
    assert_eq!(read(&bench, "/api/domicile/v1/events", &one).await, 200);
    assert_eq!(bench.delete(GRACE, &format!("{PATH}/{first}")).await.status, 204);
    assert_eq!(read(&bench, "/api/domicile/v1/events", &one).await, 401);
    assert_eq!(read(&bench, "/api/domicile/v1/events", &other).await, 200);
    bench.advance_seconds(10 * 24 * 3600 - 1);
    assert_eq!(read(&bench, "/api/domicile/v1/events", &other).await, 200);
    bench.advance_seconds(1);
    let ended = bench.send(with_token("GET", "/api/domicile/v1/events", &other)).await;
    assert_eq!((ended.status.as_u16(), ended.header("content-type")), (401, "application/problem+json"));
    let list = bench.get(GRACE, PATH).await.body;
    let active: Vec<_> = list["auditor_grants"].as_array().expect("grants").iter().map(|one| &one["active"]).collect();
    assert_eq!(active, [&json!(false), &json!(false)]);
    Ok(())
}

#[tokio::test]
async fn a_revoked_grant_ends_also_while_the_read_models_are_behind() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ((first, one), (_, other)) = (granted(&bench, None).await, granted(&bench, None).await);
    bench.settle(&bench.acme).await?;
    let held = bench.hold_projector().await?;
    let revoked = bench.delete(GRACE, &format!("{PATH}/{first}")).await;
    assert_eq!((revoked.status.as_u16(), revoked.header("x-domicile-visible")), (204, "pending"));
    assert_eq!(read(&bench, "/api/domicile/v1/events", &one).await, 401);
    assert_eq!(read(&bench, "/api/domicile/v1/events", &other).await, 200, "the other's goes on");
    drop(held);
    Ok(())
}

#[tokio::test]
async fn wrong_fields_are_named_and_the_policy_bounds_the_time() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    let fine =
        json!({"name": "Otto", "email": "otto@audit.example", "expires_at": "2027-02-20T10:00:00Z", "tickets": [1]});
    for (field, value) in [
        ("name", json!(" ")),
        ("email", json!("otto")),
        ("expires_at", json!("2026-11-22T10:00:00Z")),
        ("expires_at", json!("2027-02-20T10:00:01Z")),
        ("expires_at", json!(null)),
        ("tickets", json!([])),
        ("tickets", json!(["x"])),
        ("tickets", json!([1, 2])),
    ] {
        let mut wrong = fine.clone();
        wrong[field] = value.clone();
        let answer = grant(&bench, wrong).await;
        assert_eq!(answer.status, 422, "{field} {value}: {}", answer.body);
        assert!(answer.body.to_string().contains(&format!("{field}: ")), "{}", answer.body);
    }
    assert_eq!(grant(&bench, fine).await.status, 201, "90 days, and not a second more");
    Ok(())
}

#[tokio::test]
async fn a_grant_of_certain_tickets_is_about_nothing_else() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for subject in ["Printer", "Copier"] {
        let file = bench.upload(ADA, "filename=a.txt", b"bytes").await.body["upload"]["token"].clone();
        bench.ticket(ADA, json!({"subject": subject, "comment": {"body": "see", "uploads": [file]}})).await;
    }
    let (_, token) = granted(&bench, Some(json!([2]))).await;
    for (path, status) in [
        ("/api/v2/tickets/2", 200),
        ("/api/v2/tickets/2/comments", 200),
        ("/api/domicile/v1/tickets/2/history", 200),
        ("/api/domicile/v1/residency", 200),
        ("/api/v2/users/me", 200),
        ("/api/v2/tickets/1", 403),
        ("/api/v2/tickets/99", 403),
        ("/api/domicile/v1/tickets/1", 403),
        ("/api/v2/tickets", 403),
        ("/api/v2/tickets/show_many?ids=2", 403),
        ("/api/domicile/v1/events", 403),
        ("/api/v2/audit_logs", 403),
        ("/api/v2/users/3", 403),
    ] {
        assert_eq!(read(&bench, path, &token).await, status, "{path}");
    }
    let file = async |ticket: i64| {
        let comments = bench.get(ALAN, &format!("/api/v2/tickets/{ticket}/comments")).await.body;
        comments["comments"][0]["attachments"][0]["id"].as_i64().expect("an id")
    };
    let (of_another, of_its_own) = (file(1).await, file(2).await);
    assert_eq!(read(&bench, &format!("/api/v2/attachments/{of_its_own}"), &token).await, 200);
    assert_eq!(read(&bench, &format!("/api/v2/attachments/{of_another}"), &token).await, 404);
    Ok(())
}

#[tokio::test]
async fn what_an_auditor_reads_is_in_the_access_log_and_the_grant_in_the_audit_log() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (id, token) = granted(&bench, None).await;
    read(&bench, "/api/domicile/v1/events", &token).await;
    assert_eq!(bench.send(with_token("POST", "/api/v2/tickets", &token)).await.status, 403);
    bench.delete(GRACE, &format!("{PATH}/{id}")).await;
    crate::access::flush(&bench).await;
    let logs = bench.get(GRACE, &format!("/api/v2/access_logs?filter[user_id]={id}")).await.body;
    let read: Vec<_> =
        logs["access_logs"].as_array().expect("entries").iter().map(|entry| &entry["category"]).collect();
    assert_eq!(read, [&json!("event")]);
    bench.settle(&bench.acme).await?;
    let logs = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=auditor_grant&sort_order=asc").await.body;
    let told: Vec<_> = logs["audit_logs"].as_array().expect("entries").iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|entry| json!([entry["action"], entry["actor_id"], entry["source_id"], entry["change_description"]]))
        .collect();
    let made = "name set to Otto Audit; email set to otto@audit.example; role set to auditor; expires at set to 2026-12-02T10:00:00Z; \
                tickets set to all";
    assert_eq!(told, [json!(["create", 1, id, made]), json!(["destroy", 1, id, "revoked changed"])]);
    Ok(())
}

#[tokio::test]
async fn an_auditor_is_erased_once_revoked_and_is_nobody_to_tickets() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (id, _) = granted(&bench, None).await;
    let by_auditor = json!({"ticket": {"subject": "x", "requester_id": id, "comment": {"body": "x"}}});
    assert_eq!(bench.post(ALAN, "/api/v2/tickets", by_auditor).await.wrong_fields(), ["requester_id"]);
    let user = format!("/api/v2/users/{id}");
    assert_eq!(bench.put(GRACE, &user, json!({"user": {"role": "admin"}})).await.status, 403);
    assert_eq!(
        bench.put(GRACE, "/api/v2/users/3", json!({"user": {"role": "auditor"}})).await.wrong_fields(),
        ["role"]
    );
    let second = json!({"api_token": {"description": "more", "user_id": id}});
    assert_eq!(bench.post(GRACE, "/api/v2/api_tokens", second).await.status, 403);
    assert_eq!(bench.delete(GRACE, &format!("{PATH}/3")).await.status, 404, "no auditor");
    assert_eq!(bench.delete(GRACE, &user).await.status, 200, "deleting the user revokes the grant as well");
    assert!(bench.holds("Otto Audit").await?);
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/deleted_users/{id}")).await.status, 200);
    bench.settle(&bench.acme).await?;
    assert!(!bench.holds("Otto Audit").await? && !bench.holds("otto@audit.example").await?);
    assert_eq!(bench.get(GRACE, PATH).await.body, json!({"auditor_grants": []}));
    Ok(())
}
