//! A desk over real stores, called in process; with the projector running, so that writes become visible.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use directory::{Client, Directory, RegionKeys};
use projector::{Projector, ProjectorDeps};
use regions::{BucketRole, DatabaseRole, ReadModels, Regions, Resident};
use runtime::Ids;
use schemas::TenantId;
use serde_json::{Value, json};
use testkit::TestRegion;
use tokio::net::TcpListener;
use tower::ServiceExt;
use vault::SigningKeyFolder;

use crate::{Deps, Desk, RateLimits, Witness, WitnessKeys, app, jobs, signup};

const DIRECTORY_TOKEN: &str = "token-of-the-test";
/// Of no directory: tests teach the keys of other regions.
const DIRECTORY_KEY: [u8; 32] = [0; 32];
/// The address of every test tenant's first admin.
pub(crate) const ADMIN: &str = "ada@example.com";

/// A desk of region `eu`.
pub(crate) struct TestDesk {
    pub(crate) region: TestRegion,
    pub(crate) desk: Desk,
    pub(crate) app: Router,
    #[expect(dead_code, reason = "the directory runs as long as its stores live")]
    directory: Option<TestRegion>,
}

/// A tenant, and its first admin's token.
pub(crate) struct TestTenant {
    pub(crate) resident: Resident,
    pub(crate) host: String,
    pub(crate) token: String,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl TestDesk {
    /// A desk whose directory does not answer: for everything but signing up.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::over(Client::new("http://127.0.0.1:1", DIRECTORY_TOKEN)?, None).await
    }

    /// A desk with a real directory.
    pub(crate) async fn with_directory() -> anyhow::Result<Self> {
        let database = testkit::directory_database().await?;
        let regions = Regions::load(&testkit::repository().join("regions"))?;
        let verifier = |id: &schemas::RegionId| format!("domicile/{id}+00000000+AAAA");
        let deps = directory::Deps {
            region: database.region.clone(),
            pool: database.pool(DatabaseRole::Desk).await?,
            vault: database.vault(DatabaseRole::Desk).await?,
            appender: database.appender().await?,
            signing_key: vault::SigningKey::load_or_create(&database.folder.path().join("key"), database.ids.as_ref())?,
            token: DIRECTORY_TOKEN.to_owned(),
            keys: RegionKeys {
                verifiers: regions.iter().map(|region| (region.id.clone(), verifier(&region.id))).collect(),
                ..RegionKeys::default()
            },
            clock: database.clock.clone(),
            ids: database.ids.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let directory = Directory::start(deps).await?;
        database.shutdown.spawn(directory.run(listener, database.shutdown.clone()));
        Self::over(Client::new(&url, DIRECTORY_TOKEN)?, Some(database)).await
    }

    async fn over(client: Client, directory: Option<TestRegion>) -> anyhow::Result<Self> {
        let region = testkit::region().await?;
        let deps = deps(&region, client).await?;
        let projector = Projector::new(ProjectorDeps {
            region: region.region.clone(),
            pool: region.pool(DatabaseRole::Projector).await?,
            vault: region.vault(DatabaseRole::Projector).await?,
            clock: region.clock.clone(),
            metrics: region.metrics.clone(),
        });
        region.shutdown.spawn(projector.run(region.shutdown.clone()));
        let desk = Desk::new(deps);
        region.shutdown.spawn(jobs::run(desk.clone(), region.shutdown.clone()));
        Ok(Self { app: app(desk.clone()), region, desk, directory })
    }

    /// A tenant that signed up, without the directory and without a password.
    pub(crate) async fn tenant(&self, slug: &str) -> anyhow::Result<TestTenant> {
        self.tenant_with_id(slug, TenantId::new(self.region.ids.uuid())).await
    }

    /// The same with an id of the test's choice.
    pub(crate) async fn tenant_with_id(&self, slug: &str, tenant_id: TenantId) -> anyhow::Result<TestTenant> {
        let resident = self.region.tenant_with_id(slug, tenant_id).await?;
        let token =
            signup::for_test(&self.desk, &resident, ADMIN).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(TestTenant { host: format!("{slug}.localhost:8080"), resident, token })
    }

    /// Another desk of the same region, as on another machine.
    pub(crate) async fn another(&self) -> anyhow::Result<Desk> {
        self.another_with(RateLimits::Off).await
    }

    /// Another one, with or without limits.
    pub(crate) async fn another_with(&self, rate_limits: RateLimits) -> anyhow::Result<Desk> {
        Ok(Desk::new(Deps { rate_limits, ..deps(&self.region, self.desk.directory.clone()).await? }))
    }

    /// Calls the desk.
    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        let response = match self.app.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body in memory");
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl TestTenant {
    /// A request of the first admin without a body.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request<Body> {
        self.builder(method, path).body(Body::empty()).expect("a request")
    }

    /// A request of the first admin with a JSON body.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Request<Body> {
        let builder = self.builder(method, path).header(header::CONTENT_TYPE, "application/json");
        builder.body(Body::from(body.to_string())).expect("a request")
    }

    fn builder(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let builder = Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        builder.header(header::AUTHORIZATION, basic(&format!("{ADMIN}/token"), &self.token))
    }
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What a desk of a test region is made of.
pub(crate) async fn deps(region: &TestRegion, directory: Client) -> anyhow::Result<Deps> {
    // Webhooks of tests lead to servers of tests.
    let mut reaching = region.region.clone();
    reaching.private_networks = vec!["127.0.0.0/8".parse()?];
    Ok(Deps {
        region: reaching,
        regions: Arc::new(Regions::load(&testkit::repository().join("regions"))?),
        apex: "localhost:8080".to_owned(),
        pool: region.pool(DatabaseRole::Desk).await?,
        read_models: ReadModels::new(projector::shapes()),
        vault: region.vault(DatabaseRole::Desk).await?,
        appender: region.appender().await?,
        bucket: region.bucket_as(BucketRole::Desk).await?,
        witness: Witness {
            signing: SigningKeyFolder::new(region.folder.path()),
            keys: WitnessKeys::new(directory.clone(), Some(DIRECTORY_KEY)),
        },
        directory,
        clock: region.clock.clone(),
        ids: region.ids.clone(),
        metrics: region.metrics.clone(),
        // Tests ask more than a plan allows, and their clock stands still.
        rate_limits: RateLimits::Off,
    })
}

/// The value of an `Authorization` header.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A request without credentials.
pub(crate) fn get(host: &str, path: &str) -> Request<Body> {
    Request::builder().uri(path).header(header::HOST, host).body(Body::empty()).expect("a request")
}

/// A JSON request without credentials.
pub(crate) fn post(host: &str, path: &str, body: &Value) -> Request<Body> {
    let builder = Request::builder().method("POST").uri(path).header(header::HOST, host);
    builder.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).expect("a request")
}

/// A signup that region `eu` takes.
pub(crate) fn a_signup(subdomain: &str) -> Value {
    json!({
        "subdomain": subdomain, "company": "Acme GmbH", "plan": "professional", "locality": "eu",
        "admin": { "name": "Ada Lovelace", "email": ADMIN, "password": "correct horse" },
    })
}
