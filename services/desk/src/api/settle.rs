//! Reading what was just written.
//!
//! Read models follow the log; a handler that needs them to show a write waits here, for its own write or for whatever was
//! in the log when it asked.

use regions::Resident;

use crate::{
    execute::Done,
    problem::ApiError,
    state::Desk,
    visible::{self, Visible, Written},
};

/// The projections a ticket's answer is made of.
pub(crate) const TICKET: &[&str] = &["ticket_list", "ticket_thread", "audits"];
/// The projections that hold what a ticket says, in the clear: none of it is left when an erasure is answered.
pub(crate) const TICKET_TEXTS: &[&str] = &["ticket_list", "ticket_thread", "audits", "search"];
/// The same of what is told of people and organizations.
pub(crate) const PEOPLE_TEXTS: &[&str] = &["people", "search"];
/// The projection of profiles.
pub(crate) const PEOPLE: &[&str] = &["people"];
/// The projection of the tenant and its groups.
pub(crate) const ACCOUNT: &[&str] = &["account"];
/// The projection of the fields that a tenant made for its tickets.
pub(crate) const TICKET_FIELDS: &[&str] = &["ticket_fields"];
/// The projection of what is measured of tickets.
pub(crate) const TICKET_METRICS: &[&str] = &["ticket_metrics"];
/// The projection of views, macros and triggers.
pub(crate) const RULES: &[&str] = &["rules"];
/// The projection of webhooks.
pub(crate) const WEBHOOKS: &[&str] = &["webhooks"];
/// The projection of where people are signed in.
pub(crate) const SESSIONS: &[&str] = &["sessions"];
/// What says whose a session is, and that it is one.
pub(crate) const SIGNED_IN: &[&str] = &["people", "sessions"];
/// The projection of jobs.
pub(crate) const JOBS: &[&str] = &["jobs"];
/// The projection of uploaded files.
pub(crate) const FILES: &[&str] = &["ticket_thread"];

/// Waits, within bounds, until `projections` show what was done.
pub(crate) async fn settled(desk: &Desk, resident: &Resident, done: &Done, projections: &[&str]) -> Written {
    let visible = visible::wait(desk, resident, done.last, projections).await;
    let is_read = done.replayed || done.nothing_changed;
    Written { position: done.last, visible, replayed: done.replayed, is_read }
}

/// Waits, within bounds, until `projections` show everything that is in the log now: what a request before this one wrote
/// may not have been there yet.
pub(crate) async fn catch_up(desk: &Desk, resident: &Resident, projections: &[&str]) -> Result<Visible, ApiError> {
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let head = eventlog::head(&mut transaction, resident).await?;
    drop(transaction);
    Ok(visible::wait(desk, resident, head, projections).await)
}
