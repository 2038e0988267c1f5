//! Chromium without a window, as people use it, driven through WebDriver. Names below `localhost` lead to this machine by themselves.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::Context;
use fantoccini::{Client, ClientBuilder, Locator, elements::Element, error::CmdError, wd::WebDriverCompatibleCommand};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::{Deployment, folder::Folder, others, process::Child, wait};

/// How long the driver may take to end its browser.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// How long a page may take to show what it should.
const PAGE_PATIENCE: Duration = Duration::from_secs(20);

/// The key Enter while Control is held, as WebDriver writes keys (WebDriver, 17.4.2).
pub const CONTROL_ENTER: &str = "\u{e009}\u{e007}";

/// What a person sees by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A browser with one window.
pub struct Browser {
    driver: Client,
    driver_port: u16,
    session: String,
    _process: Child,
    /// The port of the deployment whose pages it opens.
    port: u16,
    folder: Folder,
}

impl Browser {
    /// Starts one for the pages of a deployment. Nothing where this machine has no Chromium: the test is skipped under this name.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(deployment: &Deployment, test: &str) -> anyhow::Result<Option<Self>> {
        let Some(program) = others::program(others::CHROMEDRIVER, test).await? else { return Ok(None) };
        let folder = Folder::new()?;
        let output = folder.path().join("chromedriver.log");
        let mut command = Command::new(program);
        command.arg("--port=0");
        let process = Child::start(&command, &output, &output)?;
        let driver_port = wait::until("ChromeDriver says where it listens", async || listening(&output)).await?;
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        // As root there is no sandbox, and what is opened is ours alone.
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-US", &profile];
        let wanted = json!({"goog:chromeOptions": {"args": arguments}});
        let driver = ClientBuilder::new(HttpConnector::new())
            .capabilities(serde_json::from_value(wanted)?)
            .connect(&format!("http://127.0.0.1:{driver_port}"))
            .await?;
        let session = driver.session_id().await?.context("a session")?;
        let port = deployment.running()?.listen.port();
        Ok(Some(Self { driver, driver_port, session, _process: process, port, folder }))
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Opens a page of a site: `acme` for a tenant, `eu` for a region, nothing for the apex.
    ///
    /// # Errors
    /// If nothing answers there.
    pub async fn open(&self, site: &str, path: &str) -> anyhow::Result<()> {
        let dot = if site.is_empty() { "" } else { "." };
        Ok(self.driver.goto(&format!("http://{site}{dot}localhost:{}{path}", self.port)).await?)
    }

    /// The path of the page that is shown.
    ///
    /// # Errors
    /// If the browser does not say.
    pub async fn path(&self) -> anyhow::Result<String> {
        Ok(self.driver.current_url().await?.path().to_owned())
    }

    /// What a person reads on the page.
    ///
    /// # Errors
    /// If there is none.
    pub async fn text(&self) -> anyhow::Result<String> {
        self.steady(async || self.driver.find(Locator::Css("body")).await?.text().await).await
    }

    /// Waits until a page of this path is shown.
    ///
    /// # Errors
    /// With what is shown instead, if it does not come.
    pub async fn arrives(&self, path: &str) -> anyhow::Result<()> {
        self.sees(path, async || Ok(self.path().await? == path)).await
    }

    /// Waits until a person reads this on the page.
    ///
    /// # Errors
    /// With what is shown instead, if it does not come.
    pub async fn shows(&self, text: &str) -> anyhow::Result<()> {
        self.sees(text, async || Ok(self.text().await?.contains(text))).await
    }

    async fn sees(&self, what: &str, there: impl AsyncFn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        // A page that is being left has no elements to read.
        let come = async || Ok(there().await.unwrap_or_default().then_some(()));
        match wait::until_within(PAGE_PATIENCE, what, come).await {
            Ok(()) => Ok(()),
            Err(late) => Err(late.context(format!("{} shows: {}", self.path().await?, self.text().await?))),
        }
    }

    /// The first element of a CSS selector, once it is there.
    ///
    /// # Errors
    /// If it does not appear.
    pub async fn find(&self, selector: &str) -> anyhow::Result<Element> {
        wait::until_within(PAGE_PATIENCE, selector, async || {
            Ok(self.driver.find_all(Locator::Css(selector)).await?.into_iter().next())
        })
        .await
    }

    /// Types into a field, after what is in it.
    ///
    /// # Errors
    /// If there is no such field.
    pub async fn fill(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        self.find(selector).await?;
        self.steady(async || self.driver.find(Locator::Css(selector)).await?.send_keys(text).await).await
    }

    /// Clicks on something.
    ///
    /// # Errors
    /// If it is not there or cannot be clicked on.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        self.find(selector).await?;
        self.steady(async || self.driver.find(Locator::Css(selector)).await?.click().await).await
    }

    /// Sends keys to whatever has the focus.
    ///
    /// # Errors
    /// If nothing has it.
    pub async fn press(&self, keys: &str) -> anyhow::Result<()> {
        Ok(self.driver.active_element().await?.send_keys(keys).await?)
    }

    /// Runs a script on the page and gives what it returns.
    ///
    /// # Errors
    /// If it throws.
    pub async fn run(&self, script: &str) -> anyhow::Result<Value> {
        Ok(self.driver.execute(script, Vec::new()).await?)
    }

    /// The same for a script that calls its last argument with what it found.
    ///
    /// # Errors
    /// If it throws, or calls nothing in time.
    pub async fn run_async(&self, script: &str) -> anyhow::Result<Value> {
        Ok(self.driver.execute_async(script, Vec::new()).await?)
    }

    /// Shows pages so wide, in CSS pixels, and in a theme.
    ///
    /// # Errors
    /// If the browser cannot.
    pub async fn look(&self, width: u32, theme: Theme) -> anyhow::Result<()> {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.emulate("setDeviceMetricsOverride", size).await?;
        let scheme = if theme == Theme::Dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.emulate("setEmulatedMedia", media).await
    }

    /// Does it again while what it is done to goes away underneath: a page that is being left, a part that came anew.
    async fn steady<T>(&self, act: impl AsyncFn() -> Result<T, CmdError>) -> anyhow::Result<T> {
        wait::until_within(PAGE_PATIENCE, "something that stays", async || match act().await {
            Ok(done) => Ok(Some(done)),
            Err(gone) if gone.is_stale_element_reference() || gone.is_no_such_element() => Ok(None),
            Err(error) => Err(error.into()),
        })
        .await
    }

    async fn emulate(&self, command: &str, params: Value) -> anyhow::Result<()> {
        self.driver.issue_cmd(Emulate { command: command.to_owned(), params }).await?;
        Ok(())
    }

    /// Keeps a picture of the whole page as PNG.
    ///
    /// # Errors
    /// If there is none, or it cannot be written.
    pub async fn picture(&self, target: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(target, self.driver.screenshot().await?)?)
    }

    /// Forgets who signed in.
    ///
    /// # Errors
    /// If the browser cannot.
    pub async fn forget(&self) -> anyhow::Result<()> {
        Ok(self.driver.delete_all_cookies().await?)
    }
}

/// A command to Chromium's developer tools, which WebDriver itself has not.
#[derive(Debug)]
struct Emulate {
    command: String,
    params: Value,
}

impl WebDriverCompatibleCommand for Emulate {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({"cmd": format!("Emulation.{}", self.command), "params": self.params});
        (Method::POST, Some(body.to_string()))
    }
}

impl Drop for Browser {
    /// The driver leaves its browser alone when it is ended itself. So the session ends first, which takes its browser along.
    fn drop(&mut self) {
        let ended = TcpStream::connect(("127.0.0.1", self.driver_port)).and_then(|mut driver| {
            driver.set_read_timeout(Some(END_PATIENCE))?;
            write!(
                driver,
                "DELETE /session/{} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n",
                self.session
            )?;
            driver.read_to_end(&mut Vec::new())
        });
        if let Err(error) = ended {
            eprintln!("a browser may be left behind: {error}");
        }
    }
}

/// The port in what ChromeDriver says when it is ready.
fn listening(output: &Path) -> anyhow::Result<Option<u16>> {
    let said = std::fs::read_to_string(output)?;
    let Some((_, rest)) = said.split_once("started successfully on port ") else { return Ok(None) };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map(Some).context("a port")
}
