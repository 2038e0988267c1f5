//! What a dry run says, held against what the trigger then does.

use serde_json::{Value, json};

use super::EVENTS;
use crate::api::testing::{ADA, ALAN, Bench, GRACE, SUPPORT, Who};

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

/// The same of an update that a dry run tells.
fn would(update: &Value) -> Vec<Value> {
    let entries = update["changes"].as_array().into_iter().flatten();
    entries.map(|entry| json!([entry["field_name"], entry["value"], entry["previous_value"]])).collect()
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
    assert_eq!(would(&updates[0]), changes(&real[0]["events"]), "the first that it does");
    assert_eq!(would(&updates[0])[0], json!(["priority", "urgent", null]));
    Ok(())
}

/// Something else is in use, and undoes what the trigger waits for. What people did is what the trigger is asked about all the same, and
/// each command by itself is what the trigger does where it is in use instead.
#[tokio::test]
async fn what_another_trigger_did_meanwhile_is_not_what_people_did() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let said = |field, operator, value| json!([{"field": field, "operator": operator, "value": value}]);
    let made = async |trigger: &Value| {
        let made = bench.post(GRACE, "/api/v2/triggers", json!({ "trigger": trigger })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["trigger"]["id"].as_i64().expect("an id")
    };
    let urgent = json!([{"field": "priority", "value": "urgent"}, {"field": "group_id", "value": SUPPORT.to_string()}]);
    let other = json!({"title": "Other", "all": said("priority", "is_not", "urgent"), "actions": urgent});
    let tried = json!({
        "title": "Tried", "all": said("priority", "is_not", "urgent"),
        "actions": [{"field": "priority", "value": "urgent"}, {"field": "subject", "value": "Now"}],
    });
    let live = async || {
        let ticket = bench.ticket(ADA, json!({"subject": "It smokes", "comment": {"body": "x"}})).await;
        for (priority, subject) in [("low", "A"), ("high", "B"), ("urgent", "C"), ("normal", "D")] {
            let sent = json!({"ticket": {"priority": priority, "subject": subject, "group_id": null}});
            assert_eq!(bench.put(ALAN, &format!("/api/v2/tickets/{ticket}"), sent).await.status, 200);
        }
        let audits = bench.get(ALAN, &format!("/api/v2/tickets/{ticket}/audits")).await.body["audits"].clone();
        audits.as_array().expect("audits").clone()
    };
    let another = made(&other).await;
    let with_another = live().await;
    let answer = bench.post(GRACE, PATH, json!({ "trigger": tried })).await.body;
    let off = json!({"trigger": {"active": false}});
    assert_eq!(bench.put(GRACE, &format!("/api/v2/triggers/{another}"), off).await.status, 200);
    made(&tried).await;
    let real = live().await;
    let would: Vec<(usize, Vec<Value>)> = answer["updates"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|update| {
            let of = with_another.iter().position(|audit| audit["id"] == update["audit_id"]);
            (of.expect("an audit of then"), would(update))
        })
        .collect();
    let did: Vec<_> = real.iter().map(|audit| changes(&audit["events"])).enumerate().collect();
    let did: Vec<_> = did.into_iter().filter(|(_, changes)| !changes.is_empty()).collect();
    assert_eq!(did.iter().map(|(of, _)| *of).collect::<Vec<_>>(), [0, 1, 2, 4]);
    assert_eq!(would, did);
    Ok(())
}

#[tokio::test]
async fn an_answer_is_about_so_many_events_and_the_next_goes_on_behind_it() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let tickets = [live(&bench).await, live(&bench).await, live(&bench).await];
    let (mut after, mut seen, mut answers) = (json!(0), Vec::new(), 0);
    while !after.is_null() {
        let answer = bench.post(GRACE, PATH, json!({"trigger": trigger(), "after": after})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let updates = answer.body["updates"].as_array().expect("updates");
        seen.extend(updates.iter().filter_map(|update| update["ticket_id"].as_i64()));
        (after, answers) = (answer.body["next_after"].clone(), answers + 1);
    }
    assert_eq!(seen, tickets.map(|ticket| [ticket; 3]).concat(), "each of them once");
    assert_eq!(answers, 2, "two of them fit");
    let long = bench.ticket(ADA, json!({"subject": "It smokes", "comment": {"body": "x"}})).await;
    for _ in 0..EVENTS {
        bench.post(ADA, &format!("/api/domicile/v1/tickets/{long}/comments"), json!({"body": "x"})).await;
    }
    let answer = bench.post(GRACE, PATH, json!({"trigger": trigger(), "after": tickets[2]})).await.body;
    assert_eq!((&answer["tickets"], &answer["next_after"]), (&json!(1), &json!(null)), "one is always looked at");
    assert_eq!(answer["updates"].as_array().map(Vec::len), Some(EVENTS + 1));
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
