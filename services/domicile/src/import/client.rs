//! A client of one tenant's API. It connects to the router's address and names the tenant in `Host`, because not every
//! resolver knows that `*.localhost` is this machine.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

const ATTEMPTS_MAX: u32 = 6;
/// The longest that an answer may put a request off, in seconds: longer is as good as a refusal.
const RETRY_AFTER_MAX_S: u64 = 900;

/// Speaks to one host behind the router.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    router: SocketAddr,
    host: String,
    token: Option<String>,
}

/// What the API answered.
#[derive(Debug)]
pub struct Answer<T> {
    /// The body.
    pub body: T,
    /// Whether the same request had been done before, and this is what came of it then.
    pub is_replay: bool,
}

/// What the API refused, or why it could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request did not get through, however often it was tried.
    #[error("{host} did not answer")]
    Unreachable {
        /// Which host.
        host: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The API refused.
    #[error("{method} {path} on {host}: {status}: {reason}")]
    Refused {
        /// The request's method.
        method: Method,
        /// Its path.
        path: String,
        /// Its host.
        host: String,
        /// The answer's status.
        status: StatusCode,
        /// The answer's own words.
        reason: String,
    },
}

impl Client {
    /// A client of `host`, as people type it, behind the router at `router`.
    pub fn new(router: SocketAddr, host: &str, token: Option<&str>) -> Result<Self, reqwest::Error> {
        #[expect(clippy::disallowed_methods, reason = "whoever runs the import names the deployment")]
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { http, router, host: host.to_owned(), token: token.map(str::to_owned) })
    }

    /// Asks for JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        Ok(self.json(Method::GET, path, |request| request).await?.body)
    }

    /// Sends JSON. With a key, the request is done once however often it is sent.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Answer<Value>, Error> {
        self.json(method, path, |request| {
            let request = request.json(body);
            match key {
                Some(key) => request.header("Idempotency-Key", key),
                None => request,
            }
        })
        .await
    }

    /// Sends bytes.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        content_type: &str,
        content: &[u8],
    ) -> Result<T, Error> {
        let complete =
            |request: RequestBuilder| request.header(header::CONTENT_TYPE, content_type).body(content.to_vec());
        Ok(self.json(Method::POST, path, complete).await?.body)
    }

    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        complete: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer<T>, Error> {
        let answer = self.answered(&method, path, &complete).await?;
        let status = answer.status();
        let unreachable = |source| Error::Unreachable { host: self.host.clone(), source };
        if status.is_success() {
            let is_replay = answer.headers().contains_key("X-Domicile-Replayed");
            return Ok(Answer { body: answer.json().await.map_err(unreachable)?, is_replay });
        }
        let reason = answer.text().await.map_err(unreachable)?;
        Err(Error::Refused { method, path: path.to_owned(), host: self.host.clone(), status, reason })
    }

    /// Tries until there is an answer that is not "later": a region that restarts costs patience, not data. A limit of requests is waited
    /// for as long as it says, however often: that is no failure.
    async fn answered(
        &self,
        method: &Method,
        path: &str,
        complete: &impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let url = format!("http://{}{path}", self.router);
            let mut request = self.http.request(method.clone(), url).header(header::HOST, &self.host);
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            let is_last = attempt == ATTEMPTS_MAX;
            let answered = complete(request).send().await;
            if let Some(pause) = answered.as_ref().ok().and_then(put_off) {
                attempt = 0;
                tokio::time::sleep(pause).await;
                continue;
            }
            match answered {
                Ok(answer) if is_last || !is_later(answer.status()) => return Ok(answer),
                Err(source) if is_last => return Err(Error::Unreachable { host: self.host.clone(), source }),
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(100 << attempt)).await,
            }
        }
    }
}

/// How long a limit of requests puts the request off.
fn put_off(answer: &Response) -> Option<Duration> {
    let is_limit = answer.status() == StatusCode::TOO_MANY_REQUESTS && answer.headers().contains_key("x-rate-limit");
    let seconds = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    (is_limit && seconds <= RETRY_AFTER_MAX_S).then(|| Duration::from_secs(seconds))
}

fn is_later(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY)
}
