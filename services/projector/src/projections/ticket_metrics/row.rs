//! What is kept of a ticket, and how it is read and written.

use std::collections::BTreeMap;

use jiff_sqlx::Timestamp;
use schemas::{TenantId, TicketId};
use sqlx::{error::BoxDynError, types::Json};

use crate::{
    batch::Applied,
    build::{Columns, OpenBuild, Row},
    projections::existing,
};

/// When each automation last changed a ticket, in seconds since 1970.
pub(super) type Automated = BTreeMap<String, i64>;

/// A ticket's row.
pub(super) struct Metric {
    pub(super) ticket_id: i64,
    pub(super) version: i64,
    pub(super) status: String,
    pub(super) requester_id: i64,
    pub(super) assignee_id: Option<i64>,
    pub(super) group_id: Option<i64>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) status_updated_at: Timestamp,
    pub(super) initially_assigned_at: Option<Timestamp>,
    pub(super) assigned_at: Option<Timestamp>,
    pub(super) requester_updated_at: Option<Timestamp>,
    pub(super) assignee_updated_at: Option<Timestamp>,
    pub(super) latest_comment_added_at: Option<Timestamp>,
    pub(super) first_replied_at: Option<Timestamp>,
    pub(super) first_solved_at: Option<Timestamp>,
    pub(super) solved_at: Option<Timestamp>,
    pub(super) replies: i32,
    pub(super) reopens: i32,
    pub(super) group_stations: i32,
    pub(super) assignee_stations: i32,
    pub(super) requester_wait_seconds: i64,
    pub(super) agent_wait_seconds: i64,
    pub(super) hold_seconds: i64,
    pub(super) automated: Json<Automated>,
    pub(super) automation_updates: i32,
}

/// The rows of those tickets that were opened before.
pub(super) async fn load(
    build: &mut OpenBuild,
    tenant: TenantId,
    wanted: &[(TicketId, &Applied)],
) -> Result<BTreeMap<TicketId, Metric>, sqlx::Error> {
    let ids = existing(wanted);
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let metrics = sqlx::query_as!(
        Metric,
        r#"select ticket_id, version, status, requester_id, assignee_id, group_id,
                  created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp",
                  status_updated_at as "status_updated_at: Timestamp",
                  initially_assigned_at as "initially_assigned_at: Timestamp", assigned_at as "assigned_at: Timestamp",
                  requester_updated_at as "requester_updated_at: Timestamp",
                  assignee_updated_at as "assignee_updated_at: Timestamp",
                  latest_comment_added_at as "latest_comment_added_at: Timestamp",
                  first_replied_at as "first_replied_at: Timestamp", first_solved_at as "first_solved_at: Timestamp",
                  solved_at as "solved_at: Timestamp", replies, reopens, group_stations, assignee_stations,
                  requester_wait_seconds, agent_wait_seconds, hold_seconds, automated as "automated: Json<Automated>",
                  automation_updates
           from ticket_metric where tenant_id = $1 and ticket_id = any($2)"#,
        tenant.get(),
        &ids,
    )
    .fetch_all(build)
    .await?;
    Ok(metrics.into_iter().map(|metric| (TicketId::new(metric.ticket_id), metric)).collect())
}

impl Row for Metric {
    const TABLE: &'static str = "ticket_metric";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("ticket_id", self.ticket_id)?;
        to.value("version", self.version)?;
        to.value("status", self.status.as_str())?;
        to.value("requester_id", self.requester_id)?;
        to.value("assignee_id", self.assignee_id)?;
        to.value("group_id", self.group_id)?;
        to.value("created_at", self.created_at)?;
        to.value("updated_at", self.updated_at)?;
        to.value("status_updated_at", self.status_updated_at)?;
        to.value("initially_assigned_at", self.initially_assigned_at)?;
        to.value("assigned_at", self.assigned_at)?;
        to.value("requester_updated_at", self.requester_updated_at)?;
        to.value("assignee_updated_at", self.assignee_updated_at)?;
        to.value("latest_comment_added_at", self.latest_comment_added_at)?;
        to.value("first_replied_at", self.first_replied_at)?;
        to.value("first_solved_at", self.first_solved_at)?;
        to.value("solved_at", self.solved_at)?;
        to.value("replies", self.replies)?;
        to.value("reopens", self.reopens)?;
        to.value("group_stations", self.group_stations)?;
        to.value("assignee_stations", self.assignee_stations)?;
        to.value("requester_wait_seconds", self.requester_wait_seconds)?;
        to.value("agent_wait_seconds", self.agent_wait_seconds)?;
        to.value("hold_seconds", self.hold_seconds)?;
        to.value("automated", &self.automated)?;
        to.value("automation_updates", self.automation_updates)
    }
}
