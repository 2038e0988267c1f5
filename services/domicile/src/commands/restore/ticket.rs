//! `domicile restore ticket`: one ticket, by command, while the tenant lives on.

use clap::Args;
use desk::undelete::{self, Error, Restored};
use regions::DatabaseRole;
use runtime::{RegionMetrics, Shutdown};
use schemas::{Position, Slug, TicketId};
use serde::Serialize;

use crate::{
    cli::TenantOption,
    commands::audit::Moment,
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, print_one},
    up::region,
};

/// `domicile restore ticket`.
#[derive(Debug, Args)]
pub struct OfTicket {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tenant: TenantOption,
    /// Its number.
    #[arg(long, value_name = "NUMBER")]
    pub ticket: TicketId,
    /// Set its fields to what they were at this moment, too. Comments written since stay.
    #[arg(long, value_name = "TIME|POSITION")]
    pub at: Option<Moment>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Serialize)]
struct Done {
    tenant: Slug,
    ticket: TicketId,
    was_deleted: bool,
    events: i64,
    position: Position,
}

impl Done {
    fn in_words(&self) -> String {
        let Self { tenant, ticket, was_deleted, events, position } = self;
        let what = match (events, was_deleted) {
            (0, _) => "is as it was already",
            (_, true) => "is back",
            (_, false) => "has the fields it had",
        };
        format!("{tenant}: ticket {ticket} {what}; {events} events, up to position {position}\n")
    }
}

impl From<Moment> for undelete::Moment {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Position(position) => Self::Position(position),
            Moment::Time(time) => Self::Time(time),
        }
    }
}

pub(super) async fn run(deployment: &Deployment, options: &OfTicket) -> Outcome {
    let region = deployment.region(&options.tenant.region)?;
    let slug = &options.tenant.tenant;
    let mut connection = regions::connection(&region, DatabaseRole::Desk).await?;
    let resident = deployment.resident(&mut connection, &region.id, slug).await?;
    // A desk that serves nobody: the one write path, and nothing else of it.
    let (metrics, roles) = (RegionMetrics::new(region.id.as_str()), Shutdown::new());
    // It answers on no host and cosigns nothing, so it needs neither the apex nor the directory's key.
    let directory = (deployment.directory()?.client, None);
    let desk = region::desk(deployment, &region, "", directory, (&metrics, &roles)).await?;
    let restored = undelete::restore_ticket(&desk, &resident, options.ticket, options.at.map(Into::into)).await;
    roles.request();
    let Restored { was_deleted, events, position } = restored.map_err(said)?;
    let done = Done { tenant: slug.clone(), ticket: options.ticket, was_deleted, events, position };
    print_one(&done, options.format, || done.in_words())
}

fn said(error: Error) -> Failure {
    match error {
        Error::Unknown(_) | Error::Erased(_) | Error::NotDeleted(_) => Failure::usage(format!("--ticket: {error}")),
        Error::NotThen(_) | Error::Closed(_) => Failure::usage(format!("--at: {error}")),
        Error::Rejected(rejection) => Failure::usage(format!("--at: {rejection}")),
        Error::Read(_) | Error::Write(_) => Failure::unavailable(error),
    }
}
