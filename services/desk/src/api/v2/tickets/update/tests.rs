//! Changing tickets over the API.

use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, without_ids};

async fn bench_with_ticket() -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    Ok(bench)
}

async fn update(bench: &Bench, ticket: Value) -> crate::api::testing::Answer {
    bench.put(ALAN, "/api/v2/tickets/1.json", json!({ "ticket": ticket })).await
}

#[tokio::test]
async fn changes_and_a_comment_are_one_audit() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let comment = json!({"body": "On my way", "public": true});
    let answer = update(&bench, json!({"status": "pending", "assignee_id": ALAN.id, "comment": comment})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("x-domicile-version"), "5");
    assert_eq!(answer.body["ticket"]["status"], "pending");
    let events = without_ids(answer.body["audit"]["events"].clone(), &["id", "audit_id", "html_body"]);
    assert_eq!(
        events,
        json!([
            {
                "id": "…", "type": "Comment", "author_id": 2, "public": true, "audit_id": "…", "html_body": "…",
                "attachments": [], "body": "On my way", "plain_body": "On my way",
            },
            {"id": "…", "type": "Change", "field_name": "assignee_id", "value": "2", "previous_value": null},
            {"id": "…", "type": "Change", "field_name": "status", "value": "pending", "previous_value": "new"},
        ])
    );
    let null = update(&bench, json!({"assignee_id": null})).await;
    assert_eq!(null.body["ticket"]["assignee_id"], Value::Null, "null takes the assignee away");
    Ok(())
}

#[tokio::test]
async fn an_update_that_changes_nothing_has_an_empty_audit() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let answer = update(&bench, json!({"subject": "Printer"})).await;
    assert_eq!((answer.status.as_u16(), &answer.body["audit"]["events"]), (200, &json!([])));
    assert_eq!(answer.header("x-domicile-version"), "2");
    Ok(())
}

#[tokio::test]
async fn a_safe_update_of_outdated_data_is_a_conflict() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let safe = |stamp: &str| json!({"priority": "high", "safe_update": "true", "updated_stamp": stamp});
    bench.advance_seconds(5);
    assert_eq!(update(&bench, safe("2026-11-22T10:00:00Z")).await.status, 200);
    let answer = update(&bench, safe("2026-11-22T10:00:00Z")).await;
    assert_eq!((answer.status.as_u16(), &answer.body["error"]), (409, &json!("UpdateConflict")));
    assert_eq!(update(&bench, json!({"safe_update": true})).await.wrong_fields(), ["updated_stamp"]);
    let described = update(&bench, safe("x")).await.body["details"]["updated_stamp"][0]["description"].clone();
    assert_eq!(described, "updated_stamp: takes a moment such as 2026-11-22T10:00:00Z, as updated_at says it");
    Ok(())
}

#[tokio::test]
async fn a_stale_expected_version_is_a_conflict() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    assert_eq!(update(&bench, json!({"priority": "high", "expected_version": 2})).await.status, 200);
    let answer = update(&bench, json!({"priority": "low", "expected_version": 2})).await;
    assert_eq!((answer.status.as_u16(), &answer.body["error"]), (409, &json!("UpdateConflict")));
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"]["priority"], "high");
    Ok(())
}

#[tokio::test]
async fn a_closed_ticket_refuses_updates() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    assert_eq!(update(&bench, json!({"status": "closed"})).await.status, 200);
    let answer = update(&bench, json!({"comment": {"body": "one more thing"}})).await;
    assert_eq!(answer.wrong_fields(), ["status"]);
    Ok(())
}

#[tokio::test]
async fn every_wrong_field_of_an_update_is_named() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let ticket = json!({"status": "x", "subject": "", "submitter_id": EVE.id, "comment": {"html_body": "<i></i>"}});
    let wrong = update(&bench, ticket).await.wrong_fields();
    assert_eq!(wrong, ["comment.html_body", "status", "subject", "submitter_id"]);
    update(&bench, json!({"status": "open"})).await;
    assert_eq!(update(&bench, json!({"status": "new"})).await.wrong_fields(), ["status"]);
    Ok(())
}

#[tokio::test]
async fn blank_html_is_none_and_faulty_html_asks_for_no_text() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let said = update(&bench, json!({"comment": {"html_body": " ", "body": "Hi"}})).await;
    let events = said.body["audit"]["events"].as_array().expect("events");
    assert_eq!((said.status.as_u16(), &events[0]["body"]), (200, &json!("Hi")));
    assert_eq!(update(&bench, json!({"comment": {"html_body": ""}})).await.wrong_fields(), ["comment.body"]);
    for faulty in [json!(5), json!("<div>".repeat(101)), json!("<b>\u{200b}</b>")] {
        let refused = update(&bench, json!({"comment": {"html_body": faulty}})).await;
        assert_eq!(refused.wrong_fields(), ["comment.html_body"]);
    }
    Ok(())
}

#[tokio::test]
async fn whose_it_is_changes_and_when_it_is_due() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let changes = json!({
        "external_id": "x-1", "requester_id": EVE.id, "assignee_email": "Grace@acme.example", "due_at": "2026-12-01T12:00:00+01:00",
    });
    let answer = update(&bench, changes).await;
    let values = ["external_id", "requester_id", "assignee_id", "due_at", "status"]
        .map(|field| answer.body["ticket"][field].clone());
    assert_eq!(json!(values), json!(["x-1", EVE.id, GRACE.id, "2026-12-01T11:00:00Z", "open"]), "{}", answer.body);
    assert_eq!(bench.get(ADA, "/api/v2/tickets/1").await.status, 404, "it is somebody else's now");
    let back =
        update(&bench, json!({"external_id": "", "requester": {"email": "new@acme.example"}, "due_at": null})).await;
    assert_eq!((&back.body["ticket"]["external_id"], &back.body["ticket"]["due_at"]), (&Value::Null, &Value::Null));
    let requester = back.body["ticket"]["requester_id"].as_i64().expect("somebody was made known");
    assert_eq!(bench.get(ALAN, &format!("/api/v2/users/{requester}")).await.body["user"]["email"], "new@acme.example");
    let wrong = json!({"requester_id": 99});
    assert_eq!(update(&bench, wrong).await.wrong_fields(), ["requester_id"]);
    for wrong in [json!({"assignee_email": "ada@acme.example"}), json!({"due_at": "soon"})] {
        let field = wrong.as_object().and_then(|fields| fields.keys().next()).cloned();
        assert_eq!(update(&bench, wrong).await.wrong_fields(), field.into_iter().collect::<Vec<_>>());
    }
    Ok(())
}

#[tokio::test]
async fn a_comment_is_as_private_as_its_ticket_unless_it_says_so() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ALAN, json!({"comment": {"body": "x", "public": false}})).await;
    for (sent, is_public) in [(json!(null), false), (json!(true), true), (json!(null), true)] {
        let answer = update(&bench, json!({"comment": {"body": "y", "public": sent}})).await;
        assert_eq!(answer.body["audit"]["events"][0]["public"], is_public, "{sent}");
    }
    Ok(())
}

#[tokio::test]
async fn an_end_user_comments_on_their_own_ticket_and_solves_it() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let path = "/api/v2/tickets/1";
    let commented = json!({"ticket": {"comment": {"body": "Still smoking"}}});
    assert_eq!(bench.put(ADA, path, commented.clone()).await.status, 200);
    assert_eq!(bench.put(EVE, path, commented).await.status, 404, "another's ticket");
    assert_eq!(bench.put(ADA, path, json!({"ticket": {"priority": "urgent"}})).await.status, 403);
    let note = json!({"ticket": {"comment": {"body": "x", "public": false}}});
    assert_eq!(bench.put(ADA, path, note).await.status, 403);
    bench.put(GRACE, path, json!({"ticket": {"assignee_id": ALAN.id}})).await;
    assert_eq!(bench.put(ADA, path, json!({"ticket": {"status": "solved"}})).await.body["ticket"]["status"], "solved");
    assert_eq!(bench.put(ALAN, "/api/v2/tickets/99", json!({"ticket": {}})).await.status, 404);
    Ok(())
}

#[tokio::test]
async fn concurrent_comments_all_arrive() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let comment = |number: i32| json!({"comment": {"body": format!("comment {number}")}});
    let (a, b, c) = tokio::join!(update(&bench, comment(1)), update(&bench, comment(2)), update(&bench, comment(3)));
    assert!([&a, &b, &c].iter().all(|answer| answer.status == 200));
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/comments").await.body["count"], 4);
    Ok(())
}
