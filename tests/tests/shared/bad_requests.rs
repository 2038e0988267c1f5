//! Every wrong field of a request gets one clear answer that names it, and changes nothing.

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};
use system_tests::{Answer, Client, Deployment, client, deployment::signup, wait};

/// What is done to a right signup, and what the answer is to say.
struct Case {
    what: &'static str,
    change: fn(&mut Value),
    status: u16,
    field: &'static str,
    says: &'static str,
}

const SIGNUPS: [Case; 16] = [
    Case { what: "an over-long name", change: |s| s["subdomain"] = "x".repeat(64).into(), status: 422, field: "subdomain", says: "takes" },
    Case { what: "a name with a space", change: |s| s["subdomain"] = "a b".into(), status: 422, field: "subdomain", says: "takes" },
    Case { what: "a name with a control character", change: |s| s["subdomain"] = "a\u{7}b".into(), status: 422, field: "subdomain", says: "takes" },
    Case { what: "a region's name", change: |s| s["subdomain"] = "jp".into(), status: 422, field: "subdomain", says: "takes" },
    Case { what: "no name", change: |s| s["subdomain"] = Value::Null, status: 422, field: "subdomain", says: "cannot be blank" },
    Case { what: "an over-long company", change: |s| s["company"] = "x".repeat(256).into(), status: 422, field: "company", says: "255" },
    Case { what: "a company with U+0000", change: |s| s["company"] = "a\u{0}b".into(), status: 422, field: "company", says: "control character" },
    Case { what: "an unknown plan", change: |s| s["plan"] = "gold".into(), status: 422, field: "plan", says: "professional" },
    Case { what: "an unknown locality", change: |s| s["locality"] = "mars".into(), status: 422, field: "locality", says: "au, eu, jp, us" },
    Case { what: "a locality that is a number", change: |s| s["locality"] = 5.into(), status: 422, field: "locality", says: "takes" },
    Case { what: "a plan that is not entitled", change: |s| s["plan"] = "team".into(), status: 422, field: "locality", says: "plan team keeps data in us" },
    Case { what: "an address without @", change: |s| s["admin"]["email"] = "nobody".into(), status: 422, field: "admin.email", says: "takes" },
    Case { what: "an address with a control character", change: |s| s["admin"]["email"] = "a\n@b.example".into(), status: 422, field: "admin.email", says: "takes" },
    Case { what: "an over-long person", change: |s| s["admin"]["name"] = "x".repeat(256).into(), status: 422, field: "admin.name", says: "255" },
    Case { what: "a short password", change: |s| s["admin"]["password"] = "short".into(), status: 422, field: "admin.password", says: "8" },
    Case { what: "no admin", change: |s| s["admin"] = "Grace".into(), status: 422, field: "admin", says: "takes" },
];

#[tokio::test]
async fn every_wrong_field_of_a_signup_is_named_and_nothing_is_made() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    for (number, Case { what, change, status, field, says }) in SIGNUPS.iter().enumerate() {
        let slug = format!("bad-{number}");
        let mut body = signup("eu", &slug);
        change(&mut body);
        let answer = deployment.try_signup("eu", &body).await?;
        assert_eq!(answer.status, *status, "{what}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
        assert_eq!(answer.wrong_fields(), [*field], "{what}: {}", answer.text());
        assert!(answer.text().contains(says), "{what}: {}", answer.text());
        assert_unknown(deployment, &slug).await?;
    }
    Ok(())
}

/// The directory holds no claim for a name, and a right signup may take it at once.
async fn assert_unknown(deployment: &Deployment, slug: &str) -> anyhow::Result<()> {
    let map = deployment.library()?.directory_map().await.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    assert!(!map.names.contains_key(&slug.parse()?), "{slug} is claimed");
    Ok(())
}

#[tokio::test]
async fn a_taken_name_is_refused_and_its_tenant_left_alone() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "bad-taken").await?;
    let head = acme.mark("acked").await?;
    for region in ["eu", "au"] {
        let answer = deployment.try_signup(region, &signup(region, "bad-taken")).await?;
        assert_eq!((answer.status, answer.wrong_fields()), (409, vec!["subdomain".to_owned()]), "{}", answer.text());
    }
    assert_eq!(acme.mark("acked").await?, head);
    acme.client.get("/api/v2/users/me.json").await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn a_signup_for_another_region_is_sent_there() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let answer = deployment.try_signup("us", &signup("eu", "bad-elsewhere")).await?.expect(421)?;
    assert!(answer.body["url"].as_str().is_some_and(|url| url.starts_with("http://eu.localhost:")), "{}", answer.text());
    assert_unknown(deployment, "bad-elsewhere").await
}

#[tokio::test]
async fn every_wrong_field_of_a_ticket_is_named_and_nothing_is_appended() -> anyhow::Result<()> {
    let acme = Deployment::shared().await?.signup("eu", "bad-fields").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?;
    let head = acme.mark("acked").await?;
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
    for (body, field) in [(json!({"status": "gone"}), "status"), (json!({"subject": ""}), "subject"), (json!({"requester_id": 2}), "requester_id")] {
        assert_invalid(&acme.client.put(&path, &json!({"ticket": body})).await?, field)?;
    }
    for (path, body, field) in [
        ("/api/v2/users.json", json!({"user": {"name": long}}), "name"),
        ("/api/v2/users.json", json!({"user": {"name": "A", "email": "a@"}}), "email"),
        ("/api/v2/users.json", json!({"user": {"name": "A", "role": "king"}}), "role"),
        ("/api/v2/users.json", json!({"user": {"email": "a@bad.example"}}), "name"),
        ("/api/v2/groups.json", json!({"group": {"name": ""}}), "name"),
        ("/api/v2/api_tokens.json", json!({"api_token": {"description": "x", "expires_at": "2020-01-01T00:00:00Z"}}), "expires_at"),
        ("/api/v2/tickets.json", json!({}), "ticket"),
    ] {
        assert_invalid(&acme.client.post(path, &body).await?, field)?;
    }
    assert_eq!(acme.mark("acked").await?, head, "nothing was appended");
    Ok(())
}

fn assert_invalid(answer: &Answer, field: &str) -> anyhow::Result<()> {
    anyhow::ensure!(answer.status == 422, "{field}: {} {}", answer.status, answer.text());
    anyhow::ensure!(answer.body["error"] == "RecordInvalid", "{field}: {}", answer.text());
    anyhow::ensure!(answer.wrong_fields() == [field], "{field}: {}", answer.text());
    let says = answer.text().contains("takes") || answer.text().contains("cannot be blank");
    anyhow::ensure!(says, "{field}: says what it takes: {}", answer.text());
    Ok(())
}

#[tokio::test]
async fn what_is_no_json_or_not_said_to_be_is_refused() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "bad-json").await?;
    let head = acme.mark("acked").await?;
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
    assert_eq!(acme.mark("acked").await?, head, "nothing was appended");
    Ok(())
}

#[tokio::test]
async fn wrong_expired_and_foreign_credentials_open_nothing() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let (acme, other) = (deployment.signup("eu", "bad-token").await?, deployment.signup("us", "bad-token-b").await?);
    let soon = now(&acme.client).await? + jiff::SignedDuration::from_secs(3);
    let issue = json!({"api_token": {"description": "short-lived", "expires_at": soon.to_string()}});
    let issued = acme.client.post("/api/v2/api_tokens.json", &issue).await?.expect(201)?.body;
    let expiring = issued["api_token"]["token"].as_str().context("a token")?.to_owned();
    let lasting = json!({"api_token": {"description": "to be revoked"}});
    let lasting = acme.client.post("/api/v2/api_tokens.json", &lasting).await?.expect(201)?.body["api_token"].clone();
    let revoked = lasting["token"].as_str().context("a token")?.to_owned();
    acme.client.with_token(&revoked).get("/api/v2/users/me.json").await?.expect(200)?;
    client::send(acme.client.request(Method::DELETE, &format!("/api/v2/api_tokens/{}.json", lasting["id"]))).await?.expect(204)?;

    let expired = acme.client.with_token(&expiring);
    wait::until("a token expires", async || Ok((expired.get("/api/v2/users/me.json").await?.status == 401).then_some(()))).await?;
    for (what, token) in [("expired", expiring.as_str()), ("revoked", &revoked), ("foreign", &other.token), ("made up", "dom_x"), ("empty", "")] {
        for path in ["/api/v2/users/me.json", "/api/v2/tickets.json", "/api/domicile/v1/marks"] {
            let answer = acme.client.with_token(token).get(path).await?;
            assert_eq!(answer.status, 401, "{what} token at {path}: {}", answer.text());
            assert!(answer.header("www-authenticate").starts_with("Basic "), "{what}");
        }
    }
    let basic = acme.client.without_token().request(Method::GET, "/api/v2/users/me.json");
    let wrong_password = client::send(basic.basic_auth("grace@bad-token.example", Some("wrong horse battery"))).await?;
    assert_eq!(wrong_password.status, 401);
    Ok(())
}

/// The region's time.
async fn now(client: &Client) -> anyhow::Result<jiff::Timestamp> {
    let answer = client.get("/api/v2/users/me.json").await?.expect(200)?;
    Ok(jiff::fmt::rfc2822::parse(answer.header("date")).context("a date")?.timestamp())
}

#[tokio::test]
async fn stale_versions_and_ids_of_nobody_are_refused() -> anyhow::Result<()> {
    let acme = Deployment::shared().await?.signup("eu", "bad-stale").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?;
    acme.comment(ticket, "Still", "k").await?.expect(200)?;
    let head = acme.mark("acked").await?;
    let path = format!("/api/v2/tickets/{ticket}.json");
    let stale = json!({"ticket": {"priority": "high", "expected_version": 2}});
    assert_eq!(acme.client.put(&path, &stale).await?.status, 409);
    let outdated = json!({"ticket": {"priority": "high", "safe_update": true, "updated_stamp": "2020-01-01T00:00:00Z"}});
    assert_eq!(acme.client.put(&path, &outdated).await?.status, 409);
    let comment = json!({"body": "x", "expected_version": 1});
    assert_eq!(acme.client.post(&format!("/api/domicile/v1/tickets/{ticket}/comments"), &comment).await?.status, 409);

    for path in ["/api/v2/tickets/99.json", "/api/v2/users/99.json", "/api/v2/groups/99.json", "/api/domicile/v1/tickets/99/history"] {
        assert_eq!(acme.client.get(path).await?.status, 404, "{path}");
    }
    for path in ["/api/v2/tickets/x.json", "/api/v2/tickets.json?page=0", "/api/v2/tickets.json?per_page=x", "/api/v2/tickets.json?page[after]=x&page[size]=1"] {
        let answer = acme.client.get(path).await?;
        assert!(matches!(answer.status, 400 | 404), "{path}: {} {}", answer.status, answer.text());
    }
    assert_eq!(acme.client.get("/api/v2/nothing.json").await?.body["error"], "InvalidEndpoint");
    assert_eq!(acme.mark("acked").await?, head, "nothing was appended");
    Ok(())
}

#[tokio::test]
async fn an_unknown_name_learns_nothing_and_a_reserved_host_is_not_special() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let pages = futures::future::try_join_all(["nobody-here", "-", "a.b", "xn--mnchen-3ya"].map(async |label| {
        deployment.client(label)?.get("/api/v2/tickets.json").await?.expect(404)
    }));
    let pages: Vec<String> = pages.await?.iter().map(Answer::text).collect();
    assert!(pages.windows(2).all(|two| two[0] == two[1]), "they cannot be told apart: {pages:?}");
    assert!(!pages[0].contains("nobody-here"));
    Ok(())
}
