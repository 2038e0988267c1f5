//! Whether what a rule asks holds of a ticket.
//!
//! The same conditions are asked of a ticket here and of all tickets by the desk, as a query: both say the same of every ticket.

use std::ops::{Bound, RangeBounds};

use jiff::{SignedDuration, Timestamp};
use schemas::{
    GroupId, PersonId,
    ticket_field::FieldValue,
    values::{Priority, TicketType},
};

use super::condition::{Asking, Compare, Condition, Conditions, Facts, FieldTest, Moment, Party, Prose, Whom, Worded};

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
                moment.of(ticket).is_some_and(|at| moment.range(*compare, *hours, asking).contains(&at))
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
    pub(super) fn holds(&self, value: Option<&FieldValue>) -> bool {
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
    fn of(self, ticket: &Facts<'_>) -> Option<Timestamp> {
        match self {
            Self::Since(status) => ticket.moments.status_updated.filter(|_| ticket.status == status),
            Self::Assigned => ticket.moments.assigned,
            Self::RequesterUpdated => ticket.moments.requester_updated,
            Self::AssigneeUpdated => ticket.moments.assignee_updated,
            Self::Created => Some(ticket.created_at),
            Self::Updated => Some(ticket.updated_at),
            Self::Due | Self::UntilDue => ticket.due_at,
        }
    }

    /// Where the moment lies if that many whole hours are between it and when it is asked.
    pub fn range(self, compare: Compare, hours: i64, asking: &Asking) -> (Bound<Timestamp>, Bound<Timestamp>) {
        use Bound::{Excluded, Included, Unbounded};
        let now = asking.now;
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
        let latest = if self == Self::Due || asking.is_past { Included(now) } else { Unbounded };
        match compare {
            Compare::Is if hours == 0 => (Excluded(at(1)), latest),
            Compare::Is => (Excluded(at(hours + 1)), Included(at(hours))),
            Compare::Less => (Excluded(at(hours)), latest),
            Compare::Greater => (Unbounded, Included(at(hours + 1))),
        }
    }
}
