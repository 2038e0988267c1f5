//! Stream names: which aggregate an event belongs to. They are stored in the clear, so they hold ids and never data.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    day::Day,
    ids::{
        AttachmentId, CommandId, InvalidId, JobId, OrganizationId, PersonId, RuleId, SessionId, Slug, TicketFieldId,
        TicketId, WebhookId,
    },
};

/// The name of a stream within a tenant's log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^(tenant|erasures|(person|organization|ticket|ticket-field|rule|session|upload)-[0-9]+|(email|claim)-[0-9a-fA-F]+|name-[a-z0-9-]+|access-[0-9]{8}|(audit|job)-[0-9a-f-]{36})$"))]
pub enum StreamName {
    /// `tenant`: registration, locality, plan, groups.
    Tenant,
    /// `person-<id>`: a person's profile and credentials.
    Person(PersonId),
    /// `email-<blind index>`: who holds an address, without the address.
    Email(String),
    /// `organization-<id>`: an organization that people belong to.
    Organization(OrganizationId),
    /// `claim-<blind index>`: who holds a value that only one may have, without the value.
    Claim(String),
    /// `ticket-<number>`: a ticket and its comments.
    Ticket(TicketId),
    /// `ticket-field-<id>`: a field that the tenant made for its tickets.
    TicketField(TicketFieldId),
    /// `rule-<id>`: a view, a macro: what the tenant says once about its tickets.
    Rule(RuleId),
    /// `webhook-<id>`: a server outside that is told what happens.
    Webhook(WebhookId),
    /// `session-<id>`: a person signed in on a page.
    Session(SessionId),
    /// `upload-<id>`: a file that was uploaded.
    Upload(AttachmentId),
    /// `erasures`: which keys were destroyed, and why.
    Erasures,
    /// `name-<slug>`: who holds a name; in the directory's log only.
    Name(Slug),
    /// `access-<YYYYMMDD>`: who read what on a day.
    Access(Day),
    /// `audit-<command id>`: where a command came from, and what it changed of settings, people and keys.
    Audit(CommandId),
    /// `job-<job id>`: work on many things that one request asked for.
    Job(JobId),
}

impl fmt::Display for StreamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant => formatter.write_str("tenant"),
            Self::Erasures => formatter.write_str("erasures"),
            Self::Person(id) => write!(formatter, "person-{id}"),
            Self::Email(index) => write!(formatter, "email-{index}"),
            Self::Organization(id) => write!(formatter, "organization-{id}"),
            Self::Claim(index) => write!(formatter, "claim-{index}"),
            Self::Ticket(id) => write!(formatter, "ticket-{id}"),
            Self::TicketField(id) => write!(formatter, "ticket-field-{id}"),
            Self::Rule(id) => write!(formatter, "rule-{id}"),
            Self::Webhook(id) => write!(formatter, "webhook-{id}"),
            Self::Session(id) => write!(formatter, "session-{id}"),
            Self::Upload(id) => write!(formatter, "upload-{id}"),
            Self::Name(slug) => write!(formatter, "name-{slug}"),
            Self::Access(day) => write!(formatter, "access-{day}"),
            Self::Audit(command) => write!(formatter, "audit-{command}"),
            Self::Job(job) => write!(formatter, "job-{job}"),
        }
    }
}

impl FromStr for StreamName {
    type Err = InvalidStreamName;

    fn from_str(text: &str) -> Result<Self, InvalidStreamName> {
        let invalid = |_: InvalidId| InvalidStreamName(text.to_owned());
        match text.split_once('-') {
            None if text == "tenant" => Ok(Self::Tenant),
            None if text == "erasures" => Ok(Self::Erasures),
            Some(("person", id)) => id.parse().map(Self::Person).map_err(invalid),
            Some(("email", index)) if is_index(index) => Ok(Self::Email(index.to_owned())),
            Some(("organization", id)) => id.parse().map(Self::Organization).map_err(invalid),
            Some(("claim", index)) if is_index(index) => Ok(Self::Claim(index.to_owned())),
            Some(("ticket", rest)) if rest.starts_with("field-") => {
                rest["field-".len()..].parse().map(Self::TicketField).map_err(invalid)
            }
            Some(("ticket", id)) => id.parse().map(Self::Ticket).map_err(invalid),
            Some(("rule", id)) => id.parse().map(Self::Rule).map_err(invalid),
            Some(("webhook", id)) => id.parse().map(Self::Webhook).map_err(invalid),
            Some(("session", id)) => id.parse().map(Self::Session).map_err(invalid),
            Some(("upload", id)) => id.parse().map(Self::Upload).map_err(invalid),
            Some(("name", slug)) => slug.parse().map(Self::Name).map_err(invalid),
            Some(("access", day)) => day.parse().map(Self::Access).map_err(invalid),
            Some(("audit", command)) => command.parse().map(Self::Audit).map_err(invalid),
            Some(("job", job)) => job.parse().map(Self::Job).map_err(invalid),
            _ => Err(InvalidStreamName(text.to_owned())),
        }
    }
}

fn is_index(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl TryFrom<String> for StreamName {
    type Error = InvalidStreamName;
    fn try_from(text: String) -> Result<Self, InvalidStreamName> {
        text.parse()
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> Self {
        name.to_string()
    }
}

/// A text that names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "stream: takes tenant, erasures, person-<id>, email-<index>, organization-<id>, claim-<index>, ticket-<number>, ticket-field-<id>, rule-<id>, webhook-<id>, session-<id>, upload-<id>, name-<slug>, access-<YYYYMMDD>, audit-<command id> or job-<job id>, not {0:?}"
)]
pub struct InvalidStreamName(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_reads_back_as_itself() {
        for text in [
            "tenant",
            "erasures",
            "person-7",
            "email-00ff",
            "organization-3",
            "claim-00ff",
            "ticket-42",
            "ticket-field-7",
            "rule-7",
            "webhook-7",
            "session-7",
            "upload-9",
            "name-acme-1",
            "access-20261122",
        ] {
            assert_eq!(text.parse::<StreamName>().map(|name| name.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "",
            "ticket",
            "ticket-",
            "ticket-x",
            "email-",
            "email-a@b.c",
            "claim-x",
            "mail-1",
            "access-1",
            "access-20261301",
        ] {
            assert!(text.parse::<StreamName>().is_err(), "{text}");
        }
    }
}
