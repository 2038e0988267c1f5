use axum::http::{Request, header};

use super::{cookie, local_path, percent};
use crate::testing::{TestDesk, get};

#[test]
fn only_a_path_of_this_site_is_gone_back_to() {
    for path in ["/", "/agent/tickets/1?tab=history&x=%20", "/a//b"] {
        assert_eq!(local_path(path), Some(path));
    }
    for path in [
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x",
        "/ä",
    ] {
        assert_eq!(local_path(path), None, "{path}");
    }
}

#[test]
fn a_path_survives_being_a_value_of_a_query() {
    assert_eq!(percent("/a?b=c&d=ü"), "/a%3Fb%3Dc%26d%3D%C3%BC");
}

#[test]
fn a_cookie_is_found_among_others() {
    let request = Request::builder().header(header::COOKIE, "a=1; b=2").header(header::COOKIE, "c=3; b=4");
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    for (name, value) in [("a", Some("1")), ("b", Some("2")), ("c", Some("3")), ("d", None)] {
        assert_eq!(cookie(&parts.headers, name).as_deref(), value, "{name}");
    }
}

#[tokio::test]
async fn a_page_speaks_the_language_that_was_chosen_and_goes_back_where_the_reader_was() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let mut german = get("eu.localhost:8080", "/signup");
    german.headers_mut().insert(header::ACCEPT_LANGUAGE, "de".parse()?);
    let page = desk.call(german).await;
    assert!(page.text().contains("<html lang=\"de\">"), "{}", page.text());
    assert!(page.text().contains("/language/ja?to=/signup"), "{}", page.text());
    let chosen = desk.call(get("eu.localhost:8080", "/language/ja?to=/signup")).await;
    assert_eq!((chosen.status.as_u16(), chosen.header("location")), (303, Some("/signup")));
    let mut japanese = get("eu.localhost:8080", "/signup");
    let cookie = chosen.header("set-cookie").expect("a cookie").split(';').next().unwrap_or_default().to_owned();
    japanese.headers_mut().insert(header::COOKIE, cookie.parse()?);
    japanese.headers_mut().insert(header::ACCEPT_LANGUAGE, "de".parse()?);
    assert!(desk.call(japanese).await.text().contains("<html lang=\"ja\">"));
    let elsewhere = desk.call(get("eu.localhost:8080", "/language/ja?to=//evil.example")).await;
    assert_eq!(elsewhere.header("location"), Some("/"));
    assert_eq!(desk.call(get("eu.localhost:8080", "/language/xx")).await.status, 404);
    Ok(())
}

#[tokio::test]
async fn only_scripts_of_this_very_answer_run() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let page = desk.call(get("eu.localhost:8080", "/signup")).await;
        let policy = page.header("content-security-policy").expect("a policy").to_owned();
        let nonce =
            policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
        let scripts = page.text().matches("<script").count();
        assert_eq!(page.text().matches(&format!("<script nonce=\"{nonce}\"")).count(), scripts, "{policy}");
        assert!(!policy.contains("unsafe") && scripts > 0, "{policy}");
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
    let refused = desk.call(get("eu.localhost:8080", "/nowhere")).await;
    assert!(refused.header("content-security-policy").is_some_and(|policy| policy.contains("script-src 'none'")));
    assert!(!refused.text().contains("<script"));
    Ok(())
}

#[tokio::test]
async fn a_file_is_kept_for_ever_under_its_own_address_only() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let page = desk.call(get("eu.localhost:8080", "/")).await;
    let style = page.text().split("href=\"/assets/").nth(1).and_then(|rest| rest.split('"').next().map(str::to_owned));
    let style = format!("/assets/{}", style.expect("a style sheet"));
    let kept = desk.call(get("eu.localhost:8080", &style)).await;
    assert_eq!(kept.header("cache-control"), Some("public, max-age=31536000, immutable"));
    let other = desk.call(get("eu.localhost:8080", "/assets/domicile.css?v=0")).await;
    assert_eq!(other.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(desk.call(get("eu.localhost:8080", "/assets/nothing.css")).await.status, 404);
    Ok(())
}
