//! Making and changing webhooks: what is taken, what is refused, and what is never shown.

use axum::body::Body;
use regions::DatabaseRole;
use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Answer, Bench, GRACE, request, without_ids};

const WEBHOOKS: &str = "/api/v2/webhooks";

fn webhook(change: impl FnOnce(&mut Value)) -> Value {
    let mut webhook = json!({
        "name": "Warehouse", "endpoint": "https://hooks.example/domicile", "http_method": "POST", "request_format": "json",
        "status": "active", "subscriptions": ["zen:event-type:ticket.created"],
        "authentication": {"type": "basic_auth", "add_position": "header", "data": {"username": "ann", "password": "pa55-of-the-hook"}},
    });
    change(&mut webhook);
    json!({ "webhook": webhook })
}

async fn patch(bench: &Bench, path: &str, body: Value) -> Answer {
    bench.send(request("PATCH", "acme", Some(GRACE), path, Body::from(body.to_string()))).await
}

#[tokio::test]
async fn a_webhook_is_made_shown_changed_and_deleted() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let made = bench.post(GRACE, WEBHOOKS, webhook(|_| {})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let shown = made.body["webhook"].clone();
    assert_eq!(
        without_ids(shown.clone(), &["id"]),
        json!({
            "id": "…", "name": "Warehouse", "description": "", "endpoint": "https://hooks.example/domicile", "http_method": "POST",
            "request_format": "json", "status": "active", "subscriptions": ["zen:event-type:ticket.created"], "custom_headers": {},
            "authentication": {"type": "basic_auth", "add_position": "header", "data": {"username": "ann"}},
            "created_at": "2026-11-22T10:00:00Z", "created_by": "1", "updated_at": "2026-11-22T10:00:00Z", "updated_by": "1",
        })
    );
    let path = format!("{WEBHOOKS}/{}", shown["id"].as_str().expect("an id"));
    assert_eq!(bench.get(GRACE, &path).await.body["webhook"], shown);
    assert_eq!(bench.get(GRACE, WEBHOOKS).await.body["webhooks"], json!([shown]));
    assert_eq!(
        bench.get(GRACE, &format!("{WEBHOOKS}?filter[name_contains]=house&filter[status]=active")).await.body["webhooks"],
        json!([shown])
    );
    assert_eq!(bench.get(GRACE, &format!("{WEBHOOKS}?filter[status]=inactive")).await.body["webhooks"], json!([]));

    assert_eq!(patch(&bench, &path, json!({"webhook": {"name": "Stock", "status": "inactive"}})).await.status, 204);
    let changed = bench.get(GRACE, &path).await.body["webhook"].clone();
    assert_eq!(
        (&changed["name"], &changed["status"], &changed["endpoint"]),
        (&json!("Stock"), &json!("inactive"), &shown["endpoint"])
    );
    let whole = webhook(|webhook| _ = webhook.as_object_mut().expect("an object").remove("authentication"));
    assert_eq!(bench.put(GRACE, &path, whole).await.status, 204);
    let replaced = bench.get(GRACE, &path).await.body["webhook"].clone();
    assert_eq!((&replaced["name"], replaced.get("authentication")), (&json!("Warehouse"), None));
    assert_eq!(bench.put(GRACE, &path, json!({"webhook": {"name": "x"}})).await.status, 422, "PUT takes all of it");

    let cloned = bench
        .post(GRACE, &format!("{WEBHOOKS}?clone_webhook_id={}", shown["id"].as_str().expect("an id")), json!({}))
        .await;
    assert_eq!((cloned.status.as_u16(), &cloned.body["webhook"]["endpoint"]), (201, &shown["endpoint"]));
    assert_eq!(bench.delete(GRACE, &path).await.status, 204);
    for answer in [
        bench.get(GRACE, &path).await,
        bench.delete(GRACE, &path).await,
        bench.get(GRACE, &format!("{WEBHOOKS}/7")).await,
    ] {
        assert_eq!(answer.status, 404);
    }
    Ok(())
}

#[tokio::test]
async fn the_secret_to_sign_with_is_shown_and_renewed_and_no_other_secret_is() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let id =
        bench.post(GRACE, WEBHOOKS, webhook(|_| {})).await.body["webhook"]["id"].as_str().expect("an id").to_owned();
    let path = format!("{WEBHOOKS}/{id}/signing_secret");
    let first = bench.get(GRACE, &path).await.body;
    assert_eq!(first["signing_secret"]["algorithm"], "SHA256");
    let renewed = bench.post(GRACE, &path, json!({})).await;
    assert_eq!(renewed.status, 201);
    assert_ne!(renewed.body, first);
    assert_eq!(bench.get(GRACE, &path).await.body, renewed.body);
    bench.settle(&bench.acme).await?;
    for secret in ["pa55-of-the-hook", first["signing_secret"]["secret"].as_str().expect("a secret")] {
        assert!(!bench.holds(secret).await?, "no table has it");
        for path in ["/api/v2/audit_logs", "/api/domicile/v1/events?limit=500", WEBHOOKS] {
            assert!(!bench.get(GRACE, path).await.body.to_string().contains(secret), "{path}");
        }
    }
    let living = async || {
        let mut owner = regions::connection(&bench.test.region.region, DatabaseRole::Owner).await?;
        let living = sqlx::query_scalar!(
            r#"select count(*) as "count!" from vault.data_key where scope like 'webhook-%' and wrapped is not null"#
        );
        anyhow::Ok(living.fetch_one(&mut owner).await?)
    };
    assert_eq!(living().await?, 1);
    assert_eq!(bench.delete(GRACE, &format!("{WEBHOOKS}/{id}")).await.status, 204);
    assert_eq!(living().await?, 0, "the key goes with the webhook");
    let log = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=webhook").await.body;
    let actions: Vec<_> =
        log["audit_logs"].as_array().into_iter().flatten().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions.len(), 3, "made, renewed and deleted: {log}");
    assert!(log.to_string().contains("https://hooks.example/domicile"), "where data goes is said");
    Ok(())
}

#[tokio::test]
async fn what_a_webhook_cannot_be_is_refused_by_name_and_admins_alone_make_one() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for (wrong, field) in [
        (webhook(|it| it["name"] = json!("")), "name"),
        (webhook(|it| it["endpoint"] = json!("http://hooks.example/")), "endpoint"),
        (webhook(|it| it["endpoint"] = json!("https://169.254.169.254/latest")), "endpoint"),
        (webhook(|it| it["endpoint"] = json!("https://0x7f.1/")), "endpoint"),
        (webhook(|it| it["endpoint"] = json!("https://[::ffff:10.0.0.1]/")), "endpoint"),
        (webhook(|it| it["http_method"] = json!("GET")), "http_method"),
        (webhook(|it| it["request_format"] = json!("xml")), "request_format"),
        (webhook(|it| it["status"] = json!("paused")), "status"),
        (webhook(|it| it["subscriptions"] = json!(["conditional_ticket_events"])), "subscriptions"),
        (webhook(|it| it["subscriptions"] = json!(["zen:event-type:agent.state_changed"])), "subscriptions"),
        (webhook(|it| it["authentication"] = json!({"type": "oauth"})), "authentication.type"),
        (webhook(|it| it["authentication"] = json!({"type": "bearer_token"})), "authentication.data.token"),
        (webhook(|it| it["authentication"]["add_position"] = json!("body")), "authentication.add_position"),
        (webhook(|it| it["custom_headers"] = json!({"Host": "x"})), "custom_headers"),
    ] {
        let refused = bench.post(GRACE, WEBHOOKS, wrong.clone()).await;
        if field == "endpoint" && wrong["webhook"]["endpoint"] == "https://0x7f.1/" {
            // This machine is a network that the test's region names.
            assert_eq!(refused.status, 201);
            continue;
        }
        assert_eq!(refused.wrong_fields(), [field], "{wrong}");
    }
    for who in [ALAN, ADA] {
        assert_eq!(bench.post(who, WEBHOOKS, webhook(|_| {})).await.status, 403);
        assert_eq!(bench.get(who, WEBHOOKS).await.status, 403);
    }
    Ok(())
}

#[tokio::test]
async fn a_webhook_is_tried_out_and_its_secrets_go_to_its_own_address_alone() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let echo = |headers: axum::http::HeaderMap, body: String| async move {
        let header =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        (axum::http::StatusCode::IM_A_TEAPOT, format!("{} {body}", header("authorization")))
    };
    let routes = axum::Router::new().route("/", axum::routing::post(echo));
    bench.test.region.shutdown.spawn(async move { axum::serve(listener, routes).await });

    let id = bench.post(GRACE, WEBHOOKS, webhook(|it| it["endpoint"] = json!(url))).await.body["webhook"]["id"].clone();
    let path = format!("{WEBHOOKS}/test?webhook_id={}", id.as_str().expect("an id"));
    let own = bench
        .post(GRACE, &path, json!({"request": {"payload": "{\"a\":1}", "endpoint": "https://elsewhere.example/"}}))
        .await;
    assert_eq!(own.status, 200, "{}", own.body);
    assert_eq!(own.body["response"]["status_code"], 418);
    assert_eq!(own.body["response"]["payload"], "Basic YW5uOnBhNTUtb2YtdGhlLWhvb2s= {\"a\":1}");
    let other = bench.post(GRACE, &format!("{WEBHOOKS}/test"), json!({"request": {"endpoint": url}})).await;
    assert_eq!(other.body["response"]["payload"], " {\"message\":\"This is a test\"}");
    for refused in ["https://10.0.0.1/", "http://169.254.169.254/", "https://hooks.example:22/"] {
        let refused = bench.post(GRACE, &format!("{WEBHOOKS}/test"), json!({"request": {"endpoint": refused}})).await;
        assert_eq!(refused.wrong_fields(), ["endpoint"]);
    }
    bench.settle(&bench.acme).await?;
    let log = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=webhook").await.body;
    let exported =
        log["audit_logs"].as_array().into_iter().flatten().filter(|entry| entry["action"] == "exported").count();
    assert_eq!(exported, 2, "what was tried is in the audit log: {log}");
    Ok(())
}

#[tokio::test]
async fn what_was_entrusted_to_one_server_goes_to_another_only_if_it_is_said_again() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let with_headers = webhook(|it| it["custom_headers"] = json!({"X-Key": "7"}));
    let made = bench.post(GRACE, WEBHOOKS, with_headers).await.body["webhook"].clone();
    let id = made["id"].as_str().expect("an id");
    let path = format!("{WEBHOOKS}/{id}");
    let said = webhook(|_| {})["webhook"]["authentication"].clone();
    let elsewhere = "https://hooks.example:8443/domicile";
    for (change, wrong) in [
        (json!({"endpoint": elsewhere}), vec!["authentication", "custom_headers"]),
        (json!({"endpoint": "https://other.example/", "custom_headers": {}}), vec!["authentication"]),
        (json!({"endpoint": elsewhere, "authentication": said}), vec!["custom_headers"]),
        (
            json!({"endpoint": elsewhere, "custom_headers": {}, "authentication": {"type": "basic_auth", "data": {"username": "bob"}}}),
            vec!["authentication"],
        ),
    ] {
        let change = json!({"webhook": change});
        let mut refused = patch(&bench, &path, change.clone()).await.wrong_fields();
        refused.sort_unstable();
        assert_eq!(refused, wrong, "{change}");
        let mut refused =
            bench.post(GRACE, &format!("{WEBHOOKS}?clone_webhook_id={id}"), change.clone()).await.wrong_fields();
        refused.sort_unstable();
        assert_eq!(refused, wrong, "cloned with {change}");
    }
    for taken in [
        json!({"endpoint": "https://hooks.example/elsewhere"}),
        json!({"endpoint": elsewhere, "custom_headers": {"X-Key": "8"}, "authentication": said}),
        json!({"endpoint": "https://other.example/", "custom_headers": null, "authentication": null}),
        json!({"endpoint": "https://third.example/"}),
    ] {
        assert_eq!(patch(&bench, &path, json!({ "webhook": taken })).await.status, 204, "{taken}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_tried_is_held_against_what_one_that_is_made_is() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let login = json!({"type": "api_key", "data": {"name": "Host", "value": "inside.example"}});
    let tried = json!({"request": {"endpoint": "https://hooks.example/", "authentication": login}});
    assert_eq!(bench.post(GRACE, &format!("{WEBHOOKS}/test"), tried).await.wrong_fields(), ["authentication"]);
    Ok(())
}

#[tokio::test]
async fn a_hundred_webhooks_are_in_use_and_no_more() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    assert_eq!(bench.post(GRACE, WEBHOOKS, webhook(|_| {})).await.status, 201);
    let mut owner = regions::connection(&bench.test.region.region, DatabaseRole::Owner).await?;
    sqlx::query!(
        "insert into read_webhooks_1.webhook
             (tenant_id, webhook_id, settings, is_active, since, created_by, updated_by, created_at, updated_at)
         select tenant_id, webhook_id + 1000 + other, settings, is_active, since, created_by, updated_by, created_at, updated_at
         from read_webhooks_1.webhook, generate_series(1, 98) as other"
    )
    .execute(&mut owner)
    .await?;
    assert_eq!(bench.post(GRACE, WEBHOOKS, webhook(|_| {})).await.status, 201, "the hundredth");
    assert_eq!(bench.post(GRACE, WEBHOOKS, webhook(|_| {})).await.wrong_fields(), ["status"]);
    let off = bench.post(GRACE, WEBHOOKS, webhook(|it| it["status"] = json!("inactive"))).await;
    assert_eq!(off.status, 201, "{}", off.body);
    let path = format!("{WEBHOOKS}/{}", off.body["webhook"]["id"].as_str().expect("an id"));
    let refused = patch(&bench, &path, json!({"webhook": {"status": "active"}})).await;
    assert_eq!(refused.wrong_fields(), ["status"]);
    Ok(())
}
