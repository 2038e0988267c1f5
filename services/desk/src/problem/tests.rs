use axum::{Router, http::Request, middleware, routing::get};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{
    ApiError, FieldFault,
    render::{self, RequestId},
};
use crate::testing::TestDesk;

/// What each dialect makes of a refusal.
async fn said(error: ApiError) -> (u16, Value, Value, String) {
    let mut bodies = Vec::new();
    let mut status = 0;
    for path in ["/api/v2/x", "/api/domicile/v1/x", "/x"] {
        let error = error.clone();
        let routes: Router =
            Router::new().route(path, get(async move || error)).layer(middleware::from_fn(render::layer));
        let mut request = Request::builder().uri(path).body(axum::body::Body::empty()).expect("a request");
        request.extensions_mut().insert(RequestId("42".to_owned()));
        let response = match routes.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        // A page that nobody may see without signing in leads there instead.
        if path.starts_with("/api/") {
            status = response.status().as_u16();
        }
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        bodies.push(String::from_utf8(body.to_vec()).expect("UTF-8"));
    }
    let page = bodies.pop().unwrap_or_default();
    let json = |text: &String| serde_json::from_str(text).expect("JSON");
    (status, json(&bodies[0]), json(&bodies[1]), page)
}

#[tokio::test]
async fn wrong_fields_are_told_in_every_dialect() {
    let fault =
        |field: &str, code| FieldFault { field: field.to_owned(), description: format!("{field}: takes less"), code };
    let (status, v2, problem, page) =
        said(ApiError::invalid_fields(vec![fault("subject", "BlankValue"), fault("tags", "InvalidValue")])).await;
    assert_eq!(status, 422);
    assert_eq!(
        v2,
        json!({
            "error": "RecordInvalid", "description": "Record validation errors",
            "details": {
                "subject": [{ "description": "subject: takes less", "error": "BlankValue" }],
                "tags": [{ "description": "tags: takes less", "error": "InvalidValue" }],
            },
        })
    );
    assert_eq!(problem["title"], "Fields are wrong");
    assert_eq!(problem["detail"], "subject: takes less; tags: takes less");
    assert_eq!(problem["errors"][1], json!({ "field": "tags", "detail": "tags: takes less", "code": "InvalidValue" }));
    assert!(page.contains("<h1>Fields are wrong</h1>"));
}

#[test]
fn every_problem_has_a_title_and_a_sentence_for_people_in_every_language() {
    use crate::pages::words::{Language, Words};
    let table = include_str!("table.rs");
    let names: Vec<&str> = table.split("S::").skip(1).filter_map(|rest| rest.split('"').nth(1)).collect();
    assert!(names.len() > 20 && names.contains(&"unknown-path"), "{names:?}");
    for language in Language::ALL {
        let words = Words { language, zone: jiff::tz::TimeZone::UTC };
        for name in &names {
            for key in [format!("problem-{name}"), format!("problem-{name}-detail")] {
                assert!(words.known(&key).is_some(), "{language:?}: {key}");
            }
        }
    }
}

#[tokio::test]
async fn the_v2_dialect_is_word_for_word_the_one_its_clients_know() {
    let cases = [
        (ApiError::not_found(), 404, json!({ "error": "RecordNotFound", "description": "Not found" })),
        (ApiError::unknown_path(), 404, json!({ "error": "InvalidEndpoint", "description": "Not found" })),
        (ApiError::unauthorized(), 401, json!({ "error": "Couldn't authenticate you" })),
        (ApiError::forbidden("Agents only"), 403, json!({ "error": "Forbidden", "description": "Agents only" })),
        (
            ApiError::invalid_parameter("id", "an integer"),
            400,
            json!({ "error": { "title": "Invalid attribute",
                "message": "You passed an invalid value for the id attribute. Invalid parameter: id must be an integer" } }),
        ),
    ];
    for (error, expected_status, expected) in cases {
        let (status, v2, ..) = said(error).await;
        assert_eq!((status, v2), (expected_status, expected));
    }
    let (status, v2, ..) = said(ApiError::conflict()).await;
    assert_eq!((status, &v2["error"]), (409, &json!("UpdateConflict")));
}

#[tokio::test]
async fn whoever_may_not_see_a_page_is_shown_where_to_sign_in_and_comes_back() {
    for (method, expected) in [("GET", "/signin?return_to=/x%3Fpage%3D2%26q%3Da"), ("POST", "/signin")] {
        let routes: Router = Router::new()
            .route("/x", axum::routing::any(async || ApiError::unauthorized()))
            .layer(middleware::from_fn(render::layer));
        let request = Request::builder().method(method).uri("/x?page=2&q=a").body(axum::body::Body::empty());
        let response = match routes.oneshot(request.expect("a request")).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        assert_eq!(response.status(), 303);
        assert_eq!(response.headers()["location"], expected);
        assert!(!response.headers().contains_key("www-authenticate"), "a browser asks for no password by itself");
    }
}

#[tokio::test]
async fn an_error_of_ours_tells_its_id_and_nothing_else() {
    let (status, v2, problem, page) = said(ApiError::internal("the secret reason")).await;
    assert_eq!(status, 500);
    assert_eq!(v2["request_id"], "42");
    assert_eq!(problem["instance"], "urn:domicile:request:42");
    assert!(page.contains("<code>42</code>"));
    for text in [v2.to_string(), problem.to_string(), page] {
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn a_panic_is_an_error_of_ours() {
    let routes: Router = Router::new()
        .route("/api/v2/x", get(async || -> ApiError { panic!("the secret invariant") }))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(crate::app::panicked))
        .layer(middleware::from_fn(render::layer));
    let request = Request::builder().uri("/api/v2/x").body(axum::body::Body::empty()).expect("a request");
    let response = match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    assert_eq!(response.status(), 500);
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    assert!(!String::from_utf8_lossy(&body).contains("secret"));
}

#[tokio::test]
async fn a_refusal_keeps_the_header_fields_of_its_route() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    for (method, path, status) in [
        ("GET", "/api/v2/tickets", 401),
        ("GET", "/api/v2/nothing", 404),
        ("PATCH", "/api/v2/tickets", 405),
        ("PATCH", "/api/v2/api_tokens", 405),
    ] {
        let mut request = crate::testing::get(&acme.host, path);
        *request.method_mut() = method.parse()?;
        let answer = desk.call(request).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("x-zendesk-api-version"), Some("v2"), "{method} {path}");
        assert_eq!(answer.header("allow"), (status == 405).then_some("GET,HEAD,POST"), "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert!(!answer.json().is_null());
    }
    Ok(())
}

#[tokio::test]
async fn what_was_done_and_cannot_be_shown_is_never_called_not_carried_out() {
    let away = || ApiError::unavailable(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    let (before, _, problem, _) = said(away()).await;
    assert_eq!((before, &problem["detail"]), (503, &json!("The request was not carried out")));
    let (after, _, problem, _) = said(away().after_done()).await;
    assert_eq!((after, &problem["title"]), (503, &json!("Perhaps done")));
    let (other, ..) = said(ApiError::not_found().after_done()).await;
    assert_eq!(other, 404);
}

#[tokio::test]
async fn a_tenant_that_floods_is_told_to_slow_down_and_a_full_lane_to_come_back() {
    let tenant_id = schemas::TenantId::new(uuid::Uuid::nil());
    let flooding = ApiError::from(eventlog::Error::TenantOverloaded { tenant_id });
    let (status, v2, problem, _) = said(flooding.clone()).await;
    assert_eq!((status, &v2["error"]), (429, &json!("APIRateLimitExceeded")));
    assert_eq!((&problem["status"], &problem["title"]), (&json!(429), &json!("Too many requests")));
    assert_eq!(retry_after(flooding).await.as_deref(), Some("1"));

    let (busy, full) = (eventlog::Error::Busy { tenant_id }, eventlog::Error::Overloaded);
    for error in [busy, full].map(ApiError::from) {
        assert_eq!(said(error.clone()).await.0, 503);
        assert_eq!(retry_after(error).await.as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_or_meets_an_older_build_may_be_asked_again() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    for (statement, status) in [
        ("set statement_timeout = '1ms'; select pg_sleep(30)", 503),
        ("select texts_that_no_build_has('kettle')", 503),
        ("select from a_table_that_no_build_has", 503),
        ("select 1 / 0", 500),
    ] {
        let mut conn = desk.desk.pool.acquire().await?.detach();
        let error = sqlx::raw_sql(statement).execute(&mut conn).await.expect_err(statement);
        assert_eq!(ApiError::from(error).status().as_u16(), status, "{statement}");
    }
    Ok(())
}

async fn retry_after(error: ApiError) -> Option<String> {
    let routes: Router =
        Router::new().route("/api/v2/x", get(async move || error)).layer(middleware::from_fn(render::layer));
    let request = Request::builder().uri("/api/v2/x").body(axum::body::Body::empty()).expect("a request");
    let response = match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    response.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned)
}
