//! The projection `changes`: in which order tickets and people changed, and when, for exports that never skip.
//!
//! A position is a place that nobody writes before any more; a time is not, because clocks of desks differ and a command takes its time
//! before it is committed. So `moment` has a time of its own, which only goes on: whoever has read to a second has read to a position.

use std::collections::BTreeMap;

use regions::Resident;
use schemas::{PersonId, StreamName, TenantId, TicketId};
use sqlx::error::BoxDynError;

use crate::{
    batch::Applied,
    build::{Columns, OpenBuild, Row},
    error::ApplyError,
    projections::{Projection, apply_span},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "changes",
    shape: 1,
    tables_sql: include_str!("../../sql/changes/tables.sql"),
    indexes_sql: include_str!("../../sql/changes/indexes.sql"),
    tables: &[
        Table { name: "ticket_change", key: "ticket_id" },
        Table { name: "person_change", key: "person_id" },
        Table { name: "moment", key: "second" },
    ],
    reads: |stream| matches!(stream, StreamName::Ticket(_) | StreamName::Person(_)),
    passes_over: &[],
    span: || apply_span!("projection.changes.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

struct TicketChange {
    ticket_id: TicketId,
    position: i64,
    is_erased: bool,
    /// Whether the table cannot have it yet.
    is_new: bool,
}

struct PersonChange {
    person_id: PersonId,
    position: i64,
    is_new: bool,
}

struct Moment {
    second: i64,
    first_position: i64,
}

/// What the events change. Later events on the same thing replace earlier ones.
#[derive(Default)]
struct Fold {
    tickets: BTreeMap<TicketId, TicketChange>,
    people: BTreeMap<PersonId, PersonChange>,
    moments: Vec<Moment>,
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let mut last_second = last_second(build, resident.tenant_id()).await?;
    let mut fold = Fold::default();
    for event in events.iter().filter(|event| PROJECTION.wants(&event.envelope)) {
        let second = event.envelope.recorded_at.as_second();
        if last_second.is_none_or(|last| second > last) {
            fold.moments.push(Moment { second, first_position: event.position.get() });
            last_second = Some(second);
        }
        fold.take(event);
    }
    let (new, changed): (Vec<_>, Vec<_>) = fold.tickets.into_values().partition(|ticket| ticket.is_new);
    build.put(&changed).await?;
    build.add(&new).await?;
    let (new, changed): (Vec<_>, Vec<_>) = fold.people.into_values().partition(|person| person.is_new);
    build.put(&changed).await?;
    build.add(&new).await?;
    build.add(&fold.moments).await?;
    Ok(())
}

impl Fold {
    fn take(&mut self, event: &Applied) {
        let position = event.position.get();
        let is_first = event.envelope.version.get() == 1;
        match event.envelope.stream {
            StreamName::Ticket(ticket_id) => {
                let is_new = is_first || self.tickets.get(&ticket_id).is_some_and(|ticket| ticket.is_new);
                let is_erased = event.envelope.event_type == "ticket_erased";
                self.tickets.insert(ticket_id, TicketChange { ticket_id, position, is_erased, is_new });
            }
            StreamName::Person(person_id) => {
                let is_new = is_first || self.people.get(&person_id).is_some_and(|person| person.is_new);
                self.people.insert(person_id, PersonChange { person_id, position, is_new });
            }
            _ => {}
        }
    }
}

async fn last_second(build: &mut OpenBuild, tenant: TenantId) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!("select max(second) from moment where tenant_id = $1", tenant.get()).fetch_one(build).await
}

impl Row for TicketChange {
    const TABLE: &'static str = "ticket_change";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("ticket_id", self.ticket_id.get())?;
        to.value("position", self.position)?;
        to.value("is_erased", self.is_erased)
    }
}

impl Row for PersonChange {
    const TABLE: &'static str = "person_change";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("person_id", self.person_id.get())?;
        to.value("position", self.position)
    }
}

impl Row for Moment {
    const TABLE: &'static str = "moment";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("second", self.second)?;
        to.value("first_position", self.first_position)
    }
}
