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

/// Signs in as an operator of the region, who is made known by the command line.
pub(crate) async fn sign_in_operator(browser: &Browser, deployment: &Deployment, name: &str) -> anyhow::Result<()> {
    let key = deployment.cli(&["operator", "add", "--region", "eu", "--name", name]).await?.expect(0)?.stdout;
    browser.open("eu", "/ops/signin").await?;
    browser.fill("#key", key.trim()).await?;
    browser.click("main form button[type=submit]").await?;
    browser.arrives("/ops").await
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
        browser.shows(&format!("{slug}.localhost")).await?;
        sign_in_as(&browser, &slug, "grace@walker.example").await?;
        ask(&browser, &slug, "Printer on fire", "It burns.").await?;
        browser.shows("Printer on fire").await?;
        browser.shows("It burns.").await?;
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

/// Whoever runs a region makes a backup in its console, and has it verified.
#[tokio::test]
async fn an_operator_makes_a_backup_and_verifies_it() -> anyhow::Result<()> {
    const TEST: &str = "an_operator_makes_a_backup_and_verifies_it";
    let deployment = Deployment::shared().await?;
    let Some(browser) = Browser::start(deployment, TEST).await? else { return Ok(()) };
    let tenant = deployment.signup("eu", "backed-up").await?;
    tenant.ticket("Printer on fire", "It burns.").await?;
    sign_in_operator(&browser, deployment, "Ada").await?;
    browser.open("eu", "/ops/backups").await?;
    browser.click("#create").await?;
    browser.click("form[action$='/verification'] button").await?;
    browser.shows("Verified: everything this backup names is there and opens.").await?;
    let backup = browser.path().await?.rsplit('/').next().unwrap_or_default().to_owned();
    let listed = deployment.cli(&["backup", "list", "--region", "eu", "--format", "json"]).await?.expect(0)?;
    assert!(listed.stdout.contains(&backup), "{backup}: {}", listed.stdout);
    browser.open("eu", "/ops").await?;
    let overview = browser.text().await?;
    assert!(!overview.contains("Printer"), "{overview}");
    Ok(())
}
