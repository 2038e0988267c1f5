//! A console over real stores, called in process through the desk that it is mounted on.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use desk::{RateLimits, Witness, WitnessKeys};
use eventlog::Expected;
use projector::ProjectorDeps;
use regions::{BucketRole, DatabaseRole, ReadModels, Regions, Resident};
use replicator::{ReplicatorDeps, Witnesses, backup::OnRequest};
use runtime::{Clock, Ids};
use schemas::{
    PersonId, StreamName, TenantLogEvent, TicketId,
    person::{PersonAdded, PersonEvent},
    tenant::{TenantEvent, TenantRegistered},
    ticket::{CommentAdded, TicketEvent, TicketOpened},
    values::{Channel, Role, Visibility},
};
use testkit::TestRegion;
use tower::ServiceExt;
use vault::SigningKeyFolder;

use crate::{Console, Deps, Operators};

/// What no page may show.
pub(crate) const CANARY: &str = "canary-7351";
/// Where the console is.
pub(crate) const HOST: &str = "eu.localhost:8080";

pub(crate) struct Bench {
    pub(crate) test: TestRegion,
    pub(crate) console: Console,
    pub(crate) projector: ProjectorDeps,
    app: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) text: String,
}

/// An operator's browser.
pub(crate) struct Browser<'a> {
    bench: &'a Bench,
    pub(crate) cookie: String,
}

impl Bench {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let test = testkit::region().await?;
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>) = (test.clock.clone(), test.ids.clone());
        let directory = directory::Client::new("http://127.0.0.1:1", "token")?;
        let signing = SigningKeyFolder::new(test.folder.path());
        let desk = desk::Desk::new(desk::Deps {
            region: test.region.clone(),
            regions: Arc::new(Regions::load(&testkit::repository().join("regions"))?),
            apex: "localhost:8080".to_owned(),
            pool: test.pool(DatabaseRole::Desk).await?,
            read_models: ReadModels::new(projector::shapes()),
            vault: test.vault(DatabaseRole::Desk).await?,
            appender: test.appender().await?,
            bucket: test.bucket_as(BucketRole::Desk).await?,
            witness: Witness { signing: signing.clone(), keys: WitnessKeys::new(directory.clone(), None) },
            directory,
            clock: clock.clone(),
            ids: ids.clone(),
            metrics: test.metrics.clone(),
            rate_limits: RateLimits::Off,
        });
        let replicator = ReplicatorDeps {
            region: test.region.clone(),
            pool: test.pool(DatabaseRole::Replicator).await?,
            vault: test.vault(DatabaseRole::Replicator).await?,
            bucket: test.bucket_as(BucketRole::Replicator).await?,
            signing,
            witnesses: Witnesses::default(),
            clock: clock.clone(),
            ids,
            metrics: test.metrics.clone(),
            interval: Duration::from_millis(20),
        };
        let projector = ProjectorDeps {
            region: test.region.clone(),
            pool: test.pool(DatabaseRole::Projector).await?,
            vault: test.vault(DatabaseRole::Projector).await?,
            clock,
            metrics: test.metrics.clone(),
        };
        let console = Console::new(Deps {
            operators: Operators::new(test.folder.path()),
            desk: desk.clone(),
            backups: OnRequest::new(replicator, test.shutdown.clone()),
            projector: projector.clone(),
        });
        let app = desk::app_with(desk, console.routes());
        Ok(Self { test, console, projector, app })
    }

    /// A tenant with content that no page of the console may show.
    pub(crate) async fn tenant(&self, slug: &str) -> anyhow::Result<Resident> {
        let tenant = self.test.tenant(slug).await?;
        let company = format!("{CANARY} GmbH").into();
        let registered: TenantEvent = TenantRegistered { slug: slug.parse()?, company }.into();
        self.append(&tenant, StreamName::Tenant, vec![registered.into()]).await?;
        let person = PersonId::new(7);
        let email = Some(format!("{CANARY}@example.com")).into();
        let name = format!("Ann {CANARY}").into();
        let added: PersonEvent = PersonAdded { person, name, email, role: Role::Agent }.into();
        self.append(&tenant, StreamName::Person(person), vec![added.into()]).await?;
        let ticket = TicketId::new(1);
        let opened: TicketEvent = TicketOpened {
            requester: person,
            submitter: person,
            subject: CANARY.to_owned().into(),
            priority: None,
            ticket_type: None,
            assignee: None,
            group: None,
            tags: vec![CANARY.to_owned()].into(),
            channel: Channel::Api,
            external_id: None.into(),
        }
        .into();
        let said: TicketEvent = CommentAdded {
            author: person,
            visibility: Visibility::Public,
            body: CANARY.to_owned().into(),
            html_body: None.into(),
            attachments: Vec::new(),
            channel: Channel::Api,
        }
        .into();
        self.append(&tenant, StreamName::Ticket(ticket), vec![opened.into(), said.into()]).await?;
        Ok(tenant)
    }

    /// Closes a tenant, as whoever finds its log behind its archive does.
    pub(crate) async fn close(&self, slug: &str) -> anyhow::Result<()> {
        let mut owner = regions::connection(&self.test.region, DatabaseRole::Owner).await?;
        let statement = format!("update log.tenant set state = 'behind' where slug = '{slug}'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut owner).await?;
        Ok(())
    }

    async fn append(&self, tenant: &Resident, stream: StreamName, events: Vec<TenantLogEvent>) -> anyhow::Result<()> {
        self.test.append(tenant, stream, Expected::NoStream, events).await?;
        Ok(())
    }

    /// Lets somebody operate the region and signs them in.
    pub(crate) async fn sign_in(&self, name: &str) -> anyhow::Result<Browser<'_>> {
        let key = self.console.operators.add(name, self.test.ids.as_ref(), self.test.clock.now())?;
        let answer = self.post("/ops/signin", None, &[("key", &key), ("return_to", "")]).await;
        anyhow::ensure!(answer.status == StatusCode::SEE_OTHER, "{}: {}", answer.status, answer.text);
        let cookie = answer.cookie.unwrap_or_default();
        Ok(Browser { bench: self, cookie: cookie.split(';').next().unwrap_or_default().to_owned() })
    }

    pub(crate) async fn get(&self, path: &str, cookie: Option<&str>) -> Answer {
        self.call(Request::get(path), cookie, String::new()).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: Option<&str>, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path).header("sec-fetch-site", "same-origin");
        self.call(request.header(header::CONTENT_TYPE, FORM), cookie, form(fields)).await
    }

    /// The same, sent by another site's page.
    pub(crate) async fn post_from_elsewhere(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path).header("sec-fetch-site", "cross-site");
        self.call(request.header(header::CONTENT_TYPE, FORM), Some(cookie), form(fields)).await
    }

    async fn call(&self, request: axum::http::request::Builder, cookie: Option<&str>, body: String) -> Answer {
        let request = request.header(header::HOST, HOST).header(header::COOKIE, cookie.unwrap_or("none=none"));
        let request = request.body(Body::from(body)).expect("a request");
        let response = match self.app.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body in memory");
        Answer {
            status: parts.status,
            location: header(header::LOCATION),
            cookie: header(header::SET_COOKIE),
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", desk::foundation::percent(value)));
    pairs.collect::<Vec<_>>().join("&")
}

impl Browser<'_> {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.bench.get(path, Some(&self.cookie)).await
    }

    /// Sends a form as the page does, with the token that the page holds.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get("/ops/tenants").await.text;
        let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let token = [("csrf", token.unwrap_or_default())];
        self.bench.post(path, Some(&self.cookie), &[&token, fields].concat()).await
    }
}
