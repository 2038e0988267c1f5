//! A tenant's own address, asked with the token of an auditor's grant: `--from https://acme.example.com --grant TOKEN`.
//!
//! What is given there is believed no more than a copied folder: it is verified here, against the key that the auditor has.

mod unpack;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use auditor::Wanted;
use reqwest::{Response, StatusCode, Url};
use schemas::TicketId;
use serde::Deserialize;

use self::unpack::Unpacking;
use super::{archive::ArchiveOption, export::folder::Filling};
use crate::{
    exit::{Failure, Outcome},
    progress::Progress,
};

/// How long an address may take to be reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long nothing may come: a proof by id reads the entries up to the event before it answers.
const READ_TIMEOUT: Duration = Duration::from_secs(120);

/// An address, and the grant for it.
pub(super) struct Granted {
    http: reqwest::Client,
    address: Url,
    token: String,
}

/// A refusal, as RFC 9457 has it.
#[derive(Default, Deserialize)]
struct Problem {
    detail: Option<String>,
}

impl Granted {
    /// The one that an option names; nothing where it names a folder or a region.
    pub(super) fn by(option: &ArchiveOption) -> Result<Option<Self>, Failure> {
        let Some(address) = option.address() else { return Ok(None) };
        let takes = |what: &str| Failure::usage(format!("--from: takes {what}, not {address}"));
        let address: Url = address.parse().map_err(|_| takes("an address such as https://acme.example.com"))?;
        let host = address.host_str().unwrap_or_default().to_owned();
        let is_here = host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1";
        if address.scheme() != "https" && !is_here {
            return Err(takes("an https address: the grant must not be read on the way"));
        }
        if address.path() != "/" {
            return Err(takes("a tenant's address without a path"));
        }
        let Some(token) = option.grant.clone() else {
            return Err(Failure::usage("--grant: takes the token of an auditor's grant; DOMICILE_GRANT says it, too"));
        };
        #[expect(clippy::disallowed_methods, reason = "an auditor names the desk")]
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT);
        if is_here {
            // Not every resolver knows that `*.localhost` is this machine, and no proxy leads to it.
            builder = builder.no_proxy().resolve(&host, SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0));
        }
        Ok(Some(Self { http: builder.build()?, address, token }))
    }

    /// What to call it.
    pub(super) fn name(&self) -> String {
        self.address.as_str().trim_end_matches('/').to_owned()
    }

    /// The proof of an event, as it came.
    pub(super) async fn proof(&self, event: Wanted) -> Result<String, Failure> {
        let event = match event {
            Wanted::Position(position) => position.to_string(),
            Wanted::Id(id) => id.to_string(),
        };
        let answer = self.get(&format!("/api/domicile/v1/audit/proof?event={event}")).await?;
        answer.text().await.map_err(|error| self.broke_off(error))
    }

    /// A bundle of everything, or of a ticket, into a folder. What is there when it breaks off lacks the list of its files.
    pub(super) async fn bundle(&self, ticket: Option<TicketId>, target: Filling) -> Outcome {
        let path = match ticket {
            Some(ticket) => format!("/api/domicile/v1/tickets/{ticket}/bundle"),
            None => "/api/domicile/v1/audit/bundle".to_owned(),
        };
        let mut answer = self.get(&path).await?;
        let files = answer.headers().get("x-domicile-files").and_then(|files| files.to_str().ok()?.parse().ok());
        let progress = Progress::new("download, files", files.unwrap_or(0));
        let (mut unpacking, mut bytes) = (Unpacking::into(target), 0);
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.broke_off(error))? {
            unpacking.take(&chunk)?;
            bytes += chunk.len() as u64;
            progress.set_with_bytes(unpacking.files(), bytes);
        }
        progress.finish();
        if unpacking.is_whole() {
            Ok(())
        } else {
            Err(self.broke_off(anyhow::anyhow!("the list of its files is missing")))
        }
    }

    async fn get(&self, path: &str) -> Result<Response, Failure> {
        let url = self.address.join(path).map_err(Failure::usage)?;
        let answer = self.http.get(url).bearer_auth(&self.token).send().await;
        let answer = answer.map_err(|error| {
            Failure::unavailable(anyhow::Error::new(error).context(format!("{} does not answer", self.name())))
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let problem: Problem = answer.json().await.unwrap_or_default();
        let detail = problem.detail.unwrap_or_else(|| status.to_string());
        Err(match status {
            StatusCode::UNAUTHORIZED => Failure::usage(format!(
                "--grant: {} does not take it: the grant has ended or was revoked, or is another tenant's",
                self.name()
            )),
            StatusCode::FORBIDDEN => Failure::usage(format!("--grant: {detail}")),
            StatusCode::NOT_FOUND => Failure::usage(format!("{} has no such ticket or event", self.name())),
            StatusCode::BAD_REQUEST => Failure::usage(format!("--event: {detail}")),
            status => Failure::unavailable(anyhow::anyhow!("{} answers {status}: {detail}", self.name())),
        })
    }

    fn broke_off(&self, error: impl Into<anyhow::Error>) -> Failure {
        Failure::unavailable(error.into().context(format!("what {} sent broke off; call again", self.name())))
    }
}
