use axum::http::header;
use schemas::values::Plan;

use crate::{
    pages::words::Language,
    testing::{TestDesk, get},
};

async fn landing(desk: &TestDesk, language: Language) -> anyhow::Result<String> {
    let mut request = get("localhost:8080", "/");
    request.headers_mut().insert(header::ACCEPT_LANGUAGE, language.code().parse()?);
    let answer = desk.call(request).await;
    assert_eq!(answer.status, 200);
    Ok(answer.text())
}

#[tokio::test]
async fn every_region_is_on_the_map_and_in_the_list_with_its_facts() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let page = landing(&desk, Language::German).await?;
    for region in desk.desk.regions.iter() {
        let (pin, card) = (format!("href=\"#at-{}\"", region.id), format!("id=\"at-{}\"", region.id));
        assert!(page.contains(&pin) && page.contains(&card), "{}", region.id);
        assert!(page.contains(&format!("<code>{}</code>", region.cloud_region)), "{}", region.id);
        assert!(page.contains(&format!("href=\"http://{}.localhost:8080/signup\"", region.id)), "{}", region.id);
    }
    for fact in ["Europäischer Wirtschaftsraum", "alle 24 Std.", "30 Tage lang weder geändert noch gelöscht"] {
        assert!(page.contains(fact), "{fact}: {page}");
    }
    Ok(())
}

#[tokio::test]
async fn what_may_leave_and_what_plans_are_entitled_to_is_what_the_policy_says() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let policy = desk.desk.regions.policy();
    let page = landing(&desk, Language::English).await?;
    for rule in policy.egress() {
        let others_allow = policy.egress().iter().any(|other| other.allowed && other.reason == rule.reason);
        // Templates write an apostrophe as a reference.
        let is_said = page.contains(&rule.reason.replace('\'', "&#39;"));
        assert_eq!(is_said, others_allow, "{} to {}: {}", rule.class, rule.destination, rule.reason);
    }
    assert!(page.contains(&format!("version {} of the hosting policy", policy.version())), "{page}");
    for plan in Plan::ALL {
        let row = page.split(&format!("<th scope=\"row\" class=\"plan\">{plan}</th>")).nth(1).expect("a row");
        let row = row.split("</tr>").next().unwrap_or_default();
        assert_eq!(row.contains("that place is promised"), policy.is_entitled(*plan), "{plan}: {row}");
        let requests = policy.rate_limits().requests_per_minute(*plan).expect("a limit");
        assert!(row.contains(&format!("<td>{requests}</td>")), "{plan}: {row}");
    }
    Ok(())
}

#[tokio::test]
async fn the_first_page_with_all_it_loads_weighs_less_than_100_kilobytes() -> anyhow::Result<()> {
    const MOST: usize = 100_000;
    let desk = TestDesk::new().await?;
    for language in Language::ALL {
        let page = landing(&desk, language).await?;
        let mut weight = page.len();
        for address in page.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let asset = desk.call(get("localhost:8080", &format!("/assets/{address}"))).await;
            assert_eq!(asset.status, 200, "{address}");
            weight += asset.body.len();
        }
        assert!(weight < MOST, "{language:?}: {weight} bytes");
    }
    Ok(())
}
