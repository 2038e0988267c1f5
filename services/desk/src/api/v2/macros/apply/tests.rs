//! Macros as their clients see them.

use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Bench, GRACE, SUPPORT, Who, without_ids};

const MACROS: &str = "/api/v2/macros.json";

async fn made(bench: &Bench, who: Who, actions: Value) -> i64 {
    let restriction = if who.id == GRACE.id { json!(null) } else { json!({"type": "User", "id": who.id}) };
    let body = json!({"macro": {"title": "Close", "actions": actions, "restriction": restriction}});
    let answer = bench.post(who, MACROS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["macro"]["id"].as_i64().expect("an id")
}

fn action(field: &str, value: impl Into<Value>) -> Value {
    json!({"field": field, "value": value.into()})
}

#[tokio::test]
async fn a_macro_is_made_shown_changed_and_deleted() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let actions = json!([
        action("status", "solved"),
        action("comment_value", json!(["channel:all", "Done."])),
        action("set_tags", "a b")
    ]);
    let made =
        bench.post(GRACE, MACROS, json!({"macro": {"title": "Close", "description": "x", "actions": actions}})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let shown = made.body["macro"].clone();
    assert_eq!(
        without_ids(shown.clone(), &["id", "url"]),
        json!({
            "id": "…", "url": "…", "title": "Close", "raw_title": "Close", "description": "x", "active": true,
            "default": false, "position": 10000, "restriction": null, "actions": actions,
            "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z",
        })
    );
    let path = format!("/api/v2/macros/{}", shown["id"]);
    assert_eq!(bench.get(ALAN, &path).await.body["macro"], shown);
    assert_eq!(bench.get(ALAN, &format!("/api/v2/views/{}", shown["id"])).await.status, 404, "it is no view");
    let changed = bench.put(GRACE, &path, json!({"macro": {"active": false}})).await.body["macro"].clone();
    assert_eq!((&changed["active"], &changed["actions"]), (&json!(false), &actions));
    assert_eq!(bench.get(ALAN, MACROS).await.body["macros"], json!([changed]));
    assert_eq!(bench.get(ALAN, "/api/v2/macros/active").await.body["macros"], json!([]));
    for (sent, field) in [
        (json!({"title": "x"}), "actions"),
        (json!({"title": "x", "actions": "close"}), "actions"),
        (json!({"title": "x", "actions": [action("notification_user", "all_agents")]}), "actions"),
        (json!({"actions": actions}), "title"),
    ] {
        assert_eq!(bench.post(GRACE, MACROS, json!({ "macro": sent })).await.wrong_fields(), [field]);
    }
    assert_eq!(bench.delete(GRACE, &path).await.status, 204);
    assert_eq!(bench.get(ALAN, &path).await.status, 404);
    Ok(())
}

#[tokio::test]
async fn applying_a_macro_tells_the_change_and_makes_none() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let field = json!({"ticket_field": {"type": "text", "title": "Kettle", "required": true}});
    let field = bench.post(GRACE, "/api/v2/ticket_fields", field).await.body["ticket_field"]["id"].clone();
    let body = "Dear {{ticket.requester.name}}, {{ticket.id}} is {{ticket.status}}. {{current_user.name}} {{ticket.ticket_field_1}}";
    let actions = json!([
        action("status", "solved"),
        action("assignee_id", "current_user"),
        action("group_id", SUPPORT),
        action("current_tags", "done"),
        action("remove_tags", "hot"),
        action("priority", ""),
        action("comment_value", body),
        action("comment_mode_is_public", "false"),
        action(&format!("custom_fields_{field}"), "blue"),
    ]);
    let id = made(&bench, ALAN, actions).await;
    let ticket = json!({"subject": "x", "comment": {"body": "y"}, "requester_id": ADA.id, "tags": ["hot", "own"], "priority": "low"});
    bench.ticket(GRACE, ticket).await;
    let before = bench.get(ALAN, "/api/v2/tickets/1").await.body;

    let any = bench.get(ALAN, &format!("/api/v2/macros/{id}/apply.json")).await.body["result"]["ticket"].clone();
    assert_eq!(
        (&any["status"], &any["assignee_id"], &any["group_id"]),
        (&json!("solved"), &json!(ALAN.id), &json!(SUPPORT))
    );
    assert_eq!(
        (&any["additional_tags"], &any["remove_tags"], &any["priority"]),
        (&json!(["done"]), &json!(["hot"]), &json!(null))
    );
    let waits = "Dear {{ticket.requester.name}}, {{ticket.id}} is {{ticket.status}}. alan {{ticket.ticket_field_1}}";
    assert_eq!((&any["comment"]["body"], &any["comment"]["public"]), (&json!(waits), &json!(false)));

    let shown = bench.get(ALAN, &format!("/api/v2/tickets/1/macros/{id}/apply")).await.body["result"]["ticket"].clone();
    let mut expected = before["ticket"].clone();
    expected["status"] = json!("solved");
    expected["assignee_id"] = json!(ALAN.id);
    expected["group_id"] = json!(SUPPORT);
    expected["tags"] = json!(["done", "own"]);
    expected["priority"] = json!(null);
    for name in ["custom_fields", "fields"] {
        expected[name] = json!([{"id": field, "value": "blue"}]);
    }
    let said = "Dear ada, 1 is new. alan ";
    expected["comment"] = json!({
        "body": said, "public": false, "scoped_body": [["channel:all", said]], "html_body": shown["comment"]["html_body"],
    });
    assert_eq!(shown, expected);
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/1").await.body, before, "nothing was changed");
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/comments").await.body["count"], 1, "nothing was said");

    // What it tells is what an update takes, and leads to.
    let mut update = any;
    update["comment"] = json!({"body": said, "public": false});
    let updated = bench.put(ALAN, "/api/v2/tickets/1", json!({ "ticket": update })).await.body["ticket"].clone();
    let mut told = shown;
    told.as_object_mut().expect("a ticket").remove("comment");
    assert_eq!(updated, told);
    Ok(())
}

#[tokio::test]
async fn what_is_filled_into_html_is_no_markup() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let id = made(&bench, GRACE, json!([action("comment_value_html", "<p>About <b>{{ticket.title}}</b></p>")])).await;
    bench.ticket(ADA, json!({"subject": "<img src=x> & co", "comment": {"body": "y"}})).await;
    let shown = bench.get(ALAN, &format!("/api/v2/tickets/1/macros/{id}/apply")).await.body;
    let comment = &shown["result"]["ticket"]["comment"];
    assert_eq!(comment["body"].as_str().map(str::trim), Some("About <img src=x> & co"));
    let html = comment["html_body"].as_str().expect("HTML");
    assert!(html.contains("<b>&lt;img src=x&gt; &amp; co</b>"), "{html}");
    assert_eq!(shown["result"]["ticket"]["status"], "open", "an agent's public reply opens it");
    Ok(())
}

#[tokio::test]
async fn a_macro_is_refused_where_the_update_would_be() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let id = made(&bench, GRACE, json!([action("status", "open")])).await;
    bench.ticket(GRACE, json!({"subject": "x", "comment": {"body": "y"}, "status": "closed"})).await;
    assert_eq!(bench.get(ALAN, &format!("/api/v2/tickets/1/macros/{id}/apply")).await.wrong_fields(), ["status"]);
    assert_eq!(bench.get(ALAN, &format!("/api/v2/tickets/9/macros/{id}/apply")).await.status, 404);
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/macros/999/apply").await.status, 404);
    let own = made(&bench, ALAN, json!([action("status", "open")])).await;
    assert_eq!(bench.get(GRACE, &format!("/api/v2/macros/{own}/apply")).await.status, 404, "it is somebody's own");
    Ok(())
}

#[tokio::test]
async fn tags_of_several_actions_are_all_told() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let actions = json!([
        action("current_tags", "a b"),
        action("current_tags", "c"),
        action("remove_tags", "x"),
        action("remove_tags", "y")
    ]);
    let id = made(&bench, ALAN, actions).await;
    let ticket = bench.get(ALAN, &format!("/api/v2/macros/{id}/apply")).await.body["result"]["ticket"].clone();
    assert_eq!(ticket, json!({"additional_tags": ["a", "b", "c"], "remove_tags": ["x", "y"]}));
    Ok(())
}

#[tokio::test]
async fn words_that_are_none_when_filled_in_are_refused_and_not_left_out() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(GRACE, json!({"subject": "x", "comment": {"body": "y".repeat(40_000)}})).await;
    let deep = format!("{}x{}", "<b>".repeat(200), "</b>".repeat(200));
    for (field, words) in [
        ("comment_value", "{{ticket.description}}{{ticket.description}}"),
        ("comment_value_html", "<p>{{ticket.description}}{{ticket.description}}</p>"),
        ("comment_value_html", deep.as_str()),
    ] {
        let id = made(&bench, ALAN, json!([action(field, words)])).await;
        let answer = bench.get(ALAN, &format!("/api/v2/tickets/1/macros/{id}/apply")).await;
        assert_eq!(answer.wrong_fields(), ["actions"], "{field}: {}", answer.body);
    }
    Ok(())
}
