//! Walks through the pages: what people do, as they do it.

use system_tests::{Browser, CONTROL_ENTER, Deployment, Tenant};

/// Signs in as the tenant's first admin.
pub(crate) async fn sign_in(browser: &Browser, tenant: &Tenant) -> anyhow::Result<()> {
    sign_in_as(browser, &tenant.slug, &format!("grace@{}.example", tenant.slug)).await
}

async fn sign_in_as(browser: &Browser, slug: &str, email: &str) -> anyhow::Result<()> {
    browser.open(slug, "/signin").await?;
    browser.fill("input[name=email]", email).await?;
    browser.fill("input[name=password]", "correct horse battery").await?;
    browser.click("main form button[type=submit]").await?;
    browser.arrives("/agent").await
}

/// Asks something in the help centre.
pub(crate) async fn ask(browser: &Browser, slug: &str, subject: &str, body: &str) -> anyhow::Result<()> {
    browser.open(slug, "/requests/new").await?;
    browser.fill("#subject", subject).await?;
    browser.fill("#body", body).await?;
    browser.click("main form button[type=submit]").await?;
    browser.find(".thread").await?;
    Ok(())
}

/// In every locality: from the choice of the region to the first request.
#[tokio::test]
async fn somebody_signs_up_in_each_locality_signs_in_and_asks() -> anyhow::Result<()> {
    const TEST: &str = "somebody_signs_up_in_each_locality_signs_in_and_asks";
    let deployment = Deployment::shared().await?;
    let Some(browser) = Browser::start(deployment, TEST).await? else { return Ok(()) };
    for region in ["us", "eu", "au", "jp"] {
        let slug = format!("walker-{region}");
        browser.open("", "/").await?;
        browser.click(&format!("a[href*='//{region}.localhost'][href$='/signup']")).await?;
        browser.fill("#subdomain", &slug).await?;
        browser.fill("#company", "Walker").await?;
        browser.click("#plan option[value=professional]").await?;
        browser.fill("#name", "Grace Hopper").await?;
        browser.fill("#email", "grace@walker.example").await?;
        browser.fill("#password", "correct horse battery").await?;
        browser.click("main form button[type=submit]").await?;
        let welcome = browser.text().await?;
        assert!(welcome.contains(&format!("{slug}.localhost")), "{welcome}");
        sign_in_as(&browser, &slug, "grace@walker.example").await?;
        ask(&browser, &slug, "Printer on fire", "It burns.").await?;
        let request = browser.text().await?;
        assert!(request.contains("Printer on fire") && request.contains("It burns."), "{request}");
    }
    Ok(())
}

/// What somebody asks is answered by an agent with the keyboard alone, and read in the history.
#[tokio::test]
async fn an_agent_answers_by_keyboard_alone_and_looks_back() -> anyhow::Result<()> {
    const TEST: &str = "an_agent_answers_by_keyboard_alone_and_looks_back";
    let deployment = Deployment::shared().await?;
    let Some(browser) = Browser::start(deployment, TEST).await? else { return Ok(()) };
    let tenant = deployment.signup("eu", "keyboard").await?;
    let ticket = tenant.ticket("Printer on fire", "It burns.").await?;
    sign_in(&browser, &tenant).await?;
    browser.open(&tenant.slug, &format!("/agent/tickets/{ticket}")).await?;
    browser.press("r").await?;
    browser.press("Pull the plug").await?;
    browser.press(CONTROL_ENTER).await?;
    browser.shows("Pull the plug").await?;
    let comments = tenant.client.get(&format!("/api/v2/tickets/{ticket}/comments")).await?.expect(200)?;
    assert_eq!(comments.body["comments"][1]["plain_body"], "Pull the plug");
    browser.open(&tenant.slug, &format!("/agent/tickets/{ticket}/history")).await?;
    let history = browser.text().await?;
    assert!(history.contains("Printer on fire"), "{history}");
    Ok(())
}
