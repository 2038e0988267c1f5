//! The words for conditions: for each field which operators, and which values they take.

mod field;
pub(super) mod trigger;

use schemas::{
    TicketFieldId,
    rule::{RuleCondition, RuleConditions, RuleValue},
    values::{Channel, Priority, Status, TicketType},
};

use super::{
    check::count,
    condition::{Compare, Condition, Conditions, Moment, Party, Prose, Whom, Worded},
    value,
};
use crate::{text::Invalid, ticket_field::Known};

/// The fields of conditions, for refusals.
const FIELDS: &str = "status, priority, type, via_id, group_id, assignee_id, requester_id, current_tags, subject_includes_word, \
                      description_includes_word, NEW, OPEN, PENDING, SOLVED, CLOSED, assigned_at, updated_at, requester_updated_at, \
                      assignee_updated_at, due_date, until_due_date or custom_fields_<id>";
/// More hours than anything took.
const HOURS_MAX: i64 = 1_000_000;
/// The longest text to look for, in characters.
const SOUGHT_LENGTH_MAX: usize = 1000;

/// The fields that the tenant made, as far as the words of a rule need them.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary<'a> {
    /// Those that there are.
    pub fields: &'a [Known],
    /// What becomes of words about others.
    pub unknown: Unknown,
}

/// What becomes of words about a field that is not there, or a value that a field does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// They are refused: a rule that is made is about what there is.
    Refused,
    /// A rule that is used may be about what was there, and is used all the same. A field that is gone holds nothing on any ticket; a
    /// value that a field took once is compared with what tickets hold still, but none of them takes it any more.
    Empty,
}

impl<'a> Vocabulary<'a> {
    /// The field of this id.
    pub fn field(self, id: TicketFieldId) -> Option<&'a Known> {
        self.fields.iter().find(|known| known.field == id)
    }
}

impl Conditions {
    /// Reads the words of a rule. Where the vocabulary says so, a condition that says nothing any more holds as of a field that holds
    /// nothing.
    ///
    /// # Errors
    ///
    /// Says which field takes what, of the first condition that says something else.
    pub fn read(sent: &RuleConditions, vocabulary: Vocabulary<'_>) -> Result<Self, Invalid> {
        count("conditions", sent.all.len() + sent.any.len())?;
        let read =
            |sent: &[RuleCondition]| sent.iter().map(|sent| condition(sent, vocabulary)).collect::<Result<_, _>>();
        Ok(Self { all: read(&sent.all)?, any: read(&sent.any)? })
    }
}

fn invalid(takes: impl std::fmt::Display) -> Invalid {
    Invalid::new("conditions", takes.to_string())
}

fn condition(sent: &RuleCondition, vocabulary: Vocabulary<'_>) -> Result<Condition, Invalid> {
    let said = Clause { field: &sent.field, operator: &sent.operator, value: &sent.value };
    match (typed(said, vocabulary), vocabulary.unknown) {
        (Err(_), Unknown::Empty) => Ok(Condition::Fixed(said.holds_of_nothing())),
        (read, _) => read,
    }
}

fn typed(said: Clause<'_>, vocabulary: Vocabulary<'_>) -> Result<Condition, Invalid> {
    match said.field {
        "status" => said.word(Worded::Status, Status::ALL.iter().map(|word| word.as_str()), true),
        "priority" => said.word(Worded::Priority, Priority::ALL.iter().map(|word| word.as_str()), true),
        "type" => said.word(Worded::Type, TicketType::ALL.iter().map(|word| word.as_str()), false),
        "via_id" => said.channel(),
        "group_id" => said.party(Party::Group, "the id of a group, current_groups or \"\""),
        "assignee_id" => said.party(Party::Assignee, "the id of an agent, current_user, requester_id or \"\""),
        "requester_id" => said.party(Party::Requester, "the id of a user, current_user or assignee_id"),
        "current_tags" => said.tags(),
        "subject_includes_word" => said.text(Prose::Subject),
        "description_includes_word" => said.text(Prose::Description),
        "NEW" => said.hours(Moment::Created),
        "OPEN" => said.hours(Moment::Since(Status::Open)),
        "PENDING" => said.hours(Moment::Since(Status::Pending)),
        "SOLVED" => said.hours(Moment::Since(Status::Solved)),
        "CLOSED" => said.hours(Moment::Since(Status::Closed)),
        "assigned_at" => said.hours(Moment::Assigned),
        "requester_updated_at" => said.hours(Moment::RequesterUpdated),
        "assignee_updated_at" => said.hours(Moment::AssigneeUpdated),
        "updated_at" => said.hours(Moment::Updated),
        "due_date" => said.hours(Moment::Due),
        "until_due_date" => said.hours(Moment::UntilDue),
        other => {
            let id = other.strip_prefix("custom_fields_").and_then(|id| id.parse().ok()).map(TicketFieldId::new);
            said.field(id.ok_or_else(|| invalid(format_args!("one of the fields {FIELDS}")))?, vocabulary)
        }
    }
}

/// One condition as it was sent.
#[derive(Clone, Copy)]
struct Clause<'a> {
    field: &'a str,
    operator: &'a str,
    value: &'a RuleValue,
}

impl Clause<'_> {
    fn refused(self, takes: impl std::fmt::Display) -> Invalid {
        invalid(format_args!("for {} {takes}", self.field))
    }

    /// One of these operators.
    fn operator<T: Copy>(self, known: &[(&str, T)]) -> Result<T, Invalid> {
        let found = known.iter().find(|(word, _)| *word == self.operator);
        found.map(|(_, operator)| *operator).ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.refused(format_args!("one of the operators {}", words.join(", ")))
        })
    }

    fn text_value(self) -> Option<String> {
        value::text(self.value)
    }

    /// Words in an order: which of them lie on the asked side of the one that is named. None comes before the first.
    fn word(
        self,
        of: Worded,
        words: impl Iterator<Item = &'static str>,
        has_order: bool,
    ) -> Result<Condition, Invalid> {
        let words: Vec<&'static str> = words.collect();
        let ordered = [
            ("is", (Compare::Is, true)),
            ("is_not", (Compare::Is, false)),
            ("less_than", (Compare::Less, true)),
            ("greater_than", (Compare::Greater, true)),
        ];
        let (compare, is) = self.operator(if has_order { &ordered } else { &ordered[..2] })?;
        let rank =
            |word: Option<&str>| word.map_or(Some(0), |word| Some(words.iter().position(|known| *known == word)? + 1));
        let is_optional = of != Worded::Status;
        let named = self.text_value().filter(|named| is_optional || !named.is_empty());
        let than = named.and_then(|named| rank(Some(named.as_str()).filter(|named| !named.is_empty())));
        let than = than.ok_or_else(|| {
            let none = if is_optional { " or \"\"" } else { "" };
            self.refused(format_args!("one of {}{none}", words.join(", ")))
        })?;
        let holds = |rank: usize| compare.holds(&rank, &than) == is;
        let among = words.iter().enumerate().filter(|(index, _)| holds(index + 1)).map(|(_, word)| *word).collect();
        Ok(Condition::Word { of, among, or_none: is_optional && holds(0) })
    }

    /// Channels go by numbers.
    fn channel(self) -> Result<Condition, Invalid> {
        let is = self.operator(&IS)?;
        let named = match self.text_value().as_deref() {
            Some("0") => Channel::Web,
            Some("4") => Channel::Email,
            Some("5") => Channel::Api,
            _ => return Err(self.refused("0 (web), 4 (email) or 5 (api)")),
        };
        let among = Channel::ALL.iter().filter(|channel| (**channel == named) == is).map(|channel| channel.as_str());
        Ok(Condition::Word { of: Worded::Channel, among: among.collect(), or_none: false })
    }

    fn party(self, of: Party, takes: &str) -> Result<Condition, Invalid> {
        let is = self.operator(&IS)?;
        let whom = match (self.text_value().as_deref(), of) {
            (Some(""), Party::Group | Party::Assignee) => Some(Whom::Nobody),
            (Some("current_groups"), Party::Group) => Some(Whom::GroupsOfAsker),
            (Some("current_user"), Party::Assignee | Party::Requester) => Some(Whom::Asker),
            (Some("requester_id"), Party::Assignee) => Some(Whom::Requester),
            (Some("assignee_id"), Party::Requester) => Some(Whom::Assignee),
            (Some(id), _) => id.parse().ok().map(Whom::Known),
            (None, _) => None,
        };
        Ok(Condition::Party { of, whom: whom.ok_or_else(|| self.refused(takes))?, is })
    }

    fn tags(self) -> Result<Condition, Invalid> {
        let has = self.operator(&INCLUDES)?;
        let any_of = value::tags(self.value).filter(|tags| !tags.is_empty());
        let any_of = any_of.ok_or_else(|| self.refused("tags, with spaces between them"))?;
        Ok(Condition::Tags { any_of, has })
    }

    /// One of several words, or one text as it stands.
    fn text(self, of: Prose) -> Result<Condition, Invalid> {
        let (is_whole, has) = self.operator(&[
            ("includes", (false, true)),
            ("not_includes", (false, false)),
            ("is", (true, true)),
            ("is_not", (true, false)),
        ])?;
        let sought = self.text_value().map(|sought| sought.to_lowercase()).unwrap_or_default();
        let any_of: Vec<String> = match is_whole {
            true => Some(sought.trim().to_owned()).filter(|sought| !sought.is_empty()).into_iter().collect(),
            false => sought.split_whitespace().map(str::to_owned).collect(),
        };
        if any_of.is_empty() || sought.chars().count() > SOUGHT_LENGTH_MAX || sought.contains('\0') {
            return Err(self.refused(format_args!("a text of 1 to {SOUGHT_LENGTH_MAX} characters")));
        }
        Ok(Condition::Text { of, any_of, has })
    }

    fn hours(self, moment: Moment) -> Result<Condition, Invalid> {
        let compare = self.operator(&COMPARE)?;
        let hours =
            self.text_value().and_then(|hours| hours.parse().ok()).filter(|hours| (0..=HOURS_MAX).contains(hours));
        let hours = hours.ok_or_else(|| self.refused(format_args!("a whole number of hours, 0 to {HOURS_MAX}")))?;
        Ok(Condition::Hours { moment, compare, hours })
    }
}

const IS: [(&str, bool); 2] = [("is", true), ("is_not", false)];
const INCLUDES: [(&str, bool); 2] = [("includes", true), ("not_includes", false)];
const COMPARE: [(&str, Compare); 3] =
    [("is", Compare::Is), ("less_than", Compare::Less), ("greater_than", Compare::Greater)];
