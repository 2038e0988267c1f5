//! Opening tickets over the API.

use axum::{body::Body, http::HeaderValue};
use serde_json::json;

use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, SUPPORT, email, request, without_ids};

#[tokio::test]
async fn a_ticket_is_created_with_its_first_comment_and_an_audit() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ticket = json!({
        "subject": "Printer on fire", "comment": {"body": "It smokes.\n\nHelp!"}, "priority": "urgent",
        "type": "incident", "tags": ["Fire", "printer"], "assignee_id": ALAN.id, "group_id": SUPPORT.to_string(),
        "requester_id": ADA.id, "external_id": "x-1", "via": {"channel": "email"}, "unknown": 1, "id": "",
    });
    let answer = bench.post(ALAN, "/api/v2/tickets.json", json!({"ticket": ticket})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("location"), "http://acme.localhost:8080/api/v2/tickets/1.json");
    assert_eq!(answer.header("x-domicile-visible"), "yes");
    assert_eq!(answer.header("x-zendesk-api-version"), "v2");
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    let shown = &answer.body["ticket"];
    let expected = [
        ("status", json!("open")),
        ("priority", json!("urgent")),
        ("type", json!("incident")),
        ("tags", json!(["fire", "printer"])),
        ("assignee_id", json!(2)),
        ("group_id", json!(5)),
        ("requester_id", json!(3)),
        ("submitter_id", json!(2)),
        ("external_id", json!("x-1")),
    ];
    for (field, value) in expected {
        assert_eq!(shown[field], value, "{field}");
    }
    assert_eq!(shown["via"]["channel"], "email");
    assert_eq!(shown, &bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"]);
    let created = |field: &str, value| json!({"id": "…", "type": "Create", "field_name": field, "value": value});
    assert_eq!(
        without_ids(answer.body["audit"].clone(), &["id", "audit_id", "metadata"]),
        json!({
            "id": "…", "ticket_id": 1, "author_id": 2, "created_at": "2026-11-22T10:00:00Z", "metadata": "…",
            "via": {"channel": "email", "source": {"from": {}, "to": {}, "rel": null}},
            "events": [
                {
                    "id": "…", "type": "Comment", "author_id": 2, "public": true, "audit_id": "…", "attachments": [],
                    "body": "It smokes.\n\nHelp!", "plain_body": "It smokes.\n\nHelp!",
                    "html_body": "<div class=\"zd-comment\" dir=\"auto\"><p dir=\"auto\">It smokes.</p><p dir=\"auto\">Help!</p></div>",
                },
                created("subject", json!("Printer on fire")), created("requester_id", json!("3")),
                created("priority", json!("urgent")), created("type", json!("incident")), created("status", json!("open")),
                created("assignee_id", json!("2")), created("group_id", json!("5")), created("external_id", json!("x-1")),
                created("tags", json!(["fire", "printer"])),
            ],
        })
    );
    Ok(())
}

#[tokio::test]
async fn a_requester_is_found_by_address_or_made_known_once() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ticket = |address: &str| {
        json!({"ticket": {
            "comment": {"body": "\n  Hello there \nmore"}, "requester": {"name": "Zoe", "email": address},
        }})
    };
    let known = bench.post(ALAN, "/api/v2/tickets", ticket(&email("acme", ADA).to_uppercase())).await;
    assert_eq!(known.body["ticket"]["requester_id"], ADA.id, "whatever the case");
    assert_eq!(known.body["ticket"]["subject"], "Hello there", "a subject nobody wrote");
    let first = bench.post(ALAN, "/api/v2/tickets", ticket("zoe@example.org")).await;
    let zoe = first.body["ticket"]["requester_id"].as_i64().expect("an id");
    let second = bench.post(ALAN, "/api/v2/tickets", ticket("zoe@example.org")).await;
    assert_eq!(second.body["ticket"]["requester_id"], zoe);
    let shown = bench.get(ALAN, &format!("/api/v2/users/{zoe}")).await.body;
    assert_eq!((&shown["user"]["name"], &shown["user"]["role"]), (&json!("Zoe"), &json!("end-user")));
    Ok(())
}

#[tokio::test]
async fn an_agent_brings_in_what_others_said() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let comment = json!({"body": "I said", "author_id": ADA.id});
    let id = bench.ticket(GRACE, json!({"subject": "Mail", "comment": comment, "requester_id": ADA.id})).await;
    let shown = bench.get(ADA, &format!("/api/v2/tickets/{id}")).await.body;
    assert_eq!((&shown["ticket"]["submitter_id"], &shown["ticket"]["requester_id"]), (&json!(3), &json!(3)));
    let submitted = json!({"subject": "Mail", "comment": {"body": "x"}, "submitter_id": EVE.id});
    let id = bench.ticket(GRACE, submitted).await;
    assert_eq!(bench.get(GRACE, &format!("/api/v2/tickets/{id}")).await.body["ticket"]["submitter_id"], EVE.id);
    Ok(())
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_created() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ticket = json!({
        "subject": "a\u{0}b", "priority": "asap", "type": 5, "status": "gone", "tags": [1], "assignee_id": "me",
        "requester": {"email": "nobody"}, "external_id": "x".repeat(256), "via": {"channel": "pigeon"},
        "comment": {"body": "", "public": "maybe", "uploads": 7, "author_id": {}},
    });
    let answer = bench.post(ALAN, "/api/v2/tickets", json!({"ticket": ticket})).await;
    assert_eq!(
        answer.wrong_fields(),
        [
            "assignee_id",
            "comment.author_id",
            "comment.body",
            "comment.public",
            "comment.uploads",
            "external_id",
            "priority",
            "requester.email",
            "status",
            "subject",
            "tags",
            "type",
            "via.channel",
        ]
    );
    assert_eq!(answer.body["error"], "RecordInvalid");
    assert_eq!(
        answer.body["details"]["priority"],
        json!([
            {"description": "priority: takes one of low, normal, high, urgent", "error": "InvalidValue"},
        ])
    );
    assert_eq!(answer.body["details"]["comment.body"][0]["error"], "BlankValue");
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/count").await.body["count"]["value"], 0);
    Ok(())
}

#[tokio::test]
async fn ids_must_name_somebody() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let wrong = async |ticket| bench.post(ALAN, "/api/v2/tickets", json!({"ticket": ticket})).await.wrong_fields();
    let comment = json!({"body": "x"});
    let assigned = json!({"comment": comment, "assignee_id": ADA.id, "group_id": 77});
    assert_eq!(wrong(assigned).await, ["assignee_id", "group_id"], "an end user is no agent");
    assert_eq!(wrong(json!({"comment": comment, "requester_id": 99})).await, ["requester_id"]);
    assert_eq!(wrong(json!({"comment": {"body": "x", "author_id": 99}})).await, ["comment.author_id"]);
    assert_eq!(wrong(json!({"comment": {"body": "x", "uploads": ["nope"]}})).await, ["comment.uploads"]);
    assert_eq!(wrong(json!({"subject": "no comment"})).await, ["comment"]);
    assert_eq!(bench.post(ALAN, "/api/v2/tickets", json!({})).await.wrong_fields(), ["ticket"]);
    Ok(())
}

#[tokio::test]
async fn an_end_user_opens_tickets_for_nobody_else() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let comment = json!({"body": "x"});
    for ticket in [
        json!({"comment": comment, "requester_id": EVE.id}),
        json!({"comment": comment, "requester": {"email": "new@example.org"}}),
        json!({"comment": {"body": "x", "author_id": EVE.id}}),
        json!({"comment": {"body": "x", "public": false}}),
        json!({"comment": comment, "assignee_id": ALAN.id}),
    ] {
        let answer = bench.post(ADA, "/api/v2/tickets", json!({"ticket": ticket})).await;
        assert_eq!((answer.status.as_u16(), &answer.body["error"]), (403, &json!("Forbidden")), "{ticket}");
    }
    let own = json!({"subject": "Mine", "comment": comment, "requester": {"email": email("acme", ADA)}});
    assert_eq!(bench.post(ADA, "/api/v2/tickets", json!({"ticket": own})).await.status, 201);
    Ok(())
}

#[tokio::test]
async fn html_is_cleaned_before_it_is_kept() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let html = "<p>Hi <b>you</b><script>alert(1)</script><img src=x onerror=alert(1)></p>";
    let id = bench.ticket(ADA, json!({"subject": "x", "comment": {"html_body": html}})).await;
    let comment = &bench.get(ADA, &format!("/api/v2/tickets/{id}/comments")).await.body["comments"][0];
    assert_eq!(
        comment["html_body"],
        "<div class=\"zd-comment\" dir=\"auto\"><p>Hi <b>you</b><img src=\"x\"></p></div>"
    );
    assert_eq!((&comment["body"], &comment["plain_body"]), (&json!("Hi you"), &json!("Hi you")));
    Ok(())
}

#[tokio::test]
async fn a_request_repeated_with_its_key_creates_one_ticket() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let send = async |text: &str| {
        let body = json!({"ticket": {"subject": text, "comment": {"body": text}}}).to_string();
        let mut request = request("POST", "acme", Some(ADA), "/api/v2/tickets", Body::from(body));
        request.headers_mut().insert("idempotency-key", HeaderValue::from_static("k-1"));
        bench.send(request).await
    };
    let (first, second) = (send("one").await, send("one").await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!(send("another").await.status, 422, "the key belongs to another request");
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/count").await.body["count"]["value"], 1);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_early_is_folded_from_the_log_and_says_so() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ticket = json!({"ticket": {"subject": "x", "comment": {"body": "y"}, "tags": ["t"], "priority": "low"}});
    let timely = bench.post(ALAN, "/api/v2/tickets", ticket.clone()).await;
    let held = bench.hold_projector().await?;
    let early = bench.post(ALAN, "/api/v2/tickets", ticket).await;
    assert_eq!((early.status.as_u16(), early.header("x-domicile-visible")), (201, "pending"));
    let hidden = ["id", "audit_id", "ticket_id", "url"];
    assert_eq!(without_ids(early.body, &hidden), without_ids(timely.body, &hidden));
    drop(held);
    Ok(())
}
