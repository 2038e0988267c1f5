//! `POST /api/domicile/v1/triggers/dry_run`: what a trigger would have done to the tickets of the last days, had it been in use. Nothing is
//! written.
//!
//! Each command of the log is looked at by itself, on the ticket as it really was then, with what people did in it: the same function asks
//! the trigger as when somebody gives such a command now. What the trigger would have changed for later commands is not played on, because
//! nobody knows what people would have done then. Whoever was an agent is whoever is one today.
//!
//! Tickets are looked at one after the other, and one is kept no longer than that: an answer is about so many events, and the next one
//! begins where it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Extension, Json, extract::State, response::IntoResponse};
use domain::{
    Aggregate,
    rule::{self, Trigger, Triggers, Watching},
    ticket::{By, Ticket, by_people, fired},
};
use jiff::{SignedDuration, Timestamp};
use schemas::{
    Actor, PersonId, RuleId, StreamName, TenantLogEvent, TicketId, Version,
    ids::audit_id,
    rule::{RuleConditions, RuleDefinition},
    values::{Role, RuleKind},
};
use serde_json::{Value, json};

use crate::{
    api::{fold, v2::rules},
    body::{Body, Fields},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{self, log::Logged},
    state::Desk,
    triggers,
    visible::WroteNothing,
};

/// How many days back, if nobody says so, and at most.
const DAYS: (i64, i64) = (7, 90);
/// Tickets that one answer is about.
const TICKETS: usize = 50;
/// Events that one answer is about; a ticket that has more is looked at in an answer of its own. Tests are small.
const EVENTS: usize = if cfg!(test) { 20 } else { 20_000 };

/// What is asked for.
struct Asked {
    triggers: Arc<Watching>,
    since: Timestamp,
    after: i64,
}

/// Takes `trigger`, and perhaps `days` and `after`. Answers the commands that the trigger would have done something in, with what that
/// would have changed, by ticket; how many tickets were looked at; and `next_after`, if there are more.
pub(crate) async fn dry_run(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let Asked { triggers, since, after } = asked(&desk, &caller, &body).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let most = i64::try_from(TICKETS + 1).unwrap_or(i64::MAX);
    let found = read::tickets::changed_since(&mut transaction, &caller.resident, (since, after, most)).await?;
    drop(transaction);
    let (mut updates, mut known, mut room, mut looked_at) = (Vec::new(), BTreeMap::new(), EVENTS, 0);
    for ticket in &found[..found.len().min(TICKETS)] {
        let stream = StreamName::Ticket(TicketId::new(*ticket));
        let logged = read::log::whole_stream(&desk, &caller.resident, &stream, Version::ZERO).await?;
        if looked_at > 0 && logged.len() > room {
            break;
        }
        room = room.saturating_sub(logged.len());
        looked_at += 1;
        let roles = roles(&desk, &caller, (&logged, &mut known)).await?;
        let triggers = Arc::clone(&triggers);
        // A long history takes its time, which is not to be others'.
        let ask = tokio::task::spawn_blocking(move || would_have((since, &triggers), &roles, &logged));
        let would_have = ask.await.map_err(ApiError::internal)?;
        if !would_have.is_empty() {
            caller.reading.of([*ticket]);
        }
        updates.extend(would_have.into_iter().map(|mut update| {
            update["ticket_id"] = json!(ticket);
            update
        }));
    }
    let next_after = found[..looked_at].last().filter(|_| found.len() > looked_at);
    let answer = json!({"updates": updates, "since": since, "tickets": looked_at, "next_after": next_after});
    Ok((Extension(WroteNothing), Json(answer)))
}

/// The trigger, held against the same rules as one that is made. It needs no title.
async fn asked(desk: &Desk, caller: &Caller, body: &Body) -> Result<Asked, ApiError> {
    let mut top = Fields::new(&body.object, "");
    let days = top.integer("days").unwrap_or(DAYS.0);
    if !(1..=DAYS.1).contains(&days) {
        top.fault("days", format!("takes 1 to {}", DAYS.1), "InvalidValue");
    }
    let after = top.integer("after").unwrap_or(0);
    top.finish()?;
    let mut sent = Fields::root(body, "trigger")?;
    let untitled = RuleDefinition {
        title: "Dry run".to_owned(),
        description: None,
        position: 0,
        is_active: true,
        conditions: RuleConditions::default(),
        actions: Vec::new(),
        output: None,
    };
    let definition = rules::definition(&mut sent, RuleKind::Trigger, Some(&untitled));
    sent.finish()?;
    let fields = rules::fields(desk, &caller.resident).await?;
    let definition = rule::checked(RuleKind::Trigger, &definition, None, &fields)?;
    let now = desk.clock.now();
    let mut trigger = [Trigger::read((RuleId::new(0), now), &definition, &fields)?];
    let mut transaction = desk.reading(&caller.resident).await?;
    triggers::keep_possible(&mut transaction, &caller.resident, vec![&mut trigger[0].actions]).await?;
    let since = now.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::UNIX_EPOCH);
    let triggers = Arc::new(Triggers::new(trigger.into(), fields).into());
    Ok(Asked { triggers, since, after })
}

/// Who did all that, as the rules of tickets know them. Those who are known already are not looked up again.
async fn roles(
    desk: &Desk,
    caller: &Caller,
    (logged, known): (&[Logged], &mut BTreeMap<i64, By>),
) -> Result<BTreeMap<i64, By>, ApiError> {
    let actors = logged.iter().filter_map(|logged| match logged.envelope.actor {
        Actor::Person(person) => Some(person),
        Actor::System => None,
    });
    let actors: BTreeSet<PersonId> = actors.collect();
    let new: Vec<i64> = actors.iter().map(|person| person.get()).filter(|person| !known.contains_key(person)).collect();
    if !new.is_empty() {
        let mut transaction = desk.reading(&caller.resident).await?;
        for row in read::people::many(&mut transaction, &caller.resident, &new).await? {
            let role = row.role.parse().unwrap_or(Role::EndUser);
            known.insert(row.person_id, By { person: PersonId::new(row.person_id), role });
        }
    }
    let by = |person: PersonId| {
        let by = known.get(&person.get()).copied();
        (person.get(), by.unwrap_or(By { person, role: Role::EndUser }))
    };
    Ok(actors.into_iter().map(by).collect())
}

/// The commands of a ticket's history that the trigger would have done something in.
fn would_have((since, triggers): (Timestamp, &Watching), roles: &BTreeMap<i64, By>, history: &[Logged]) -> Vec<Value> {
    let (mut ticket, mut updates) = (Ticket::default(), Vec::new());
    for command in history.chunk_by(|one, other| one.envelope.command_id == other.envelope.command_id) {
        // What was erased is known to nobody, and asks nothing of a trigger.
        let known = command.iter().filter_map(|logged| match &logged.event {
            Some(TenantLogEvent::Ticket(event)) => Some(event.clone()),
            _ => None,
        });
        let events: Vec<_> = known.collect();
        let first = &command[0];
        let by = match first.envelope.actor {
            Actor::Person(person) => roles.get(&person.get()).copied().unwrap_or(By { person, role: Role::EndUser }),
            Actor::System => By::OPERATOR,
        };
        if first.envelope.recorded_at >= since {
            let people = by_people(&events);
            let effects = fired(&ticket, by, (&people, triggers));
            if !effects.is_empty() {
                let mut after = ticket.clone();
                people.iter().for_each(|event| after.evolve(event));
                updates.push(json!({
                    "audit_id": audit_id(first.position),
                    "position": first.position,
                    "at": first.envelope.recorded_at,
                    "changes": fold::changes(&after, &effects),
                }));
            }
        }
        events.iter().for_each(|event| ticket.evolve(event));
    }
    updates
}

#[cfg(test)]
mod tests;
