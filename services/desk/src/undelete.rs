//! A ticket brought back by the region's operator, for a tenant that asks for it: the commands that an agent would give, through the
//! one write path. So it is in the ticket's history and in the tenant's audit log, and nothing goes back behind what was published.
//!
//! Without a moment a deleted ticket is back as it was deleted. With one its fields are set to what they were then, deleted or
//! not. Comments are never taken back: those written later stay.

use domain::{
    Aggregate,
    person::Person,
    ticket::{By, Changes, Circle, Command, Details, Fields, Further, Ticket, Update},
};
use futures::FutureExt;
use jiff::Timestamp;
use regions::Resident;
use schemas::{
    PersonId, Position, StreamName, TicketId, Version,
    values::{Channel, Role, Status},
};

use crate::{
    caller::provenance::Provenance,
    execute::{Batch, Done, Failure, Issuer, Refusal, load, retried},
    read::{log, ticket_fields},
    state::Desk,
};

/// What the audit log names as the program.
const CLIENT: &str = "domicile restore ticket";

/// The moment whose fields come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After this position of the tenant's log.
    Position(Position),
    /// After everything recorded up to this time.
    Time(Timestamp),
}

/// A ticket that is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Whether it was deleted.
    pub was_deleted: bool,
    /// How many events that took: none, if everything was so already.
    pub events: i64,
    /// Where the tenant's log ends with them.
    pub position: Position,
}

/// Why it is not back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody opened it.
    #[error("there is no ticket {0}")]
    Unknown(TicketId),
    /// Its keys are gone.
    #[error("ticket {0} was erased: its keys are destroyed, and nobody can bring it back")]
    Erased(TicketId),
    /// There is nothing to do.
    #[error("ticket {0} is not deleted")]
    NotDeleted(TicketId),
    /// At the moment it had no fields.
    #[error("ticket {0} was not open yet, or deleted, at that moment")]
    NotThen(TicketId),
    /// Its fields are not to be changed any more.
    #[error("ticket {0} is closed: its fields stay as they are; without a moment it comes back as it was deleted")]
    Closed(TicketId),
    /// The rules say no.
    #[error("the ticket's rules refuse it")]
    Rejected(#[source] domain::ticket::Rejection),
    /// The log cannot be read.
    #[error("cannot read what the ticket was")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing was written, or it is not known whether it was.
    #[error("cannot write to the log")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Write(Box::new(failure))
    }
}

/// Brings a ticket back.
///
/// # Errors
/// See [`Error`]; the ticket is as it was then.
pub async fn restore_ticket(
    desk: &Desk,
    resident: &Resident,
    ticket: TicketId,
    moment: Option<Moment>,
) -> Result<Restored, Error> {
    let provenance = Provenance { client: Some(CLIENT.to_owned()), ..Provenance::system() };
    let by = Issuer::system(desk, resident, provenance);
    retried(|| once(desk, &by, ticket, moment).boxed()).await
}

/// Inner: what the write path itself says.
async fn once(
    desk: &Desk,
    by: &Issuer,
    ticket: TicketId,
    moment: Option<Moment>,
) -> Result<Result<Restored, Failure>, Error> {
    let stream = StreamName::Ticket(ticket);
    let (now, version) = load::<Ticket>(desk, &by.resident, &stream).await.map_err(read)?;
    if now.is_erased() {
        return Err(Error::Erased(ticket));
    }
    let now = now.details().ok_or(Error::Unknown(ticket))?;
    let was_deleted = now.is_deleted;
    match moment {
        None if !was_deleted => return Err(Error::NotDeleted(ticket)),
        Some(_) if now.status == Status::Closed => return Err(Error::Closed(ticket)),
        _ => {}
    }
    let mut commands = Vec::new();
    if was_deleted {
        commands.push(Command::Restore(By::OPERATOR));
    }
    if let Some(moment) = moment {
        let then = at(desk, by, &stream, moment).await?;
        let then = then.details().filter(|then| !then.is_deleted).ok_or(Error::NotThen(ticket))?;
        let changes = changes(desk, by, (then, now)).await?;
        commands.push(Update { by: By::OPERATOR, changes, comment: None, channel: Channel::Api }.into());
    }
    let mut batch = Batch::new(desk, by);
    for command in &commands {
        batch = match batch.decide::<Ticket>(stream.clone(), Some(version), command).await {
            Err(Refusal::Rejected(rejection)) => return Err(Error::Rejected(rejection)),
            Err(Refusal::Failed(failure)) => return Ok(Err(failure)),
            Ok(batch) => batch,
        };
    }
    let committed = batch.commit().await;
    Ok(committed.map(|done| Restored { was_deleted, events: events(&done), position: done.last }))
}

const fn events(done: &Done) -> i64 {
    if done.nothing_changed { 0 } else { done.last.get() - done.first.get() + 1 }
}

/// The ticket as it was.
async fn at(desk: &Desk, by: &Issuer, stream: &StreamName, moment: Moment) -> Result<Ticket, Error> {
    let logged = log::whole_stream(desk, &by.resident, stream, Version::ZERO).await.map_err(read)?;
    let is_before = |event: &log::Logged| match moment {
        Moment::Position(position) => event.position <= position,
        Moment::Time(time) => event.envelope.recorded_at <= time,
    };
    let events = logged.into_iter().take_while(is_before).filter_map(|event| Ticket::pick(event.event?));
    Ok(Ticket::after(&events.collect::<Vec<_>>()))
}

/// What shall be as it was. Nobody who does not work here any more gets a ticket back. Nothing becomes new again, and nothing is
/// solved that nobody has: it is open instead.
async fn changes(desk: &Desk, by: &Issuer, (then, now): (&Details, &Details)) -> Result<Changes, Error> {
    let assignee = match then.assignee {
        Some(person) if !is_agent(desk, by, person).await? => None,
        assignee => Some(assignee),
    };
    let has_assignee = assignee.unwrap_or(now.assignee).is_some();
    let status = match then.status {
        Status::New if now.status != Status::New => Status::Open,
        Status::Solved | Status::Closed if !has_assignee => Status::Open,
        status => status,
    };
    Ok(Changes {
        subject: Some(then.subject.clone()),
        ticket_type: Some(then.ticket_type),
        priority: Some(then.priority),
        group: Some(then.group),
        tags: Some(then.tags.clone()),
        assignee,
        status: Some(status),
        external_id: Some(then.external_id.clone()),
        requester: Some(then.requester),
        further: Further {
            due_at: Some(then.due_at),
            problem: Some(then.problem),
            email_ccs: Circle { all: Some(then.email_ccs.clone()), ..Circle::default() },
            followers: Circle { all: Some(then.followers.clone()), ..Circle::default() },
            collaborators: None,
            fields: fields(desk, by, (then, now)).await?,
        },
        ..Changes::default()
    })
}

/// What the fields held that are there still and take it.
async fn fields(desk: &Desk, by: &Issuer, (then, now): (&Details, &Details)) -> Result<Fields, Error> {
    let mut transaction = desk.reading(&by.resident).await.map_err(read)?;
    let known = ticket_fields::known(&mut transaction, &by.resident).await.map_err(read)?;
    let asked = known.iter().filter_map(|known| {
        let then = then.fields.expose().get(&known.field);
        let is_taken = then != now.fields.expose().get(&known.field) && known.value(then).is_ok();
        is_taken.then(|| (known.field, then.cloned().into()))
    });
    let asked = asked.collect();
    Ok(Fields { known: known.into(), asked })
}

async fn is_agent(desk: &Desk, by: &Issuer, person: PersonId) -> Result<bool, Error> {
    let (person, _) = load::<Person>(desk, &by.resident, &StreamName::Person(person)).await.map_err(read)?;
    let is_agent = |role| matches!(role, Role::Agent | Role::Admin);
    Ok(person.profile().is_some_and(|profile| !profile.is_deleted && is_agent(profile.role)))
}

fn read(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Read(Box::new(error))
}

#[cfg(test)]
mod tests;
