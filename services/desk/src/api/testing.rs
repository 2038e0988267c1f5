//! What the tests of operations share: a desk with its projector, two tenants whose people have the same ids, and requests
//! in process.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Request, StatusCode, header},
};
use eventlog::Expected;
use regions::{DatabaseRole, Resident};
use schemas::{
    GroupId, Hash, MembershipId, PersonId, StreamName, TenantLogEvent, TokenId,
    person::{ApiTokenIssued, EmailClaimed, EmailEvent, GroupJoined, PersonAdded, PersonEvent},
    tenant::{GroupAdded, LocalityChosen, PlanChosen, TenantEvent, TenantRegistered},
    values::{Plan, Role},
};
use serde_json::{Value, json};
use sqlx::{Postgres, Transaction};

use super::contract;
use crate::{
    testing::TestDesk,
    visible::{self, Visible},
};

/// Somebody of every tenant, with the same id in each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who {
    /// The id.
    pub(crate) id: i64,
    /// The name before the `@`, too.
    pub(crate) name: &'static str,
    role: Role,
}

/// An admin.
pub(crate) const GRACE: Who = Who { id: 1, name: "grace", role: Role::Admin };
/// An agent.
pub(crate) const ALAN: Who = Who { id: 2, name: "alan", role: Role::Agent };
/// An end user.
pub(crate) const ADA: Who = Who { id: 3, name: "ada", role: Role::EndUser };
/// Another end user.
pub(crate) const EVE: Who = Who { id: 4, name: "eve", role: Role::EndUser };
/// The one group of every tenant.
pub(crate) const SUPPORT: i64 = 5;
/// Ids handed out before a test begins.
const IDS_TAKEN: i64 = 5;

/// A desk of the region `eu` at `localhost:8080`, with the tenants `acme` and `globex`.
pub(crate) struct Bench {
    /// The desk, its stores and its clock.
    pub(crate) test: TestDesk,
    /// The tenant most tests are about.
    pub(crate) acme: Resident,
    /// Another tenant, with people of the same ids.
    pub(crate) globex: Resident,
}

/// An answer, read whole.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The bytes.
    pub(crate) bytes: Bytes,
    /// The JSON; null if it is none.
    pub(crate) body: Value,
}

impl Answer {
    /// A header as text; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status and the body, for comparing refusals.
    pub(crate) fn refusal(&self) -> (u16, Value) {
        (self.status.as_u16(), self.body.clone())
    }

    /// The names of the wrong fields of a 422.
    pub(crate) fn wrong_fields(&self) -> Vec<String> {
        assert_eq!(self.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", self.body);
        self.body["details"].as_object().into_iter().flat_map(|details| details.keys().cloned()).collect()
    }
}

impl Bench {
    /// A desk with its projector, and its tenants ready to be read.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let test = TestDesk::new().await?;
        let (acme, globex) = tokio::try_join!(populate(&test, "acme"), populate(&test, "globex"))?;
        let bench = Self { test, acme, globex };
        tokio::try_join!(bench.settle(&bench.acme), bench.settle(&bench.globex))?;
        Ok(bench)
    }

    /// Moves the clock.
    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.test.region.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    /// Holds the projector up: what is written cannot be read until the lock is dropped.
    pub(crate) async fn hold_projector(&self) -> anyhow::Result<Transaction<'static, Postgres>> {
        let pool = self.test.region.pool(DatabaseRole::Projector).await?;
        let mut held = regions::begin_with(&pool, "begin").await?;
        sqlx::query!("lock table read.checkpoint in exclusive mode").execute(&mut *held).await?;
        Ok(held)
    }

    /// Waits until everything in a tenant's log can be read.
    pub(crate) async fn settle(&self, resident: &Resident) -> anyhow::Result<()> {
        let mut transaction = regions::begin(&self.test.desk.pool, resident).await?;
        let head = eventlog::head(&mut transaction, resident).await?;
        drop(transaction);
        for _ in 0..10 {
            if visible::wait(&self.test.desk, resident, head, projector::PROJECTIONS).await == Visible::Yes {
                return Ok(());
            }
        }
        anyhow::bail!("the read models do not reach {head}")
    }

    /// Reads from acme.
    pub(crate) async fn get(&self, who: Who, path: &str) -> Answer {
        self.send(request("GET", "acme", Some(who), path, Body::empty())).await
    }

    /// Writes JSON to acme.
    pub(crate) async fn post(&self, who: Who, path: &str, body: Value) -> Answer {
        self.send(request("POST", "acme", Some(who), path, Body::from(body.to_string()))).await
    }

    /// Changes something of acme.
    pub(crate) async fn put(&self, who: Who, path: &str, body: Value) -> Answer {
        self.send(request("PUT", "acme", Some(who), path, Body::from(body.to_string()))).await
    }

    /// Deletes something of acme.
    pub(crate) async fn delete(&self, who: Who, path: &str) -> Answer {
        self.send(request("DELETE", "acme", Some(who), path, Body::empty())).await
    }

    /// Whether any row of any table of the region's database holds a text in the clear, whoever's it is.
    pub(crate) async fn holds(&self, text: &str) -> anyhow::Result<bool> {
        let mut owner = regions::connection(&self.test.region.region, DatabaseRole::Owner).await?;
        let tables: Vec<String> = sqlx::query_scalar!(
            r#"select format('%I.%I', schemaname, tablename) as "name!" from pg_tables
               where schemaname not in ('pg_catalog', 'information_schema')"#
        )
        .fetch_all(&mut owner)
        .await?;
        for table in tables {
            let statement =
                format!("select exists (select from {table} as found where position($1 in found::text) > 0)");
            let found: bool =
                sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).bind(text).fetch_one(&mut owner).await?;
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes to acme under an idempotency key.
    pub(crate) async fn keyed(&self, method: &str, who: Who, (path, body): (&str, Value), key: &'static str) -> Answer {
        let mut request = request(method, "acme", Some(who), path, Body::from(body.to_string()));
        request.headers_mut().insert("idempotency-key", HeaderValue::from_static(key));
        self.send(request).await
    }

    /// Sends any request. What `/api/v2` answers is held against the contract, whatever the test is about.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let crate::testing::Answer { status, headers, body: bytes } = self.test.call(request).await;
        if path.starts_with("/api/v2/") {
            let faults = contract::faults(&method, &path, status, &bytes);
            assert!(faults.is_empty(), "{method} {path}: {status} breaks the contract (tests/contract): {faults:#?}");
        }
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, bytes, body }
    }

    /// Opens a ticket of acme and gives its number.
    pub(crate) async fn ticket(&self, who: Who, ticket: Value) -> i64 {
        let answer = self.post(who, "/api/v2/tickets", json!({ "ticket": ticket })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["ticket"]["id"].as_i64().expect("an id")
    }

    /// A job as it is when it is finished.
    pub(crate) async fn finished(&self, who: Who, job: &Value) -> Value {
        let path = format!("/api/v2/job_statuses/{}.json", job["id"].as_str().expect("an id"));
        let finished = async {
            loop {
                let job = self.get(who, &path).await.body["job_status"].clone();
                if job["status"] == "completed" {
                    return job;
                }
                tokio::task::yield_now().await;
            }
        };
        let finished = tokio::time::timeout(std::time::Duration::from_secs(60), finished).await.expect("a job ends");
        self.settle(&self.acme).await.expect("read models follow");
        finished
    }

    /// Uploads a file to acme and gives the upload.
    pub(crate) async fn upload(&self, who: Who, query: &str, bytes: &'static [u8]) -> Answer {
        let mut request =
            request("POST", "acme", Some(who), &format!("/api/v2/uploads.json?{query}"), Body::from(bytes));
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        self.send(request).await
    }
}

/// A request to a tenant, by somebody with their API token, or by nobody.
pub(crate) fn request(method: &str, slug: &str, who: Option<Who>, path: &str, body: Body) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, format!("{slug}.localhost:8080"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(who) = who {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", token(slug, who)));
    }
    request.body(body).expect("a request")
}

/// Hides what differs from run to run.
pub(crate) fn without_ids(mut value: Value, hidden: &[&str]) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                *field = if hidden.contains(&name.as_str()) { json!("…") } else { without_ids(field.take(), hidden) };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_ids(item.take(), hidden)),
        _ => {}
    }
    value
}

fn token(slug: &str, who: Who) -> String {
    format!("token-of-{}-at-{slug}", who.name)
}

/// The address of somebody of a tenant.
pub(crate) fn email(slug: &str, who: Who) -> String {
    format!("{}@{slug}.example", who.name)
}

/// A tenant with its people and one group.
async fn populate(test: &TestDesk, slug: &str) -> anyhow::Result<Resident> {
    let (region, desk) = (&test.region, &test.desk);
    let resident = region.tenant(slug).await?;
    eventlog::allocate_ids(&mut *desk.pool.acquire().await?, &resident, IDS_TAKEN).await?;
    region.append(&resident, StreamName::Tenant, Expected::NoStream, registration(slug)?).await?;
    for who in [GRACE, ALAN, ADA, EVE] {
        let index = desk.vault.blind_index(&resident, "email", &email(slug, who)).await?;
        let claim = EmailEvent::from(EmailClaimed { person: PersonId::new(who.id) });
        region.append(&resident, StreamName::Email(index), Expected::NoStream, vec![claim.into()]).await?;
        let stream = StreamName::Person(PersonId::new(who.id));
        region.append(&resident, stream, Expected::NoStream, person(slug, who)).await?;
    }
    Ok(resident)
}

fn registration(slug: &str) -> anyhow::Result<Vec<TenantLogEvent>> {
    let events: Vec<TenantEvent> = vec![
        TenantRegistered { slug: slug.parse()?, company: format!("{slug} Ltd").into() }.into(),
        PlanChosen { plan: Plan::Professional }.into(),
        LocalityChosen {
            requested: Some("eu".parse()?),
            granted: "eu".parse()?,
            policy_version: 1,
            entitled: true,
            selected: true,
            committed: true,
        }
        .into(),
        GroupAdded { group: GroupId::new(SUPPORT), name: "Support".to_owned().into() }.into(),
    ];
    Ok(events.into_iter().map(Into::into).collect())
}

fn person(slug: &str, who: Who) -> Vec<TenantLogEvent> {
    let added = PersonAdded {
        person: PersonId::new(who.id),
        name: who.name.to_owned().into(),
        email: Some(email(slug, who)).into(),
        role: who.role,
    };
    let issued = ApiTokenIssued {
        token: TokenId::new(who.id),
        token_sha256: Hash::of(&[token(slug, who).as_bytes()]).to_string().into(),
        description: "for tests".to_owned().into(),
        expires_at: None,
    };
    let joined = GroupJoined { membership: MembershipId::new(900 + who.id), group: GroupId::new(SUPPORT) };
    let is_agent = matches!(who.role, Role::Agent | Role::Admin);
    let events = [PersonEvent::from(added), PersonEvent::from(issued)];
    events.into_iter().chain(is_agent.then(|| joined.into())).map(Into::into).collect()
}
