//! The projections, and what they have in common.

mod account;
mod audit_log;
mod audits;
mod changes;
mod jobs;
mod people;
mod rules;
mod search;
mod sessions;
mod ticket_fields;
mod ticket_list;
mod ticket_metrics;
mod ticket_thread;
mod webhooks;

use std::{collections::HashSet, sync::LazyLock};

use futures::future::BoxFuture;
use regions::Resident;
use schemas::{Actor, Envelope, StreamName, TicketId};
use tracing::Span;

use crate::{Error, batch::Applied, build::OpenBuild, error::ApplyError, table::Table};

/// Every projection, in the order of [`crate::PROJECTIONS`].
pub(crate) static ALL: &[&Projection] = &[
    &account::PROJECTION,
    &people::PROJECTION,
    &ticket_list::PROJECTION,
    &ticket_thread::PROJECTION,
    &audits::PROJECTION,
    &audit_log::PROJECTION,
    &jobs::PROJECTION,
    &changes::PROJECTION,
    &ticket_fields::PROJECTION,
    &rules::PROJECTION,
    &webhooks::PROJECTION,
    &sessions::PROJECTION,
    &search::PROJECTION,
    &ticket_metrics::PROJECTION,
];

/// What reads show where a key was destroyed.
pub(crate) const ERASED: &str = "[erased]";
/// The name of an erased person, whose id stays on the tickets.
pub(crate) const ERASED_PERSON: &str = "Permanently Deleted User";

/// Folds events into rows. It gets whole commands in order, each once, and the tables of one build. It is a plain function, so
/// it holds no client and no clock; and no table of another projection is in its search path.
type Apply = for<'a> fn(&'a mut OpenBuild, &'a Resident, &'a [Applied]) -> BoxFuture<'a, Result<(), ApplyError>>;

/// A projection: a name, tables, and how events change them.
pub(crate) struct Projection {
    /// As checkpoints and metrics say it.
    pub(crate) name: &'static str,
    /// Which columns its tables have. A program reads the build that serves its shape, so a program with other columns can
    /// run beside it; whoever changes `tables_sql` so that the statements of an older program fail, takes the next number.
    pub(crate) shape: i32,
    /// Makes the tables of a build, without a schema.
    pub(crate) tables_sql: &'static str,
    /// Makes what is cheaper to make when the tables are filled.
    pub(crate) indexes_sql: &'static str,
    /// What it owns.
    pub(crate) tables: &'static [Table],
    /// The streams it reads.
    pub(crate) reads: fn(&StreamName) -> bool,
    /// Types of events in those streams that change nothing here. A list of what is passed over rather than of what is
    /// taken: a type this program does not know yet must halt, not slip by.
    pub(crate) passes_over: &'static [&'static str],
    /// The span of an application, a new root.
    pub(crate) span: fn() -> Span,
    /// Folds events into rows.
    pub(crate) apply: Apply,
}

impl Projection {
    /// Whether an event may change the projection's rows.
    pub(crate) fn wants(&self, envelope: &Envelope) -> bool {
        (self.reads)(&envelope.stream) && !self.passes_over.contains(&envelope.event_type.as_str())
    }
}

/// The projection of this name.
pub(crate) fn named(name: &str) -> Result<&'static Projection, Error> {
    let unknown = || Error::UnknownProjection { name: name.to_owned(), takes: crate::PROJECTIONS.join(", ") };
    ALL.iter().copied().find(|known| known.name == name).ok_or_else(unknown)
}

/// The names and shapes of all projections, as statements take them.
pub(crate) fn names_and_shapes() -> (&'static [&'static str], &'static [i32]) {
    static SHAPES: LazyLock<Vec<i32>> = LazyLock::new(|| ALL.iter().map(|projection| projection.shape).collect());
    (crate::PROJECTIONS, &SHAPES)
}

/// The span of one application. Names of spans are literals, hence a macro.
macro_rules! apply_span {
    ($name:literal) => {
        tracing::info_span!(parent: None, $name, tenant.id = tracing::field::Empty, position = tracing::field::Empty)
    };
}
use apply_span;

/// The events on tickets, with the ticket of each.
fn on_tickets(events: &[Applied]) -> Vec<(TicketId, &Applied)> {
    let ticket_of = |event: &Applied| match event.envelope.stream {
        StreamName::Ticket(ticket) => Some(ticket),
        _ => None,
    };
    events.iter().filter_map(|event| Some((ticket_of(event)?, event))).collect()
}

/// The tickets that were opened before these events, so that a row must exist already.
fn existing(events: &[(TicketId, &Applied)]) -> Vec<i64> {
    let mut seen = HashSet::new();
    let unopened = |(ticket, event): &&(TicketId, &Applied)| seen.insert(*ticket) && event.envelope.version.get() > 1;
    events.iter().filter(unopened).map(|(ticket, _)| ticket.get()).collect()
}

/// The person an event was caused by, if one did.
const fn person_of(actor: Actor) -> Option<i64> {
    match actor {
        Actor::Person(person) => Some(person.get()),
        Actor::System => None,
    }
}

/// One column of many rows, for `unnest`.
fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use schemas::TenantLogEvent;

    use super::*;

    #[test]
    fn the_names_are_the_published_ones() {
        let names: Vec<_> = ALL.iter().map(|projection| projection.name).collect();
        assert_eq!(names, crate::PROJECTIONS);
    }

    #[test]
    fn no_table_has_two_owners() {
        let tables: Vec<_> = ALL.iter().flat_map(|projection| projection.tables).map(|table| table.name).collect();
        assert_eq!(tables.iter().collect::<HashSet<_>>().len(), tables.len());
    }

    #[test]
    fn what_is_passed_over_exists() {
        let known: HashSet<_> = TenantLogEvent::catalogue().map(|event_type| event_type.name).collect();
        for projection in ALL {
            assert!(projection.passes_over.iter().all(|name| known.contains(name)), "{}", projection.name);
        }
    }
}
