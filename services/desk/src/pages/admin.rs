//! The admin centre: what only admins see and change of their desk.
//!
//! Each page reads through the functions that the API answers from, and gives its commands through those that it gives them with: there
//! is one set of rules, one write path and one access log for both. Everything works without script.
//!
//! Reading order: [`around`] (what stands around each page), [`sheet`] (forms), [`overview`]; [`people`] and [`person`], [`groups`]; [`tokens`].

mod around;
mod groups;
mod overview;
mod people;
mod person;
mod sheet;
#[cfg(test)]
mod tests;
mod tokens;

use axum::{
    Router,
    extract::FromRequestParts,
    http::request::Parts,
    routing::{get, post},
};

use crate::{caller::Caller, problem::ApiError, state::Desk};

/// Everything under `/agent/admin`.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/agent/admin", get(overview::show))
        .route("/agent/admin/groups", get(groups::list).post(groups::make))
        .route("/agent/admin/groups/new", get(groups::blank))
        .route("/agent/admin/groups/{id}", get(groups::show).post(groups::change))
        .route("/agent/admin/groups/{id}/deletion", post(groups::delete))
        .route("/agent/admin/people", get(people::list).post(people::make))
        .route("/agent/admin/people/new", get(people::blank))
        .route("/agent/admin/people/{id}", get(person::show).post(person::change))
        .route("/agent/admin/people/{id}/deletion", post(person::delete))
        .route("/agent/admin/people/{id}/groups", post(person::join))
        .route("/agent/admin/people/{id}/groups/{membership_id}", post(person::leave))
        .route("/agent/admin/tokens", get(tokens::list).post(tokens::make))
        .route("/agent/admin/tokens/new", get(tokens::blank))
        .route("/agent/admin/tokens/{id}/end", post(tokens::end))
}

/// An admin: what an argument of a handler asks for before any body is read.
struct Admin(Caller);

impl FromRequestParts<Desk> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, desk).await?;
        caller.require_admin()?;
        Ok(Self(caller))
    }
}
