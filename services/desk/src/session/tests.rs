mod refused;

use argon2::{Argon2, password_hash::PasswordHasher};
use axum::{
    body::Body,
    http::{Request, header, request::Builder},
};
use domain::person::{self, Person};
use jiff::SignedDuration;
use schemas::{PersonId, StreamName};
use serde_json::json;
use tower::ServiceExt;

use crate::{
    api::testing::{ADA, ALAN, Bench, GRACE, Who, email},
    caller::provenance::Provenance,
    execute::{Issuer, execute},
    testing::Answer,
};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody's browser.
#[derive(Default, Clone)]
pub(crate) struct Browser {
    pub(crate) cookie: String,
}

impl Browser {
    fn request(&self, method: &str, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "acme.localhost:8080");
        if self.cookie.is_empty() { request } else { request.header(header::COOKIE, &self.cookie) }
    }

    pub(crate) async fn send(&mut self, bench: &Bench, request: Request<Body>) -> Answer {
        let answer = bench.test.call(request).await;
        if let Some(set) = answer.header("set-cookie") {
            set.split(';').next().expect("a pair").clone_into(&mut self.cookie);
        }
        answer
    }

    pub(crate) async fn get(&mut self, bench: &Bench, path: &str) -> Answer {
        let request = self.request("GET", path).body(Body::empty()).expect("a request");
        self.send(bench, request).await
    }

    /// Sends a form as a page of ours does.
    pub(crate) async fn form(&mut self, bench: &Bench, path: &str, fields: &str) -> Answer {
        let fields = format!("csrf={}&{fields}", self.csrf());
        let request = self.request("POST", path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin").body(Body::from(fields)).expect("a request");
        self.send(bench, request).await
    }

    pub(crate) async fn sign_in(&mut self, bench: &Bench, who: Who, return_to: &str) -> Answer {
        let fields = format!("email={}&password=correct+horse+battery&return_to={return_to}", email("acme", who));
        self.form(bench, "/signin", &fields).await
    }

    /// What a page shows.
    pub(crate) fn csrf(&self) -> String {
        let (parts, _) = self.request("GET", "/").body(Body::empty()).expect("a request").into_parts();
        crate::pages::frame::Frame::without_script(&parts).csrf
    }

    async fn me(&mut self, bench: &Bench) -> (u16, i64) {
        let answer = self.get(bench, "/api/v2/users/me").await;
        let id = if answer.status == 200 { answer.json()["user"]["id"].as_i64().unwrap_or_default() } else { 0 };
        (answer.status.as_u16(), id)
    }
}

/// Gives people a password.
pub(crate) async fn with_passwords(people: &[Who]) -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    for who in people {
        set_password(&bench, *who, PASSWORD).await?;
    }
    bench.settle(&bench.acme).await?;
    Ok(bench)
}

async fn command(bench: &Bench, who: Who, command: person::Command) -> anyhow::Result<()> {
    log_only(bench, who, command).await?;
    bench.settle(&bench.acme).await
}

/// The same without waiting until it can be read.
async fn log_only(bench: &Bench, who: Who, command: person::Command) -> anyhow::Result<()> {
    let by = Issuer::system(&bench.test.desk, &bench.acme, Provenance::system());
    let stream = StreamName::Person(PersonId::new(who.id));
    let done = execute::<Person>(&bench.test.desk, &by, stream, None, &command).await;
    done.map_err(|refusal| anyhow::anyhow!("{:?}", crate::problem::ApiError::from(refusal)))?;
    Ok(())
}

async fn set_password(bench: &Bench, who: Who, password: &str) -> anyhow::Result<()> {
    command(bench, who, person::SetPassword { phc: phc(password)?.into() }.into()).await
}

fn phc(password: &str) -> anyhow::Result<String> {
    let phc: argon2::PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &[7; 16])
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(phc.to_string())
}

#[tokio::test]
async fn whoever_signs_in_is_known_until_they_sign_out() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN, ADA]).await?;
    let mut browser = Browser::default();
    let page = browser.get(&bench, "/signin?return_to=/agent/tickets/1").await;
    assert!(page.text().contains("name=\"return_to\" value=\"/agent/tickets/1\""), "{}", page.text());
    let answer = browser.sign_in(&bench, ALAN, "/agent/tickets/1").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some("/agent/tickets/1")));
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    assert_eq!(browser.me(&bench).await, (200, ALAN.id));
    assert_eq!(browser.get(&bench, "/signin").await.header("location"), Some("/agent"), "who is signed in goes on");

    let copy = browser.clone();
    let answer = browser.form(&bench, "/signout", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some("/signin")));
    assert_eq!(browser.me(&bench).await.0, 401);
    assert_eq!(copy.clone().me(&bench).await.0, 401, "a copy of the cookie is worth nothing any more");
    assert!(!bench.holds(copy.cookie.split(['=', '.']).nth(1).expect("a secret")).await?, "only its hash is kept");

    let logs = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=session").await.body;
    assert_eq!(logs["audit_logs"][0]["action"], "destroy");
    assert_eq!(logs["audit_logs"][0]["means"], "session");
    crate::access::flush(&bench).await;
    let read = bench.get(GRACE, "/api/v2/access_logs").await.body;
    assert_eq!(read["access_logs"][0]["authorization_type"], "session", "{read}");
    let answer = browser.sign_in(&bench, ADA, "").await;
    assert_eq!(answer.header("location"), Some("/requests"), "end users go to their own tickets");
    Ok(())
}

#[tokio::test]
async fn nobody_finds_out_by_signing_in_who_has_an_account() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN, ADA]).await?;
    command(&bench, ADA, person::Command::Suspend(true)).await?;
    let mut answers = Vec::new();
    for (email, password) in [
        ("alan@acme.example", "wrong"),
        ("nobody@acme.example", "correct+horse+battery"),
        ("ada@acme.example", "correct+horse+battery"),
        // She has no password.
        ("grace@acme.example", "correct+horse+battery"),
    ] {
        let fields = format!("email={email}&password={password}&return_to=/agent");
        let answer = Browser::default().form(&bench, "/signin", &fields).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (401, None), "{email}");
        assert!(answer.text().contains(&format!("value=\"{email}\"")), "what was typed stays");
        assert!(!answer.text().contains("horse"), "but for the password");
        let nonce = answer.text().split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next().map(str::to_owned));
        answers.push(answer.text().replace(email, "").replace(&nonce.expect("a nonce"), ""));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    Ok(())
}

#[tokio::test]
async fn whoever_guesses_too_often_is_told_on_the_page_how_long_to_wait() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    for _ in 0..10 {
        let answer = Browser::default().form(&bench, "/signin", "email=alan@acme.example&password=wrong").await;
        assert_eq!(answer.status, 401);
    }
    let answer = Browser::default().sign_in(&bench, ALAN, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some("300")));
    assert!(answer.text().contains("Try again in 6 minutes"), "{}", answer.text());
    crate::caller::sign_ins::tell(&bench.test.desk, true).await;
    bench.settle(&bench.acme).await?;
    let logs = bench.get(GRACE, "/api/v2/audit_logs?filter[action]=login_failed").await.body;
    assert_eq!(logs["audit_logs"][0]["change_description"], "attempts set to 10");
    assert_eq!(logs["audit_logs"][0]["means"], "page");
    Ok(())
}

#[tokio::test]
async fn another_site_makes_nobodys_browser_change_anything() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    let mut browser = Browser::default();
    browser.sign_in(&bench, ALAN, "").await;
    let token = browser.csrf();
    let ticket = json!({"ticket": {"subject": "Printer", "comment": {"body": "It smokes"}}}).to_string();
    let post = |headers: &[(&str, &str)]| {
        let request = browser.clone().request("POST", "/api/v2/tickets");
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(Body::from(ticket.clone())).expect("a request")
    };
    let here = "http://acme.localhost:8080";
    for (headers, expected) in [
        (vec![], 403),
        (vec![("x-csrf-token", "wrong")], 403),
        (vec![("x-csrf-token", token.as_str())], 201),
        (vec![("x-csrf-token", token.as_str()), ("origin", here), ("sec-fetch-site", "same-origin")], 201),
        (vec![("x-csrf-token", token.as_str()), ("origin", "http://globex.localhost:8080")], 403),
        (vec![("x-csrf-token", token.as_str()), ("origin", "null")], 403),
        (vec![("x-csrf-token", token.as_str()), ("sec-fetch-site", "same-site")], 403),
        (vec![("x-csrf-token", token.as_str()), ("sec-fetch-site", "cross-site")], 403),
    ] {
        let answer = bench.test.call(post(&headers)).await;
        assert_eq!(answer.status.as_u16(), expected, "{headers:?}: {}", answer.text());
    }
    let signed_in = browser.clone();
    let form = |fields: String| {
        let request = signed_in.request("POST", "/signout");
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(Body::from(fields)).expect("a request")
    };
    assert_eq!(bench.test.call(form("csrf=wrong".to_owned())).await.status, 403);
    assert_eq!(browser.me(&bench).await, (200, ALAN.id), "still signed in");
    assert_eq!(bench.test.call(form(format!("csrf={token}"))).await.status, 303);
    // Nobody signs a visitor in as somebody else from their own site.
    let mut foreign = Browser::default().request("POST", "/signin").header("sec-fetch-site", "cross-site");
    foreign = foreign.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let fields = "email=alan@acme.example&password=correct+horse+battery";
    assert_eq!(bench.test.call(foreign.body(Body::from(fields))?).await.status, 403);
    Ok(())
}

#[tokio::test]
async fn nobody_is_sent_to_another_site_after_signing_in() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    for elsewhere in ["//evil.example", "https://evil.example", "/%5Cevil.example", "%09//evil.example", "javascript:1"]
    {
        let answer = Browser::default().sign_in(&bench, ALAN, elsewhere).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some("/agent")), "{elsewhere}");
    }
    Ok(())
}

#[tokio::test]
async fn a_session_is_over_when_nobody_came_for_a_while_and_in_the_end_in_any_case() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    let mut idle = Browser::default();
    idle.sign_in(&bench, ALAN, "").await;
    let mut busy = Browser::default();
    busy.sign_in(&bench, ALAN, "").await;
    let four_hours = SignedDuration::from_hours(4);
    for _ in 0..2 {
        bench.test.region.clock.advance(four_hours);
        assert_eq!(busy.me(&bench).await, (200, ALAN.id));
    }
    assert_eq!(idle.me(&bench).await.0, 401);
    let now = bench.test.desk.clock.now().as_second().to_string();
    let (before, after) = (idle.cookie.split('.').next().expect("a part"), idle.cookie.split('.').nth(2));
    let mut forged = Browser { cookie: format!("{before}.{now}.{}", after.expect("a part")) };
    assert_eq!(forged.me(&bench).await.0, 401, "nobody makes their cookie younger");
    for _ in 2..14 * 6 {
        assert_eq!(busy.me(&bench).await, (200, ALAN.id));
        bench.test.region.clock.advance(four_hours);
    }
    assert_eq!(busy.me(&bench).await.0, 401, "two weeks are the most");
    Ok(())
}

#[tokio::test]
async fn a_new_password_or_a_suspension_ends_every_session_of_the_person() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN, ADA]).await?;
    let (mut alan, mut ada) = (Browser::default(), Browser::default());
    alan.sign_in(&bench, ALAN, "").await;
    ada.sign_in(&bench, ADA, "").await;
    set_password(&bench, ALAN, "another horse").await?;
    assert_eq!((alan.me(&bench).await.0, ada.me(&bench).await), (401, (200, ADA.id)));
    command(&bench, ADA, person::Command::Suspend(true)).await?;
    command(&bench, ADA, person::Command::Suspend(false)).await?;
    assert_eq!(ada.me(&bench).await.0, 401, "also when they may come in again");
    Ok(())
}

#[tokio::test]
async fn signing_in_makes_a_new_session_and_any_process_of_the_region_knows_it() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    let mut browser = Browser::default();
    browser.sign_in(&bench, ALAN, "").await;
    let mut first = browser.clone();
    browser.sign_in(&bench, ALAN, "").await;
    assert_ne!(first.cookie, browser.cookie);
    assert_eq!(first.me(&bench).await.0, 401, "the session the browser had is over");
    let another = crate::app(bench.test.another().await?);
    let request = browser.request("GET", "/api/v2/users/me").body(Body::empty())?;
    assert_eq!(another.oneshot(request).await?.status(), 200);
    // As if somebody put a cookie there before: it becomes nobody's session.
    let mut fixed = Browser { cookie: "domicile_session=fixed.0.fixed".to_owned() };
    let answer = fixed.sign_in(&bench, ALAN, "").await;
    assert!(answer.header("set-cookie").is_some_and(|cookie| !cookie.contains("fixed")));
    Ok(())
}

#[tokio::test]
async fn a_session_that_the_read_models_do_not_show_yet_is_waited_for() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    let held = bench.hold_projector().await?;
    let mut browser = Browser::default();
    assert_eq!(browser.sign_in(&bench, ALAN, "").await.status, 303);
    assert_eq!(browser.get(&bench, "/api/v2/users/me").await.status, 503, "nobody is told that it is wrong");
    drop(held);
    assert_eq!(browser.me(&bench).await, (200, ALAN.id));
    Ok(())
}

#[tokio::test]
async fn over_tls_the_cookie_is_this_hosts_alone() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    let mut request = Browser::default().request("POST", "/signin");
    request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let mut request = request.body(Body::from("email=alan@acme.example&password=correct+horse+battery"))?;
    request.extensions_mut().insert(crate::serve::Peer { address: None, tls: true });
    let answer = bench.test.call(request).await;
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Host-domicile_session=") && cookie.ends_with("; Secure"), "{cookie}");
    Ok(())
}
