//! What is asked of the door and not given, and what keeps nobody signed in.

use axum::{body::Body, http::header};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::person;
use jiff::SignedDuration;

use super::{Browser, log_only, phc, with_passwords};
use crate::api::testing::{ADA, ALAN, GRACE};

#[tokio::test]
async fn nobody_signs_in_with_what_was_good_before_where_the_read_models_are_behind() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN, ADA]).await?;
    let held = bench.hold_projector().await?;
    log_only(&bench, ADA, person::Command::Suspend(true)).await?;
    log_only(&bench, ALAN, person::SetPassword { phc: phc("another horse")?.into() }.into()).await?;
    let (mut alan, mut ada) = (Browser::default(), Browser::default());
    for (browser, who) in [(&mut alan, ALAN), (&mut ada, ADA)] {
        let answer = browser.sign_in(&bench, who, "").await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (401, None), "{}", answer.text());
    }
    drop(held);
    bench.settle(&bench.acme).await?;
    assert_eq!(alan.sign_in(&bench, ALAN, "").await.status, 401);
    let sessions = bench.get(GRACE, "/api/v2/sessions").await.body;
    assert_eq!(sessions["count"], 0, "{sessions}");
    Ok(())
}

#[tokio::test]
async fn nothing_is_read_for_a_cookie_that_anybody_can_make() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    let mut browser = Browser::default();
    browser.sign_in(&bench, ALAN, "").await;
    bench.test.region.clock.advance(SignedDuration::from_hours(9));
    for cookie in ["domicile_session=made.1700000000.up", &browser.cookie] {
        let ends = std::io::Error::other("it was read");
        let body = Body::from_stream(futures::stream::once(async { Err::<Vec<u8>, _>(ends) }));
        let request = Browser { cookie: cookie.to_owned() }.request("POST", "/signout");
        let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=x").body(body)?;
        assert_eq!(bench.test.call(request).await.status, 303, "{cookie}");
    }
    Ok(())
}

#[tokio::test]
async fn a_page_that_asks_by_itself_keeps_nobody_signed_in() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    let mut browser = Browser::default();
    browser.sign_in(&bench, ALAN, "").await;
    bench.test.region.clock.advance(SignedDuration::from_hours(4));
    for (name, value) in [("sec-fetch-dest", "empty"), ("accept", "text/event-stream")] {
        let request = browser.request("GET", "/api/v2/users/me").header(name, value).body(Body::empty())?;
        let answer = browser.send(&bench, request).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (200, None), "{name}");
    }
    let request = browser.request("GET", "/api/v2/users/me").header("sec-fetch-dest", "document").body(Body::empty())?;
    assert!(browser.send(&bench, request).await.header("set-cookie").is_some(), "somebody came");
    Ok(())
}

#[tokio::test]
async fn an_address_that_nobody_can_have_is_one_that_nobody_has() -> anyhow::Result<()> {
    let bench = with_passwords(&[ALAN]).await?;
    for email in ["%00", "alan%00@acme.example", &format!("{}@acme.example", "a".repeat(300))] {
        let fields = format!("email={email}&password=wrong");
        assert_eq!(Browser::default().form(&bench, "/signin", &fields).await.status, 401, "{email}");
    }
    for credentials in ["\0:wrong", "\0/token:wrong"] {
        let basic = format!("Basic {}", STANDARD.encode(credentials));
        let request = Browser::default().request("GET", "/api/v2/users/me").header(header::AUTHORIZATION, basic);
        assert_eq!(bench.test.call(request.body(Body::empty())?).await.status, 401, "{credentials:?}");
    }
    Ok(())
}

#[tokio::test]
async fn who_signs_in_uses_up_the_allowance_and_who_cannot_be_signed_out_is_told_so() -> anyhow::Result<()> {
    let mut bench = with_passwords(&[ALAN]).await?;
    let desk = bench.test.another_with(crate::limits::RateLimits::Policy).await?;
    bench.test.app = crate::app(desk);
    let mut browser = Browser::default();
    let answer = browser.sign_in(&bench, ALAN, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("x-rate-limit-remaining")), (303, Some("399")));
    while browser.me(&bench).await.0 == 200 {}
    let mut second = Browser::default();
    let answer = second.sign_in(&bench, ALAN, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (429, None));
    let answer = browser.form(&bench, "/signout", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (429, None), "the session is still there");
    Ok(())
}
