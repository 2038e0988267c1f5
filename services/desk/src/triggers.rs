//! The tenant's triggers, as a command on a ticket carries them.
//!
//! They come with the command, as the fields do that the tenant made: whoever gives the command reads those that are in use, and the
//! rules of tickets ask them. A trigger that changes in the same moment is asked as it was a moment before; what it does says as of when.
//! A tenant without triggers pays for one look at an index.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    rule::{Action, TRIGGERS_MAX, Trigger, Triggers, Whom},
    ticket::Command,
};
use regions::Resident;
use schemas::{RuleId, values::Role};
use sqlx::PgConnection;

use crate::{problem::ApiError, read, state::Desk};

/// The command, and whatever triggers look at it.
pub(crate) async fn watched(desk: &Desk, resident: &Resident, command: Command) -> Result<Command, ApiError> {
    if !command.is_watched() {
        return Ok(command);
    }
    let mut transaction = desk.reading(resident).await?;
    let rows = read::rules::triggers(&mut transaction, resident, TRIGGERS_MAX).await?;
    if rows.is_empty() {
        return Ok(command);
    }
    let fields = read::ticket_fields::known(&mut transaction, resident).await?;
    // One that says more than it may was made by a newer program, and is its to ask.
    let read = |row: &read::rules::InUse| {
        Trigger::read((RuleId::new(row.rule_id), row.updated_at), &row.definition.0, &fields).ok()
    };
    let mut triggers: Vec<Trigger> = rows.iter().filter_map(read).collect();
    keep_possible(&mut transaction, resident, &mut triggers).await?;
    Ok(Command::Watched(Box::new(command), Arc::new(Triggers::new(triggers, fields))))
}

/// Leaves out what would give tickets to those who are no agents, or no groups, any more.
pub(crate) async fn keep_possible(
    conn: &mut PgConnection,
    resident: &Resident,
    triggers: &mut [Trigger],
) -> Result<(), ApiError> {
    let actions = || triggers.iter().flat_map(|trigger| &trigger.actions);
    let people: BTreeSet<i64> = actions().filter_map(person).collect();
    let groups: BTreeSet<i64> = actions().filter_map(group).collect();
    let mut agents = BTreeSet::new();
    if !people.is_empty() {
        let people = Vec::from_iter(people);
        let rows = read::people::many(conn, resident, &people).await?;
        let is_agent = |role: &str| [Role::Agent, Role::Admin].iter().any(|agent| agent.as_str() == role);
        agents.extend(rows.iter().filter(|row| row.is_active && is_agent(&row.role)).map(|row| row.person_id));
    }
    let mut there = BTreeSet::new();
    if !groups.is_empty() {
        let rows = read::groups::many(conn, resident, &Vec::from_iter(groups)).await?;
        there.extend(rows.iter().filter(|row| !row.is_deleted).map(|row| row.group_id));
    }
    for trigger in triggers {
        trigger.actions.retain(|action| {
            person(action).is_none_or(|person| agents.contains(&person))
                && group(action).is_none_or(|group| there.contains(&group))
        });
    }
    Ok(())
}

const fn person(action: &Action) -> Option<i64> {
    match action {
        Action::Assignee(Whom::Known(person)) => Some(*person),
        _ => None,
    }
}

fn group(action: &Action) -> Option<i64> {
    match action {
        Action::Group(group) => group.map(schemas::GroupId::get),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
