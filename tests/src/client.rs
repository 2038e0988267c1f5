//! A client of one host behind the router: connects to the router's address and names the host, because not every resolver
//! knows that `*.localhost` is this machine. It tries nothing twice.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use reqwest::RequestBuilder;
use serde_json::Value;

/// Speaks to one host.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    router: SocketAddr,
    host: String,
    token: Option<String>,
}

/// What a host answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Bytes,
    /// The body as JSON; null if it is none.
    pub body: Value,
}

impl Client {
    /// A client of `host`, as people type it, behind the router at `router`.
    pub fn new(router: SocketAddr, host: &str) -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "a client of what is tested")]
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { http, router, host: host.to_owned(), token: None })
    }

    /// The same as somebody with this API token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same as nobody.
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// A request that is still to be completed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request =
            self.http.request(method, format!("http://{}{path}", self.router)).header(header::HOST, &self.host);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        send(self.request(Method::GET, path)).await
    }

    /// Sends JSON with POST.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// Sends JSON with PUT.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        send(self.request(Method::PUT, path).json(body)).await
    }
}

/// Sends a request and reads the whole answer. An error means that there was none.
pub async fn send(request: RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await.context("no answer")?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.context("half an answer")?;
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Answer { status, headers, bytes, body })
}

impl Answer {
    /// Itself, if it has this status.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        anyhow::ensure!(self.status == status, "status {} instead of {status}: {}", self.status, self.text());
        Ok(self)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The fields a refusal names, in either dialect, sorted.
    pub fn wrong_fields(&self) -> Vec<String> {
        let of_v2 = self.body["details"].as_object().into_iter().flatten().map(|(field, _)| field.clone());
        let of_problem = self.body["errors"].as_array().into_iter().flatten();
        let of_problem = of_problem.filter_map(|error| error["field"].as_str().map(str::to_owned));
        let mut fields: Vec<String> = of_v2.chain(of_problem).collect();
        fields.sort();
        fields
    }
}
