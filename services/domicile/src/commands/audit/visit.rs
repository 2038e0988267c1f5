//! What an operator looks at with the region's keys is told to the tenant first: an entry in its access log and one in its audit log.
//! What cannot be told is not opened. A copied folder is no part of the region: looking at one tells nobody.

use std::sync::Arc;

use desk::support::{Support, Visit};
use eventlog::{Appender, AppenderConfig};
use regions::{DatabaseRole, Region, Resident};
use runtime::{RegionMetrics, Shutdown};
use schemas::{StreamName, values::ReadKind};

use crate::{
    deployment::Deployment,
    exit::{Failure, Outcome},
};

/// The reason of whoever gives none: an incident is not to wait for words, and the tenant sees that there were none.
const NO_REASON: &str = "none given";

/// What a command is about to show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purpose<'a> {
    /// The one stream it is about; the whole history, without.
    pub(crate) stream: Option<&'a StreamName>,
    /// Whether it leaves as files.
    pub(crate) is_export: bool,
    /// Why.
    pub(crate) reason: Option<&'a str>,
}

impl Purpose<'_> {
    fn visit(&self) -> Visit {
        let (kind, ids) = match self.stream {
            Some(StreamName::Ticket(ticket)) => (ReadKind::Ticket, vec![ticket.get()]),
            Some(StreamName::Person(person)) => (ReadKind::User, vec![person.get()]),
            Some(StreamName::Organization(organization)) => (ReadKind::Organization, vec![organization.get()]),
            Some(StreamName::Upload(file)) => (ReadKind::Attachment, vec![file.get()]),
            _ => (ReadKind::Event, Vec::new()),
        };
        Visit {
            command: command_line(),
            reason: self.reason.unwrap_or(NO_REASON).to_owned(),
            kind,
            ids,
            is_export: self.is_export,
        }
    }
}

/// The command as it was typed.
pub(crate) fn command_line() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("domicile {}", arguments.join(" "))
}

/// Tells the tenant.
pub(crate) async fn record(
    deployment: &Deployment,
    region: &Region,
    resident: &Resident,
    purpose: Purpose<'_>,
) -> Outcome {
    let pool = deployment.pool(region, DatabaseRole::Desk).await?;
    let metrics = RegionMetrics::new(region.id.as_str());
    let appender = Appender::start(AppenderConfig::default(), region, metrics, &Shutdown::new()).await?;
    let support = Support {
        vault: deployment.vault(region, pool)?,
        appender,
        clock: Arc::clone(&deployment.clock),
        ids: Arc::clone(&deployment.ids),
    };
    support.record(resident, &purpose.visit()).await.map_err(Failure::unavailable)?;
    Ok(())
}
