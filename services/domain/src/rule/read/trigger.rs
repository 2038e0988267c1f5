//! The words for what a trigger asks: those for tickets, those for what happened, and the operators that compare before and now.

use schemas::{TicketFieldId, rule::RuleCondition};

use super::{Clause, IS, Unknown, Vocabulary, invalid, typed};
use crate::{
    rule::{
        Condition, Prose, Whom,
        trigger::{Audible, Changing, Updater, Watch},
    },
    text::Invalid,
};

/// The fields of which a trigger may ask, for refusals.
const FIELDS: &str = "status, priority, type, via_id, current_via_id, group_id, assignee_id, requester_id, current_tags, update_type, \
                      role, comment_is_public, comment_includes_word, subject_includes_word, description_includes_word or \
                      custom_fields_<id>";
/// The fields that are about how long something has been so: a trigger looks when something happens.
const ABOUT_HOURS: [&str; 11] = [
    "NEW",
    "OPEN",
    "PENDING",
    "SOLVED",
    "CLOSED",
    "assigned_at",
    "updated_at",
    "requester_updated_at",
    "assignee_updated_at",
    "due_date",
    "until_due_date",
];
/// The operators that compare before and now, for refusals.
const COMPARED: &str = "changed, not_changed, value, not_value, value_previous and not_value_previous";

/// Reads one condition. One that cannot be read any more never holds, but for fields that are gone: they hold nothing.
pub(in crate::rule) fn watch(sent: &RuleCondition, vocabulary: Vocabulary<'_>) -> Result<Watch, Invalid> {
    let said = Clause { field: &sent.field, operator: &sent.operator, value: &sent.value };
    match (read(said, vocabulary), vocabulary.unknown) {
        (Err(_), Unknown::Empty) => Ok(of_nothing(said)),
        (read, _) => read,
    }
}

/// What is said of a field that is gone: it holds nothing, and did so before.
fn of_nothing(said: Clause<'_>) -> Watch {
    if !said.field.starts_with("custom_fields_") {
        return Watch::Never;
    }
    Watch::Ticket(Condition::Fixed(match said.operator {
        "not_changed" | "not_value" | "not_value_previous" => true,
        _ => said.holds_of_nothing(),
    }))
}

fn read(said: Clause<'_>, vocabulary: Vocabulary<'_>) -> Result<Watch, Invalid> {
    let turned = |is_now: bool, so: bool| {
        let is = Clause { operator: "is", ..said };
        changing(said, vocabulary)?;
        let condition = typed(is, vocabulary)?;
        Ok(if is_now { Watch::Became(condition, so) } else { Watch::Ceased(condition, so) })
    };
    match said.operator {
        "changed" => return Ok(Watch::Changed(changing(said, vocabulary)?, true)),
        "not_changed" => return Ok(Watch::Changed(changing(said, vocabulary)?, false)),
        "value" => return turned(true, true),
        "not_value" => return turned(true, false),
        "value_previous" => return turned(false, true),
        "not_value_previous" => return turned(false, false),
        _ => {}
    }
    match said.field {
        "update_type" => said.update_type(),
        "comment_is_public" => said.audible(),
        "comment_includes_word" => match said.text(Prose::Description)? {
            Condition::Text { any_of, has, .. } => Ok(Watch::Words(any_of, has)),
            _ => Err(invalid(format_args!("one of the fields {FIELDS}"))),
        },
        "current_via_id" => match said.channel()? {
            Condition::Word { among, .. } => Ok(Watch::Channel(among)),
            _ => Err(invalid(format_args!("one of the fields {FIELDS}"))),
        },
        "role" => said.updater(),
        field if ABOUT_HOURS.contains(&field) => Err(invalid(format_args!("one of the fields {FIELDS}"))),
        _ => ticket(said, vocabulary),
    }
}

/// What is asked of the ticket as it is.
fn ticket(said: Clause<'_>, vocabulary: Vocabulary<'_>) -> Result<Watch, Invalid> {
    match typed(said, vocabulary)? {
        Condition::Party { whom: Whom::GroupsOfAsker, .. } => {
            Err(said.refused("the id of a group or \"\": a trigger asks of no group but the ticket's"))
        }
        condition => Ok(Watch::Ticket(condition)),
    }
}

/// What can be compared with what it was.
fn changing(said: Clause<'_>, vocabulary: Vocabulary<'_>) -> Result<Changing, Invalid> {
    Ok(match said.field {
        "status" => Changing::Status,
        "priority" => Changing::Priority,
        "type" => Changing::Type,
        "group_id" => Changing::Group,
        "assignee_id" => Changing::Assignee,
        "requester_id" => Changing::Requester,
        field => {
            let id = field.strip_prefix("custom_fields_").and_then(|id| id.parse().ok()).map(TicketFieldId::new);
            let refused = || {
                invalid(format_args!(
                    "the operators {COMPARED} for status, priority, type, group_id, assignee_id, requester_id and \
                     custom_fields_<id>"
                ))
            };
            let known =
                vocabulary.field(id.ok_or_else(refused)?).ok_or_else(|| said.refused(super::value::NO_FIELD))?;
            let asks_for_value = !said.operator.ends_with("changed");
            if asks_for_value && !Changing::has_one_value(known.kind) {
                return Err(said.refused("of the operators that compare before and now changed and not_changed"));
            }
            Changing::Field(known.field)
        }
    })
}

impl Clause<'_> {
    fn update_type(self) -> Result<Watch, Invalid> {
        let is = self.operator(&IS)?;
        match self.text_value().as_deref() {
            Some("Create") => Ok(Watch::Opened(is)),
            Some("Change") => Ok(Watch::Opened(!is)),
            _ => Err(self.refused("Create or Change")),
        }
    }

    fn audible(self) -> Result<Watch, Invalid> {
        let is = self.operator(&IS)?;
        let audible = match self.text_value().as_deref() {
            // Whoever asks for something reads what all may read.
            Some("true" | "requester_can_see_comment") => Audible::ToAll,
            Some("false") => Audible::ToAgents,
            Some("not_relevant") => Audible::ToWhomever,
            _ => return Err(self.refused("true, false, requester_can_see_comment or not_relevant")),
        };
        Ok(Watch::Spoken(audible, is))
    }

    fn updater(self) -> Result<Watch, Invalid> {
        let is = self.operator(&IS)?;
        let updater = match self.text_value().as_deref() {
            Some("end_user") => Some(Updater::EndUser),
            Some("agent") => Some(Updater::Agent),
            Some("requester_id") => Some(Updater::Requester),
            Some("assignee_id") => Some(Updater::Assignee),
            Some(id) => id.parse().ok().map(Updater::Known),
            None => None,
        };
        let takes = "end_user, agent, requester_id, assignee_id or the id of a user";
        Ok(Watch::Updater(updater.ok_or_else(|| self.refused(takes))?, is))
    }
}
