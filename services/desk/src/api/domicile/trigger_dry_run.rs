//! `POST /api/domicile/v1/triggers/dry_run`: what a trigger would have done to the tickets of the last days, had it been in use. Nothing is
//! written.
//!
//! Each command of the log is looked at by itself, on the ticket as it really was then, with what people did in it: the same function asks
//! the trigger as when somebody gives such a command now. What the trigger would have changed for later commands is not played on, because
//! nobody knows what people would have done then. Whoever was an agent is whoever is one today.

use std::collections::BTreeMap;

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

/// What is asked for.
struct Asked {
    triggers: Watching,
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
    let tickets = &found[..found.len().min(TICKETS)];
    let mut histories = Vec::new();
    for ticket in tickets {
        let stream = StreamName::Ticket(TicketId::new(*ticket));
        let logged = read::log::whole_stream(&desk, &caller.resident, &stream, Version::ZERO).await?;
        histories.push((*ticket, logged));
    }
    let roles = roles(&desk, &caller, &histories).await?;
    let mut updates = Vec::new();
    for (ticket, logged) in &histories {
        let would_have = would_have((since, &triggers), &roles, logged);
        if !would_have.is_empty() {
            caller.reading.of([*ticket]);
        }
        updates.extend(would_have.into_iter().map(|mut update| {
            update["ticket_id"] = json!(ticket);
            update
        }));
    }
    let next_after = tickets.last().filter(|_| found.len() > TICKETS);
    let answer = json!({"updates": updates, "since": since, "tickets": tickets.len(), "next_after": next_after});
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
    triggers::keep_possible(&mut transaction, &caller.resident, &mut trigger).await?;
    let since = now.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Asked { triggers: Triggers::new(trigger.into(), fields).into(), since, after })
}

/// Who did all that, as the rules of tickets know them.
async fn roles(desk: &Desk, caller: &Caller, histories: &[(i64, Vec<Logged>)]) -> Result<BTreeMap<i64, By>, ApiError> {
    let actors = histories.iter().flat_map(|(_, logged)| logged).filter_map(|logged| match logged.envelope.actor {
        Actor::Person(person) => Some(person.get()),
        Actor::System => None,
    });
    let mut people: Vec<i64> = actors.collect();
    people.sort_unstable();
    people.dedup();
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::people::many(&mut transaction, &caller.resident, &people).await?;
    let by = |row: read::people::Person| {
        let role = row.role.parse().unwrap_or(Role::EndUser);
        (row.person_id, By { person: PersonId::new(row.person_id), role })
    };
    Ok(rows.into_iter().map(by).collect())
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
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Bench, GRACE, Who};

    const PATH: &str = "/api/domicile/v1/triggers/dry_run";

    fn trigger() -> Value {
        json!({
            "title": "Urgent",
            "any": [
                {"field": "subject_includes_word", "operator": "includes", "value": "smokes"},
                {"field": "status", "operator": "value", "value": "open"},
            ],
            "all": [{"field": "priority", "operator": "is_not", "value": "urgent"}],
            "actions": [{"field": "priority", "value": "urgent"}, {"field": "current_tags", "value": "smoke"}],
        })
    }

    /// A ticket that two commands are of interest on, and one that none is.
    async fn live(bench: &Bench) -> i64 {
        let ticket = bench.ticket(ADA, json!({"subject": "It smokes", "comment": {"body": "x"}})).await;
        let path = format!("/api/v2/tickets/{ticket}");
        let sent: [(Who, Value); 3] = [
            (ADA, json!({"comment": {"body": "Hello?"}})),
            (ALAN, json!({"priority": "urgent"})),
            (ALAN, json!({"comment": {"body": "I look"}, "priority": "low"})),
        ];
        for (who, sent) in sent {
            assert_eq!(bench.put(who, &path, json!({ "ticket": sent })).await.status, 200);
        }
        ticket
    }

    /// What an audit says that rules changed, without ids and who.
    fn changes(events: &Value) -> Vec<Value> {
        let by_rules = events.as_array().into_iter().flatten().filter(|event| !event["via"].is_null());
        by_rules.map(|event| json!([event["field_name"], event["value"], event["previous_value"]])).collect()
    }

    #[tokio::test]
    async fn a_dry_run_says_what_the_trigger_really_does_and_writes_nothing() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let without = live(&bench).await;
        bench.ticket(ADA, json!({"subject": "All quiet", "comment": {"body": "x"}})).await;
        let tried = bench.post(GRACE, PATH, json!({"trigger": trigger()})).await;
        assert_eq!((tried.status.as_u16(), &tried.body["tickets"]), (200, &json!(2)), "{}", tried.body);
        let updates = tried.body["updates"].as_array().expect("updates").clone();
        let audits = |body: &Value| body["audits"].as_array().expect("audits").clone();
        let path = |ticket: i64| format!("/api/v2/tickets/{ticket}/audits");
        let untouched = audits(&bench.get(ALAN, &path(without)).await.body);
        let of: Vec<usize> = updates
            .iter()
            .map(|update| {
                assert_eq!(update["ticket_id"], without);
                untouched.iter().position(|audit| audit["id"] == update["audit_id"]).expect("an audit of then")
            })
            .collect();
        assert_eq!(of, [0, 1, 3], "not where it is urgent already");
        assert!(untouched.iter().all(|audit| changes(&audit["events"]).is_empty()), "nothing is written");

        assert_eq!(bench.post(GRACE, "/api/v2/triggers", json!({"trigger": trigger()})).await.status, 201);
        let with = live(&bench).await;
        let real = audits(&bench.get(ALAN, &path(with)).await.body);
        let would = |update: &Value| -> Vec<Value> {
            let entries = update["changes"].as_array().into_iter().flatten();
            entries.map(|entry| json!([entry["field_name"], entry["value"], entry["previous_value"]])).collect()
        };
        assert_eq!(would(&updates[0]), changes(&real[0]["events"]), "the first that it does");
        assert_eq!(would(&updates[0])[0], json!(["priority", "urgent", null]));
        Ok(())
    }

    #[tokio::test]
    async fn a_dry_run_is_of_so_many_days_goes_on_and_is_refused_by_name() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let ticket = live(&bench).await;
        bench.advance_seconds(2 * 24 * 3600);
        bench.put(ALAN, &format!("/api/v2/tickets/{ticket}"), json!({"ticket": {"status": "pending"}})).await;
        let count = async |sent: Value| {
            let answer = bench.post(ALAN, PATH, sent).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.body["updates"].as_array().map(Vec::len)
        };
        assert_eq!(count(json!({"trigger": trigger()})).await, Some(4));
        assert_eq!(
            count(json!({"trigger": trigger(), "days": 1})).await,
            Some(1),
            "of a ticket that is older, what is newer"
        );
        assert_eq!(count(json!({"trigger": trigger(), "after": ticket})).await, Some(0));
        for (sent, field) in [
            (json!({"trigger": trigger(), "days": 0}), "days"),
            (json!({"trigger": {"actions": []}}), "conditions"),
            (json!({}), "trigger"),
        ] {
            let refused = bench.post(ALAN, PATH, sent).await;
            assert_eq!(refused.status, 422);
            assert!(refused.body.to_string().contains(field), "{}", refused.body);
        }
        assert_eq!(bench.post(ADA, PATH, json!({"trigger": trigger()})).await.status, 403);
        Ok(())
    }
}
