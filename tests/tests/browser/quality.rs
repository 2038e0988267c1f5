//! What holds for every page: WCAG 2.2 AA as far as axe sees it, in both themes and at three widths; nothing wider than the screen; nothing
//! from another origin; small enough.

use std::{fs, path::Path};

use anyhow::Context;
use serde_json::Value;
use system_tests::{Browser, Deployment, Theme, others};

use super::walk::{ask, sign_in, sign_in_operator};

/// The most that a page and whatever it loads weigh, in bytes.
const WEIGHT_MAX: u64 = 100 * 1024;

/// Pages that everybody may see, by site and path.
fn public(slug: &str) -> Vec<(String, String)> {
    let pages = [
        ("", "/"),
        ("eu", "/"),
        ("eu", "/signup"),
        ("eu", "/nowhere"),
        ("eu", "/ops/signin"),
        ("", "/trust"),
        (slug, "/"),
        (slug, "/signin"),
        (slug, "/residency"),
    ];
    pages.map(|(site, path)| (site.to_owned(), path.to_owned())).to_vec()
}

/// Pages of somebody who signed in.
fn personal(slug: &str) -> Vec<(String, String)> {
    let pages = [
        "/requests",
        "/requests/new",
        "/requests/1",
        "/account/data",
        "/account/security",
        "/agent",
        "/agent/tickets/new",
        "/agent/tickets/1",
        "/agent/tickets/1/history",
        "/agent/search?q=printer",
        "/agent/users/1",
        "/agent/admin",
        "/agent/admin/people",
        "/agent/admin/people/new",
        "/agent/admin/people/1",
        "/agent/admin/groups",
        "/agent/admin/groups/new",
        "/agent/admin/tokens",
        "/agent/admin/tokens/new",
    ];
    pages.map(|path| (slug.to_owned(), path.to_owned())).to_vec()
}

/// Pages of whoever runs a region.
fn of_operators() -> Vec<(String, String)> {
    ["/ops", "/ops/tenants", "/ops/backups"].map(|path| ("eu".to_owned(), path.to_owned())).to_vec()
}

/// What axe finds wrong, a line for each place.
async fn violations(browser: &Browser, axe: &str) -> anyhow::Result<Vec<String>> {
    browser.run(axe).await?;
    let found = browser
        .run_async(
            "const done = arguments[arguments.length - 1];
             axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(
               found => done(found.violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.html}`))));",
        )
        .await?;
    let found = found.as_array().context("a list")?.iter();
    Ok(found.map(|line| line.as_str().unwrap_or_default().to_owned()).collect())
}

/// What the page does that no page may.
async fn faults(browser: &Browser) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    let (wide, room) = (
        browser.run("return document.documentElement.scrollWidth").await?,
        browser.run("return document.documentElement.clientWidth").await?,
    );
    if wide.as_u64() > room.as_u64() {
        faults.push(format!("it is {wide} wide in a window of {room}"));
    }
    let loaded = browser
        .run(
            "return performance.getEntriesByType('resource').map(one => [one.name, one.transferSize]).concat(
                performance.getEntriesByType('navigation').map(one => [one.name, one.transferSize]))",
        )
        .await?;
    let origin = browser.run("return location.origin").await?;
    let mut weight = 0;
    for one in loaded.as_array().context("a list")? {
        weight += one[1].as_u64().unwrap_or_default();
        if !one[0].as_str().is_some_and(|name| name.starts_with(origin.as_str().unwrap_or("?"))) {
            faults.push(format!("it loads {}", one[0]));
        }
    }
    if weight > WEIGHT_MAX {
        faults.push(format!("it weighs {weight} bytes"));
    }
    Ok(faults)
}

/// Keeps a picture of the page in the folder that `DOMICILE_PICTURES` names, if it names one.
async fn keep(browser: &Browser, site: &str, path: &str, width: u32) -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os("DOMICILE_PICTURES") else { return Ok(()) };
    let name = format!("{site}{path}").replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    browser.picture(&Path::new(&folder).join(format!("{name}-{width}.png"))).await
}

async fn check(browser: &Browser, axe: &Path, pages: &[(String, String)]) -> anyhow::Result<Vec<String>> {
    let axe = fs::read_to_string(axe.join("axe-core/axe.min.js"))?;
    let mut found = Vec::new();
    for (site, path) in pages {
        for (width, theme) in [(320, Theme::Light), (768, Theme::Dark), (1280, Theme::Light)] {
            browser.look(width, theme).await?;
            browser.open(site, path).await?;
            let mut of_page = violations(browser, &axe).await?;
            of_page.extend(faults(browser).await?);
            keep(browser, site, path, width).await?;
            found.extend(of_page.into_iter().map(|fault| format!("{site}{path} at {width}, {theme:?}: {fault}")));
        }
    }
    Ok(found)
}

#[tokio::test]
async fn every_page_is_for_everybody_small_and_from_here_alone() -> anyhow::Result<()> {
    const TEST: &str = "every_page_is_for_everybody_small_and_from_here_alone";
    let Some(axe) = others::program(others::AXE, TEST).await? else { return Ok(()) };
    let deployment = Deployment::shared().await?;
    let Some(browser) = Browser::start(deployment, TEST).await? else { return Ok(()) };
    let tenant = deployment.signup("eu", "pages-of-all").await?;
    let mut found = check(&browser, &axe, &public(&tenant.slug)).await?;
    sign_in(&browser, &tenant).await?;
    ask(&browser, &tenant.slug, "Printer", "It burns").await?;
    found.extend(check(&browser, &axe, &personal(&tenant.slug)).await?);
    sign_in_operator(&browser, deployment, "Grace").await?;
    found.extend(check(&browser, &axe, &of_operators()).await?);
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

/// The checks find what is wrong: a page that breaks each of them is caught by each.
#[tokio::test]
async fn a_page_that_is_none_of_that_is_caught() -> anyhow::Result<()> {
    const TEST: &str = "a_page_that_is_none_of_that_is_caught";
    let Some(axe) = others::program(others::AXE, TEST).await? else { return Ok(()) };
    let deployment = Deployment::shared().await?;
    let Some(browser) = Browser::start(deployment, TEST).await? else { return Ok(()) };
    browser.open("", "/").await?;
    let spoilt = "document.body.appendChild(document.createElement('input'));
                  document.body.style.minWidth = '4000px';
                  document.body.appendChild(new Image()).src = '/';
                  performance.getEntriesByType = () => [{name: 'https://elsewhere.example/x.js', transferSize: 200000}];";
    browser.run(spoilt).await?;
    let axe = fs::read_to_string(axe.join("axe-core/axe.min.js"))?;
    let seen = violations(&browser, &axe).await?;
    assert!(seen.iter().any(|line| line.starts_with("label: ")), "{seen:?}");
    let seen = faults(&browser).await?;
    for part in ["wide in a window", "it loads", "it weighs"] {
        assert!(seen.iter().any(|fault| fault.contains(part)), "{part}: {seen:?}");
    }
    let missing = browser.run("return document.querySelector('nothing')").await?;
    assert_eq!(missing, Value::Null);
    Ok(())
}
