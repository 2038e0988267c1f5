//! Fold events into the state of each stream, by the rules of the domain.

use std::collections::BTreeMap;

use domain::{
    Aggregate, claim::Claim, email::EmailClaim, erasure::Erasures, job::Job, name::Name, organization::Organization,
    person::Person, rule::Rule, session::Session, tenant::Tenant, ticket::Ticket, ticket_field::TicketField,
    upload::Upload, webhook::Webhook,
};
use jiff::Timestamp;
use schemas::{Envelope, Personal, Position, Recorded, StreamName, TenantLogEvent, Version, access::AccessEvent};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{
    Filter, Payload, Taken,
    view::{self, Comment},
};

/// The state of a tenant at a moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// The last position it covers; 0 before the first event.
    pub as_of: Position,
    /// When the event there was recorded.
    pub recorded_at: Option<Timestamp>,
    /// Every stream that had events, by name.
    pub streams: BTreeMap<StreamName, StreamState>,
}

/// The state of one stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamState {
    /// Its last version.
    pub version: Version,
    /// When its first event was recorded.
    pub created_at: Timestamp,
    /// When its last event was recorded.
    pub changed_at: Timestamp,
    /// Events whose key was destroyed: what they said is missing from the state.
    pub erased_events: u64,
    /// Events that stayed sealed for want of keys: what they say is missing, too.
    pub sealed_events: u64,
    /// Events that this program cannot read.
    pub unreadable_events: u64,
    /// The state; null if the events that would make it are erased.
    #[serde(serialize_with = "exposed")]
    pub state: Personal<Value>,
}

fn exposed<S: Serializer>(state: &Personal<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    state.expose().serialize(serializer)
}

/// A fold that is fed event by event, for histories that do not fit in memory.
#[derive(Debug)]
pub struct Fold {
    filter: Filter,
    as_of: Position,
    recorded_at: Option<Timestamp>,
    streams: BTreeMap<StreamName, Folded>,
    keeps_comments: bool,
}

/// A stream's events so far.
#[derive(Debug)]
pub(super) struct Folded {
    version: Version,
    created_at: Timestamp,
    changed_at: Timestamp,
    pub(super) erased_events: u64,
    pub(super) sealed_events: u64,
    pub(super) unreadable_events: u64,
    aggregate: AnyAggregate,
}

/// The aggregate of a stream.
#[derive(Debug)]
enum AnyAggregate {
    Tenant(Tenant),
    Person(Box<Person>),
    Email(EmailClaim),
    Organization(Organization),
    Claim(Claim),
    Ticket(Ticket, Vec<Comment>),
    Upload(Upload),
    Erasures(Erasures),
    Name(Name),
    /// How many reads of a day are recorded; what was read is for whoever looks at the events.
    Access(usize),
    Job(Job),
    TicketField(TicketField),
    Rule(Rule),
    Webhook(Webhook),
    Session(Session),
    /// What a command changed, as the audit log has it.
    Audit(Vec<TenantLogEvent>),
}

impl Fold {
    /// A fold of what the filter takes.
    pub fn new(filter: Filter) -> Self {
        Self { filter, as_of: Position::ZERO, recorded_at: None, streams: BTreeMap::new(), keeps_comments: true }
    }

    /// A fold that forgets what comments say: for counts, where they would take most of the memory.
    #[must_use]
    pub fn without_comments(self) -> Self {
        Self { keeps_comments: false, ..self }
    }

    /// Takes the next event, in order of positions; [`Taken::Over`] says that no later one will be taken.
    pub fn push<P: AsRef<[u8]>>(&mut self, recorded: &Recorded, payload: Payload<P>) -> Taken {
        let taken = self.filter.takes(recorded);
        if taken != Taken::Over {
            self.as_of = recorded.position;
            self.recorded_at = Some(recorded.sealed.envelope.recorded_at);
        }
        if taken == Taken::Yes {
            self.fold(recorded, payload);
        }
        taken
    }

    /// The state after the events that were taken.
    pub fn finish(self) -> State {
        let streams = self.streams.into_iter().map(|(stream, folded)| (stream, folded.into_state())).collect();
        State { as_of: self.as_of, recorded_at: self.recorded_at, streams }
    }

    /// The state of one stream so far; null where nothing made one.
    pub fn view(&self, stream: &StreamName) -> Value {
        self.streams.get(stream).map_or(Value::Null, Folded::view)
    }

    /// How far it has come.
    pub(super) fn reached(&self) -> (Position, Option<Timestamp>) {
        (self.as_of, self.recorded_at)
    }

    /// The streams so far.
    pub(super) fn streams(&self) -> impl Iterator<Item = (&StreamName, &Folded)> {
        self.streams.iter()
    }

    fn fold<P: AsRef<[u8]>>(&mut self, recorded: &Recorded, payload: Payload<P>) {
        let envelope = &recorded.sealed.envelope;
        let folded = self.streams.entry(envelope.stream.clone()).or_insert_with(|| Folded::new(envelope));
        folded.take(recorded, payload);
        if let (false, AnyAggregate::Ticket(_, comments)) = (self.keeps_comments, &mut folded.aggregate) {
            comments.clear();
        }
    }
}

impl Folded {
    /// A stream before its first event.
    pub(super) fn new(first: &Envelope) -> Self {
        Self {
            version: Version::ZERO,
            created_at: first.recorded_at,
            changed_at: first.recorded_at,
            erased_events: 0,
            sealed_events: 0,
            unreadable_events: 0,
            aggregate: AnyAggregate::of(&first.stream),
        }
    }

    /// Takes the next event of the stream.
    pub(super) fn take<P: AsRef<[u8]>>(&mut self, recorded: &Recorded, payload: Payload<P>) {
        let envelope = &recorded.sealed.envelope;
        self.version = envelope.version;
        self.changed_at = envelope.recorded_at;
        match payload {
            Payload::Open(plaintext) => {
                match TenantLogEvent::decode(&envelope.event_type, envelope.schema_version, plaintext.as_ref()) {
                    Ok(event) => self.aggregate.evolve(recorded, event),
                    Err(_) => self.unreadable_events += 1,
                }
            }
            Payload::Erased => {
                self.erased_events += 1;
                self.aggregate.erased(recorded);
            }
            Payload::Sealed => self.sealed_events += 1,
        }
    }

    /// The state so far; null where nothing made one.
    pub(super) fn view(&self) -> Value {
        self.aggregate.view()
    }

    fn into_state(self) -> StreamState {
        StreamState {
            version: self.version,
            created_at: self.created_at,
            changed_at: self.changed_at,
            erased_events: self.erased_events,
            sealed_events: self.sealed_events,
            unreadable_events: self.unreadable_events,
            state: Personal::new(self.view()),
        }
    }
}

impl AnyAggregate {
    fn of(stream: &StreamName) -> Self {
        match stream {
            StreamName::Tenant => Self::Tenant(Tenant::default()),
            StreamName::Person(_) => Self::Person(Box::default()),
            StreamName::Email(_) => Self::Email(EmailClaim::default()),
            StreamName::Organization(_) => Self::Organization(Organization::default()),
            StreamName::Claim(_) => Self::Claim(Claim::default()),
            StreamName::Ticket(_) => Self::Ticket(Ticket::default(), Vec::new()),
            StreamName::Upload(_) => Self::Upload(Upload::default()),
            StreamName::Erasures => Self::Erasures(Erasures::default()),
            StreamName::Name(_) => Self::Name(Name::default()),
            StreamName::Access(_) => Self::Access(0),
            StreamName::Audit(_) => Self::Audit(Vec::new()),
            StreamName::Job(_) => Self::Job(Job::default()),
            StreamName::TicketField(_) => Self::TicketField(TicketField::default()),
            StreamName::Rule(_) => Self::Rule(Rule::default()),
            StreamName::Webhook(_) => Self::Webhook(Webhook::default()),
            StreamName::Session(_) => Self::Session(Session::default()),
        }
    }

    /// An event of another aggregate in the stream would be a defect of the writer; it changes nothing here.
    fn evolve(&mut self, recorded: &Recorded, event: TenantLogEvent) {
        match self {
            Self::Tenant(tenant) => evolve(tenant, event),
            Self::Person(person) => evolve(person.as_mut(), event),
            Self::Email(email) => evolve(email, event),
            Self::Organization(organization) => evolve(organization, event),
            Self::Claim(claim) => evolve(claim, event),
            Self::Ticket(ticket, comments) => {
                comments.extend(Comment::of(recorded, &event));
                evolve(ticket, event);
            }
            Self::Upload(upload) => evolve(upload, event),
            Self::Erasures(erasures) => evolve(erasures, event),
            Self::Name(name) => evolve(name, event),
            Self::Audit(events) => events.push(event),
            Self::Job(job) => evolve(job, event),
            Self::TicketField(field) => evolve(field, event),
            Self::Rule(rule) => evolve(rule, event),
            Self::Webhook(webhook) => evolve(webhook, event),
            Self::Session(session) => evolve(session, event),
            Self::Access(reads) => {
                if let TenantLogEvent::Access(AccessEvent::AccessesRecorded(recorded)) = event {
                    *reads += recorded.accesses.expose().len();
                }
            }
        }
    }

    fn erased(&mut self, recorded: &Recorded) {
        if let Self::Ticket(_, comments) = self
            && recorded.sealed.envelope.event_type == "comment_added"
        {
            comments.push(Comment::erased(recorded));
        }
    }

    fn view(&self) -> Value {
        match self {
            Self::Tenant(tenant) => view::tenant(tenant),
            Self::Person(person) => view::person(person),
            Self::Email(email) => view::email(email),
            Self::Organization(organization) => view::organization(organization),
            Self::Claim(claim) => json!({"holder": claim.holder()}),
            Self::Ticket(ticket, comments) => view::ticket(ticket, comments),
            Self::Upload(upload) => view::upload(upload),
            Self::Erasures(erasures) => view::erasures(erasures),
            Self::Name(name) => view::name(name),
            Self::Access(reads) => json!({"reads": reads}),
            Self::Job(job) => view::job(job),
            Self::TicketField(field) => view::ticket_field(field),
            Self::Rule(rule) => view::rule(rule),
            Self::Webhook(webhook) => view::webhook(webhook),
            Self::Session(session) => view::session(session),
            Self::Audit(events) => events.iter().map(view::plain).collect(),
        }
    }
}

fn evolve<A: Aggregate>(aggregate: &mut A, event: TenantLogEvent) {
    if let Some(event) = A::pick(event) {
        aggregate.evolve(&event);
    }
}
