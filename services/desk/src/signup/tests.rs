use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use crate::{
    reconcile,
    testing::{ADMIN, TestDesk, a_signup, basic, get, post},
};

const EU: &str = "eu.localhost:8080";

async fn sign_up(desk: &TestDesk, body: &Value) -> crate::testing::Answer {
    desk.call(post(EU, "/api/signup", body)).await
}

/// Nothing of the region's log was written, and no name was claimed.
async fn assert_nothing_written(desk: &TestDesk) -> anyhow::Result<()> {
    let pool = &desk.desk.pool;
    assert_eq!(sqlx::query_scalar!(r#"select count(*) as "count!" from log.tenant"#).fetch_one(pool).await?, 0);
    assert!(desk.desk.directory.pending(&desk.desk.region.id).await?.is_empty());
    Ok(())
}

fn fields_of(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["field"].as_str()).collect()
}

#[tokio::test]
async fn a_signup_makes_a_tenant_whose_admin_can_call_it_at_once() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let answer = sign_up(&desk, &a_signup("acme")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["tenant"]["subdomain"], "acme");
    assert_eq!(body["tenant"]["region"], "eu");
    assert_eq!(body["tenant"]["epoch"], 1);
    assert_eq!(body["url"], "http://acme.localhost:8080");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-domicile-visible"), Some("yes"));

    let token = body["api_token"].as_str().expect("a token");
    for authorization in
        [format!("Bearer {token}"), basic(&format!("{ADMIN}/token"), token), basic(ADMIN, "correct horse")]
    {
        let mut request = get("acme.localhost:8080", "/api/v2/api_tokens.json");
        request.headers_mut().insert(header::AUTHORIZATION, authorization.parse()?);
        let answer = desk.call(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["count"], 1);
    }
    assert!(desk.desk.directory.pending(&desk.desk.region.id).await?.is_empty(), "the name is confirmed");
    Ok(())
}

#[tokio::test]
async fn the_first_events_are_one_command_of_the_system() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    assert_eq!(sign_up(&desk, &a_signup("acme")).await.status, 201);
    let projector = desk.region.pool(regions::DatabaseRole::Projector).await?;
    let events = sqlx::query!("select event_type, actor, command_id from log.event order by position");
    let events = events.fetch_all(&projector).await?;
    let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    let expected = [
        "tenant_registered",
        "plan_chosen",
        "locality_chosen",
        "group_added",
        "person_added",
        "password_set",
        "api_token_issued",
        "email_claimed",
        "origin_noted",
    ];
    assert_eq!(types[..expected.len()], expected);
    assert_eq!(types[expected.len()..], ["change_noted"; 6], "account, group, user and token; plan and password");
    assert!(events.iter().all(|event| event.actor == "system" && event.command_id == events[0].command_id));
    Ok(())
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once_and_nothing_is_written() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let body = json!({
        "subdomain": "Not A Name", "company": "a\u{0}b", "plan": "gold", "locality": "mars",
        "admin": { "name": "x".repeat(300), "email": "nobody", "password": "short" },
    });
    let answer = sign_up(&desk, &body).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.json();
    assert_eq!(
        fields_of(&problem),
        ["subdomain", "company", "plan", "locality", "admin.name", "admin.email", "admin.password"]
    );
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("plan: takes one of trial, team, growth, professional, enterprise"), "{detail}");
    assert!(detail.contains("locality: takes one of au, eu, jp, us"), "{detail}");

    let answer = sign_up(&desk, &json!({})).await;
    assert_eq!(
        fields_of(&answer.json()),
        ["subdomain", "company", "plan", "admin.name", "admin.email", "admin.password"]
    );
    for (field, value) in
        [("subdomain", json!(5)), ("admin", json!("Ada")), ("subdomain", json!("eu")), ("plan", json!([]))]
    {
        let mut body = a_signup("acme");
        body[field] = value;
        assert_eq!(fields_of(&sign_up(&desk, &body).await.json()), [field]);
    }
    assert_nothing_written(&desk).await
}

#[tokio::test]
async fn a_plan_without_a_choice_of_locality_is_refused_with_the_reason() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let mut body = a_signup("acme");
    body["plan"] = json!("team");
    let answer = sign_up(&desk, &body).await;
    assert_eq!(answer.status, 422);
    let problem = answer.json();
    assert_eq!(fields_of(&problem), ["locality"]);
    let reason = "locality: plan team keeps data in us; a choice of locality comes with plan professional";
    assert_eq!(problem["errors"][0]["detail"], reason);
    assert_nothing_written(&desk).await
}

#[tokio::test]
async fn a_signup_for_another_region_is_sent_there_and_writes_nothing() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let (mut named, mut left_open) = (a_signup("acme"), a_signup("acme"));
    named["locality"] = json!("jp");
    left_open["locality"] = Value::Null;
    for (body, region) in [(named, "jp"), (left_open, "us")] {
        let answer = sign_up(&desk, &body).await;
        assert_eq!(answer.status, 421);
        assert_eq!(answer.json()["url"], format!("http://{region}.localhost:8080/api/signup"));
    }
    let answer = desk.call(post("localhost:8080", "/api/signup", &a_signup("acme"))).await;
    assert_eq!(answer.status, 421, "the apex is no region");
    assert_nothing_written(&desk).await
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_and_leaves_the_first_tenant_alone() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    assert_eq!(sign_up(&desk, &a_signup("acme")).await.status, 201);
    let answer = sign_up(&desk, &a_signup("acme")).await;
    assert_eq!(answer.status, 409);
    assert_eq!(fields_of(&answer.json()), ["subdomain"]);
    let tenants = sqlx::query_scalar!(r#"select count(*) as "count!" from log.tenant"#);
    assert_eq!(tenants.fetch_one(&desk.desk.pool).await?, 1);
    Ok(())
}

#[tokio::test]
async fn of_two_signups_for_one_name_at_once_one_wins() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let body = a_signup("acme");
    let (one, other) = tokio::join!(sign_up(&desk, &body), sign_up(&desk, &body));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    Ok(())
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let request = |content_type: Option<&str>, body: &str| {
        let mut request = Request::builder().method("POST").uri("/api/signup").header(header::HOST, EU);
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        request.body(Body::from(body.to_owned())).expect("a request")
    };
    let json = Some("application/json");
    let large = format!("{{\"subdomain\": \"{}\"}}", "x".repeat(1024 * 1024));
    for (content_type, body, status) in [
        (json, "{", 400),
        (json, "", 400),
        (json, "[]", 422),
        (Some("text/plain"), "{}", 415),
        (None, "{}", 415),
        (json, large.as_str(), 413),
        (Some("application/json; charset=utf-8"), "{}", 422),
    ] {
        let answer = desk.call(request(content_type, body)).await;
        assert_eq!(answer.status.as_u16(), status, "{content_type:?} {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    assert_nothing_written(&desk).await
}

#[tokio::test]
async fn without_the_directory_a_signup_is_put_off_and_nothing_is_written() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let answer = sign_up(&desk, &a_signup("acme")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let tenants = sqlx::query_scalar!(r#"select count(*) as "count!" from log.tenant"#);
    assert_eq!(tenants.fetch_one(&desk.desk.pool).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_signup_that_died_before_its_first_event_is_released_and_can_be_taken_up_again() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let resident = desk.region.tenant("acme").await?;
    let directory = &desk.desk.directory;
    directory.claim(resident.slug(), resident.tenant_id(), resident.region(), resident.epoch()).await?;

    reconcile::pass(&desk.desk, std::time::Duration::from_secs(60)).await;
    assert_eq!(directory.pending(resident.region()).await?.len(), 1, "somebody may still be at it");
    reconcile::pass(&desk.desk, std::time::Duration::ZERO).await;
    assert!(directory.pending(resident.region()).await?.is_empty());

    let answer = sign_up(&desk, &a_signup("acme")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["tenant"]["id"], resident.tenant_id().to_string());
    Ok(())
}

#[tokio::test]
async fn a_signup_that_died_before_it_was_confirmed_is_confirmed() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let tenant = desk.tenant("acme").await?;
    let (resident, directory) = (&tenant.resident, &desk.desk.directory);
    directory.claim(resident.slug(), resident.tenant_id(), resident.region(), resident.epoch()).await?;
    reconcile::pass(&desk.desk, std::time::Duration::from_secs(60)).await;
    assert!(directory.pending(resident.region()).await?.is_empty());
    let again = directory.release(resident.slug(), resident.tenant_id()).await;
    assert!(matches!(again, Err(directory::ClaimError::Confirmed)), "{again:?}");
    Ok(())
}

#[tokio::test]
async fn the_form_signs_up_and_shows_a_command_that_works() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let form = "subdomain=acme&company=Acme&plan=professional&locality=eu&admin.name=Ada&admin.email=Ada%40example.com\
                &admin.password=correct+horse";
    let answer = desk.call(submission(form)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let page = answer.text();
    let token = page.split("dom_").nth(1).and_then(|rest| rest.split('<').next()).expect("the token is shown");
    assert!(page.contains(&format!("ada@example.com/token:dom_{token}")), "{page}");
    assert!(page.contains("http://acme.localhost:8080/api/v2/tickets"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    assert!(page.contains("href=\"http://acme.localhost:8080/agent/tickets/1\""), "{page}");
    let mut request = get("acme.localhost:8080", "/api/v2/tickets/1/comments");
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer dom_{token}").parse()?);
    let comments = desk.call(request).await.json();
    let body = comments["comments"][0]["body"].as_str().expect("a first ticket");
    assert!(body.starts_with("Hello!\n\nThis is a ticket") && body.contains("\n• Write a reply"), "{body}");
    Ok(())
}

#[tokio::test]
async fn a_signup_without_a_browser_has_no_first_ticket() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let token = sign_up(&desk, &a_signup("acme")).await.json()["api_token"].as_str().expect("a token").to_owned();
    let mut request = get("acme.localhost:8080", "/api/v2/tickets");
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse()?);
    assert_eq!(desk.call(request).await.json()["count"], 0);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_readers_language_field_by_field() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let form = "subdomain=www&company=&plan=team&locality=eu&admin.name=Ada&admin.email=nobody&admin.password=short";
    for (language, sentences) in [
        (
            "en",
            [
                "This address is reserved",
                "Please fill this in",
                "live in the region United States",
                "name@example",
                "10 to 128",
            ],
        ),
        (
            "de",
            [
                "Diese Adresse ist reserviert",
                "Bitte füllen Sie",
                "Vereinigte Staaten zu Hause",
                "wie name@",
                "10 bis 128",
            ],
        ),
        (
            "ja",
            [
                "予約されています",
                "入力してください",
                "「アメリカ合衆国」に置かれます",
                "のような形式で",
                "10～128 文字に",
            ],
        ),
    ] {
        let mut request = submission(form);
        request.headers_mut().insert(header::ACCEPT_LANGUAGE, language.parse()?);
        let page = desk.call(request).await.text();
        for (field, sentence) in ["subdomain", "company", "plan", "email", "password"].into_iter().zip(sentences) {
            let error = page.split(&format!("id=\"{field}-error\">")).nth(1).and_then(|rest| rest.split('<').next());
            assert!(error.is_some_and(|error| error.contains(sentence)), "{language} {field}: {error:?}");
        }
    }
    assert_nothing_written(&desk).await
}

#[tokio::test]
async fn whoever_sends_the_form_twice_is_shown_the_way_to_the_desk_that_is_there() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let form = "subdomain=acme&company=Acme&plan=professional&locality=eu&admin.name=Ada&admin.email=Ada%40example.com\
                &admin.password=correct+horse";
    assert_eq!(desk.call(submission(form)).await.status, 201);
    let again = desk.call(submission(form)).await;
    assert_eq!(again.status, 409);
    assert!(again.text().contains("href=\"http://acme.localhost:8080/signin\""), "{}", again.text());
    assert!(!desk.call(get(EU, "/signup")).await.text().contains("/signin"));
    Ok(())
}

#[tokio::test]
async fn whether_a_name_is_free_can_be_asked_while_typing_and_takes_nothing() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let path = |name: &str| format!("/api/signup/name?subdomain={name}");
    assert_eq!(sign_up(&desk, &a_signup("acme")).await.status, 201);
    for (name, state) in [
        ("acme", "taken"),
        ("other", "free"),
        ("other", "free"),
        ("www", "reserved"),
        ("us", "invalid"),
        ("Not%20one", "invalid"),
        ("", "invalid"),
    ] {
        let answer = desk.call(get(EU, &path(name))).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (200, &json!(state)), "{name}");
    }
    assert_eq!(desk.call(get("acme.localhost:8080", &path("x"))).await.status, 404, "it is asked of a region");

    let limited = crate::app(desk.another_with(crate::RateLimits::Policy).await?);
    let ask = || tower::ServiceExt::oneshot(limited.clone(), get(EU, &path("other")));
    for _ in 0..60 {
        assert_eq!(ask().await?.status(), 200);
    }
    assert_eq!(ask().await?.status(), 429, "nobody lists the names by guessing");
    Ok(())
}

#[tokio::test]
async fn without_the_directory_nobody_is_told_that_a_name_is_free() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    assert_eq!(desk.call(get(EU, "/api/signup/name?subdomain=acme")).await.status, 503);
    Ok(())
}

#[tokio::test]
async fn the_form_shows_each_error_at_its_field_and_keeps_what_was_typed() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let form = "subdomain=acme&company=%3Cb%3EAcme&plan=gold&locality=eu&admin.name=Ada&admin.email=nobody&admin.password=secret-8";
    let answer = desk.call(submission(form)).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(
        page.contains(r#"<p class="error" id="email-error">Takes an address such as name@example.com.</p>"#),
        "{page}"
    );
    assert!(page.contains(r#"<p class="error" id="plan-error">Please choose a plan from the list.</p>"#), "{page}");
    assert!(
        page.contains(r#"value="acme""#) && page.contains("&#60;b&#62;Acme") && !page.contains("<b>Acme"),
        "{page}"
    );
    assert!(!page.contains("secret-8"), "the password is not shown again");

    let wrong = Request::builder().method("POST").uri("/signup").header(header::HOST, EU).body(Body::from("{}"))?;
    assert_eq!(desk.call(wrong).await.status, 415);
    assert_nothing_written(&desk).await
}

fn submission(form: &str) -> Request<Body> {
    let builder = Request::builder().method("POST").uri("/signup").header(header::HOST, EU);
    let builder = builder.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    builder.body(Body::from(form.to_owned())).expect("a request")
}
