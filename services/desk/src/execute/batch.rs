//! Several decisions on streams of one tenant, appended together or not at all.

use std::any::Any;

use domain::{
    Aggregate,
    job::{FinishItem, Job},
};
use eventlog::{Append, Expected, StreamAppend};
use schemas::{Position, StreamName, TenantLogEvent, Version, audit::ChangeNoted, ticket::TicketEvent};
use tracing::Instrument;

use super::{Done, Failure, Issuer, PartOf, Refusal, audit, load_traced, seal};
use crate::state::Desk;

/// Decisions that wait to be appended.
///
/// `Batch::new(desk, by).decide::<Person>(stream, None, &add).await?.decide::<EmailClaim>(..).await?.commit().await?`.
/// Several decisions on one stream see one another's events.
pub(crate) struct Batch<'a> {
    desk: &'a Desk,
    by: &'a Issuer,
    members: Vec<Member>,
}

struct Member {
    stream: StreamName,
    /// The version the stream was read at.
    read_at: Version,
    /// The aggregate with the decided events applied.
    state: Box<dyn Any + Send>,
    events: Vec<TenantLogEvent>,
    /// What the audit log says of them.
    changes: Vec<ChangeNoted>,
}

impl<'a> Batch<'a> {
    /// Nothing decided yet.
    pub(crate) fn new(desk: &'a Desk, by: &'a Issuer) -> Self {
        Self { desk, by, members: Vec::new() }
    }

    /// Adds the decision of one command on one stream.
    pub(crate) async fn decide<A>(
        mut self,
        stream: StreamName,
        expected: Option<Version>,
        command: &A::Command,
    ) -> Result<Self, Refusal<A::Rejection>>
    where
        A: Aggregate + Send + 'static,
    {
        let index = self.member::<A>(stream, expected).await?;
        let member = &mut self.members[index];
        let state = member.state.downcast_mut::<A>().expect("a stream belongs to one kind of aggregate");
        let events = state.decide(command).map_err(Refusal::Rejected)?;
        for event in events {
            audit::add(&mut member.changes, &member.stream, state.change(&event));
            state.evolve(&event);
            member.events.push(event.into());
        }
        Ok(self)
    }

    /// Adds a decision that does not depend on what the stream holds, which is not read but for its version.
    pub(crate) async fn decide_unread<A>(
        mut self,
        stream: StreamName,
        command: &A::Command,
    ) -> Result<Self, Refusal<A::Rejection>>
    where
        A: Aggregate + Send + 'static,
    {
        let events = A::default().decide(command).map_err(Refusal::Rejected)?;
        let mut transaction = regions::begin(&self.desk.pool, &self.by.resident).await.map_err(Failure::Begin)?;
        let read_at = eventlog::stream_version(&mut transaction, &self.by.resident, &stream).await;
        let read_at = read_at.map_err(Failure::Read)?;
        let events = events.into_iter().map(Into::into).collect();
        self.members.push(Member { stream, read_at, state: Box::new(A::default()), events, changes: Vec::new() });
        Ok(self)
    }

    /// How many events so far are the doing of rules, those that say so counted.
    pub(crate) fn by_rules(&self) -> usize {
        let events = self.members.iter().flat_map(|member| &member.events);
        let by_rules = events.map(|event| match event {
            TenantLogEvent::Ticket(TicketEvent::RuleApplied(applied)) => {
                1 + usize::try_from(applied.changes).unwrap_or(usize::MAX)
            }
            _ => 0,
        });
        by_rules.sum()
    }

    /// The member for `stream`, read now unless an earlier decision did.
    async fn member<A>(&mut self, stream: StreamName, expected: Option<Version>) -> Result<usize, Failure>
    where
        A: Aggregate + Send + 'static,
    {
        if let Some(index) = self.members.iter().position(|member| member.stream == stream) {
            return Ok(index);
        }
        let (state, read_at) = load_traced::<A>(self.desk, self.by, &stream).await?;
        if expected.is_some_and(|expected| expected != read_at) {
            return Err(Failure::Conflict { stream });
        }
        self.members.push(Member { stream, read_at, state: Box::new(state), events: Vec::new(), changes: Vec::new() });
        Ok(self.members.len() - 1)
    }

    /// Adds that the item of a job is done: to what its first stream is about. A conflict, if somebody else did it.
    async fn finish_item(self, PartOf { job, index }: PartOf) -> Result<Self, Failure> {
        let item = match self.members.first().map(|first| &first.stream) {
            Some(StreamName::Ticket(ticket)) => Some(ticket.get()),
            _ => None,
        };
        let (stream, finish) = (StreamName::Job(job), FinishItem { index, item, refused: None }.into());
        self.decide::<Job>(stream.clone(), None, &finish).await.map_err(|refusal| match refusal {
            Refusal::Failed(failure) => failure,
            Refusal::Rejected(_) => Failure::Conflict { stream },
        })
    }

    /// Seals and appends everything decided. [`Done`] speaks of the first stream. A conflict is not tried again here.
    pub(crate) async fn commit(mut self) -> Result<Done, Failure> {
        if let Some(part_of) = self.by.part_of {
            self = self.finish_item(part_of).await?;
        }
        let Self { desk, by, members } = self;
        let first = members.first().expect("a batch is committed after a decision");
        let stream = first.stream.clone();
        let version = Version::new(first.read_at.get() + i64::try_from(first.events.len()).unwrap_or(i64::MAX));
        runtime::crash::point("desk.decided");
        if members.iter().all(|member| member.events.is_empty()) {
            return unchanged(desk, by, stream, version).await;
        }
        let span = tracing::info_span!("desk.append", tenant.id = %by.resident.tenant_id(), region = %by.resident.region(),
            stream = %stream, version = version.get(), command.id = %by.command_id, position = tracing::field::Empty);
        let appended = append(desk, by, members).instrument(span.clone()).await?;
        span.record("position", appended.last.get());
        runtime::crash::point("desk.answering");
        if appended.replayed {
            return super::done_earlier(desk, by, appended.first, appended.last).await;
        }
        let eventlog::Appended { first, last, .. } = appended;
        Ok(Done { stream: Some(stream), first, last, version, replayed: false, nothing_changed: false })
    }
}

async fn append(desk: &Desk, by: &Issuer, members: Vec<Member>) -> Result<eventlog::Appended, Failure> {
    let members: Vec<Member> = members.into_iter().filter(|member| !member.events.is_empty()).collect();
    let changes: Vec<&ChangeNoted> = members.iter().flat_map(|member| &member.changes).collect();
    let audit = audit::events(by, &changes);
    let decided: Vec<seal::Decided<'_>> = members
        .iter()
        .map(|member| seal::Decided { stream: &member.stream, after: member.read_at, events: &member.events })
        .chain(audit.iter().map(|(stream, events)| seal::Decided { stream, after: Version::ZERO, events }))
        .collect();
    let sealed = seal::seal(desk, by, &decided).await?;
    runtime::crash::point("desk.sealed");
    let places = members.into_iter().map(|member| (member.stream, member.read_at));
    let places = places.chain(audit.map(|(stream, _)| (stream, Version::ZERO)));
    let streams = places.zip(sealed).map(|((stream, read_at), events)| {
        let expected = if read_at == Version::ZERO { Expected::NoStream } else { Expected::Exact(read_at) };
        StreamAppend { stream, expected, events }
    });
    Ok(desk.appender.append(append_of(by, streams.collect())).await?)
}

/// Everything was so already: the answer is as of the head, which any read model reaches. An idempotency key is remembered
/// all the same, or the request, sent again, might find something to change.
async fn unchanged(desk: &Desk, by: &Issuer, stream: StreamName, version: Version) -> Result<Done, Failure> {
    let head = match &by.idempotency {
        None => head(desk, by).await?,
        Some(_) => {
            let appended = desk.appender.append(append_of(by, Vec::new())).await?;
            if appended.replayed {
                return super::done_earlier(desk, by, appended.first, appended.last).await;
            }
            appended.last
        }
    };
    Ok(Done { stream: Some(stream), first: head, last: head, version, replayed: false, nothing_changed: true })
}

async fn head(desk: &Desk, by: &Issuer) -> Result<Position, Failure> {
    let mut transaction = regions::begin(&desk.pool, &by.resident).await.map_err(Failure::Begin)?;
    eventlog::head(&mut transaction, &by.resident).await.map_err(Failure::Read)
}

fn append_of(by: &Issuer, streams: Vec<StreamAppend>) -> Append {
    Append { resident: by.resident.clone(), command_id: by.command_id, idempotency: by.idempotency.clone(), streams }
}
