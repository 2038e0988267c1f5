//! The product's own API, `/api/domicile/v1`: what the v2 API has no words for. Refusals are RFC 9457 problems.

pub(crate) mod add_comment;
pub(crate) mod audit;
pub(crate) mod auditor_grants;
pub(crate) mod events;
pub(crate) mod marks;
pub(crate) mod residency;
pub(crate) mod ticket_as_of;
pub(crate) mod ticket_history;
pub(crate) mod timeline;
pub(crate) mod trigger_dry_run;

use axum::{
    Router,
    routing::{delete, get, post},
};

use crate::{api::v2, state::Desk};

/// Every route of the API.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/api/domicile/v1/residency", get(residency::residency))
        .route("/api/domicile/v1/marks", get(marks::marks))
        .route("/api/domicile/v1/auditor_grants", get(auditor_grants::list::list).post(auditor_grants::make::make))
        .route("/api/domicile/v1/auditor_grants/{id}", delete(auditor_grants::revoke::revoke))
        .route("/api/domicile/v1/audit/bundle", get(audit::bundle::of_tenant))
        .route("/api/domicile/v1/audit/proof", get(audit::proof::proof))
        .route("/api/domicile/v1/audit_logs.csv", get(v2::audit_logs::export::export))
        .route("/api/domicile/v1/events", get(events::events))
        .route("/api/domicile/v1/tickets/{id}", get(ticket_as_of::ticket_as_of))
        .route("/api/domicile/v1/tickets/{id}/bundle", get(audit::bundle::of_ticket))
        .route("/api/domicile/v1/tickets/{id}/history", get(ticket_history::ticket_history))
        .route("/api/domicile/v1/tickets/{id}/comments", post(add_comment::add_comment))
        .route("/api/domicile/v1/triggers/dry_run", post(trigger_dry_run::dry_run))
        .route("/api/domicile/v1/webhooks/{id}/invocations/{invocation_id}/replay", post(v2::webhooks::replay::replay))
}
