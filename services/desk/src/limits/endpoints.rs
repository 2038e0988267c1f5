//! Which request counts at which endpoint.

use axum::{
    extract::MatchedPath,
    http::{HeaderName, Method, request::Parts},
};
use regions::LimitedEndpoint as Which;

use crate::access::routes;

/// An endpoint that a request counts at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Which one.
    pub(super) which: Which,
    /// The thing it is counted by, for each person alone.
    pub(super) thing: Option<i64>,
}

/// Method, route, and what it counts at.
const ENDPOINTS: &[(Method, &str, Which)] = &[
    (Method::GET, "/api/v2/tickets", Which::TicketsIndex),
    (Method::PUT, "/api/v2/tickets/{id}", Which::TicketsUpdate),
    (Method::PUT, "/api/v2/tickets/{id}", Which::PerTicketUpdates),
    (Method::POST, "/api/domicile/v1/tickets/{id}/comments", Which::PerTicketUpdates),
    (Method::GET, "/api/v2/incremental/ticket_events", Which::IncrementalExports),
    (Method::GET, "/api/v2/incremental/tickets", Which::IncrementalExports),
    (Method::GET, "/api/v2/incremental/tickets/cursor", Which::IncrementalExports),
    (Method::GET, "/api/v2/incremental/users", Which::IncrementalExports),
    (Method::GET, "/api/v2/incremental/users/cursor", Which::IncrementalExports),
    (Method::DELETE, "/api/v2/deleted_tickets/{id}", Which::DeletedTicketsDestroy),
    (Method::DELETE, "/api/v2/deleted_tickets/destroy_many", Which::DeletedTicketsDestroy),
    (Method::GET, "/api/v2/search/export", Which::SearchExports),
    (Method::GET, "/api/v2/search", Which::Searches),
    (Method::GET, "/api/v2/search/count", Which::Searches),
    (Method::GET, "/api/v2/views/{id}/execute", Which::ViewExecutions),
    (Method::POST, "/api/v2/views/preview", Which::ViewExecutions),
    (Method::GET, "/api/v2/views/{id}/tickets", Which::ViewTickets),
    (Method::GET, "/api/v2/views/{id}/count", Which::ViewCounts),
    (Method::POST, "/api/v2/views/preview/count", Which::ViewCounts),
    (Method::GET, "/api/v2/views/count_many", Which::ManyViewCounts),
];

/// What a request counts at.
pub(super) fn of(parts: &Parts) -> impl Iterator<Item = Endpoint> {
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let known = ENDPOINTS.iter().filter(move |(method, route, _)| *method == parts.method && *route == path);
    known.map(move |(_, _, which)| {
        let id = routes::row(path).id_in(parts.uri.path());
        let thing = match which {
            Which::PerTicketUpdates => id,
            // No view has the id 0: it stands for one that is not made, for several together, and for all that a search is about.
            Which::Searches
            | Which::ViewExecutions
            | Which::ViewTickets
            | Which::ViewCounts
            | Which::ManyViewCounts => Some(id.unwrap_or_default()),
            Which::TicketsIndex
            | Which::TicketsUpdate
            | Which::DeletedTicketsDestroy
            | Which::IncrementalExports
            | Which::SearchExports => None,
        };
        Endpoint { which: *which, thing }
    })
}

impl Endpoint {
    /// The header that tells what is left; clients know both spellings.
    pub(super) const fn header(self) -> HeaderName {
        HeaderName::from_static(match self.which {
            Which::TicketsIndex => "zendesk-ratelimit-tickets-index",
            Which::TicketsUpdate => "zendesk-rate-limit-tickets-update",
            Which::PerTicketUpdates => "zendesk-ratelimit-per-ticket-updates",
            Which::DeletedTicketsDestroy => "zendesk-rate-limit-deleted-tickets-destroy",
            Which::IncrementalExports => "zendesk-ratelimit-incremental-exports",
            Which::SearchExports => "zendesk-ratelimit-search-exports",
            Which::Searches => "zendesk-ratelimit-searches",
            Which::ViewExecutions => "zendesk-ratelimit-view-executions",
            Which::ViewTickets => "zendesk-ratelimit-view-tickets",
            Which::ViewCounts => "zendesk-ratelimit-view-counts",
            Which::ManyViewCounts => "zendesk-ratelimit-many-view-counts",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_is_a_route() {
        for (method, path, which) in ENDPOINTS {
            assert_eq!(routes::row(path).path, *path, "{method} {which:?}");
        }
    }
}
