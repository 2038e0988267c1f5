//! The other regions as witnesses: where they are reached, and what they answer.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use archive::{checkpoint::region_name, cosignature, witness::AddCheckpoint};
use reqwest::StatusCode;
use schemas::RegionId;
use serde::Deserialize;

/// A cosignature is a line; a refusal a sentence.
const ANSWER_BYTES_MAX: usize = 16 << 10;
const REFUSAL_CHARACTERS_MAX: usize = 200;
/// What it holds against a region's logs: as many pairs of checkpoints as it shows at once.
const UNPROVEN_BYTES_MAX: usize = 1 << 20;
/// How long a witness may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Another region that cosigns.
#[derive(Debug, Clone)]
pub struct Witness {
    /// Which region.
    pub region: RegionId,
    /// Its own host, as `http://us.localhost:8080`.
    pub url: String,
    /// Where that host is reached, if not where its name says.
    pub address: Option<SocketAddr>,
}

/// All of them, and the client that asks them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Witnesses(Arc<[Asked]>);

#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) region: RegionId,
    url: String,
    http: reqwest::Client,
}

/// What a witness answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Its cosignature: a signature line.
    Cosigned(String),
    /// It has seen another size.
    OldSize(u64),
    /// It does not cosign this one, and why.
    Refused(String),
}

/// What a witness holds against a log of this region: a tree head that was not shown to follow on another.
#[derive(Debug, Deserialize)]
pub(crate) struct Unproven {
    /// What the witness had cosigned.
    pub(crate) ours: String,
    /// What it refused.
    pub(crate) theirs: String,
}

/// A witness that says nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client cannot be made.
    #[error("the client of a witness cannot be made")]
    Client(#[source] reqwest::Error),
    /// It does not answer.
    #[error("the witness does not answer")]
    Silent(#[source] reqwest::Error),
    /// It answers something that is no answer.
    #[error("the witness answers with status {status}")]
    Strange {
        /// The HTTP status.
        status: u16,
    },
}

impl Witness {
    /// A client that reaches it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn client(&self) -> Result<reqwest::Client, Error> {
        // A proxy of the environment is no part of the way between two regions.
        // Nor is any place that the witness would send us to.
        #[expect(
            clippy::disallowed_methods,
            reason = "a witness is a region of ours, and is shown sizes and hashes alone"
        )]
        let mut builder =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(ANSWER_TIMEOUT);
        let host = self.url.split("://").nth(1).and_then(|rest| rest.split([':', '/']).next());
        if let (Some(address), Some(host)) = (self.address, host) {
            builder = builder.resolve(host, address);
        }
        builder.build().map_err(Error::Client)
    }
}

impl Witnesses {
    /// Clients of these regions.
    ///
    /// # Errors
    /// If a client cannot be made.
    pub fn new(witnesses: Vec<Witness>) -> Result<Self, Error> {
        Ok(Self(witnesses.into_iter().map(Asked::new).collect::<Result<Vec<_>, _>>()?.into()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Asked> {
        self.0.iter()
    }
}

impl Asked {
    fn new(witness: Witness) -> Result<Self, Error> {
        let http = witness.client()?;
        Ok(Self { region: witness.region, url: witness.url.trim_end_matches('/').to_owned(), http })
    }

    /// Asks for a cosignature.
    pub(crate) async fn add_checkpoint(&self, request: &AddCheckpoint) -> Result<Answer, Error> {
        let url = format!("{}/witness/add-checkpoint", self.url);
        let answer = self.http.post(url).body(request.to_string()).send().await.map_err(Error::Silent)?;
        let status = answer.status();
        let strange = || Error::Strange { status: status.as_u16() };
        let body = beginning(answer, ANSWER_BYTES_MAX).await?.ok_or_else(strange)?;
        match status {
            // Lines of keys that we do not know are not ours to keep.
            StatusCode::OK => {
                let name = region_name(&self.region);
                let line = body.lines().find(|line| cosignature::is_line(line, &name)).ok_or_else(strange)?;
                Ok(Answer::Cosigned(line.to_owned()))
            }
            StatusCode::CONFLICT => body.trim_end().parse().map(Answer::OldSize).map_err(|_| strange()),
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
                let why: String = body.chars().filter(|it| !it.is_control()).take(REFUSAL_CHARACTERS_MAX).collect();
                Ok(Answer::Refused(format!("{}: {why}", status.as_u16())))
            }
            _ => Err(strange()),
        }
    }

    /// Asks what it holds against the logs of a region.
    pub(crate) async fn unproven(&self, of: &RegionId) -> Result<Vec<Unproven>, Error> {
        let answer =
            self.http.get(format!("{}/witness/unproven/{of}", self.url)).send().await.map_err(Error::Silent)?;
        let status = answer.status();
        // A desk from before there was such a list.
        if status == StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        let body = beginning(answer, UNPROVEN_BYTES_MAX).await?.filter(|_| status == StatusCode::OK);
        let read = body.and_then(|body| serde_json::from_str(&body).ok());
        read.ok_or(Error::Strange { status: status.as_u16() })
    }

    /// Proves what it held against a log. Whether it sees so.
    pub(crate) async fn settle(&self, proof: &AddCheckpoint) -> Result<bool, Error> {
        let url = format!("{}/witness/settle", self.url);
        let answer = self.http.post(url).body(proof.to_string()).send().await.map_err(Error::Silent)?;
        Ok(answer.status().is_success())
    }
}

/// The body as text; nothing if it is longer than any true answer, or no text.
async fn beginning(mut answer: reqwest::Response, bytes_max: usize) -> Result<Option<String>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(Error::Silent)? {
        if body.len() + chunk.len() > bytes_max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(body).ok())
}
