use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::{
    api::testing::{ADA, ALAN, Answer, Bench, GRACE},
    session::tests::{Browser, PASSWORD, with_passwords},
};

/// Asks the API from a browser.
async fn ask(bench: &Bench, browser: &Browser, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::HOST, "acme.localhost:8080");
    let request = request.header(header::COOKIE, &browser.cookie).header("x-csrf-token", browser.csrf());
    bench.send(request.body(axum::body::Body::empty()).expect("a request")).await
}

fn ids(answer: &Answer) -> Vec<i64> {
    let rows = answer.body["sessions"].as_array().cloned().unwrap_or_default();
    rows.iter().filter_map(|row| row["id"].as_i64()).collect()
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions_and_admins_everybodys() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN, ADA]).await?;
    let (mut alan, mut elsewhere, mut ada) = (Browser::default(), Browser::default(), Browser::default());
    alan.sign_in(&bench, ALAN, "").await;
    elsewhere.sign_in(&bench, ALAN, "").await;
    ada.sign_in(&bench, ADA, "").await;
    let of_alan = ids(&bench.get(ALAN, "/api/v2/users/2/sessions").await);
    assert_eq!(of_alan.len(), 2);
    assert_eq!(ids(&bench.get(GRACE, "/api/v2/sessions").await).len(), 3);
    assert_eq!(ids(&bench.get(GRACE, "/api/v2/users/2/sessions?page[size]=1").await), of_alan[..1]);
    let ada_s = bench.get(ADA, "/api/v2/users/3/sessions").await;
    let path = format!("/api/v2/users/3/sessions/{}", ada_s.body["sessions"][0]["id"]);
    for (method, path) in [("GET", "/api/v2/users/3/sessions"), ("GET", path.as_str()), ("DELETE", path.as_str())] {
        assert_eq!(ask(&bench, &alan, method, path).await.status, 404, "{method} {path}");
    }
    assert_eq!(bench.get(ADA, &path.replace("users/3", "users/2")).await.status, 404, "nobody's by another's path");

    bench.advance_seconds(120);
    let current = ask(&bench, &alan, "GET", "/api/v2/users/me/session").await;
    let session = &current.body["session"][0];
    assert_eq!((&session["id"], &session["user_id"]), (&json!(of_alan[0]), &json!(ALAN.id)));
    assert_ne!(session["last_seen_at"], session["authenticated_at"]);
    assert_eq!(bench.get(ALAN, "/api/v2/users/me/session").await.status, 404, "a token has none");
    let me = ask(&bench, &alan, "GET", "/api/v2/users/me").await;
    assert_eq!(me.body["user"]["authenticity_token"], json!(alan.csrf()));

    let one = format!("/api/v2/users/2/sessions/{}", of_alan[1]);
    assert_eq!(ask(&bench, &alan, "DELETE", &one).await.status, 204);
    assert_eq!(elsewhere.get(&bench, "/api/v2/users/me").await.status, 401);
    assert_eq!(ask(&bench, &alan, "DELETE", &one).await.status, 404, "it is over");
    assert_eq!(bench.delete(GRACE, "/api/v2/users/3/sessions").await.status, 204);
    assert_eq!(ada.get(&bench, "/api/v2/users/me").await.status, 401, "an admin ended it");
    assert_eq!(ask(&bench, &alan, "DELETE", "/api/v2/users/me/logout").await.status, 204);
    assert_eq!(alan.get(&bench, "/api/v2/users/me").await.status, 401);
    assert_eq!(bench.get(GRACE, "/api/v2/sessions").await.body["count"], 0);
    Ok(())
}

#[tokio::test]
async fn the_security_page_shows_where_somebody_is_signed_in_and_signs_them_out_there() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN, ADA]).await?;
    let (mut here, mut there, mut ada) = (Browser::default(), Browser::default(), Browser::default());
    let led = here.get(&bench, "/account/security?done=sessions").await;
    assert_eq!(led.header("location"), Some("/signin?return_to=/account/security%3Fdone%3Dsessions"));
    here.sign_in(&bench, ALAN, "").await;
    there.sign_in(&bench, ALAN, "").await;
    ada.sign_in(&bench, ADA, "").await;
    let of_ada = ids(&bench.get(GRACE, "/api/v2/users/3/sessions").await)[0];
    let page = here.get(&bench, "/account/security").await;
    assert_eq!(page.text().matches("This browser").count(), 1, "{}", page.text());
    assert_eq!(page.text().matches("name=\"session\"").count(), 1, "one other");

    here.form(&bench, "/account/security/sessions", &format!("session={of_ada}")).await;
    assert_eq!(ada.get(&bench, "/api/v2/users/me").await.status, 200, "nobody ends another's");
    let answer = here.form(&bench, "/account/security/sessions", "").await;
    assert_eq!(answer.header("location"), Some("/account/security?done=sessions"));
    assert_eq!(there.get(&bench, "/api/v2/users/me").await.status, 401);
    assert_eq!(here.get(&bench, "/api/v2/users/me").await.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_the_old_one_and_only_this_browser_stays() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    let (mut here, mut there) = (Browser::default(), Browser::default());
    here.sign_in(&bench, ALAN, "").await;
    there.sign_in(&bench, ALAN, "").await;
    for (fields, expected) in [
        ("old=wrong&new=a+better+horse", "This is not your password"),
        ("old=correct+horse+battery&new=short", "characters.</p>"),
        ("old=correct+horse+battery&new=correct+horse+battery", "another password"),
    ] {
        let answer = here.form(&bench, "/account/security/password", fields).await;
        assert_eq!(answer.status, 422, "{fields}");
        assert!(answer.text().contains("aria-invalid=\"true\"") && answer.text().contains(expected), "{fields}");
    }
    assert_eq!(there.get(&bench, "/api/v2/users/me").await.status, 200);
    let before = here.clone();
    let fields = "old=correct+horse+battery&new=a+better+horse";
    let answer = here.form(&bench, "/account/security/password", fields).await;
    assert_eq!(answer.header("location"), Some("/account/security?done=password"), "{}", answer.text());
    assert_eq!(here.get(&bench, "/api/v2/users/me").await.status, 200, "this browser has a new session");
    for mut ended in [before, there] {
        assert_eq!(ended.get(&bench, "/api/v2/users/me").await.status, 401);
    }
    assert_eq!(Browser::default().sign_in(&bench, ALAN, "").await.status, 401, "the old one is none any more");
    let new = "email=alan@acme.example&password=a+better+horse";
    assert_eq!(Browser::default().form(&bench, "/signin", new).await.status, 303);
    let logs: Value = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=user").await.body;
    assert!(logs.to_string().contains("password changed") && !logs.to_string().contains(PASSWORD), "{logs}");
    Ok(())
}
