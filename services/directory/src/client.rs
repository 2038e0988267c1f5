//! The directory as regions and routers reach it.
//!
//! Every write names the tenant it is for, so that saying it twice changes nothing: all of them may be tried again.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header::IF_NONE_MATCH};
use schemas::{Epoch, Position, RegionId, Slug, TenantId};
use serde::{Deserialize, Serialize};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPTS_MAX: u32 = 3;
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The words in an error's body.
pub(crate) mod code {
    pub(crate) const TAKEN: &str = "taken";
    pub(crate) const NOT_CLAIMED: &str = "not_claimed";
    pub(crate) const CONFIRMED: &str = "confirmed";
    pub(crate) const INVALID: &str = "invalid";
    pub(crate) const UNAUTHORIZED: &str = "unauthorized";
    pub(crate) const UNAVAILABLE: &str = "unavailable";
}

/// A claim that is not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The name.
    pub slug: Slug,
    /// For which tenant.
    pub tenant_id: TenantId,
    /// By which region.
    pub region: RegionId,
    /// The epoch of the home it is for.
    pub epoch: Epoch,
    /// How long ago it was made, by the directory's clock.
    pub age_ms: u64,
}

impl Claim {
    /// How long ago it was made.
    pub const fn age(&self) -> Duration {
        Duration::from_millis(self.age_ms)
    }
}

/// What the directory does not do for us.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another tenant holds the name, or it is reserved.
    #[error("subdomain: takes a name that no other tenant has")]
    Taken,
    /// Nobody holds the name: the claim was released.
    #[error("the name is not claimed")]
    NotClaimed,
    /// A confirmed name cannot be released.
    #[error("the name is confirmed and cannot be released")]
    Confirmed,
    /// The directory does not answer, or cannot now.
    #[error("the directory does not answer")]
    Unavailable {
        /// What failed, if the connection did.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The directory refuses the request: a wrong token, or a program that does not fit.
    #[error("the directory refuses the request with status {status}: {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why, in its words.
        detail: String,
    },
    /// The HTTP client cannot be made.
    #[error("the client of the directory cannot be made")]
    Client(#[source] reqwest::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimRequest {
    pub(crate) tenant_id: TenantId,
    pub(crate) region: RegionId,
    pub(crate) epoch: Epoch,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldRequest {
    pub(crate) tenant_id: TenantId,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) position: Position,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) is_taken: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) pending: Vec<Claim>,
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Problem {
    pub(crate) code: String,
    pub(crate) detail: String,
}

/// A client of one directory. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: Arc<str>,
    token: Arc<str>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the directory at `url` (scheme, host and port), which opens to `token`.
    pub fn new(url: &str, token: &str) -> Result<Self, Error> {
        // A proxy of the environment must never see who signs up where.
        #[expect(
            clippy::disallowed_methods,
            reason = "the directory is a server of ours, and is told routing data alone"
        )]
        let builder = reqwest::Client::builder().no_proxy().connect_timeout(CONNECT_TIMEOUT);
        let http = builder.build().map_err(Error::Client)?;
        Ok(Self { http, url: url.trim_end_matches('/').into(), token: token.into() })
    }

    /// Takes a name for a tenant that is signing up. Asking again for the same tenant succeeds.
    pub async fn claim(&self, slug: &Slug, tenant_id: TenantId, region: &RegionId, epoch: Epoch) -> Result<(), Error> {
        let body = ClaimRequest { tenant_id, region: region.clone(), epoch };
        self.write(slug, "claim", &body).await
    }

    /// The tenant exists now: the name may be routed.
    pub async fn confirm(&self, slug: &Slug, tenant_id: TenantId) -> Result<(), Error> {
        self.write(slug, "confirm", &HoldRequest { tenant_id }).await
    }

    /// The signup never finished: the name is free again.
    pub async fn release(&self, slug: &Slug, tenant_id: TenantId) -> Result<(), Error> {
        self.write(slug, "release", &HoldRequest { tenant_id }).await
    }

    /// Whether somebody holds a name. It may be taken a moment later: only a claim holds it.
    pub async fn is_taken(&self, slug: &Slug) -> Result<bool, Error> {
        let request = || self.request(Method::GET, &format!("/names/{slug}"));
        let found: Found = retrying(request).await?.json().await.map_err(unavailable)?;
        Ok(found.is_taken)
    }

    /// The claims of a region that nobody has confirmed, with their age.
    pub async fn pending(&self, region: &RegionId) -> Result<Vec<Claim>, Error> {
        let request = || self.request(Method::GET, &format!("/pending?region={region}"));
        let pending: Pending = retrying(request).await?.json().await.map_err(unavailable)?;
        Ok(pending.pending)
    }

    /// The signed map, unless it is the one known by `etag`. With `after` and a `wait`, the directory answers when it has a
    /// newer one, or when the time is up. Tried once: whoever follows the map asks again anyway.
    pub async fn map(
        &self,
        after: Option<Position>,
        etag: Option<&str>,
        wait: Duration,
    ) -> Result<Option<Bytes>, Error> {
        let path = after.map_or("/map".to_owned(), |after| format!("/map?after={after}&wait_ms={}", wait.as_millis()));
        let mut request = self.request(Method::GET, &path).timeout(wait + ANSWER_TIMEOUT);
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(unavailable)?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        checked(response).await?.bytes().await.map(Some).map_err(unavailable)
    }

    async fn write(&self, slug: &Slug, verb: &str, body: &impl Serialize) -> Result<(), Error> {
        let request = || self.request(Method::POST, &format!("/names/{slug}/{verb}")).json(body);
        retrying(request).await.map(drop)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token).timeout(ANSWER_TIMEOUT)
    }
}

/// Tries a few times while the directory does not answer. Only for requests that change nothing when repeated.
async fn retrying(request: impl Fn() -> RequestBuilder) -> Result<Response, Error> {
    let mut attempt = 1;
    loop {
        let answered = match request().send().await {
            Ok(response) => checked(response).await,
            Err(source) => Err(unavailable(source)),
        };
        match answered {
            Err(Error::Unavailable { .. }) if attempt < ATTEMPTS_MAX => {
                tokio::time::sleep(RETRY_PAUSE * attempt).await;
                attempt += 1;
            }
            answered => return answered,
        }
    }
}

/// The response, if it is a success.
async fn checked(response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status.is_server_error() {
        return Err(Error::Unavailable { source: response.error_for_status().err() });
    }
    let problem: Problem = response.json().await.unwrap_or_default();
    Err(match problem.code.as_str() {
        code::TAKEN => Error::Taken,
        code::NOT_CLAIMED => Error::NotClaimed,
        code::CONFIRMED => Error::Confirmed,
        _ => Error::Refused { status: status.as_u16(), detail: problem.detail },
    })
}

const fn unavailable(source: reqwest::Error) -> Error {
    Error::Unavailable { source: Some(source) }
}
