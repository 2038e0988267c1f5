//! How triggers are made, listed, put in order and refused.

use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Answer, Bench, GRACE, without_ids};

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
