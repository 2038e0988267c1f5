//! What may be said by a rule.

use schemas::{
    GroupId,
    rule::{RuleCondition, RuleConditions, RuleDefinition, RuleOutput, RuleValue},
    values::RuleKind,
};

use super::{
    Action, CLAUSES_MAX, COLUMNS_MAX, Column, Condition, Conditions, GROUPS_MAX, TRIGGER_BYTES_MAX, Unknown,
    Vocabulary, WORDS_MAX, Watches, Whom, automation,
};
use crate::{
    text::{self, Invalid},
    ticket_field::Known,
};

/// The fields of which a view asks at least one, so that none goes through everything there ever was.
const NARROWING: [&str; 5] = ["status", "type", "group_id", "assignee_id", "requester_id"];

/// A definition as it is recorded: its words stay as they were sent. Of what the rule says `now` already nothing is asked again: it may
/// be about what was there when it was said, and whoever changes something else, or puts the rule out of use, has not said it.
///
/// # Errors
///
/// Says which field takes what.
pub fn definition(
    kind: RuleKind,
    sent: &RuleDefinition,
    now: Option<&RuleDefinition>,
    fields: &[Known],
) -> Result<RuleDefinition, Invalid> {
    let vocabulary = Vocabulary { fields, unknown: Unknown::Refused };
    let new = without(sent, now);
    words(&new)?;
    match kind {
        RuleKind::View => {
            Conditions::read(&new.conditions, vocabulary)?;
            if now.is_none_or(|now| now.conditions != sent.conditions) {
                let all = Conditions::read(&sent.conditions, Vocabulary { unknown: Unknown::Empty, ..vocabulary })?;
                narrows(&sent.conditions)?;
                sought(all.words())?;
            }
            if now.is_none_or(|now| now.output != sent.output) {
                let shown = now.and_then(|now| now.output.as_deref()).map_or(&[][..], |output| &output.columns);
                output(sent.output.as_deref(), shown, vocabulary)?;
            }
        }
        RuleKind::Macro => {
            Action::read_all(&new.actions, vocabulary)?;
            count("actions", sent.actions.len())?;
            at_least_one("action", "actions", sent.actions.len())?;
        }
        RuleKind::Trigger => trigger((sent, &new), now, vocabulary)?,
        RuleKind::Automation => automation((sent, &new), now, vocabulary)?,
    }
    Ok(RuleDefinition {
        title: text::line("title", &sent.title)?,
        description: sent.description.as_deref().map(description).transpose()?,
        ..sent.clone()
    })
}

/// A trigger asks something and does something.
fn trigger(
    (sent, new): (&RuleDefinition, &RuleDefinition),
    now: Option<&RuleDefinition>,
    vocabulary: Vocabulary<'_>,
) -> Result<(), Invalid> {
    Watches::read(&new.conditions, vocabulary)?;
    at_least_one("condition", "conditions", sent.conditions.all.len() + sent.conditions.any.len())?;
    if now.is_none_or(|now| now.conditions != sent.conditions) {
        let all = Watches::read(&sent.conditions, Vocabulary { unknown: Unknown::Empty, ..vocabulary })?;
        sought(all.words())?;
    }
    for action in Action::read_all(&new.actions, vocabulary)? {
        if let Some(takes) = action.refused_of_trigger() {
            return Err(Invalid::new("actions", takes));
        }
    }
    does_something(sent)
}

/// An automation asks, among other things, how long something has been so, of some tickets only, and does something that ends it: else it
/// would do the same to the same tickets every hour.
fn automation(
    (sent, new): (&RuleDefinition, &RuleDefinition),
    now: Option<&RuleDefinition>,
    vocabulary: Vocabulary<'_>,
) -> Result<(), Invalid> {
    let said = Conditions::read(&new.conditions, vocabulary)?;
    let asks = |whom: Whom| matches!(whom, Whom::Asker | Whom::GroupsOfAsker);
    if said.all.iter().chain(&said.any).any(|said| matches!(said, Condition::Party { whom, .. } if asks(*whom))) {
        let takes = "no current_user and no current_groups: nobody asks an automation";
        return Err(Invalid::new("conditions", takes.to_owned()));
    }
    for action in Action::read_all(&new.actions, vocabulary)? {
        let by_nobody = || action.refused_of_automation();
        if let Some(takes) = action.refused_of_trigger().or_else(by_nobody) {
            return Err(Invalid::new("actions", takes));
        }
    }
    does_something(sent)?;
    if now.is_some_and(|now| now.conditions == sent.conditions && now.actions == sent.actions) {
        return Ok(());
    }
    let lenient = Vocabulary { unknown: Unknown::Empty, ..vocabulary };
    let all = Conditions::read(&sent.conditions, lenient)?;
    sought(all.words())?;
    narrows(&sent.conditions)?;
    if !all.all.iter().any(|condition| matches!(condition, Condition::Hours { .. })) {
        let takes = "in `all` at least one condition on hours since or until something";
        return Err(Invalid::new("conditions", takes.to_owned()));
    }
    if automation::ends(&all, &Action::read_all(&sent.actions, lenient)?) {
        return Ok(());
    }
    let takes = "at least one action after which a condition of `all` holds no more, or such a condition that holds for an hour only";
    Err(Invalid::new("actions", takes.to_owned()))
}

/// There is an action, and not too much of anything.
fn does_something(sent: &RuleDefinition) -> Result<(), Invalid> {
    count("actions", sent.actions.len())?;
    at_least_one("action", "actions", sent.actions.len())?;
    let bytes: usize = spelled(sent).into_iter().flat_map(|(_, words)| words).map(String::len).sum();
    let takes = || format!("with the conditions at most {TRIGGER_BYTES_MAX} bytes");
    if bytes <= TRIGGER_BYTES_MAX { Ok(()) } else { Err(Invalid::new("actions", takes())) }
}

fn at_least_one(what: &str, field: &'static str, count: usize) -> Result<(), Invalid> {
    if count == 0 { Err(Invalid::new(field, format!("at least one {what}"))) } else { Ok(()) }
}

/// Refuses more words than a rule looks for at most.
fn sought(words: usize) -> Result<(), Invalid> {
    let takes = || format!("at most {WORDS_MAX} words to look for in texts, all conditions together");
    if words <= WORDS_MAX { Ok(()) } else { Err(Invalid::new("conditions", takes())) }
}

/// The conditions and actions that are not there now.
fn without(sent: &RuleDefinition, now: Option<&RuleDefinition>) -> RuleDefinition {
    let mut new = sent.clone();
    if let Some(now) = now {
        let is_new = |said: &RuleCondition| !now.conditions.all.contains(said) && !now.conditions.any.contains(said);
        new.conditions.all.retain(is_new);
        new.conditions.any.retain(is_new);
        new.actions.retain(|said| !now.actions.contains(said));
    }
    new
}

/// What is recorded is what was sent, so all of it is looked at, and not only what a condition or an action makes of it: U+0000 is the
/// one character that read models cannot hold.
fn words(sent: &RuleDefinition) -> Result<(), Invalid> {
    for (field, words) in spelled(sent) {
        if words.iter().any(|word| word.chars().count() > text::BODY_LENGTH_MAX || word.contains('\0')) {
            let takes = format!("words of at most {} characters, none of them U+0000", text::BODY_LENGTH_MAX);
            return Err(Invalid::new(field, takes));
        }
    }
    Ok(())
}

/// All that conditions and actions say.
fn spelled(sent: &RuleDefinition) -> [(&'static str, Vec<&String>); 2] {
    let conditions = sent.conditions.all.iter().chain(&sent.conditions.any);
    let of_conditions = conditions.flat_map(|said| [&said.field, &said.operator].into_iter().chain(texts(&said.value)));
    let of_actions = sent.actions.iter().flat_map(|said| std::iter::once(&said.field).chain(texts(&said.value)));
    [("conditions", of_conditions.collect()), ("actions", of_actions.collect())]
}

fn texts(value: &RuleValue) -> &[String] {
    match value {
        RuleValue::Text(text) => std::slice::from_ref(text),
        RuleValue::Many(texts) => texts,
        RuleValue::Flag(_) | RuleValue::Integer(_) | RuleValue::Decimal(_) | RuleValue::Nothing => &[],
    }
}

fn description(said: &str) -> Result<String, Invalid> {
    if said.chars().count() > text::BODY_LENGTH_MAX || said.contains('\0') {
        let takes = format!("at most {} characters, none of them U+0000", text::BODY_LENGTH_MAX);
        return Err(Invalid::new("description", takes));
    }
    Ok(said.to_owned())
}

fn narrows(conditions: &RuleConditions) -> Result<(), Invalid> {
    let is_narrow = conditions.all.iter().any(|condition| NARROWING.contains(&condition.field.as_str()));
    let takes = || format!("in `all` at least one condition on {}", NARROWING.join(", "));
    if is_narrow { Ok(()) } else { Err(Invalid::new("conditions", takes())) }
}

/// Columns that are `shown` already may be those of fields that are gone.
fn output(output: Option<&RuleOutput>, shown: &[String], vocabulary: Vocabulary<'_>) -> Result<(), Invalid> {
    let output = output.ok_or_else(|| Invalid::new("output", "columns and an order"))?;
    let read = |column: &String| {
        let unknown = if shown.contains(column) { Unknown::Empty } else { vocabulary.unknown };
        Column::read("columns", column, Vocabulary { unknown, ..vocabulary })
    };
    let columns: Vec<Column> = output.columns.iter().map(read).collect::<Result<_, _>>()?;
    let has_twice = columns.iter().enumerate().any(|(index, column)| columns[..index].contains(column));
    if columns.is_empty() || columns.len() > COLUMNS_MAX || has_twice {
        return Err(Invalid::new("columns", format!("1 to {COLUMNS_MAX} columns, each once")));
    }
    for (name, by) in [("group_by", &output.group_by), ("sort_by", &output.sort_by)] {
        let column = by.as_deref().map(|by| Column::read(name, by, vocabulary)).transpose()?;
        if column.is_some_and(|column| !column.is_sortable()) {
            return Err(Invalid::new(name, format!("one of {}", Column::sortable())));
        }
    }
    Ok(())
}

/// Groups, sorted, each once.
pub(super) fn groups(sent: &[GroupId]) -> Result<Vec<GroupId>, Invalid> {
    let mut groups = sent.to_vec();
    groups.sort_unstable();
    groups.dedup();
    let is_right = (1..=GROUPS_MAX).contains(&groups.len());
    if is_right { Ok(groups) } else { Err(Invalid::new("restriction", format!("the ids of 1 to {GROUPS_MAX} groups"))) }
}

/// Refuses more clauses than a rule has at most.
pub(super) fn count(field: &'static str, count: usize) -> Result<(), Invalid> {
    if count <= CLAUSES_MAX { Ok(()) } else { Err(Invalid::new(field, format!("at most {CLAUSES_MAX} of them"))) }
}
