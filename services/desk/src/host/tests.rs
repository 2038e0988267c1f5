use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::json;

use crate::testing::{TestDesk, get};

#[tokio::test]
async fn what_is_not_at_home_here_is_misdirected_in_the_dialect_of_its_path_and_counted() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    desk.tenant("acme").await?;
    for host in ["nobody.localhost:8080", "us.localhost:8080", "acme.example.com", "a.acme.localhost", "x_y.localhost"]
    {
        let answer = desk.call(get(host, "/api/v2/tickets")).await;
        assert_eq!(answer.status, 421, "{host}");
        assert_eq!(answer.json()["error"]["title"], format!("No help desk at {host}"));
    }
    let problem = desk.call(get("nobody.localhost", "/api/domicile/v1/residency")).await;
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert_eq!(problem.json()["type"], "urn:domicile:problem:misdirected");
    let page = desk.call(get("nobody.localhost", "/")).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(desk.region.metrics.misdirected_requests.get(), 7);
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_moves_away_is_misdirected_at_once() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    assert_eq!(desk.call(acme.request("GET", "/api/v2/api_tokens")).await.status, 200);
    let mut owner = regions::connection(&desk.region.region, regions::DatabaseRole::Owner).await?;
    sqlx::query!("update log.tenant set state = 'moving' where tenant_id = $1", acme.resident.tenant_id().get())
        .execute(&mut owner)
        .await?;
    assert_eq!(desk.call(acme.request("GET", "/api/v2/api_tokens")).await.status, 421);
    Ok(())
}

#[tokio::test]
async fn a_tenant_whose_log_is_behind_is_closed_and_not_misdirected() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let mut owner = regions::connection(&desk.region.region, regions::DatabaseRole::Owner).await?;
    for state in ["behind", "restoring"] {
        sqlx::query!("update log.tenant set state = $2 where tenant_id = $1", acme.resident.tenant_id().get(), state)
            .execute(&mut owner)
            .await?;
        let answer = desk.call(acme.request("GET", "/api/domicile/v1/residency")).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("30")), "{state}");
        assert_eq!(answer.json()["type"], "urn:domicile:problem:being-restored");
    }
    Ok(())
}

#[tokio::test]
async fn a_host_is_read_without_regard_to_case_and_with_any_port() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    desk.tenant("acme").await?;
    for host in ["acme.localhost", "ACME.LocalHost:9999", "eu.localhost:1", "localhost", "LOCALHOST:80"] {
        assert_eq!(desk.call(get(host, "/")).await.status, 200, "{host}");
    }
    let of_http2 = Request::builder().uri("http://acme.localhost:8080/").body(Body::empty())?;
    assert_eq!(desk.call(of_http2).await.status, 200);
    let nameless = Request::builder().uri("/").body(Body::empty())?;
    assert_eq!(desk.call(nameless).await.status, 400);
    Ok(())
}

#[tokio::test]
async fn a_request_that_names_two_hosts_is_refused() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    desk.tenant("acme").await?;
    for (target, hosts, status) in [
        ("/", &["acme.localhost", "acme.localhost"][..], 400),
        ("/", &["acme.localhost", "eu.localhost"], 400),
        ("http://acme.localhost/", &["eu.localhost"], 400),
        ("http://acme.localhost/", &["acme.localhost", "acme.localhost"], 400),
        ("http://acme.localhost/", &["ACME.localhost"], 200),
    ] {
        let request = Request::builder().uri(target);
        let request = hosts.iter().fold(request, |request, host| request.header(header::HOST, *host));
        assert_eq!(desk.call(request.body(Body::empty())?).await.status, status, "{target} {hosts:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_path_of_one_site_does_not_exist_on_another() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    for (host, path) in [
        ("localhost:8080", "/api/v2/tickets"),
        ("eu.localhost:8080", "/api/v2/tickets"),
        (acme.host.as_str(), "/metrics"),
        (acme.host.as_str(), "/signup"),
        (acme.host.as_str(), "/api/v2/nothing"),
    ] {
        assert_eq!(desk.call(get(host, path)).await.status, 404, "{host}{path}");
    }
    let answer = desk.call(get(&acme.host, "/api/v2/nothing")).await;
    assert_eq!(answer.json(), json!({ "error": "InvalidEndpoint", "description": "Not found" }));
    let put = Request::builder().method("PUT").uri("/api/v2/api_tokens").header(header::HOST, &acme.host);
    assert_eq!(desk.call(put.body(Body::empty())?).await.status, 405);
    Ok(())
}

#[tokio::test]
async fn every_answer_carries_an_id_and_the_headers_that_protect_it() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let mut ids = Vec::new();
    for (host, path) in [(acme.host.as_str(), "/"), (acme.host.as_str(), "/api/v2/tickets"), ("nobody.localhost", "/")]
    {
        let answer = desk.call(get(host, path)).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(answer.header("cache-control"), Some("max-age=0, private, must-revalidate"));
        assert!(answer.header("content-security-policy").is_some());
        ids.push(answer.header("x-request-id").expect("an id").to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let list = desk.call(acme.request("GET", "/api/v2/api_tokens.json?page=1")).await;
    assert_eq!(list.header("content-type"), Some("application/json; charset=utf-8"));
    Ok(())
}

#[tokio::test]
async fn ops_sees_health_and_metrics_on_the_regions_host() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    assert_eq!(desk.call(get("eu.localhost", "/healthz")).await.status, 200);
    assert_eq!(desk.call(get("eu.localhost", "/readyz")).await.status, 200);
    let metrics = desk.call(get("eu.localhost", "/metrics")).await.text();
    assert!(metrics.contains("domicile_http_requests_total{status=\"2xx\",region=\"eu\"} 2"), "{metrics}");
    desk.desk.begin_draining();
    assert_eq!(desk.call(get("eu.localhost", "/readyz")).await.status, 503);
    Ok(())
}

#[tokio::test]
async fn a_desk_is_not_ready_before_what_it_reads_is_built_and_says_what_it_waits_for() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let pool = desk.region.pool(regions::DatabaseRole::Projector).await?;
    let reshape = async |from: i32, to: i32| {
        sqlx::query!("update read.serving set shape = $2 where shape = $1 and projection = 'ticket_list'", from, to)
            .execute(&pool)
            .await
    };
    reshape(1, 99).await?;
    let answer = desk.call(get("eu.localhost", "/readyz")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.text(), "waits until these read models are built: ticket_list (shape 1)\n");
    let answer = desk.call(acme.request("GET", "/api/v2/tickets.json")).await;
    assert_eq!(answer.status, 503, "who asks all the same is told to come again: {}", answer.text());
    reshape(99, 1).await?;
    assert_eq!(desk.call(get("eu.localhost", "/readyz")).await.status, 200);
    assert_eq!(desk.call(acme.request("GET", "/api/v2/tickets.json")).await.status, 200);
    Ok(())
}
