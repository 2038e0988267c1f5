//! What triggers do when requests come in, and how audits show it.

use domain::rule::EFFECTS_MAX;
use schemas::{StreamName, TicketId, Version};
use serde_json::{Value, json};

use crate::{
    api::testing::{ADA, ALAN, Answer, Bench, GRACE, SUPPORT, Who},
    read::log,
};

fn said(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"field": field, "operator": operator, "value": value.into()})
}

async fn trigger(bench: &Bench, title: &str, (all, actions): (Value, Value)) -> i64 {
    let actions: Vec<Value> = actions
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, value)| json!({"field": field, "value": value}))
        .collect();
    let trigger = json!({"title": title, "conditions": {"all": all}, "actions": actions});
    let answer = bench.post(GRACE, "/api/v2/triggers", json!({"trigger": trigger})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["trigger"]["id"].as_i64().expect("an id")
}

async fn put(bench: &Bench, who: Who, ticket: i64, sent: Value) -> Value {
    let answer = bench.put(who, &format!("/api/v2/tickets/{ticket}"), json!({ "ticket": sent })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// What rules changed in an audit: field, value, which rule.
fn by_rules(audit: &Value) -> Vec<(Value, Value, Value)> {
    let events = audit["events"].as_array().into_iter().flatten();
    let by_rule = events.filter(|event| event["via"]["channel"] == "rule");
    by_rule
        .map(|event| {
            let via = &event["via"]["source"];
            assert_eq!((&event["type"], &via["rel"]), (&json!("Change"), &json!("trigger")));
            (event["field_name"].clone(), event["value"].clone(), via["from"]["id"].clone())
        })
        .collect()
}

#[tokio::test]
async fn what_triggers_do_is_in_the_answer_and_in_the_same_audit() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let created = json!([said("update_type", "is", "Create"), said("subject_includes_word", "includes", "smokes")]);
    let urgent = trigger(&bench, "Urgent", (created, json!({"priority": "urgent", "group_id": SUPPORT}))).await;
    let raised = json!([said("priority", "value", "urgent")]);
    let tag = trigger(&bench, "Tag", (raised, json!({"current_tags": "smoke"}))).await;
    let ticket = json!({"ticket": {"subject": "It smokes", "comment": {"body": "x"}}});
    let opened = bench.post(ADA, "/api/v2/tickets", ticket).await.body;
    assert_eq!((&opened["ticket"]["priority"], &opened["ticket"]["tags"]), (&json!("urgent"), &json!(["smoke"])));
    let expected = [
        (json!("priority"), json!("urgent"), json!(urgent)),
        (json!("group_id"), json!(SUPPORT.to_string()), json!(urgent)),
        (json!("tags"), json!(["smoke"]), json!(tag)),
    ];
    let id = opened["ticket"]["id"].as_i64().expect("an id");
    let audits = bench.get(ALAN, &format!("/api/v2/tickets/{id}/audits")).await.body;
    assert_eq!((audits["count"].as_i64(), by_rules(&audits["audits"][0])), (Some(1), expected.to_vec()));
    let via = audits["audits"][0]["events"].as_array().and_then(|events| events.last()).expect("events")["via"].clone();
    assert_eq!(via["source"]["from"], json!({"id": tag, "title": "Tag"}));
    assert_eq!(audits["audits"][0]["author_id"], ADA.id, "it is the audit of who did it");
    Ok(())
}

#[tokio::test]
async fn every_way_to_change_a_ticket_is_looked_at_and_an_import_is_not() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let always = json!([said("status", "is_not", "hold")]);
    trigger(&bench, "Seen", (always, json!({"current_tags": "seen"}))).await;
    let tags =
        async |ticket: i64| bench.get(ALAN, &format!("/api/v2/tickets/{ticket}")).await.body["ticket"]["tags"].clone();
    for way in ["comment", "update", "update_many", "merge", "create_many"] {
        let import = json!({"ticket": {"requester_id": ADA.id, "subject": "Old", "comments": [{"author_id": ADA.id, "value": "x"}]}});
        let imported = bench.post(GRACE, "/api/v2/imports/tickets", import).await.body;
        let mut ticket = imported["ticket"]["id"].as_i64().expect("an id");
        assert_eq!(tags(ticket).await, json!([]), "not what was elsewhere");
        let finished = async |asked: Answer| {
            let done = bench.finished(ALAN, &asked.body["job_status"]).await;
            assert_eq!(done["results"][0]["success"], true, "{way}: {done}");
            done["results"][0]["id"].as_i64().expect("an id")
        };
        match way {
            "comment" => {
                let path = format!("/api/domicile/v1/tickets/{ticket}/comments");
                assert_eq!(bench.post(ADA, &path, json!({"body": "x"})).await.status, 201);
            }
            "update" => drop(put(&bench, ALAN, ticket, json!({"priority": "low"})).await),
            "update_many" => {
                let path = format!("/api/v2/tickets/update_many?ids={ticket}");
                finished(bench.put(ALAN, &path, json!({"ticket": {"priority": "high"}})).await).await;
            }
            "merge" => {
                let path = format!("/api/v2/tickets/{ticket}/merge");
                finished(bench.post(ALAN, &path, json!({"ids": [1], "target_comment": "x"})).await).await;
            }
            _ => {
                let tickets = json!({"tickets": [{"subject": "New", "comment": {"body": "x"}}]});
                ticket = finished(bench.post(ALAN, "/api/v2/tickets/create_many", tickets).await).await;
            }
        }
        bench.settle(&bench.acme).await?;
        assert_eq!(tags(ticket).await, json!(["seen"]), "{way}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_gone_is_left_out_and_fails_nobody() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let group =
        bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": "Night"}})).await.body["group"]["id"].clone();
    let agent = json!({"user": {"name": "Bo", "email": "bo@acme.example", "role": "agent"}});
    let agent = bench.post(GRACE, "/api/v2/users", agent).await.body["user"]["id"].clone();
    let commented = json!([said("comment_is_public", "is", "true"), said("status", "less_than", "solved")]);
    let actions = json!({"group_id": group, "assignee_id": agent, "priority": "low"});
    trigger(&bench, "Night shift", (commented, actions)).await;
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/groups/{group}")).await.status, 204);
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/users/{agent}")).await.status, 200);
    bench.settle(&bench.acme).await?;
    let ticket = bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "x"}})).await;
    let shown = bench.get(ALAN, &format!("/api/v2/tickets/{ticket}")).await.body["ticket"].clone();
    assert_eq!(
        (&shown["priority"], &shown["group_id"], &shown["assignee_id"]),
        (&json!("low"), &json!(null), &json!(null))
    );
    Ok(())
}

#[tokio::test]
async fn a_trigger_that_is_put_out_of_use_or_deleted_does_nothing() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let always = || json!([said("status", "is_not", "hold")]);
    let first = trigger(&bench, "First", (always(), json!({"current_tags": "first"}))).await;
    let second = trigger(&bench, "Second", (always(), json!({"current_tags": "second"}))).await;
    let tags = async || {
        let ticket = bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "x"}})).await;
        bench.get(ALAN, &format!("/api/v2/tickets/{ticket}")).await.body["ticket"]["tags"].clone()
    };
    assert_eq!(tags().await, json!(["first", "second"]));
    let off = bench.put(GRACE, &format!("/api/v2/triggers/{first}"), json!({"trigger": {"active": false}})).await;
    assert_eq!((off.status.as_u16(), &off.body["trigger"]["active"]), (200, &json!(false)));
    assert_eq!(tags().await, json!(["second"]));
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/triggers/{second}")).await.status, 204);
    assert_eq!(tags().await, json!([]));
    Ok(())
}

#[tokio::test]
async fn what_rules_did_is_not_told_to_end_users() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let hidden = json!({"ticket_field": {"type": "text", "title": "Worth", "visible_in_portal": false}});
    let hidden = bench.post(GRACE, "/api/v2/ticket_fields", hidden).await.body["ticket_field"]["id"].clone();
    let field = format!("custom_fields_{hidden}");
    let commented = json!([said("comment_is_public", "is", "true"), said(&field, "is", "")]);
    trigger(&bench, "Little worth", (commented, json!({ &field: "little", "current_tags": "smoke" }))).await;
    let ticket = json!({"ticket": {"subject": "x", "comment": {"body": "Hello"}}});
    let opened = bench.post(ADA, "/api/v2/tickets", ticket).await.body;
    let id = opened["ticket"]["id"].as_i64().expect("an id");
    let empty = json!({ "custom_fields": [{"id": hidden, "value": null}] });
    put(&bench, ALAN, id, empty.clone()).await;
    let held = bench.hold_projector().await?;
    let folded = put(&bench, ADA, id, json!({"comment": {"body": "Hello?"}})).await;
    drop(held);
    bench.settle(&bench.acme).await?;
    put(&bench, ALAN, id, empty).await;
    let projected = put(&bench, ADA, id, json!({"comment": {"body": "Hello!"}})).await;
    for (answer, said) in [(&opened, "Hello"), (&folded, "Hello?"), (&projected, "Hello!")] {
        assert_eq!(by_rules(&answer["audit"]), []);
        assert_eq!(answer["audit"]["events"][0]["body"], said, "what they did is told");
        for word in ["little", "Little worth"] {
            assert!(!answer.to_string().contains(word), "{word}: {answer}");
        }
    }
    let audits = bench.get(ALAN, &format!("/api/v2/tickets/{id}/audits")).await.body["audits"].clone();
    assert_eq!([0, 2, 4].map(|audit| by_rules(&audits[audit]).len()), [2, 1, 1], "agents are told");
    Ok(())
}

#[tokio::test]
async fn what_triggers_do_to_the_tickets_of_a_merge_fits_into_one_command() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let mut tickets = Vec::new();
    for _ in 0..60 {
        tickets.push(bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "x"}})).await);
    }
    let always = || json!([said("status", "is_not", "hold")]);
    for title in ["a", "b", "c", "d", "e", "f", "g"] {
        let actions = json!({"current_tags": title, "subject": title});
        trigger(&bench, title, (always(), actions)).await;
    }
    // Four events of each ticket are people's doing; three times seven more would not fit.
    let merge = json!({"ids": tickets[1..], "target_comment": "x", "source_comment": "x"});
    let asked = bench.post(ALAN, &format!("/api/v2/tickets/{}/merge", tickets[0]), merge).await;
    let job = bench.finished(ALAN, &asked.body["job_status"]).await;
    assert_eq!(job["results"][0]["success"], true, "{job}");
    let (mut events, mut done) = (0, Vec::new());
    for ticket in &tickets {
        let stream = StreamName::Ticket(TicketId::new(*ticket));
        let logged = log::whole_stream(&bench.test.desk, &bench.acme, &stream, Version::ZERO).await?;
        let by_rules = logged.iter().filter(|logged| logged.envelope.event_type == "rule_applied").count();
        events += by_rules * 3;
        done.push(by_rules);
    }
    assert_eq!(events, EFFECTS_MAX / 3 * 3, "as much as there is room for");
    assert_eq!((done[0], done[59]), (7, 0), "by those that come first");
    Ok(())
}
