//! How triggers are made, listed, put in order and refused.

use domain::{
    rule::{Command, Known, Rule, TRIGGER_WORDS_MAX, TRIGGERS_MAX, WORDS_MAX},
    ticket::By,
};
use schemas::{
    PersonId, RuleId, StreamName,
    rule::{Audience, RuleAction, RuleCondition, RuleConditions, RuleDefinition, RuleValue},
    values::{Role, RuleKind},
};
use serde_json::{Value, json};

use crate::{
    api::{
        add_person::allocate_id,
        testing::{ADA, ALAN, Answer, Bench, GRACE, without_ids},
    },
    caller::provenance::Provenance,
    execute::{Batch, Issuer},
};

fn sent(title: &str, position: i64) -> Value {
    json!({"trigger": {
        "title": title, "position": position,
        "all": [{"field": "update_type", "operator": "is", "value": "Create"}],
        "any": [{"field": "priority", "operator": "changed", "value": null}],
        "actions": [{"field": "status", "value": "open"}],
    }})
}

async fn made(bench: &Bench, title: &str, position: i64) -> i64 {
    let answer = bench.post(GRACE, "/api/v2/triggers", sent(title, position)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["trigger"]["id"].as_i64().expect("an id")
}

fn titles(answer: &Answer) -> Vec<&str> {
    let triggers = answer.body["triggers"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
    triggers.iter().filter_map(|trigger| trigger["title"].as_str()).collect()
}

#[tokio::test]
async fn a_trigger_is_shown_as_it_was_said() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let trigger = made(&bench, "Begin", 3).await;
    let shown = bench.get(ALAN, &format!("/api/v2/triggers/{trigger}")).await.body;
    assert_eq!(
        without_ids(shown["trigger"].clone(), &["id", "url", "created_at", "updated_at"]),
        json!({
            "id": "…", "url": "…", "title": "Begin", "raw_title": "Begin", "description": null, "active": true, "default": false,
            "position": 3, "created_at": "…", "updated_at": "…",
            "conditions": {
                "all": [{"field": "update_type", "operator": "is", "value": "Create"}],
                "any": [{"field": "priority", "operator": "changed", "value": null}],
            },
            "actions": [{"field": "status", "value": "open"}],
        })
    );
    let audited = bench.get(GRACE, "/api/v2/audit_logs").await.body["audit_logs"][0].clone();
    assert_eq!((&audited["source_type"], &audited["source_label"]), (&json!("rule"), &json!("Begin")));
    Ok(())
}

#[tokio::test]
async fn triggers_stand_in_their_order_and_many_are_changed_at_once() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (first, second, third) = (made(&bench, "A", 1).await, made(&bench, "B", 2).await, made(&bench, "C", 3).await);
    assert_eq!(titles(&bench.get(ALAN, "/api/v2/triggers").await), ["A", "B", "C"]);
    let order = json!({"trigger_ids": [third, first, second]});
    assert_eq!(titles(&bench.put(GRACE, "/api/v2/triggers/reorder", order).await), ["C", "A", "B"]);
    assert_eq!(titles(&bench.get(ALAN, "/api/v2/triggers").await), ["C", "A", "B"]);
    let some = json!({"trigger_ids": [third, first]});
    assert_eq!(bench.put(GRACE, "/api/v2/triggers/reorder", some).await.status, 404, "all or none");
    let changes = json!({"triggers": [{"id": third, "active": false}, {"id": first.to_string(), "position": 9}]});
    let changed = bench.put(GRACE, "/api/v2/triggers/update_many", changes).await;
    assert_eq!((changed.status.as_u16(), titles(&changed).len()), (200, 2), "{}", changed.body);
    assert_eq!(titles(&bench.get(ALAN, "/api/v2/triggers/active").await), ["B", "A"]);
    for wrong in [
        json!({}),
        json!({"triggers": []}),
        json!({"triggers": [{"position": 1}]}),
        json!({"triggers": [{"id": 1, "active": "x"}]}),
    ] {
        assert_eq!(bench.put(GRACE, "/api/v2/triggers/update_many", wrong).await.wrong_fields(), ["triggers"]);
    }
    let unknown = json!({"triggers": [{"id": first, "position": 1}, {"id": 999, "position": 1}]});
    assert_eq!(bench.put(GRACE, "/api/v2/triggers/update_many", unknown).await.status, 404);
    assert_eq!(titles(&bench.get(ALAN, "/api/v2/triggers").await), ["C", "B", "A"], "nothing of it was done");
    let both = format!("/api/v2/triggers/destroy_many?ids={first},{second}");
    assert_eq!(bench.delete(GRACE, &both).await.status, 204);
    assert_eq!(titles(&bench.get(ALAN, "/api/v2/triggers").await), ["C"]);
    Ok(())
}

#[tokio::test]
async fn what_a_trigger_does_not_do_is_refused_by_name_and_agents_only_look() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for field in ["notification_user", "notification_webhook", "notification_target", "comment_value", "cc", "mood"] {
        let mut wrong = sent("A", 1);
        wrong["trigger"]["actions"] = json!([{"field": field, "value": ["requester_id", "Hello"]}]);
        let refused = bench.post(GRACE, "/api/v2/triggers", wrong).await;
        assert_eq!(refused.wrong_fields(), ["actions"], "{field}");
    }
    let mut wrong = sent("A", 1);
    wrong["trigger"]["all"] = json!([{"field": "update_type", "operator": "is", "value": "Import"}]);
    assert_eq!(bench.post(GRACE, "/api/v2/triggers", wrong).await.wrong_fields(), ["conditions"]);
    let trigger = made(&bench, "A", 1).await;
    let path = format!("/api/v2/triggers/{trigger}");
    assert_eq!(bench.post(ALAN, "/api/v2/triggers", sent("B", 1)).await.status, 403);
    assert_eq!(bench.put(ALAN, &path, json!({"trigger": {"title": "B"}})).await.status, 403);
    assert_eq!(bench.delete(ALAN, &path).await.status, 403);
    assert_eq!(bench.put(ALAN, "/api/v2/triggers/reorder", json!({"trigger_ids": [trigger]})).await.status, 403);
    assert_eq!(bench.get(ALAN, &path).await.status, 200);
    assert_eq!(bench.get(ADA, &path).await.status, 403);
    assert_eq!(bench.get(ALAN, &format!("/api/v2/macros/{trigger}")).await.status, 404, "it is no macro");
    Ok(())
}

#[tokio::test]
async fn whoever_says_a_condition_or_an_action_says_all_of_both() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let path = format!("/api/v2/triggers/{}", made(&bench, "A", 1).await);
    let put = async |sent: Value| bench.put(GRACE, &path, json!({ "trigger": sent })).await;
    let low = json!({"field": "priority", "operator": "is", "value": "low"});
    let solve = json!([{"field": "status", "value": "solved"}]);
    assert_eq!(put(json!({ "all": [low] })).await.wrong_fields(), ["actions"], "its actions are said again, too");
    assert_eq!(put(json!({ "conditions": {"all": [low]} })).await.wrong_fields(), ["actions"]);
    assert_eq!(put(json!({ "actions": solve })).await.wrong_fields(), ["conditions"]);
    let renamed = put(json!({"title": "B"})).await.body["trigger"].clone();
    assert_eq!(
        (&renamed["actions"], &renamed["conditions"]["any"][0]["field"]),
        (&sent("A", 1)["trigger"]["actions"], &json!("priority"))
    );
    let changed = put(json!({ "all": [low], "actions": solve })).await.body["trigger"].clone();
    assert_eq!((&changed["conditions"], &changed["actions"]), (&json!({"all": [low], "any": []}), &solve));
    Ok(())
}

#[tokio::test]
async fn triggers_in_use_look_for_so_many_words_together() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let words = |count: usize| (0..count).map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
    let seeking = |count: usize, is_active: bool| {
        let mut seeking = sent("A", 1);
        seeking["trigger"]["all"] =
            json!([{"field": "comment_includes_word", "operator": "includes", "value": words(count)}]);
        seeking["trigger"]["active"] = json!(is_active);
        seeking
    };
    let post = async |count, is_active| bench.post(GRACE, "/api/v2/triggers", seeking(count, is_active)).await;
    for count in [WORDS_MAX; TRIGGER_WORDS_MAX / WORDS_MAX] {
        assert_eq!(post(count, true).await.status, 201);
    }
    let last = bench.get(GRACE, "/api/v2/triggers").await.body["triggers"][0]["id"].clone();
    assert_eq!(post(1, true).await.wrong_fields(), ["conditions"]);
    let waiting = post(1, false).await;
    assert_eq!(waiting.status, 201, "{}", waiting.body);
    let waiting = waiting.body["trigger"]["id"].clone();
    let many =
        async |changes: Value| bench.put(GRACE, "/api/v2/triggers/update_many", json!({ "triggers": changes })).await;
    assert_eq!(many(json!([{"id": waiting, "active": true}])).await.wrong_fields(), ["conditions"]);
    let swapped = many(json!([{"id": waiting, "active": true}, {"id": last, "active": false}])).await;
    assert_eq!(swapped.status, 200, "{}", swapped.body);
    assert_eq!(bench.put(GRACE, &format!("/api/v2/triggers/{waiting}"), seeking(100, true)).await.status, 200);
    assert_eq!(
        bench.put(GRACE, &format!("/api/v2/triggers/{last}"), seeking(1, true)).await.wrong_fields(),
        ["conditions"]
    );
    Ok(())
}

/// Makes triggers that tag, without a look at how many there are: as two requests at once may.
async fn tagging(bench: &Bench, count: usize) -> anyhow::Result<Vec<i64>> {
    let (desk, by) = (&bench.test.desk, Issuer::system(&bench.test.desk, &bench.acme, Provenance::system()));
    let mut batch = Batch::new(desk, &by);
    let mut ids = Vec::new();
    for _ in 0..count {
        let id = allocate_id(desk, &bench.acme).await.expect("an id");
        let definition = RuleDefinition {
            title: id.to_string(),
            description: None,
            position: id,
            is_active: true,
            conditions: RuleConditions {
                all: vec![RuleCondition {
                    field: "update_type".to_owned(),
                    operator: "is".to_owned(),
                    value: RuleValue::Text("Create".to_owned()),
                }],
                any: Vec::new(),
            },
            actions: vec![RuleAction { field: "set_tags".to_owned(), value: RuleValue::Text(id.to_string()) }],
            output: None,
        };
        let (rule, audience) = (RuleId::new(id), Audience::Everybody);
        let rule = Known { rule, kind: RuleKind::Trigger, audience, definition: definition.into() };
        let by = By { person: PersonId::new(GRACE.id), role: Role::Admin };
        let make = Command::Make { by, rule, fields: Vec::new() };
        batch = batch.decide::<Rule>(StreamName::Rule(RuleId::new(id)), None, &make).await?;
        ids.push(id);
    }
    batch.commit().await?;
    bench.settle(&bench.acme).await?;
    Ok(ids)
}

#[tokio::test]
async fn all_triggers_that_there_may_be_are_put_in_order_at_once_and_there_are_no_more() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let mut ids = tagging(&bench, TRIGGERS_MAX).await?;
    ids.reverse();
    let ordered = bench.put(GRACE, "/api/v2/triggers/reorder", json!({ "trigger_ids": ids })).await;
    assert_eq!(ordered.status, 200, "{}", ordered.body);
    bench.settle(&bench.acme).await?;
    let first = &bench.get(ALAN, "/api/v2/triggers").await.body["triggers"][0]["id"].clone();
    assert_eq!(first, &json!(ids[0]));
    assert_eq!(bench.post(GRACE, "/api/v2/triggers", sent("A", 1)).await.wrong_fields(), ["triggers"]);

    // Somebody made one more in the same moment.
    let more = tagging(&bench, 1).await?[0];
    let of = |tickets: Answer| tickets.body["ticket"]["tags"].clone();
    let opened = bench.post(ALAN, "/api/v2/tickets", json!({"ticket": {"comment": {"body": "x"}}})).await;
    assert_ne!(of(opened), json!([more.to_string()]), "the last is not asked");
    let all: Vec<i64> = ids.iter().copied().chain([more]).collect();
    let refused = bench.put(GRACE, "/api/v2/triggers/reorder", json!({ "trigger_ids": all })).await;
    assert_eq!(refused.wrong_fields(), ["trigger_ids"]);
    let changes: Vec<Value> = all.iter().map(|id| json!({"id": id, "active": false})).collect();
    let refused = bench.put(GRACE, "/api/v2/triggers/update_many", json!({ "triggers": changes })).await;
    assert_eq!(refused.wrong_fields(), ["triggers"]);
    let off = bench.put(GRACE, "/api/v2/triggers/update_many", json!({ "triggers": changes[1..] })).await;
    assert_eq!(off.status, 200, "{}", off.body);
    Ok(())
}
