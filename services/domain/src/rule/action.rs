//! What a macro does to a ticket, and what it says.

use schemas::{
    GroupId, PersonId, Personal, TicketFieldId,
    rule::{RuleAction, RuleValue},
    ticket_field::FieldValue,
    values::{Priority, Status, TicketType},
};

use super::{Unknown, Vocabulary, Whom, check::count, value};
use crate::{
    text::{self, Invalid},
    ticket::{Changes, Details, Fields, Further},
};

/// The fields of actions, for refusals.
const FIELDS: &str = "status, priority, type, group_id, assignee_id, set_tags, current_tags, remove_tags, subject, comment_value, \
                      comment_value_html, comment_mode_is_public or custom_fields_<id>";

/// Those that a trigger does.
const OF_TRIGGERS: &str =
    "status, priority, type, group_id, assignee_id, set_tags, current_tags, remove_tags, subject or custom_fields_<id>";

/// An action, typed.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Where the ticket is in its life.
    Status(Status),
    /// How urgent it is.
    Priority(Option<Priority>),
    /// What kind it is.
    Type(Option<TicketType>),
    /// Which group works on it.
    Group(Option<GroupId>),
    /// Who works on it.
    Assignee(Whom),
    /// These tags and no others.
    SetTags(Vec<String>),
    /// These tags besides.
    AddTags(Vec<String>),
    /// These tags no more.
    RemoveTags(Vec<String>),
    /// What it is about.
    Subject(String),
    /// What a field holds that the tenant made.
    Field(TicketFieldId, Option<FieldValue>),
    /// What is said.
    Comment(String),
    /// What is said, as HTML.
    HtmlComment(String),
    /// Whether all may read what is said.
    CommentIsPublic(bool),
}

/// What a macro says, with its placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// As text.
    pub body: Option<String>,
    /// As HTML.
    pub html_body: Option<String>,
    /// To all or to agents only; as the ticket is, if it does not say.
    pub is_public: Option<bool>,
}

impl Action {
    /// Reads the words of a rule. What is about a field that is gone, or a value that it does not take, is passed over where the
    /// vocabulary says so.
    ///
    /// # Errors
    ///
    /// Says which field takes what, of the first action that says something else.
    pub fn read_all(sent: &[RuleAction], vocabulary: Vocabulary<'_>) -> Result<Vec<Self>, Invalid> {
        count("actions", sent.len())?;
        let read = sent.iter().map(|sent| one(sent, vocabulary));
        read.filter(|read| read.is_ok() || vocabulary.unknown == Unknown::Refused).collect()
    }

    /// What all of them change on a ticket that somebody applies them to.
    pub fn changes(actions: &[Self], by: PersonId, (details, fields): (&Details, Fields)) -> Changes {
        let mut changes = Changes { further: Further { fields, ..Further::default() }, ..Changes::default() };
        for action in actions {
            action.apply(&mut changes, by, details);
        }
        changes
    }

    /// What is wrong with it where nobody is asked before it is done: nobody says anything, and who wants something need not be an agent.
    pub(super) fn refused_of_trigger(&self) -> Option<String> {
        match self {
            Self::Comment(_) | Self::HtmlComment(_) | Self::CommentIsPublic(_) => {
                Some(format!("of the fields of a trigger's actions {OF_TRIGGERS}"))
            }
            Self::Assignee(Whom::Requester) => {
                Some("for assignee_id the id of an agent, current_user or \"\"".to_owned())
            }
            _ => None,
        }
    }

    /// What is wrong with it where nobody asks: who works on a ticket then is said by name.
    pub(super) fn refused_of_automation(&self) -> Option<String> {
        matches!(self, Self::Assignee(Whom::Asker)).then(|| "for assignee_id the id of an agent or \"\"".to_owned())
    }

    fn apply(&self, changes: &mut Changes, by: PersonId, details: &Details) {
        let extend = |tags: &mut Personal<Vec<String>>, more: &[String]| {
            *tags = [tags.expose().as_slice(), more].concat().into();
        };
        match self {
            Self::Status(status) => changes.status = Some(*status),
            Self::Priority(priority) => changes.priority = Some(*priority),
            Self::Type(ticket_type) => changes.ticket_type = Some(*ticket_type),
            Self::Group(group) => changes.group = Some(*group),
            Self::Assignee(whom) => changes.assignee = Some(whom.person(by, details)),
            Self::SetTags(tags) => changes.tags = Some(tags.clone().into()),
            Self::AddTags(tags) => extend(&mut changes.added_tags, tags),
            Self::RemoveTags(tags) => extend(&mut changes.removed_tags, tags),
            Self::Subject(subject) => changes.subject = Some(subject.clone().into()),
            Self::Field(field, value) => changes.further.fields.asked.push((*field, value.clone().into())),
            Self::Comment(_) | Self::HtmlComment(_) | Self::CommentIsPublic(_) => {}
        }
    }
}

/// What all of them say, if they say anything.
pub fn said(actions: &[Action]) -> Option<Said> {
    let mut said = Said::default();
    for action in actions {
        match action {
            Action::Comment(body) => said.body = Some(body.clone()),
            Action::HtmlComment(body) => said.html_body = Some(body.clone()),
            Action::CommentIsPublic(is_public) => said.is_public = Some(*is_public),
            _ => {}
        }
    }
    (said != Said::default()).then_some(said)
}

impl Whom {
    /// Who that is among those who may work on a ticket.
    fn person(self, by: PersonId, details: &Details) -> Option<PersonId> {
        match self {
            Self::Asker => Some(by),
            Self::Requester => Some(details.requester),
            Self::Assignee => details.assignee,
            Self::Known(id) => Some(PersonId::new(id)),
            Self::Nobody | Self::GroupsOfAsker => None,
        }
    }
}

fn one(sent: &RuleAction, vocabulary: Vocabulary<'_>) -> Result<Action, Invalid> {
    let RuleAction { field, value } = sent;
    let refused = |takes: &str| Invalid::new("actions", format!("for {field} {takes}"));
    let word = value::text(value);
    let tags = || value::tags(value).ok_or_else(|| refused("tags, with spaces between them"));
    let body = || spoken(value).ok_or_else(|| refused("a text of 1 to 65536 characters"));
    Ok(match field.as_str() {
        "status" => named(word.as_deref())
            .filter(|status| *status != Some(Status::New))
            .flatten()
            .map(Action::Status)
            .ok_or_else(|| refused("one of open, pending, hold, solved, closed"))?,
        "priority" => Action::Priority(named(word.as_deref()).ok_or_else(|| refused(&or_none(Priority::TAKES)))?),
        "type" => Action::Type(named(word.as_deref()).ok_or_else(|| refused(&or_none(TicketType::TAKES)))?),
        "group_id" => {
            Action::Group(id(word.as_deref()).ok_or_else(|| refused("the id of a group or \"\""))?.map(GroupId::new))
        }
        "assignee_id" => Action::Assignee(
            whom(word.as_deref()).ok_or_else(|| refused("the id of an agent, current_user, requester_id or \"\""))?,
        ),
        "set_tags" => Action::SetTags(tags()?),
        "current_tags" => Action::AddTags(tags()?),
        "remove_tags" => Action::RemoveTags(tags()?),
        "subject" => Action::Subject(
            word.and_then(|word| text::subject(&word).ok()).ok_or_else(|| refused("1 to 255 characters"))?,
        ),
        "comment_value" => Action::Comment(body()?),
        "comment_value_html" => Action::HtmlComment(body()?),
        "comment_mode_is_public" => {
            Action::CommentIsPublic(word.and_then(|word| word.parse().ok()).ok_or_else(|| refused("true or false"))?)
        }
        other => return own_field(other, value, vocabulary),
    })
}

fn own_field(name: &str, value: &RuleValue, vocabulary: Vocabulary<'_>) -> Result<Action, Invalid> {
    let id = name.strip_prefix("custom_fields_").and_then(|id| id.parse().ok()).map(TicketFieldId::new);
    let id = id.ok_or_else(|| Invalid::new("actions", format!("one of the fields {FIELDS}")))?;
    let refused = |takes: &str| Invalid::new("actions", format!("for {name} {takes}"));
    let known = vocabulary.field(id).ok_or_else(|| refused(value::NO_FIELD))?;
    let value = known.value(value::of_field(value).as_ref()).map_err(|takes| refused(&takes))?;
    Ok(Action::Field(id, value))
}

fn or_none(words: &str) -> String {
    format!("one of {words} or \"\"")
}

/// What is said: a text, or a channel and a text, as clients of the reference send it.
fn spoken(value: &RuleValue) -> Option<String> {
    let text = match value {
        RuleValue::Text(text) => Some(text),
        RuleValue::Many(many) => match many.as_slice() {
            [text] | [_, text] => Some(text),
            _ => None,
        },
        RuleValue::Flag(_) | RuleValue::Integer(_) | RuleValue::Decimal(_) | RuleValue::Nothing => None,
    };
    text.and_then(|text| text::body(text).ok())
}

/// A word, or none.
fn named<T: std::str::FromStr>(word: Option<&str>) -> Option<Option<T>> {
    match word? {
        "" => Some(None),
        word => word.parse().ok().map(Some),
    }
}

fn id(word: Option<&str>) -> Option<Option<i64>> {
    named(word)
}

fn whom(word: Option<&str>) -> Option<Whom> {
    match word? {
        "" => Some(Whom::Nobody),
        "current_user" => Some(Whom::Asker),
        "requester_id" => Some(Whom::Requester),
        word => word.parse().ok().map(Whom::Known),
    }
}
