//! What a rule asks of a ticket, and whether that holds.
//!
//! The same conditions are asked of a ticket here and of all tickets by the desk, as a query: both say the same of every ticket.

use std::{
    collections::BTreeMap,
    ops::{Bound, RangeBounds},
};

use jiff::{SignedDuration, Timestamp};
use schemas::{
    GroupId, PersonId, TicketFieldId,
    ticket_field::FieldValue,
    values::{Channel, Priority, Status, TicketType},
};

/// Which tickets: those of which all of `all` hold and, if there are any, one of `any`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions {
    /// All of these hold.
    pub all: Vec<Condition>,
    /// One of these holds.
    pub any: Vec<Condition>,
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
}

impl Conditions {
    /// Whether a ticket is one of them.
    pub fn hold(&self, ticket: &Facts<'_>, asking: &Asking) -> bool {
        let holds = |condition: &Condition| condition.holds(ticket, asking);
        self.all.iter().all(holds) && (self.any.is_empty() || self.any.iter().any(holds))
    }
}

impl Condition {
    /// Whether it holds of a ticket.
    pub fn holds(&self, ticket: &Facts<'_>, asking: &Asking) -> bool {
        match self {
            Self::Word { of, among, or_none } => of.word(ticket).map_or(*or_none, |word| among.contains(&word)),
            Self::Party { of, whom, is } => whom.is(of.of(ticket), ticket, asking) == *is,
            Self::Tags { any_of, has } => any_of.iter().any(|tag| ticket.tags.contains(tag)) == *has,
            Self::Text { of, any_of, has } => {
                let text = of.text(ticket).to_lowercase();
                any_of.iter().any(|piece| text.contains(piece)) == *has
            }
            Self::Field { field, test, is } => test.holds(ticket.fields.get(field)) == *is,
            Self::Hours { moment, compare, hours } => {
                moment.of(ticket).is_some_and(|at| moment.range(*compare, *hours, asking.now).contains(&at))
            }
            Self::Fixed(holds) => *holds,
        }
    }
}

impl Worded {
    fn word(self, ticket: &Facts<'_>) -> Option<&'static str> {
        match self {
            Self::Status => Some(ticket.status.as_str()),
            Self::Priority => ticket.priority.map(Priority::as_str),
            Self::Type => ticket.ticket_type.map(TicketType::as_str),
            Self::Channel => Some(ticket.channel.as_str()),
        }
    }
}

impl Party {
    fn of(self, ticket: &Facts<'_>) -> Option<i64> {
        match self {
            Self::Group => ticket.group.map(GroupId::get),
            Self::Assignee => ticket.assignee.map(PersonId::get),
            Self::Requester => Some(ticket.requester.get()),
        }
    }
}

impl Whom {
    fn is(self, party: Option<i64>, ticket: &Facts<'_>, asking: &Asking) -> bool {
        match self {
            Self::Nobody => party.is_none(),
            Self::Asker => party == Some(asking.person.get()),
            Self::GroupsOfAsker => party.is_some_and(|id| asking.groups.contains(&GroupId::new(id))),
            Self::Requester => party == Some(ticket.requester.get()),
            Self::Assignee => party.is_some() && party == ticket.assignee.map(PersonId::get),
            Self::Known(id) => party == Some(id),
        }
    }
}

impl Prose {
    const fn text<'a>(self, ticket: &Facts<'a>) -> &'a str {
        match self {
            Self::Subject => ticket.subject,
            Self::Description => ticket.description,
        }
    }
}

impl FieldTest {
    fn holds(&self, value: Option<&FieldValue>) -> bool {
        match (self, value) {
            (_, None) => false,
            (Self::Present, Some(_)) => true,
            (Self::Is(wanted), Some(value)) => value == wanted,
            (Self::AnyOf(wanted), Some(FieldValue::Text(value))) => wanted.contains(value),
            (Self::AnyOf(wanted), Some(FieldValue::Many(values))) => values.iter().any(|value| wanted.contains(value)),
            (Self::Number(compare, than), Some(FieldValue::Integer(number))) => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "as the database compares a whole number with any number"
                )]
                let number = *number as f64;
                compare.holds(&number, than)
            }
            (Self::Number(compare, than), Some(FieldValue::Decimal(number))) => compare.holds(number, than),
            (Self::Day(compare, than), Some(FieldValue::Text(day))) => compare.holds(day, than),
            (Self::AnyOf(_) | Self::Number(..) | Self::Day(..), Some(_)) => false,
        }
    }
}

impl Compare {
    /// Whether `one` is on this side of `other`.
    pub fn holds<T: PartialOrd>(self, one: &T, other: &T) -> bool {
        match self {
            Self::Is => one == other,
            Self::Less => one < other,
            Self::Greater => one > other,
        }
    }
}

impl Moment {
    const fn of(self, ticket: &Facts<'_>) -> Option<Timestamp> {
        match self {
            Self::Created => Some(ticket.created_at),
            Self::Updated => Some(ticket.updated_at),
            Self::Due | Self::UntilDue => ticket.due_at,
        }
    }

    /// Where the moment lies if that many whole hours are between it and now.
    pub fn range(self, compare: Compare, hours: i64, now: Timestamp) -> (Bound<Timestamp>, Bound<Timestamp>) {
        use Bound::{Excluded, Included, Unbounded};
        let away = |hours: i64| SignedDuration::from_hours(if self == Self::UntilDue { hours } else { -hours });
        let at = |hours: i64| now.saturating_add(away(hours)).unwrap_or(now);
        if self == Self::UntilDue {
            return match compare {
                Compare::Is => (Included(at(hours)), Excluded(at(hours + 1))),
                Compare::Less => (Included(now), Excluded(at(hours))),
                Compare::Greater => (Included(at(hours + 1)), Unbounded),
            };
        }
        // What happened has happened, also where another clock is a little ahead of this one.
        let latest = if self == Self::Due { Included(now) } else { Unbounded };
        match compare {
            Compare::Is if hours == 0 => (Excluded(at(1)), latest),
            Compare::Is => (Excluded(at(hours + 1)), Included(at(hours))),
            Compare::Less => (Excluded(at(hours)), latest),
            Compare::Greater => (Unbounded, Included(at(hours + 1))),
        }
    }
}
