//! How many requests a tenant is answered, as the hosting policy states it.

use std::collections::BTreeMap;

use schemas::values::Plan;

/// Limits of one policy. What it does not name is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    pub(crate) requests_per_minute: BTreeMap<Plan, u32>,
    pub(crate) endpoints: BTreeMap<LimitedEndpoint, EndpointLimit>,
}

/// What may have a limit of its own besides the plan's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitedEndpoint {
    /// Listing tickets, by account.
    TicketsIndex,
    /// Updating tickets, by account.
    TicketsUpdate,
    /// Updating one ticket, by person.
    PerTicketUpdates,
    /// Deleting tickets for good, by account.
    DeletedTicketsDestroy,
    /// Incremental exports, by account.
    IncrementalExports,
    /// Exporting what searches find, by account.
    SearchExports,
    /// Searching and counting what is found, by person.
    Searches,
    /// Executing one view, or seeing what one would show, by person.
    ViewExecutions,
    /// Listing the tickets of one view, page by page, by person.
    ViewTickets,
    /// Counting one view, or what one would have, by person.
    ViewCounts,
    /// Counting several views at once, by person.
    ManyViewCounts,
}

/// The most requests in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointLimit {
    /// Requests.
    pub most: u32,
    /// How long they count.
    pub seconds: u32,
}

impl LimitedEndpoint {
    /// Every one, in the order of the policy's file.
    pub const ALL: [Self; 11] = [
        Self::TicketsIndex,
        Self::TicketsUpdate,
        Self::PerTicketUpdates,
        Self::DeletedTicketsDestroy,
        Self::IncrementalExports,
        Self::SearchExports,
        Self::Searches,
        Self::ViewExecutions,
        Self::ViewTickets,
        Self::ViewCounts,
        Self::ManyViewCounts,
    ];

    /// Its name in the policy's file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TicketsIndex => "tickets-index",
            Self::TicketsUpdate => "tickets-update",
            Self::PerTicketUpdates => "per-ticket-updates",
            Self::DeletedTicketsDestroy => "deleted-tickets-destroy",
            Self::IncrementalExports => "incremental-exports",
            Self::SearchExports => "search-exports",
            Self::Searches => "searches",
            Self::ViewExecutions => "view-executions",
            Self::ViewTickets => "view-tickets",
            Self::ViewCounts => "view-counts",
            Self::ManyViewCounts => "many-view-counts",
        }
    }
}

impl RateLimits {
    /// The requests a minute of an account with a plan.
    pub fn requests_per_minute(&self, plan: Plan) -> Option<u32> {
        self.requests_per_minute.get(&plan).copied()
    }

    /// The limit of an endpoint.
    pub fn of(&self, endpoint: LimitedEndpoint) -> Option<EndpointLimit> {
        self.endpoints.get(&endpoint).copied()
    }
}
