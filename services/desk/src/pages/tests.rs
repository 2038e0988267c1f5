use std::sync::LazyLock;

use axum::http::Request;

use super::{Choice, Input, ProblemPage, SignupPage, WelcomePage, frame::Frame, shell_word};
use crate::testing::{TestDesk, get};

static FRAME: LazyLock<Frame> = LazyLock::new(|| {
    let (parts, ()) = Request::new(()).into_parts();
    Frame::without_script(&parts)
});

fn input(value: &str, error: Option<&str>) -> Input {
    Input { value: value.to_owned(), error: error.map(str::to_owned) }
}

fn signup(email: Input, has_every_plan: bool) -> SignupPage<'static> {
    SignupPage {
        frame: &FRAME,
        region: "eu".to_owned(),
        region_name: "Europe".to_owned(),
        jurisdiction: "EEA".to_owned(),
        address_end: ".localhost:8080".to_owned(),
        has_every_plan,
        default_signup: "http://us.localhost:8080/signup".to_owned(),
        apex: "http://localhost:8080/".to_owned(),
        plans: vec![Choice { value: "professional", is_chosen: true }],
        plan_error: None,
        subdomain: input("acme", None),
        taken_desk: None,
        company: input("", None),
        name: input("", None),
        email,
        password: input("", None),
    }
}

fn rendered(page: &impl askama::Template) -> String {
    page.render().expect("a page")
}

#[test]
fn every_field_of_the_form_has_a_label() {
    let page = rendered(&signup(input("", None), false));
    for id in ["subdomain", "company", "plan", "name", "email", "password"] {
        assert!(page.contains(&format!("<label for=\"{id}\">")), "{id}");
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(page.contains("http://us.localhost:8080/signup"), "small plans are shown the way");
    assert!(!page.contains("<script") && !page.contains("aria-invalid"));
}

#[test]
fn a_wrong_field_is_marked_and_listed_at_the_top() {
    let page = rendered(&signup(input("x", Some("Takes an address")), true));
    assert!(page.contains(r##"<a href="#email">E-mail: Takes an address</a>"##), "{page}");
    assert!(page.contains(r#"id="email-error">Takes an address"#));
    assert_eq!(page.matches("aria-invalid=\"true\"").count(), 1);
}

#[test]
fn what_people_typed_is_escaped() {
    let page = rendered(&signup(input("\"><script>alert(1)</script>", None), true));
    assert!(!page.contains("<script>"));
}

#[test]
fn the_welcome_page_holds_the_token_and_says_when_it_takes_a_moment() {
    let page = |is_pending| {
        let url = "http://acme.localhost:8080".to_owned();
        rendered(&WelcomePage {
            frame: &FRAME,
            url,
            region: "Europe".to_owned(),
            ticket: None,
            curl_user: shell_word("o'brien@example.com/token:dom_x"),
            api_token: "dom_x",
            is_pending,
        })
    };
    assert!(page(false).contains("dom_x") && !page(false).contains("another moment"));
    assert!(page(true).contains("another moment"));
    assert_eq!(shell_word("o'brien@example.com"), r"'o'\''brien@example.com'");
}

#[test]
fn a_problem_says_where_to_go_or_which_number_to_tell_us() {
    let page = |url, request_id| {
        rendered(&ProblemPage {
            frame: &FRAME,
            status: 421,
            title: "Not at home here".to_owned(),
            detail: "Elsewhere".to_owned(),
            url,
            request_id,
        })
    };
    assert!(page(Some("http://us.localhost"), None).contains("href=\"http://us.localhost\""));
    assert!(page(None, Some("0192")).contains("<code>0192</code>"));
}

#[tokio::test]
async fn the_pages_of_every_host_are_served_with_their_style() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let hosts = [
        ("localhost:8080", "http://jp.localhost:8080/signup"),
        ("eu.localhost:8080", "/signup"),
        (acme.host.as_str(), "http://acme.localhost:8080/api/v2/tickets"),
    ];
    for (host, expected) in hosts {
        let answer = desk.call(get(host, "/")).await;
        assert_eq!(answer.status, 200, "{host}");
        assert!(answer.text().contains(expected), "{host}: {}", answer.text());
        assert!(answer.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
        let style = desk.call(get(host, "/assets/domicile.css")).await;
        assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"), "{host}");
    }
    let form = desk.call(get("eu.localhost:8080", "/signup")).await;
    assert!(form.text().contains(".localhost:8080</span>"), "{}", form.text());
    assert_eq!(desk.call(get("localhost:8080", "/signup")).await.status, 303);
    assert!(!desk.call(get(&acme.host, "/")).await.text().contains("GmbH"), "the company's name is nobody's business");
    Ok(())
}
