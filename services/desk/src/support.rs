//! Whoever runs the region looks at a tenant's history with the region's keys: the tenant is told, before anything is opened.
//!
//! One command leaves an entry in the access log (what was looked at, and why) and one in the audit log (that it was support access,
//! or an export), appended together. A log that takes no entry is not looked at.

use std::sync::Arc;

use eventlog::{Append, Appender, Expected, StreamAppend};
use jiff::Timestamp;
use regions::Resident;
use runtime::{Clock, Ids};
use schemas::{
    CommandId, Day, Position, Sealed, StreamName, TenantLogEvent, Version,
    access::{Access, AccessEvent, AccessesRecorded},
    audit::{AuditEvent, ChangeNoted, FieldChange},
    values::{AuditAction, AuditSource, Means, ReadKind},
};
use vault::Vault;

use crate::{
    caller::provenance::Provenance,
    execute::{Decided, Failure, Issuer, seal_with},
};

/// How often to begin again because a desk wrote to the day's stream meanwhile.
const ATTEMPTS_MAX: u32 = 20;

/// How much of a command line is kept, in characters.
const COMMAND_LENGTH_MAX: usize = 2000;

/// What it takes to leave an entry.
pub struct Support {
    /// The region's keys, in the role of the desk.
    pub vault: Vault,
    /// The way into the log.
    pub appender: Appender,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The command, as it was typed.
    pub command: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// What kind of thing it shows.
    pub kind: ReadKind,
    /// Which of it; all, when there are none.
    pub ids: Vec<i64>,
    /// Whether it leaves as files.
    pub is_export: bool,
}

/// Why a visit was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tenant's log takes no entries: it is closed, being restored, or elsewhere.
    #[error("the log takes no entries now, so nothing is opened; a copied archive with its keys can be looked at")]
    Closed,
    /// The entry could not be written.
    #[error("the visit cannot be recorded, so nothing is opened")]
    Record(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Support {
    /// Records a visit; returns where the log ends then.
    ///
    /// # Errors
    /// If the log does not take it: then nothing may be opened.
    pub async fn record(&self, resident: &Resident, visit: &Visit) -> Result<Position, Error> {
        let at = self.clock.now();
        let day = StreamName::Access(Day::of(at));
        let mut after = Version::ZERO;
        for _ in 0..ATTEMPTS_MAX {
            let append =
                self.append(resident, visit, (at, &day, after)).await.map_err(|error| Error::Record(error.into()))?;
            match self.appender.append(append).await {
                Ok(appended) => return Ok(appended.last),
                Err(eventlog::Error::WrongExpectedVersion { actual, .. }) => after = actual,
                Err(eventlog::Error::NotAtHome { .. }) => return Err(Error::Closed),
                Err(error) => return Err(Error::Record(error.into())),
            }
        }
        Err(Error::Record("the day's stream is written to all the time".into()))
    }

    async fn append(
        &self,
        resident: &Resident,
        visit: &Visit,
        (at, day, after): (Timestamp, &StreamName, Version),
    ) -> Result<Append, Failure> {
        let provenance = Provenance { means: Means::CommandLine, ..Provenance::system() };
        let by = Issuer::system_at(resident, provenance, (CommandId::new(self.ids.uuid()), at));
        let accesses = vec![access(visit, at)];
        let read: Vec<TenantLogEvent> = vec![AccessEvent::from(AccessesRecorded { accesses: accesses.into() }).into()];
        let audit = StreamName::Audit(by.command_id);
        let told: Vec<TenantLogEvent> =
            vec![AuditEvent::from(by.provenance.noted()).into(), AuditEvent::from(change(visit)).into()];
        let decided = [
            Decided { stream: day, after, events: &read },
            Decided { stream: &audit, after: Version::ZERO, events: &told },
        ];
        let sealed = seal_with(&self.vault, self.ids.as_ref(), &by, &decided).await?;
        let places = [(day.clone(), after), (audit, Version::ZERO)];
        let streams = places.into_iter().zip(sealed).map(stream).collect();
        Ok(Append { resident: by.resident, command_id: by.command_id, idempotency: None, streams })
    }
}

fn stream(((stream, after), events): ((StreamName, Version), Vec<Sealed>)) -> StreamAppend {
    let expected = if after == Version::ZERO { Expected::NoStream } else { Expected::Exact(after) };
    StreamAppend { stream, expected, events }
}

fn access(visit: &Visit, at: Timestamp) -> Access {
    Access {
        at,
        actor: None,
        means: Means::CommandLine,
        token: None,
        address: None,
        client: None,
        referer: None,
        method: "GET".to_owned(),
        url: visit.command.chars().take(COMMAND_LENGTH_MAX).collect(),
        kind: visit.kind,
        ids: visit.ids.clone(),
        status: 200,
        bytes_sent: None,
        reason: Some(visit.reason.clone()),
    }
}

fn change(visit: &Visit) -> ChangeNoted {
    let said = |field: &str, text: &str| {
        let new = Some(text.chars().take(COMMAND_LENGTH_MAX).collect());
        FieldChange { field: field.to_owned(), old: None, new }
    };
    ChangeNoted {
        action: if visit.is_export { AuditAction::Exported } else { AuditAction::Accessed },
        source: AuditSource::History,
        source_id: 0,
        person: None,
        label: "Support access".to_owned().into(),
        changes: vec![said("reason", &visit.reason), said("command", &visit.command)].into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::testing::{Bench, GRACE};

    async fn support(bench: &Bench) -> anyhow::Result<Support> {
        let region = &bench.test.region;
        Ok(Support {
            vault: region.vault(regions::DatabaseRole::Desk).await?,
            appender: region.appender().await?,
            clock: region.clock.clone(),
            ids: region.ids.clone(),
        })
    }

    fn visit(is_export: bool) -> Visit {
        Visit {
            command: "domicile audit replay --ticket 1".to_owned(),
            reason: "case 4711".to_owned(),
            kind: ReadKind::Ticket,
            ids: vec![1],
            is_export,
        }
    }

    #[tokio::test]
    async fn the_tenant_sees_who_looked_at_what_and_why() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.get(GRACE, "/api/v2/groups/5").await;
        crate::access::flush(&bench).await;
        let support = support(&bench).await?;
        for is_export in [false, true] {
            support.record(&bench.acme, &visit(is_export)).await?;
        }
        bench.settle(&bench.acme).await?;
        let log = bench.get(GRACE, "/api/v2/access_logs?filter[category]=ticket").await.body;
        let entries = log["access_logs"].as_array().expect("entries");
        let told: Vec<_> = entries
            .iter()
            .map(|entry| json!([entry["actor"], entry["means"], entry["reason"], entry["read_ids"], entry["url"]]))
            .collect();
        let expected = json!(["operator", "command_line", "case 4711", [1], "domicile audit replay --ticket 1"]);
        assert_eq!(told, [expected.clone(), expected]);
        let log = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=history&sort_order=asc").await.body;
        let told = |entry: &Value| {
            json!([entry["action"], entry["actor_name"], entry["actor_id"], entry["change_description"]])
        };
        let what = "reason set to case 4711; command set to domicile audit replay --ticket 1";
        let expected = [json!(["accessed", "Operator", -1, what]), json!(["exported", "Operator", -1, what])];
        assert_eq!(log["audit_logs"].as_array().expect("entries").iter().map(told).collect::<Vec<_>>(), expected);
        Ok(())
    }

    #[tokio::test]
    async fn a_log_that_takes_no_entry_is_not_looked_at() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        crate::access::set_home(&bench, "eu", "restoring").await?;
        let refused = support(&bench).await?.record(&bench.acme, &visit(false)).await;
        assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
        Ok(())
    }
}
