//! Automations: what changes tickets by itself when time has gone by.
//!
//! It asks what a view asks, of every ticket and every hour. What it does ends that: an action after which one of its conditions holds no
//! more, or a condition that holds for one hour only.

use std::sync::Arc;

use jiff::Timestamp;
use schemas::{
    Personal, RuleId,
    rule::RuleDefinition,
    ticket_field::FieldDefinition,
    values::{Priority, Status, TicketType},
};

use super::{Action, Compare, Condition, Conditions, Moment, Party, Prose, Unknown, Vocabulary, Whom, Worded};
use crate::{text::Invalid, ticket_field::Known};

/// An automation that is in use.
#[derive(Debug, Clone, PartialEq)]
pub struct Automation {
    /// Which.
    pub rule: RuleId,
    /// Since when it says this.
    pub said_at: Timestamp,
    /// What it is called.
    pub title: Personal<String>,
    /// Which tickets it changes.
    pub conditions: Conditions,
    /// What it does.
    pub actions: Vec<Action>,
    /// What the fields take that it fills in. What must be filled in is for people to fill in.
    pub(crate) fields: Arc<[Known]>,
}

impl Automation {
    /// Reads what an automation says. What is about something that is gone asks of nothing, and does nothing.
    ///
    /// # Errors
    ///
    /// If there is more of it than a rule has.
    pub fn read(
        (rule, said_at): (RuleId, Timestamp),
        definition: &RuleDefinition,
        fields: &[Known],
    ) -> Result<Self, Invalid> {
        let vocabulary = Vocabulary { fields, unknown: Unknown::Empty };
        let actions = Action::read_all(&definition.actions, vocabulary)?;
        let is_filled = |known: &&Known| {
            actions.iter().any(|action| matches!(action, Action::Field(field, _) if *field == known.field))
        };
        let optional = |known: &Known| {
            let definition = FieldDefinition { is_required: false, ..known.definition.expose().clone() };
            Known { definition: definition.into(), ..known.clone() }
        };
        Ok(Self {
            rule,
            said_at,
            title: definition.title.clone().into(),
            conditions: Conditions::read(&definition.conditions, vocabulary)?,
            fields: fields.iter().filter(is_filled).map(optional).collect(),
            actions,
        })
    }
}

/// Whether what is done ends what is asked: after it, one of the conditions that must all hold does not, or will not in an hour.
pub(super) fn ends(conditions: &Conditions, actions: &[Action]) -> bool {
    let status = |action: &Action| if let Action::Status(status) = action { Some(*status) } else { None };
    // No automation looks at what is closed.
    let closes = actions.iter().rev().find_map(status) == Some(Status::Closed);
    closes || conditions.all.iter().any(|condition| holds_once(condition) || is_ended(condition, actions))
}

/// Hours go by, so what is so after a number of them is not so after more; but for the last change, which this one is then.
const fn holds_once(condition: &Condition) -> bool {
    matches!(condition, Condition::Hours { moment, compare: Compare::Is, .. } if !matches!(moment, Moment::Updated))
}

/// Whether a condition that holds does not once the actions are done. Of several actions on one thing the last decides.
fn is_ended(condition: &Condition, actions: &[Action]) -> bool {
    let mut last_first = actions.iter().rev();
    match condition {
        Condition::Tags { any_of, has } => are_tags_ended((any_of, *has), actions),
        // Whatever changes a ticket makes it one that changed just now.
        Condition::Hours { moment: Moment::Updated, compare: Compare::Greater, .. } => true,
        Condition::Fixed(_) => false,
        condition => last_first.find_map(|action| holds_after(condition, action)) == Some(false),
    }
}

/// Whether a condition holds of what an action has set; nothing, if it is about something else or that cannot be said beforehand.
fn holds_after(condition: &Condition, action: &Action) -> Option<bool> {
    match (condition, action) {
        (Condition::Word { of: Worded::Status, among, .. }, Action::Status(status)) => {
            Some(among.contains(&status.as_str()))
        }
        (Condition::Word { of: Worded::Priority, among, or_none }, Action::Priority(priority)) => {
            Some(priority.map(Priority::as_str).map_or(*or_none, |word| among.contains(&word)))
        }
        (Condition::Word { of: Worded::Type, among, or_none }, Action::Type(ticket_type)) => {
            Some(ticket_type.map(TicketType::as_str).map_or(*or_none, |word| among.contains(&word)))
        }
        (Condition::Party { of: Party::Group, whom, is }, Action::Group(group)) => {
            Some(party(*whom, group.map(schemas::GroupId::get))? == *is)
        }
        (Condition::Party { of: Party::Assignee, whom, is }, Action::Assignee(Whom::Known(person))) => {
            Some(party(*whom, Some(*person))? == *is)
        }
        (Condition::Party { of: Party::Assignee, whom, is }, Action::Assignee(Whom::Nobody)) => {
            Some(party(*whom, None)? == *is)
        }
        (Condition::Text { of: Prose::Subject, any_of, has }, Action::Subject(subject)) => {
            let subject = subject.to_lowercase();
            Some(any_of.iter().any(|piece| subject.contains(piece)) == *has)
        }
        (Condition::Field { field, test, is }, Action::Field(of, value)) if field == of => {
            Some(test.holds(value.as_ref()) == *is)
        }
        (Condition::Hours { moment: Moment::Since(asked), .. }, Action::Status(status)) => Some(asked == status),
        (Condition::Hours { moment: Moment::Assigned, .. }, Action::Assignee(Whom::Nobody)) => Some(false),
        _ => None,
    }
}

/// Whether somebody, or some group, is whoever is asked for; nothing, where that depends on the ticket.
fn party(whom: Whom, id: Option<i64>) -> Option<bool> {
    match whom {
        Whom::Nobody => Some(id.is_none()),
        Whom::Known(asked) => Some(id == Some(asked)),
        Whom::Asker | Whom::GroupsOfAsker | Whom::Requester | Whom::Assignee => None,
    }
}

/// As the rules of tickets have it: tags that are set, then those besides, then those no more.
fn are_tags_ended((any_of, has): (&[String], bool), actions: &[Action]) -> bool {
    let (mut set, mut added, mut removed) = (None, Vec::new(), Vec::new());
    for action in actions {
        match action {
            Action::SetTags(tags) => set = Some(tags),
            Action::AddTags(tags) => added.extend(tags),
            Action::RemoveTags(tags) => removed.extend(tags),
            _ => {}
        }
    }
    let is_set = |tag: &String| set.is_some_and(|set| set.contains(tag)) || added.contains(&tag);
    let is_there = |tag: &String| is_set(tag) && !removed.contains(&tag);
    let is_gone = |tag: &String| removed.contains(&tag) || set.is_some() && !is_set(tag);
    if has { any_of.iter().all(is_gone) } else { any_of.iter().any(is_there) }
}
