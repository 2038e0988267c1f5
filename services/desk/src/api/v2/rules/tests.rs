//! What becomes of rules whose words are about what is not there any more, or whose owner is not.

use domain::rule::Rule;
use schemas::{PersonId, RuleId, StreamName};
use serde_json::{Value, json};
use vault::Scope;

use crate::{
    api::testing::{ALAN, Answer, Bench, GRACE, SUPPORT},
    execute::load,
};

fn options(values: &[&str]) -> Value {
    let option = |value: &&str| json!({"name": value, "value": value});
    json!({"ticket_field": {"custom_field_options": values.iter().map(option).collect::<Vec<_>>()}})
}

async fn field(bench: &Bench, field: Value) -> i64 {
    let answer = bench.post(GRACE, "/api/v2/ticket_fields", json!({ "ticket_field": field })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["ticket_field"]["id"].as_i64().expect("an id")
}

async fn made(bench: &Bench, kind: &str, rule: Value) -> i64 {
    let answer = bench.post(GRACE, &format!("/api/v2/{kind}s"), json!({ kind: rule })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body[kind]["id"].as_i64().expect("an id")
}

fn ids(answer: &Answer) -> Vec<i64> {
    let tickets = answer.body["tickets"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
    tickets.iter().filter_map(|ticket| ticket["id"].as_i64()).collect()
}

#[tokio::test]
async fn a_rule_about_values_that_a_field_takes_no_more_is_used_and_changed() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let mut colour = options(&["red", "green"])["ticket_field"].clone();
    (colour["type"], colour["title"]) = (json!("tagger"), json!("Colour"));
    let (colour, code) = (
        field(&bench, colour).await,
        field(&bench, json!({"type": "regexp", "title": "Code", "regexp_for_validation": "^[a-z]+$"})).await,
    );
    for values in [json!(["red", null]), json!(["green", "abc"]), json!([null, null])] {
        let fields = json!([{"id": colour, "value": values[0]}, {"id": code, "value": values[1]}]);
        bench.ticket(GRACE, json!({"subject": "x", "comment": {"body": "x"}, "custom_fields": fields})).await;
    }
    let (colour_name, code_name) = (format!("custom_fields_{colour}"), format!("custom_fields_{code}"));
    let new = json!({"field": "status", "operator": "is", "value": "new"});
    let is = |field: &str, value: &str| json!({"field": field, "operator": "is", "value": value});
    let red = json!({"field": colour_name, "operator": "includes", "value": "red"});
    let columns = json!({"columns": ["subject", colour]});
    let view = json!({"title": "V", "all": [new], "any": [red, is(&code_name, "abc")], "output": columns});
    let view = made(&bench, "view", view).await;
    let not_red = json!({"field": colour_name, "operator": "is_not", "value": "red"});
    let other = made(&bench, "view", json!({"title": "Not red", "all": [new, not_red]})).await;
    let action = |field: &str, value: &str| json!({"field": field, "value": value});
    let actions = json!([action(&colour_name, "red"), action(&code_name, "abc"), action("priority", "low")]);
    let close = made(&bench, "macro", json!({"title": "M", "actions": actions})).await;

    assert_eq!(bench.put(GRACE, &format!("/api/v2/ticket_fields/{colour}"), options(&["green"])).await.status, 200);
    let tighter = json!({"ticket_field": {"regexp_for_validation": "^[0-9]+$"}});
    assert_eq!(bench.put(GRACE, &format!("/api/v2/ticket_fields/{code}"), tighter).await.status, 200);

    let found = async |view: i64| ids(&bench.get(ALAN, &format!("/api/v2/views/{view}/tickets")).await);
    assert_eq!((found(view).await, found(other).await), (vec![1, 2], vec![2, 3]), "tickets hold it still");
    for path in ["execute", "count"] {
        assert_eq!(bench.get(ALAN, &format!("/api/v2/views/{view}/{path}")).await.status, 200, "{path}");
    }
    let applied = bench.get(ALAN, &format!("/api/v2/macros/{close}/apply")).await.body;
    assert_eq!(applied["result"]["ticket"], json!({"priority": "low"}), "what no ticket takes is left out");
    let shown = bench.get(ALAN, &format!("/api/v2/tickets/3/macros/{close}/apply")).await;
    assert_eq!((shown.status.as_u16(), &shown.body["result"]["ticket"]["priority"]), (200, &json!("low")));

    assert_eq!(bench.delete(GRACE, &format!("/api/v2/ticket_fields/{colour}")).await.status, 204);
    let (views, macros) = (format!("/api/v2/views/{view}"), format!("/api/v2/macros/{close}"));
    for (path, kind) in [(&views, "view"), (&macros, "macro")] {
        let off = bench.put(GRACE, path, json!({kind: {"active": false, "title": "Off"}})).await;
        assert_eq!((off.status.as_u16(), &off.body[kind]["active"]), (200, &json!(false)), "{}", off.body);
    }
    // What is said anew is about what there is.
    let all = json!({"view": {"all": [new, is(&code_name, "def")]}});
    assert_eq!(bench.put(GRACE, &views, all).await.wrong_fields(), ["conditions"]);
    let more = json!({"macro": {"actions": [action(&code_name, "def")]}});
    assert_eq!(bench.put(GRACE, &macros, more).await.wrong_fields(), ["actions"]);
    let shown = json!({"view": {"output": {"columns": ["subject", colour, code + 100]}}});
    assert_eq!(bench.put(GRACE, &views, shown).await.wrong_fields(), ["columns"]);
    let fewer = json!({"view": {"any": [is(&code_name, "abc")], "output": {"columns": [colour]}}});
    assert_eq!(bench.put(GRACE, &views, fewer).await.status, 200, "what is left was there");
    Ok(())
}

#[tokio::test]
async fn a_rule_of_a_group_that_is_gone_is_changed_and_given_to_no_other_such() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let group =
        bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": "Others"}})).await.body["group"]["id"].clone();
    let new = json!({"field": "status", "operator": "is", "value": "new"});
    let view = json!({"title": "V", "all": [new], "restriction": {"type": "Group", "ids": [group, SUPPORT]}});
    let path = format!("/api/v2/views/{}", made(&bench, "view", view).await);
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/groups/{group}")).await.status, 204);
    assert_eq!(bench.put(GRACE, &path, json!({"view": {"active": false}})).await.status, 200);
    let only = json!({"view": {"restriction": {"type": "Group", "id": SUPPORT}}});
    assert_eq!(bench.put(GRACE, &path, only).await.status, 200);
    let again = json!({"view": {"restriction": {"type": "Group", "id": group}}});
    assert_eq!(bench.put(GRACE, &path, again).await.wrong_fields(), ["restriction"]);
    Ok(())
}

#[tokio::test]
async fn what_is_somebodys_own_is_erased_with_them_and_what_they_shared_is_not() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    // Alan is an admin for a while, so that he shares something.
    let role = async |role: &str| {
        bench.put(GRACE, &format!("/api/v2/users/{}", ALAN.id), json!({"user": {"role": role}})).await.status
    };
    assert_eq!(role("admin").await, 200);
    let new = json!({"field": "status", "operator": "is", "value": "new"});
    let for_himself = json!({"type": "User", "id": ALAN.id});
    let mut views = Vec::new();
    for title in ["Canary of one's own", "Shared finch", "Canary taken back"] {
        let view = json!({"view": {"title": title, "all": [new], "restriction": for_himself}});
        let made = bench.post(ALAN, "/api/v2/views", view).await;
        assert_eq!(made.status, 201, "{}", made.body);
        views.push(made.body["view"]["id"].as_i64().expect("an id"));
    }
    bench.advance_seconds(60);
    let restrict = async |view: i64, restriction: &Value| {
        let path = format!("/api/v2/views/{view}");
        bench.put(ALAN, &path, json!({"view": {"restriction": restriction}})).await
    };
    let shared = restrict(views[1], &json!(null)).await;
    let moments = (&shared.body["view"]["created_at"], &shared.body["view"]["updated_at"]);
    let now = json!("2026-11-22T10:01:00Z");
    assert_eq!((shared.status.as_u16(), moments), (200, (&now, &now)), "it is as new");
    assert_eq!(bench.get(GRACE, &format!("/api/v2/views/{}", views[1])).await.body["view"], shared.body["view"]);
    for restriction in [&json!(null), &for_himself] {
        assert_eq!(restrict(views[2], restriction).await.status, 200);
    }
    bench.settle(&bench.acme).await?;
    assert!(bench.holds("Canary of one's own").await?);

    for path in ["users", "deleted_users"] {
        assert_eq!(bench.delete(GRACE, &format!("/api/v2/{path}/{}", ALAN.id)).await.status, 200, "{path}");
    }
    bench.settle(&bench.acme).await?;
    let owner = Scope::Person(PersonId::new(ALAN.id));
    assert_eq!(bench.test.desk.vault.living(&bench.acme, &[owner]).await?, []);
    assert!(!bench.holds("Canary of one's own").await? && bench.holds("Shared finch").await?);
    let listed = bench.get(GRACE, "/api/v2/views").await.body;
    assert_eq!((&listed["count"], &listed["views"][0]["id"]), (&json!(1), &json!(views[1])));
    let known = async |view: i64| {
        let stream = StreamName::Rule(RuleId::new(view));
        let (rule, version) = load::<Rule>(&bench.test.desk, &bench.acme, &stream).await?;
        anyhow::Ok((rule.known().map(|known| known.definition.expose().title.clone()), version.get()))
    };
    assert_eq!(known(views[0]).await?, (None, 1), "what the log keeps of it opens no more");
    assert_eq!(known(views[1]).await?, (Some("Shared finch".to_owned()), 2));
    for view in [views[0], views[2]] {
        assert_eq!(bench.delete(GRACE, &format!("/api/v2/views/{view}")).await.status, 404, "it is gone");
    }
    Ok(())
}
