//! The desk of those who work on tickets, and of auditors, who read it without its forms.
//!
//! Pages read through the functions that the API answers from and change things through those that it changes them with, so that
//! there is one set of rules, one write path and one access log for both.
//!
//! Reading order: [`shelf`] (views) and [`listing`] (their tickets), [`attributes`] and [`choices`] (what forms say of a ticket),
//! [`new_ticket`]; [`ticket`] (a ticket's page), its [`thread`], and [`reply`] (what its form does); [`history`], [`merge`], [`search`] and [`profile`]; [`live`] (what is told without being asked). [`names`] and [`terms`] are the words for people and for what tickets hold.

mod attributes;
mod choices;
mod faults;
mod history;
mod listing;
pub(crate) mod live;
mod merge;
mod names;
mod new_ticket;
pub(super) mod profile;
mod reply;
mod search;
mod shelf;
mod table;
mod terms;
#[cfg(test)]
pub(super) mod testing;
mod thread;
mod ticket;

use axum::{
    Router,
    extract::FromRequestParts,
    http::request::Parts,
    routing::{get, post},
};
use schemas::values::Role;

use crate::{caller::Caller, problem::ApiError, state::Desk};

/// Everything under `/agent`.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/agent", get(listing::first))
        .route("/agent/views/{id}", get(listing::show))
        .route("/agent/tickets", post(new_ticket::open))
        .route("/agent/tickets/new", get(new_ticket::show))
        .route("/agent/tickets/{id}", get(ticket::show).post(reply::send))
        .route("/agent/tickets/{id}/history", get(history::show))
        .route("/agent/tickets/{id}/merge", get(merge::show).post(merge::send))
        .route("/agent/live", get(live::stream))
        .route("/agent/live/typing", post(live::typing))
        .route("/agent/search", get(search::show))
        .route("/agent/users/{id}", get(profile::person))
        .route("/agent/organizations/{id}", get(profile::organization))
}

/// Somebody who may read whatever there is about tickets: what an argument of a handler asks for before any body is read.
struct Insider(Caller);

impl FromRequestParts<Desk> for Insider {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, desk).await?;
        caller.require_insider()?;
        Ok(Self(caller))
    }
}

/// Somebody who works on tickets.
struct Agent(Caller);

impl FromRequestParts<Desk> for Agent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, desk).await?;
        caller.require_agent()?;
        Ok(Self(caller))
    }
}

/// What stands around every page of the desk.
pub(super) struct Shell {
    /// Whether the reader works on tickets: auditors see no forms.
    pub(super) may_write: bool,
    /// Whether they look after the desk as well: the admin centre is theirs alone.
    pub(super) is_admin: bool,
    /// What was sought last, to stand in the search field.
    pub(super) sought: String,
}

impl Shell {
    pub(super) fn of(caller: &Caller) -> Self {
        Self { may_write: caller.is_agent(), is_admin: caller.role == Role::Admin, sought: String::new() }
    }
}
