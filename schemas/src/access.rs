//! Events of the streams `access-<day>`: who read what. One event holds a batch of reads, because reads are many and small.

use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    events,
    ids::{PersonId, TokenId},
    values::{Means, ReadKind},
};

/// One read, answered or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// When it was asked for.
    pub at: Timestamp,
    /// Who read; nobody in particular for the holder of a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<PersonId>,
    /// By what the reader came in.
    pub means: Means,
    /// The API token, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The reader's network address, where the router names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// What the reader's program calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The page the reader came from, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referer: Option<String>,
    /// The method of the request.
    pub method: String,
    /// Path and query of the request, without secrets in them.
    pub url: String,
    /// What was read.
    pub kind: ReadKind,
    /// Which of it: the ids on a page of a list, or the one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<i64>,
    /// The status of the answer.
    pub status: u16,
    /// The length of the answer's body, where it was known beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_sent: Option<u64>,
    /// Why, if whoever runs the region read it on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

events! {
    /// What is recorded about a day's reads. Sealed under the day's key, which is destroyed when the policy says so.
    pub enum AccessEvent {
        /// People read something.
        "accesses_recorded" @ 1 => AccessesRecorded {
            /// What they read, in the order of the answers.
            personal accesses: Vec<Access>,
        },
    }
}
