//! Every wrong field of a request gets one clear answer that names it, and changes nothing.

use http::Method;
use serde_json::json;
use system_tests::{Answer, Deployment, client};

#[tokio::test]
async fn every_wrong_field_of_a_ticket_is_named_and_nothing_is_appended() -> anyhow::Result<()> {
    let acme = Deployment::shared().await?.signup("eu", "bad-fields").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?;
    let head = acme.written().await?;
    let long = "x".repeat(256);
    let comment = json!({"body": "x"});
    let creations = [
        (json!({"subject": long, "comment": comment}), "subject"),
        (json!({"subject": "a\u{0}b", "comment": comment}), "subject"),
        (json!({"comment": {"body": "x".repeat(65_537)}}), "comment.body"),
        (json!({"comment": {"body": "  "}}), "comment.body"),
        (json!({"comment": comment, "priority": "asap"}), "priority"),
        (json!({"comment": comment, "type": "wish"}), "type"),
        (json!({"comment": comment, "status": "gone"}), "status"),
        (json!({"comment": comment, "tags": ["two words\u{1}"]}), "tags"),
        (json!({"comment": comment, "assignee_id": 999}), "assignee_id"),
        (json!({"comment": comment, "group_id": "seven"}), "group_id"),
        (json!({"comment": comment, "requester_id": 999}), "requester_id"),
        (json!({"comment": comment, "requester": {"email": "nobody"}}), "requester.email"),
        (json!({"comment": comment, "external_id": long}), "external_id"),
        (json!({"comment": {"body": "x", "uploads": ["no-such-token"]}}), "comment.uploads"),
        (json!({"subject": "no comment"}), "comment"),
    ];
    for (body, field) in creations {
        let answer = acme.client.post("/api/v2/tickets.json", &json!({"ticket": body})).await?;
        assert_invalid(&answer, field)?;
    }
    let path = format!("/api/v2/tickets/{ticket}.json");
    for (body, field) in [
        (json!({"status": "gone"}), "status"),
        (json!({"subject": ""}), "subject"),
        (json!({"requester_id": 2}), "requester_id"),
    ] {
        assert_invalid(&acme.client.put(&path, &json!({"ticket": body})).await?, field)?;
    }
    for (path, body, field) in [
        ("/api/v2/users.json", json!({"user": {"name": long}}), "name"),
        ("/api/v2/users.json", json!({"user": {"name": "A", "email": "a@"}}), "email"),
        ("/api/v2/users.json", json!({"user": {"name": "A", "role": "king"}}), "role"),
        ("/api/v2/users.json", json!({"user": {"email": "a@bad.example"}}), "name"),
        ("/api/v2/groups.json", json!({"group": {"name": ""}}), "name"),
        (
            "/api/v2/api_tokens.json",
            json!({"api_token": {"description": "x", "expires_at": "2020-01-01T00:00:00Z"}}),
            "expires_at",
        ),
        ("/api/v2/tickets.json", json!({}), "ticket"),
    ] {
        assert_invalid(&acme.client.post(path, &body).await?, field)?;
    }
    assert_eq!(acme.written().await?, head, "nothing was appended");
    Ok(())
}

fn assert_invalid(answer: &Answer, field: &str) -> anyhow::Result<()> {
    anyhow::ensure!(answer.status == 422, "{field}: {} {}", answer.status, answer.text());
    anyhow::ensure!(answer.body["error"] == "RecordInvalid", "{field}: {}", answer.text());
    anyhow::ensure!(answer.wrong_fields() == [field], "{field}: {}", answer.text());
    let says = answer.text().contains("takes") || answer.text().contains("cannot be ");
    anyhow::ensure!(says, "{field}: says what it takes: {}", answer.text());
    Ok(())
}

#[tokio::test]
async fn what_is_no_json_or_not_said_to_be_is_refused() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "bad-json").await?;
    let head = acme.written().await?;
    let region = deployment.client("eu")?;
    for (client, path) in [(&acme.client, "/api/v2/tickets.json"), (&region, "/api/signup")] {
        for (content_type, body, status) in [
            ("application/json", "{\"ticket\": ", 400),
            ("application/json", "", 400),
            ("application/json", "\u{0}", 400),
            ("application/json", "[]", 422),
            ("application/json", "7", 422),
            ("text/plain", "{}", 415),
            ("application/x-www-form-urlencoded", "a=b", 415),
            ("multipart/form-data; boundary=x", "--x--", 415),
        ] {
            let request = client.request(Method::POST, path).header("content-type", content_type).body(body);
            let answer = client::send(request).await?;
            assert_eq!(answer.status, status, "{path} {content_type} {body:?}: {}", answer.text());
            assert!(!answer.body.is_null(), "{path} {content_type} {body:?} is answered in JSON: {}", answer.text());
        }
    }
    assert_eq!(acme.written().await?, head, "nothing was appended");
    Ok(())
}

#[tokio::test]
async fn stale_versions_and_ids_of_nobody_are_refused() -> anyhow::Result<()> {
    let acme = Deployment::shared().await?.signup("eu", "bad-stale").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?;
    acme.comment(ticket, "Still", "k").await?.expect(200)?;
    let head = acme.written().await?;
    let path = format!("/api/v2/tickets/{ticket}.json");
    let stale = json!({"ticket": {"priority": "high", "expected_version": 2}});
    assert_eq!(acme.client.put(&path, &stale).await?.status, 409);
    let outdated =
        json!({"ticket": {"priority": "high", "safe_update": true, "updated_stamp": "2020-01-01T00:00:00Z"}});
    assert_eq!(acme.client.put(&path, &outdated).await?.status, 409);
    let comment = json!({"body": "x", "expected_version": 1});
    assert_eq!(acme.client.post(&format!("/api/domicile/v1/tickets/{ticket}/comments"), &comment).await?.status, 409);

    for path in [
        "/api/v2/tickets/99.json",
        "/api/v2/users/99.json",
        "/api/v2/groups/99.json",
        "/api/domicile/v1/tickets/99/history",
    ] {
        assert_eq!(acme.client.get(path).await?.status, 404, "{path}");
    }
    for path in [
        "/api/v2/tickets/x.json",
        "/api/v2/tickets.json?page=0",
        "/api/v2/tickets.json?per_page=x",
        "/api/v2/tickets.json?page[after]=x&page[size]=1",
    ] {
        let answer = acme.client.get(path).await?;
        assert!(matches!(answer.status, 400 | 404), "{path}: {} {}", answer.status, answer.text());
    }
    assert_eq!(acme.client.get("/api/v2/nothing.json").await?.body["error"], "InvalidEndpoint");
    assert_eq!(acme.written().await?, head, "nothing was appended");
    Ok(())
}

#[tokio::test]
async fn an_unknown_name_learns_nothing_and_a_reserved_host_is_not_special() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let pages = futures::future::try_join_all(
        ["nobody-here", "-", "a.b", "xn--mnchen-3ya"]
            .map(async |label| deployment.client(label)?.get("/api/v2/tickets.json").await?.expect(404)),
    );
    let pages: Vec<String> = pages.await?.iter().map(Answer::text).collect();
    assert!(pages.windows(2).all(|two| two[0] == two[1]), "they cannot be told apart: {pages:?}");
    assert!(!pages[0].contains("nobody-here"));
    Ok(())
}
