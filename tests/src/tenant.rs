//! A tenant, as its first admin's token reaches it.

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use crate::{
    Deployment,
    client::{self, Answer, Client},
    wait,
};

/// A tenant that signed up.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// Its name.
    pub slug: String,
    /// Where it is at home.
    pub region: String,
    /// Its first admin's token.
    pub token: String,
    /// Speaks as the first admin.
    pub client: Client,
}

impl Tenant {
    /// The tenant of a signup's answer.
    pub(crate) fn of(deployment: &Deployment, answer: &Value) -> anyhow::Result<Self> {
        Self::behind(answer, |slug| deployment.client(slug))
    }

    /// The same, reached in another way.
    pub(crate) fn behind(answer: &Value, reach: impl Fn(&str) -> anyhow::Result<Client>) -> anyhow::Result<Self> {
        let text =
            |value: &Value| value.as_str().map(str::to_owned).with_context(|| format!("no signup's answer: {answer}"));
        let (slug, token) = (text(&answer["tenant"]["subdomain"])?, text(&answer["api_token"])?);
        let client = reach(&slug)?.with_token(&token);
        Ok(Self { id: text(&answer["tenant"]["id"])?, region: text(&answer["tenant"]["region"])?, slug, token, client })
    }

    /// The same tenant after its deployment was started again, perhaps on another port.
    pub fn again(&self, deployment: &Deployment) -> anyhow::Result<Self> {
        Ok(Self { client: deployment.client(&self.slug)?.with_token(&self.token), ..self.clone() })
    }

    /// Opens a ticket and gives its number.
    pub async fn ticket(&self, subject: &str, body: &str) -> anyhow::Result<i64> {
        let ticket = json!({"ticket": {"subject": subject, "comment": {"body": body}}});
        let answer = self.client.post("/api/v2/tickets.json", &ticket).await?.expect(201)?;
        answer.body["ticket"]["id"].as_i64().context("a ticket has a number")
    }

    /// Adds a public comment, once for each key.
    pub async fn comment(&self, ticket: i64, body: &str, key: &str) -> anyhow::Result<Answer> {
        let path = format!("/api/v2/tickets/{ticket}.json");
        let update = json!({"ticket": {"comment": {"body": body, "public": true}}});
        client::send(self.client.request(Method::PUT, &path).header("Idempotency-Key", key).json(&update)).await
    }

    /// The bodies of a ticket's comments, oldest first.
    pub async fn comments(&self, ticket: i64) -> anyhow::Result<Vec<String>> {
        let mut path = format!("/api/v2/tickets/{ticket}/comments.json?page[size]=100");
        let mut bodies = Vec::new();
        loop {
            let page = self.client.get(&path).await?.expect(200)?.body;
            let comments = page["comments"].as_array().context("comments")?;
            bodies.extend(comments.iter().filter_map(|comment| comment["plain_body"].as_str().map(str::to_owned)));
            if page["meta"]["has_more"] != true {
                return Ok(bodies);
            }
            path = path_of(page["links"]["next"].as_str().context("a next page")?);
        }
    }

    /// Every event of the tenant's log.
    pub async fn events(&self) -> anyhow::Result<Vec<Value>> {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let page =
                self.client.get(&format!("/api/domicile/v1/events?after={after}&limit=1000")).await?.expect(200)?.body;
            events.extend(page["events"].as_array().context("events")?.iter().cloned());
            match page["next_after"].as_i64() {
                Some(next) => after = next,
                None => return Ok(events),
            }
        }
    }

    /// The position a mark has reached; 0 if it never was set.
    pub async fn mark(&self, mark: &str) -> anyhow::Result<i64> {
        let marks = self.client.get("/api/domicile/v1/marks").await?.expect(200)?.body;
        Ok(marks[mark]["position"].as_i64().unwrap_or(0))
    }

    /// The events that commands wrote. Reads are events too, and come a moment after their answers.
    pub async fn written_events(&self) -> anyhow::Result<Vec<Value>> {
        let mut events = self.events().await?;
        events.retain(|event| event["stream"].as_str().is_some_and(|stream| !stream.starts_with("access-")));
        Ok(events)
    }

    /// The position of the last event that a command wrote.
    pub async fn written(&self) -> anyhow::Result<i64> {
        Ok(self.written_events().await?.last().and_then(|event| event["position"].as_i64()).unwrap_or(0))
    }

    /// Waits until everything that is durable now is in the bucket; gives how far that is.
    pub async fn archived(&self) -> anyhow::Result<i64> {
        let head = self.mark("acked").await?;
        let what = format!("{} is archived up to {head}", self.slug);
        wait::until(&what, async || Ok((self.mark("archived").await? >= head).then_some(head))).await
    }

    /// Checks that positions and versions have neither gaps nor doubles; gives the head.
    pub async fn assert_dense(&self) -> anyhow::Result<i64> {
        let events = self.events().await?;
        let mut versions = std::collections::HashMap::new();
        for (event, expected) in events.iter().zip(1..) {
            anyhow::ensure!(event["position"] == expected, "position {} instead of {expected}", event["position"]);
            let version: &mut i64 = versions.entry(event["stream"].to_string()).or_default();
            *version += 1;
            anyhow::ensure!(
                event["version"] == *version,
                "{}: version {} instead of {version}",
                event["stream"],
                event["version"]
            );
        }
        Ok(i64::try_from(events.len())?)
    }
}

/// The path and query of an address.
fn path_of(url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').map_or_else(|| "/".to_owned(), |slash| after_scheme[slash..].to_owned())
}
