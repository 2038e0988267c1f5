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

/// How many of those that are too many are named in the process's log.
const NAMED_MAX: usize = 100;

/// The command, and whatever triggers look at it.
pub(crate) async fn watched(desk: &Desk, resident: &Resident, command: Command) -> Result<Command, ApiError> {
    if !command.is_watched() {
        return Ok(command);
    }
    Ok(match in_use(desk, resident).await? {
        Some(triggers) => Command::Watched(Box::new(command), triggers.into()),
        None => command,
    })
}

/// All triggers that are in use; none, if there are none. Two requests at once may have made more than a tenant has: the first are asked,
/// in their order.
pub(crate) async fn in_use(desk: &Desk, resident: &Resident) -> Result<Option<Arc<Triggers>>, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    let most = i64::try_from(TRIGGERS_MAX + NAMED_MAX).unwrap_or(i64::MAX);
    let mut rows = read::rules::triggers(&mut transaction, resident, most).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let fields = read::ticket_fields::known(&mut transaction, resident).await?;
    let mut passed_over: Vec<i64> = rows.drain(rows.len().min(TRIGGERS_MAX)..).map(|row| row.rule_id).collect();
    let mut triggers = Vec::new();
    for row in rows {
        // One that says more than it may was made by a newer program, and is its to ask.
        match Trigger::read((RuleId::new(row.rule_id), row.updated_at), &row.definition.0, &fields) {
            Ok(trigger) => triggers.push(trigger),
            Err(_) => passed_over.push(row.rule_id),
        }
    }
    if !passed_over.is_empty() {
        tracing::warn!(tenant.id = %resident.tenant_id(), rules = ?passed_over, "triggers are passed over");
    }
    keep_possible(&mut transaction, resident, triggers.iter_mut().map(|trigger| &mut trigger.actions).collect())
        .await?;
    Ok(Some(Arc::new(Triggers::new(triggers, fields))))
}

/// Leaves out of the actions of rules what would give tickets to those who are no agents, or no groups, any more.
pub(crate) async fn keep_possible(
    conn: &mut PgConnection,
    resident: &Resident,
    of_rules: Vec<&mut Vec<Action>>,
) -> Result<(), ApiError> {
    let actions = || of_rules.iter().flat_map(|actions| actions.iter());
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
    for actions in of_rules {
        actions.retain(|action| {
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
