//! What a rule asks of a ticket, typed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemas::{
    GroupId, PersonId, TicketFieldId,
    ticket_field::FieldValue,
    values::{Channel, Priority, Status, TicketType},
};

use crate::ticket::Details;

/// Which tickets: those of which all of `all` hold and, if there are any, one of `any`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions {
    /// All of these hold.
    pub all: Vec<Condition>,
    /// One of these holds.
    pub any: Vec<Condition>,
}

impl Conditions {
    /// How many words they look for in texts.
    pub fn words(&self) -> usize {
        let words = self.all.iter().chain(&self.any).map(|condition| match condition {
            Condition::Text { any_of, .. } => any_of.len(),
            _ => 0,
        });
        words.sum()
    }
}

/// A condition, typed.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// One of these words, or none.
    Word {
        /// Of what.
        of: Worded,
        /// The words.
        among: Vec<&'static str>,
        /// Whether none will do, too.
        or_none: bool,
    },
    /// Somebody, or some group.
    Party {
        /// In which part.
        of: Party,
        /// Who.
        whom: Whom,
        /// Whether it is them, or is not.
        is: bool,
    },
    /// One of these tags.
    Tags {
        /// The tags.
        any_of: Vec<String>,
        /// Whether it has one of them, or none.
        has: bool,
    },
    /// One of these pieces of text, in whatever case.
    Text {
        /// In what.
        of: Prose,
        /// The pieces, in small letters.
        any_of: Vec<String>,
        /// Whether it has one of them, or none.
        has: bool,
    },
    /// What a field holds that the tenant made.
    Field {
        /// Which.
        field: TicketFieldId,
        /// What is asked of it.
        test: FieldTest,
        /// Whether it is so, or is not.
        is: bool,
    },
    /// How many whole hours lie between a moment and now.
    Hours {
        /// Which moment.
        moment: Moment,
        /// How they are compared.
        compare: Compare,
        /// With how many.
        hours: i64,
    },
    /// The same for every ticket: it is about a field that is gone.
    Fixed(bool),
}

/// What is one of a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worded {
    /// Where a ticket is in its life.
    Status,
    /// How urgent it is.
    Priority,
    /// What kind it is.
    Type,
    /// Where it came in.
    Channel,
}

/// What part somebody, or some group, has in a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The group that works on it.
    Group,
    /// Who works on it.
    Assignee,
    /// Who wants something.
    Requester,
}

/// Somebody, or some group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Nobody.
    Nobody,
    /// Whoever asks.
    Asker,
    /// One of the groups of whoever asks.
    GroupsOfAsker,
    /// The ticket's own requester.
    Requester,
    /// The ticket's own assignee.
    Assignee,
    /// Whoever has this id.
    Known(i64),
}

/// Texts of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prose {
    /// What it is about.
    Subject,
    /// The first comment.
    Description,
}

/// What is asked of a field's value.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldTest {
    /// It is this.
    Is(FieldValue),
    /// It is, or has, one of these.
    AnyOf(Vec<String>),
    /// There is one.
    Present,
    /// It is a number on this side of that one.
    Number(Compare, f64),
    /// It is a day on this side of that one.
    Day(Compare, String),
}

/// A moment of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Since it was opened.
    Created,
    /// Since it last changed.
    Updated,
    /// Since it was to be done.
    Due,
    /// Until it is to be done.
    UntilDue,
    /// Since it got its status, if that is this one.
    Since(Status),
    /// Since somebody works on it, who still does.
    Assigned,
    /// Since its requester last did something to it.
    RequesterUpdated,
    /// Since its assignee last did something to it.
    AssigneeUpdated,
}

/// On which side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// The same.
    Is,
    /// Below.
    Less,
    /// Above.
    Greater,
}

/// Who asks, and when: conditions may be about that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// Who.
    pub person: PersonId,
    /// The groups they belong to.
    pub groups: Vec<GroupId>,
    /// When.
    pub now: Timestamp,
    /// Whether that is gone by, and what happened after it did not happen yet.
    pub is_past: bool,
}

/// What conditions may ask of a ticket.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Where it is in its life.
    pub status: Status,
    /// How urgent.
    pub priority: Option<Priority>,
    /// What kind.
    pub ticket_type: Option<TicketType>,
    /// Where it came in.
    pub channel: Channel,
    /// Which group works on it.
    pub group: Option<GroupId>,
    /// Who works on it.
    pub assignee: Option<PersonId>,
    /// Who wants something.
    pub requester: PersonId,
    /// Words to find it by.
    pub tags: &'a [String],
    /// What it is about.
    pub subject: &'a str,
    /// The first comment.
    pub description: &'a str,
    /// What the fields hold that the tenant made.
    pub fields: &'a BTreeMap<TicketFieldId, FieldValue>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it is to be done.
    pub due_at: Option<Timestamp>,
    /// When other things happened to it.
    pub moments: Moments,
}

/// When things happened to a ticket: none, where nobody knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moments {
    /// Since when it has its status.
    pub status_updated: Option<Timestamp>,
    /// Since when its assignee works on it.
    pub assigned: Option<Timestamp>,
    /// When its requester last did something to it.
    pub requester_updated: Option<Timestamp>,
    /// When its assignee last did something to it.
    pub assignee_updated: Option<Timestamp>,
}

impl<'a> Facts<'a> {
    /// What a ticket's own history says of it. That knows no moments: who asks about hours asks a read model.
    pub fn of(details: &'a Details) -> Self {
        Self {
            status: details.status,
            priority: details.priority,
            ticket_type: details.ticket_type,
            channel: details.channel,
            group: details.group,
            assignee: details.assignee,
            requester: details.requester,
            tags: details.tags.expose(),
            subject: details.subject.expose(),
            description: details.description.expose(),
            fields: details.fields.expose(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            due_at: details.due_at,
            moments: Moments::default(),
        }
    }
}
