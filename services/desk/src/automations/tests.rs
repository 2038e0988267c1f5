//! What automations do when time goes by, once and no more.

use jiff::SignedDuration;
use schemas::{RuleId, StreamName, TicketId, Version};
use serde_json::{Value, json};

use super::*;
use crate::{
    api::testing::{ADA, ALAN, Bench, GRACE, Who},
    read::log,
};

mod rounds;

fn said(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"field": field, "operator": operator, "value": value.into()})
}

async fn automation(bench: &Bench, title: &str, (all, actions): (Value, Value)) -> i64 {
    let sent = json!({"automation": {"title": title, "all": all, "actions": actions}});
    let answer = bench.post(GRACE, "/api/v2/automations", sent).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["automation"]["id"].as_i64().expect("an id")
}

/// Closes what was solved more than that many hours ago.
async fn closing(bench: &Bench, hours: i64) -> i64 {
    let all = json!([said("status", "is", "solved"), said("SOLVED", "greater_than", hours.to_string())]);
    automation(bench, "Close", (all, json!([{"field": "status", "value": "closed"}]))).await
}

/// Goes through the hour that it is, as a desk does.
async fn pass(bench: &Bench) -> anyhow::Result<()> {
    bench.settle(&bench.acme).await?;
    super::pass(&bench.test.desk, &Shutdown::new()).await;
    bench.settle(&bench.acme).await
}

async fn put(bench: &Bench, who: Who, ticket: i64, sent: Value) {
    let answer = bench.put(who, &format!("/api/v2/tickets/{ticket}"), json!({ "ticket": sent })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn shown(bench: &Bench, ticket: i64, field: &str) -> Value {
    bench.get(ALAN, &format!("/api/v2/tickets/{ticket}")).await.body["ticket"][field].clone()
}

/// How many events a ticket's stream has.
async fn version(bench: &Bench, ticket: i64) -> anyhow::Result<usize> {
    let stream = StreamName::Ticket(TicketId::new(ticket));
    Ok(log::whole_stream(&bench.test.desk, &bench.acme, &stream, Version::ZERO).await?.len())
}

const HOUR: i64 = 60 * 60;

#[tokio::test]
async fn what_was_solved_is_closed_once_the_hours_are_over_and_the_audit_says_by_what() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let rule = closing(&bench, 96).await;
    let ticket = bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It whistles."}})).await;
    let open = bench.ticket(ADA, json!({"subject": "Toaster", "comment": {"body": "It smokes."}})).await;
    put(&bench, ALAN, ticket, json!({"status": "solved"})).await;
    bench.advance_seconds(96 * HOUR);
    pass(&bench).await?;
    assert_eq!(shown(&bench, ticket, "status").await, "solved", "not more than 96");
    bench.advance_seconds(2 * HOUR);
    pass(&bench).await?;
    assert_eq!(shown(&bench, ticket, "status").await, "closed");
    assert_eq!(shown(&bench, open, "status").await, "new");
    let audits = bench.get(ALAN, &format!("/api/v2/tickets/{ticket}/audits")).await.body;
    let last = audits["audits"].as_array().and_then(|audits| audits.last()).expect("audits").clone();
    let event = &last["events"][0];
    assert_eq!((&event["field_name"], &event["value"]), (&json!("status"), &json!("closed")));
    let by =
        json!({"channel": "rule", "source": {"from": {"id": rule, "title": "Close"}, "to": {}, "rel": "automation"}});
    assert_eq!(event["via"], by);
    let events = version(&bench, ticket).await?;
    for _ in 0..3 {
        bench.advance_seconds(HOUR);
        pass(&bench).await?;
    }
    assert_eq!(version(&bench, ticket).await?, events, "what is closed is left alone");
    Ok(())
}

#[tokio::test]
async fn an_automation_leaves_other_tenants_alone_and_what_is_not_in_use_does_nothing() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let rule = closing(&bench, 1).await;
    let sent = json!({"subject": "Kettle", "comment": {"body": "It whistles."}});
    let ticket = bench.ticket(ADA, sent.clone()).await;
    put(&bench, ALAN, ticket, json!({"status": "solved"})).await;
    let put_out = json!({"automation": {"active": false}});
    assert_eq!(bench.put(GRACE, &format!("/api/v2/automations/{rule}"), put_out).await.status, 200);
    bench.advance_seconds(5 * HOUR);
    pass(&bench).await?;
    assert_eq!(shown(&bench, ticket, "status").await, "solved", "nothing is in use");
    let due =
        hour::due(&bench.test.desk, (beginning(now(&bench)), now(&bench), work::solved_before(now(&bench)))).await?;
    assert_eq!(due, [], "and nobody looks");
    let put_in = json!({"automations": [{"id": rule, "active": true}]});
    assert_eq!(bench.put(GRACE, "/api/v2/automations/update_many", put_in).await.status, 200);
    let due =
        hour::due(&bench.test.desk, (beginning(now(&bench)), now(&bench), work::solved_before(now(&bench)))).await?;
    assert_eq!(due, [bench.acme.tenant_id()], "only where one is");
    pass(&bench).await?;
    assert_eq!(shown(&bench, ticket, "status").await, "closed");
    Ok(())
}

fn now(bench: &Bench) -> Timestamp {
    bench.test.desk.clock.now()
}

#[tokio::test]
async fn what_holds_for_one_hour_is_done_in_one_hour() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let pending = json!([said("status", "is", "pending"), said("PENDING", "is", "3")]);
    automation(&bench, "Remind", (pending, json!([{"field": "priority", "value": "urgent"}]))).await;
    let ticket = bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It whistles."}})).await;
    put(&bench, ALAN, ticket, json!({"status": "pending", "priority": "low"})).await;
    let mut hours = Vec::new();
    for hour in 1..8 {
        bench.advance_seconds(HOUR);
        // Twice in an hour is once in an hour.
        pass(&bench).await?;
        pass(&bench).await?;
        if shown(&bench, ticket, "priority").await == "urgent" {
            hours.push(hour);
            put(&bench, ALAN, ticket, json!({"priority": "low"})).await;
        }
    }
    assert_eq!(hours.len(), 1, "{hours:?}");
    Ok(())
}

#[tokio::test]
async fn two_desks_and_one_that_died_do_nothing_twice() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let pending =
        json!([said("status", "is", "pending"), said("PENDING", "greater_than", "1"), said("priority", "is", "low")]);
    let raise = json!([{"field": "priority", "value": "high"}]);
    let raising = automation(&bench, "Raise", (pending.clone(), raise)).await;
    let mut high = pending;
    high[2] = said("priority", "is", "high");
    automation(&bench, "Lower", (high, json!([{"field": "priority", "value": "low"}]))).await;
    let mut tickets = Vec::new();
    for _ in 0..4 {
        let ticket = bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It whistles."}})).await;
        put(&bench, ALAN, ticket, json!({"status": "pending", "priority": "low"})).await;
        tickets.push((ticket, version(&bench, ticket).await?));
    }
    bench.advance_seconds(3 * HOUR);
    bench.settle(&bench.acme).await?;
    let hour = beginning(now(&bench));
    let (one, other) = (bench.test.another().await?, bench.test.another().await?);
    let shutdown = Shutdown::new();
    let mut taken = hour::take(&one, &bench.acme, hour).await?.expect("nobody is at it");
    assert_eq!(hour::take(&other, &bench.acme, hour).await?, None, "one of them is");
    // The lease is not what it depends on.
    let mut same = taken;
    let both = tokio::join!(
        work::carry_out(&one, &bench.acme, (&mut taken, &shutdown)),
        work::carry_out(&other, &bench.acme, (&mut same, &shutdown))
    );
    both.0?;
    both.1?;
    // The first says nothing more: it died. When its lease is over somebody else goes through the same hour.
    bench.advance_seconds(10 * 60);
    let mut again = hour::take(&other, &bench.acme, hour).await?.expect("the lease is over");
    assert!(again.is_again);
    work::carry_out(&other, &bench.acme, (&mut again, &shutdown)).await?;
    bench.settle(&bench.acme).await?;
    for (ticket, before) in &tickets {
        assert_eq!(version(&bench, *ticket).await?, before + 4, "raised once and lowered once, each with its word");
        assert_eq!(shown(&bench, *ticket, "priority").await, "low");
    }
    let mut transaction = bench.test.desk.reading(&bench.acme).await?;
    let changed =
        crate::read::automations::changed(&mut transaction, &bench.acme, (RuleId::new(raising), hour)).await?;
    assert_eq!(changed, 4, "what counts towards an hour's thousand");
    hour::give_back(&one, &bench.acme, &mut taken).await?;
    hour::finish(&one, &bench.acme, &taken).await?;
    assert_eq!(
        hour::take(&one, &bench.acme, hour).await?,
        None,
        "what was lost is another's to give back and to finish"
    );
    hour::finish(&other, &bench.acme, &again).await?;
    bench.advance_seconds(10 * 60);
    assert_eq!(hour::take(&one, &bench.acme, hour).await?, None, "it is done");
    Ok(())
}

#[tokio::test]
async fn nothing_stays_solved_for_more_than_four_weeks() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let ticket = bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It whistles."}})).await;
    put(&bench, ALAN, ticket, json!({"status": "solved"})).await;
    bench.advance_seconds(28 * 24 * HOUR - HOUR);
    pass(&bench).await?;
    assert_eq!(shown(&bench, ticket, "status").await, "solved");
    bench.advance_seconds(2 * HOUR);
    pass(&bench).await?;
    assert_eq!(shown(&bench, ticket, "status").await, "closed");
    Ok(())
}

#[tokio::test]
async fn triggers_look_at_what_automations_do_and_who_is_gone_gets_no_ticket() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let trigger = json!({"trigger": {"title": "Tag", "all": [said("status", "changed", "")],
        "actions": [{"field": "current_tags", "value": "moved"}]}});
    assert_eq!(bench.post(GRACE, "/api/v2/triggers", trigger).await.status, 201);
    let pending = json!([said("status", "is", "pending"), said("PENDING", "greater_than", "1")]);
    let actions = json!([{"field": "status", "value": "open"}, {"field": "assignee_id", "value": ADA.id.to_string()}]);
    automation(&bench, "Wake", (pending, actions)).await;
    let ticket = bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It whistles."}})).await;
    put(&bench, ALAN, ticket, json!({"status": "pending", "assignee_id": ALAN.id, "tags": []})).await;
    bench.advance_seconds(3 * HOUR);
    pass(&bench).await?;
    assert_eq!(shown(&bench, ticket, "status").await, "open");
    assert_eq!(shown(&bench, ticket, "tags").await, json!(["moved"]));
    assert_eq!(shown(&bench, ticket, "assignee_id").await, json!(ALAN.id), "an end user works on none");
    Ok(())
}

#[test]
fn an_hour_begins_where_the_last_one_ended() {
    let at = |text: &str| text.parse::<Timestamp>().expect("a moment");
    assert_eq!(beginning(at("2026-11-22T10:59:59.999Z")), at("2026-11-22T10:00:00Z"));
    assert_eq!(beginning(at("2026-11-22T11:00:00Z")), at("2026-11-22T11:00:00Z"));
    assert_eq!(beginning(Timestamp::UNIX_EPOCH - SignedDuration::from_secs(1)), at("1969-12-31T23:00:00Z"));
}

#[tokio::test]
async fn an_automation_is_shown_as_it_was_said_and_refused_by_name() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let rule = closing(&bench, 96).await;
    let shown = bench.get(ALAN, &format!("/api/v2/automations/{rule}.json")).await.body["automation"].clone();
    let all = json!([said("status", "is", "solved"), said("SOLVED", "greater_than", "96")]);
    assert_eq!(shown["conditions"], json!({"all": all, "any": []}));
    assert_eq!(shown["actions"], json!([{"field": "status", "value": "closed"}]));
    let address = format!("/api/v2/automations/{rule}.json");
    assert!(shown["url"].as_str().is_some_and(|url| url.ends_with(&address)), "{}", shown["url"]);
    let listed = bench.get(ALAN, "/api/v2/automations/active").await.body;
    assert_eq!((&listed["automations"], &listed["count"]), (&json!([shown]), &json!(1)));
    let close = json!([{"field": "status", "value": "closed"}]);
    for (all, actions, field) in [
        (json!([said("status", "is", "solved")]), close.clone(), "conditions"),
        (all.clone(), json!([{"field": "priority", "value": "low"}]), "actions"),
        (all.clone(), json!([{"field": "notification_user", "value": ["requester_id", "x", "y"]}]), "actions"),
    ] {
        let sent = json!({"automation": {"title": "Wrong", "all": all, "actions": actions}});
        let refused = bench.post(GRACE, "/api/v2/automations", sent).await;
        assert_eq!((refused.status.as_u16(), refused.wrong_fields()), (422, vec![field.to_owned()]));
    }
    // Whoever says a condition says all of both.
    let half = json!({"automation": {"all": all}});
    assert_eq!(bench.put(GRACE, &address, half).await.status, 422);
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/automations/destroy_many?ids={rule}")).await.status, 204);
    assert_eq!(bench.get(ALAN, &address).await.status, 404);
    Ok(())
}
