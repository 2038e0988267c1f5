use std::collections::BTreeSet;

use axum::http::header;
use schemas::TenantLogEvent;

use super::{PARTS, host_of_others};
use crate::{
    pages::{cookies, frame::Frame, words::Language},
    testing::{TestDesk, get},
};

#[test]
fn every_event_there_is_belongs_to_one_part() {
    let shown: Vec<&str> =
        PARTS.iter().flat_map(|(_, events)| events.iter().copied().flatten()).map(|event| event.name).collect();
    let all: Vec<&str> = TenantLogEvent::catalogue().map(|event| event.name).collect();
    assert_eq!(shown.len(), all.len());
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), all.into_iter().collect());
}

#[test]
fn only_a_store_of_others_is_named() {
    for (url, expected) in [
        ("https://s3.eu-central-1.amazonaws.com", Some("s3.eu-central-1.amazonaws.com")),
        ("https://objects.example.com:9000/path", Some("objects.example.com")),
        ("http://127.0.0.1:9000", None),
        ("http://localhost:9000", None),
    ] {
        assert_eq!(host_of_others(url).as_deref(), expected, "{url}");
    }
}

#[tokio::test]
async fn the_page_says_what_this_process_runs_under_on_every_host() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let policy = desk.desk.regions.policy();
    for host in ["localhost:8080", "eu.localhost:8080", &acme.host] {
        let answer = desk.call(get(host, "/trust")).await;
        assert_eq!(answer.status, 200, "{host}");
        let page = answer.text();
        for rule in policy.egress() {
            assert!(page.contains(&rule.reason.replace('\'', "&#39;")), "{}", rule.reason);
        }
        assert_eq!(page.matches("<td>No</td>").count(), policy.egress().iter().filter(|rule| !rule.allowed).count());
        for region in desk.desk.regions.iter() {
            assert!(page.contains(&format!("<code>{}</code>", region.cloud_region)), "{}", region.id);
        }
        for cookie in cookies::ALL {
            assert!(page.contains(&format!("<code>{}</code>", cookie.name)), "{}", cookie.name);
        }
        assert!(page.contains(&format!("after {} days", policy.deletion().promise_days)), "{page}");
    }
    Ok(())
}

#[tokio::test]
async fn incidents_are_told_as_the_region_files_tell_them() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let none = desk.call(get("localhost:8080", "/trust")).await.text();
    assert!(none.contains("None recorded."), "the repository's files have none");
    let frame = Frame::without_script(&axum::http::Request::new(()).into_parts().0);
    let mut region = desk.desk.region.clone();
    let moment = |text: &str| text.parse::<jiff::Timestamp>();
    region.incidents = vec![
        regions::Incident { began: moment("2026-02-01T08:00:00Z")?, ended: None, what: "Slower".to_owned() },
        regions::Incident {
            began: moment("2026-01-01T08:00:00Z")?,
            ended: Some(moment("2026-01-01T09:30:00Z")?),
            what: "Slow".to_owned(),
        },
    ];
    let told = super::incidents(&frame.words, &region);
    let spans: Vec<&str> = told.iter().map(|incident| incident.span.as_str()).collect();
    assert_eq!(spans, ["since 1 Feb 2026, 08:00, not over yet", "1 Jan 2026, 08:00 – 1 Jan 2026, 09:30"]);
    assert!(told.iter().all(|incident| incident.region == "European Union"));
    Ok(())
}

#[tokio::test]
async fn whatever_cookie_a_page_sets_is_on_the_list() -> anyhow::Result<()> {
    let desk = TestDesk::with_directory().await?;
    let acme = desk.tenant("acme").await?;
    let mut set = BTreeSet::new();
    for host in ["localhost:8080", "eu.localhost:8080", &acme.host] {
        for path in ["/", "/trust", "/signup", "/residency", "/nothing", "/language/de", "/language/ja?to=/trust"] {
            let answer = desk.call(get(host, path)).await;
            let cookies = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
            set.extend(cookies.filter_map(|cookie| Some(cookie.split_once('=')?.0.to_owned())));
        }
    }
    assert!(!set.is_empty(), "the choice of a language is kept");
    let listed: BTreeSet<String> = cookies::ALL.iter().map(|cookie| cookie.name.to_owned()).collect();
    assert!(set.is_subset(&listed), "{set:?}");
    Ok(())
}

/// The addresses that a browser loads or sends to by itself, without anybody following a link.
fn loaded(page: &str) -> Vec<&str> {
    let mut loaded = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        if name == "a" {
            continue;
        }
        for attribute in ["src=\"", "href=\"", "action=\"", "data=\"", "srcset=\"", "poster=\"", "formaction=\""] {
            loaded.extend(tag.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
        }
    }
    loaded
}

/// The tags and attributes of a page, without what it says.
fn structure(page: &str) -> Vec<String> {
    let tags = page.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    let names = tags.map(|tag| tag.split([' ', '\n']).next().unwrap_or_default().to_owned());
    names.collect()
}

#[tokio::test]
async fn no_page_loads_anything_from_elsewhere_and_all_languages_have_one_structure() -> anyhow::Result<()> {
    const MOST: usize = 100_000;
    let desk = TestDesk::with_directory().await?;
    let acme = desk.tenant("acme").await?;
    let (apex, region, tenant) = ("localhost:8080", "eu.localhost:8080", acme.host.as_str());
    for (host, path) in [
        (apex, "/"),
        (apex, "/trust"),
        (region, "/"),
        (region, "/signup"),
        (tenant, "/"),
        (tenant, "/residency"),
        (tenant, "/nothing"),
    ] {
        let mut english = None;
        for language in Language::ALL {
            let mut request = get(host, path);
            request.headers_mut().insert(header::ACCEPT_LANGUAGE, language.code().parse()?);
            let page = desk.call(request).await.text();
            assert!(page.contains(&format!("<html lang=\"{}\">", language.code())), "{host}{path}");
            for address in loaded(&page) {
                let is_ours = address == "data:," || (address.starts_with('/') && !address.starts_with("//"));
                assert!(is_ours, "{host}{path}: {address}");
            }
            let weight = page.len() + desk.call(get(host, "/assets/domicile.css")).await.body.len();
            assert!(weight < MOST, "{host}{path}: {weight}");
            let structure = structure(&page);
            assert_eq!(&structure, english.get_or_insert_with(|| structure.clone()), "{host}{path} {language:?}");
        }
    }
    Ok(())
}

#[test]
fn an_address_elsewhere_would_be_found() {
    let page = "<a href=\"https://else.example\"><img src=\"//else.example/x\"><link rel=\"icon\" href=\"data:,\">";
    assert_eq!(loaded(page), ["//else.example/x", "data:,"]);
}
