//! Views as their clients see them.

use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Answer, Bench, EVE, GRACE, SUPPORT, Who, without_ids};

const VIEWS: &str = "/api/v2/views.json";

fn unsolved() -> Value {
    json!({"field": "status", "operator": "less_than", "value": "solved"})
}

async fn made(bench: &Bench, who: Who, view: Value) -> i64 {
    let answer = bench.post(who, VIEWS, json!({ "view": view })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["view"]["id"].as_i64().expect("an id")
}

fn ids(answer: &Answer, key: &str) -> Vec<i64> {
    let rows = answer.body[key].as_array().unwrap_or_else(|| panic!("{key}: {}", answer.body));
    rows.iter().filter_map(|row| row["ticket"]["id"].as_i64().or_else(|| row["id"].as_i64())).collect()
}

/// Four tickets: the first is Alan's and urgent, the second is Support's, the third is solved, the fourth is nobody's.
async fn bench_with_tickets() -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    let said = json!({"body": "x"});
    for ticket in [
        json!({"subject": "Printer smokes", "comment": said, "assignee_id": ALAN.id, "priority": "urgent", "tags": ["hot"]}),
        json!({"subject": "DRÜCKER raucht", "comment": said, "group_id": SUPPORT, "requester_id": ADA.id, "priority": "low"}),
        json!({"subject": "Printer cold", "comment": said, "status": "solved", "priority": "high"}),
        json!({"subject": "Kettle", "comment": said, "requester_id": EVE.id}),
    ] {
        bench.ticket(GRACE, ticket).await;
    }
    Ok(bench)
}

#[tokio::test]
async fn a_view_is_made_shown_changed_and_deleted() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let output = json!({"columns": ["subject", "assignee"], "sort_by": "created", "sort_order": "desc"});
    let sent = json!({"title": "Unsolved", "all": [unsolved()], "any": [], "output": output});
    let made = bench.post(GRACE, VIEWS, json!({ "view": sent })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let view = made.body["view"].clone();
    let column = |id: &str, title: &str| json!({"id": id, "title": title, "filterable": true, "sortable": true});
    let columns = json!([column("subject", "Subject"), column("assignee", "Assignee")]);
    assert_eq!(
        without_ids(view.clone(), &["url"]),
        json!({
            "id": view["id"], "url": "…", "title": "Unsolved", "raw_title": "Unsolved", "description": null,
            "active": true, "default": false, "position": 10000, "restriction": null,
            "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z",
            "conditions": {"all": [unsolved()], "any": []},
            "execution": {
                "group_by": null, "group_order": "asc", "sort_by": "created", "sort_order": "desc", "group": null,
                "sort": {"id": "created", "title": "Requested", "filterable": true, "sortable": true, "order": "desc"},
                "columns": columns, "fields": columns, "custom_fields": [],
            },
        })
    );
    let path = format!("/api/v2/views/{}", view["id"]);
    assert_eq!(made.header("location"), format!("http://acme.localhost:8080{path}.json"));
    assert_eq!(bench.get(ALAN, &path).await.body["view"], view);
    let only = json!({"all": [{"field": "status", "operator": "is", "value": "new"}]});
    let changed = bench.put(GRACE, &path, json!({"view": {"title": "New", "active": false, "conditions": only}})).await;
    assert_eq!(changed.body["view"]["conditions"], json!({"all": only["all"], "any": []}));
    assert_eq!(changed.body["view"]["execution"], view["execution"], "what was not sent stays");
    assert_eq!(bench.get(ALAN, VIEWS).await.body["views"], json!([changed.body["view"]]));
    assert_eq!(bench.get(ALAN, "/api/v2/views/active").await.body["views"], json!([]));
    assert_eq!(bench.get(ALAN, "/api/v2/views/compact").await.body["count"], 0);
    assert_eq!(bench.get(ALAN, "/api/v2/views/count").await.body["count"]["value"], 1);
    assert_eq!(bench.delete(GRACE, &path).await.status, 204);
    assert_eq!(bench.get(ALAN, &path).await.status, 404);
    assert_eq!(bench.put(GRACE, &path, json!({"view": {}})).await.status, 404);
    let audited = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=rule").await.body;
    assert_eq!(audited["count"], 3, "{audited}");
    Ok(())
}

#[tokio::test]
async fn a_view_that_says_too_little_or_too_much_is_refused_by_field() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let with = |name: &str, value: Value| {
        let mut view = json!({"title": "x", "all": [unsolved()]});
        view[name] = value;
        view
    };
    for (sent, field) in [
        (json!({}), "title"),
        (json!({"title": "x"}), "conditions"),
        (with("all", json!("status")), "all"),
        (with("any", json!([{"field": "status"}])), "any"),
        (with("any", json!([{"field": "mood", "operator": "is", "value": "good"}])), "conditions"),
        (with("output", json!({"columns": ["mood"]})), "columns"),
        (with("output", json!({"sort_order": "sideways"})), "output.sort_order"),
        (with("restriction", json!({"type": "Galaxy", "id": 1})), "restriction"),
        (with("restriction", json!({"type": "Group", "ids": [999]})), "restriction"),
    ] {
        assert_eq!(bench.post(GRACE, VIEWS, json!({ "view": sent })).await.wrong_fields(), [field], "{sent}");
    }
    assert_eq!(bench.get(ALAN, "/api/v2/views/count").await.body["count"]["value"], 0, "nothing was made");
    Ok(())
}

#[tokio::test]
async fn a_view_shows_its_tickets_in_its_order() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    let output = json!({"columns": ["nice_id", "subject", "priority", "assignee", "group"], "sort_by": "priority", "sort_order": "desc"});
    let view = made(&bench, GRACE, json!({"title": "Unsolved", "all": [unsolved()], "output": output})).await;
    let tickets = bench.get(ALAN, &format!("/api/v2/views/{view}/tickets")).await;
    assert_eq!((ids(&tickets, "tickets"), &tickets.body["count"]), (vec![1, 2, 4], &json!(3)));
    let executed = bench.get(ALAN, &format!("/api/v2/views/{view}/execute.json")).await;
    assert_eq!(ids(&executed, "rows"), [1, 2, 4]);
    let row = &executed.body["rows"][0];
    assert_eq!(
        (&row["priority"], &row["assignee_id"], &row["group_id"]),
        (&json!("urgent"), &json!(ALAN.id), &json!(null))
    );
    assert_eq!((&row["ticket"]["subject"], &row["nice_id"]), (&json!("Printer smokes"), &json!(1)));
    assert_eq!(executed.body["view"]["id"], view);
    assert_eq!(
        (&executed.body["users"][0]["id"], &executed.body["groups"][0]["id"]),
        (&json!(ALAN.id), &json!(SUPPORT))
    );
    assert_eq!(executed.body["columns"][2], json!({"id": "priority", "title": "Priority"}));

    let page = bench.get(ALAN, &format!("/api/v2/views/{view}/tickets?per_page=1&page=2")).await;
    assert_eq!((ids(&page, "tickets"), page.body["next_page"].is_string()), (vec![2], true));
    let cursor = bench.get(ALAN, &format!("/api/v2/views/{view}/tickets?page[size]=2")).await;
    assert_eq!((ids(&cursor, "tickets"), &cursor.body["meta"]["has_more"]), (vec![1, 2], &json!(true)));

    let counted = bench.get(ALAN, &format!("/api/v2/views/{view}/count")).await.body;
    let url = format!("http://acme.localhost:8080/api/v2/views/{view}/count.json");
    let expected = json!({"view_id": view, "url": url, "value": 3, "pretty": "3", "fresh": true, "active": true});
    assert_eq!(counted["view_count"], expected);
    let many = bench.get(ALAN, &format!("/api/v2/views/count_many?ids={view},999")).await.body;
    assert_eq!(many["view_counts"], json!([expected]));
    assert_eq!(bench.get(ALAN, &format!("/api/v2/views/count_many?ids={}", vec!["1"; 21].join(","))).await.status, 400);
    Ok(())
}

#[tokio::test]
async fn conditions_are_about_whoever_asks() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    let is = |field: &str, value: &str| json!({"field": field, "operator": "is", "value": value});
    let text = json!({"field": "subject_includes_word", "operator": "includes", "value": "drücker kettle"});
    let tagged = json!({"field": "current_tags", "operator": "includes", "value": "hot cold"});
    for (all, any, found) in [
        (json!([is("assignee_id", "current_user")]), json!([]), vec![1]),
        (json!([is("group_id", "current_groups")]), json!([]), vec![2]),
        (json!([unsolved(), text]), json!([]), vec![2, 4]),
        (json!([unsolved()]), json!([tagged, is("requester_id", "4")]), vec![1, 4]),
        (json!([is("assignee_id", ""), is("group_id", "")]), json!([]), vec![4]),
        (
            json!([is("status", "solved"), json!({"field": "updated_at", "operator": "less_than", "value": 1})]),
            json!([]),
            vec![3],
        ),
        (
            json!([is("status", "solved"), json!({"field": "NEW", "operator": "greater_than", "value": "0"})]),
            json!([]),
            vec![],
        ),
    ] {
        let body = json!({"view": {"all": all, "any": any, "output": {"columns": ["subject"]}}});
        let shown = bench.post(ALAN, "/api/v2/views/preview.json", body.clone()).await;
        assert_eq!((ids(&shown, "rows"), shown.status.as_u16()), (found.clone(), 200), "{body}");
        let counted = bench.post(ALAN, "/api/v2/views/preview/count", body).await.body;
        assert_eq!(counted["view_count"]["value"], found.len());
    }
    let body = json!({"view": {"all": [is("assignee_id", "current_user")]}});
    assert_eq!(ids(&bench.post(GRACE, "/api/v2/views/preview", body).await, "rows"), [3], "solved by her");
    assert_eq!(
        bench.post(ALAN, "/api/v2/views/preview", json!({"view": {"all": []}})).await.wrong_fields(),
        ["conditions"]
    );
    assert_eq!(bench.get(GRACE, "/api/v2/views/count").await.body["count"]["value"], 0, "nothing was made");
    Ok(())
}

#[tokio::test]
async fn agents_see_their_own_and_what_is_shared_with_them() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let view =
        |title: &str, restriction: Value| json!({"title": title, "all": [unsolved()], "restriction": restriction});
    let own = made(&bench, ALAN, view("Alan's", json!({"type": "User", "id": ALAN.id}))).await;
    let other_group =
        bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": "Others"}})).await.body["group"]["id"].clone();
    let others = made(&bench, GRACE, view("Others'", json!({"type": "Group", "id": other_group}))).await;
    let groups = made(&bench, GRACE, view("Support's", json!({"type": "Group", "ids": [SUPPORT]}))).await;
    let shared = made(&bench, GRACE, view("All's", json!(null))).await;
    assert_eq!(ids(&bench.get(ALAN, VIEWS).await, "views"), [own, groups, shared]);
    assert_eq!(ids(&bench.get(GRACE, VIEWS).await, "views"), [others, groups, shared]);
    assert_eq!(ids(&bench.get(ALAN, "/api/v2/views?access=personal").await, "views"), [own]);
    assert_eq!(ids(&bench.get(ALAN, "/api/v2/views?access=account").await, "views"), [shared]);
    assert_eq!(ids(&bench.get(ALAN, &format!("/api/v2/views?group_id={SUPPORT}")).await, "views"), [groups]);
    assert_eq!(
        ids(&bench.get(ALAN, &format!("/api/v2/views/show_many?ids={shared},{others},{own}")).await, "views"),
        [shared, own]
    );
    for (who, hidden) in [(GRACE, own), (ALAN, others)] {
        for path in ["", "/count", "/execute", "/tickets"] {
            assert_eq!(bench.get(who, &format!("/api/v2/views/{hidden}{path}")).await.status, 404, "{path}");
        }
        assert_eq!(
            bench.put(who, &format!("/api/v2/views/{hidden}"), json!({"view": {"title": "x"}})).await.status,
            404
        );
    }
    assert_eq!(bench.delete(ALAN, &format!("/api/v2/views/{others}")).await.status, 404);
    assert_eq!(bench.post(ALAN, VIEWS, json!({"view": view("x", json!(null))})).await.status, 403);
    assert_eq!(bench.put(ALAN, &format!("/api/v2/views/{shared}"), json!({"view": {"title": "x"}})).await.status, 403);
    assert_eq!(bench.delete(ALAN, &format!("/api/v2/views/{groups}")).await.status, 403);
    let taken = json!({"view": {"restriction": {"type": "User", "id": GRACE.id}}});
    assert_eq!(bench.put(ALAN, &format!("/api/v2/views/{own}"), taken).await.wrong_fields(), ["restriction"]);
    assert_eq!(bench.put(ALAN, &format!("/api/v2/views/{own}"), json!({"view": {"title": "x"}})).await.status, 200);
    for (who, ids, status) in [(ALAN, [own, shared], 403), (GRACE, [own, 999], 404)] {
        let both = format!("/api/v2/views/destroy_many?ids={},{}", ids[0], ids[1]);
        assert_eq!(bench.delete(who, &both).await.status, status, "all or none");
    }
    let both = format!("/api/v2/views/destroy_many?ids={others},{shared},{others}");
    assert_eq!(bench.delete(GRACE, &both).await.status, 204);
    assert_eq!(ids(&bench.get(ALAN, VIEWS).await, "views"), [own, groups]);
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/views/{own}")).await.status, 204, "unseen");
    assert_eq!(ids(&bench.get(ALAN, VIEWS).await, "views"), [groups]);
    Ok(())
}

#[tokio::test]
async fn a_view_asks_what_fields_hold_that_the_tenant_made() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let field = json!({"ticket_field": {"type": "integer", "title": "Count"}});
    let field = bench.post(GRACE, "/api/v2/ticket_fields", field).await.body["ticket_field"]["id"].clone();
    for count in [json!(3), json!(7), json!(null)] {
        let values = json!([{"id": field, "value": count}]);
        bench.ticket(GRACE, json!({"subject": "x", "comment": {"body": "x"}, "custom_fields": values})).await;
    }
    let many = json!({"field": format!("custom_fields_{field}"), "operator": "greater_than", "value": "3"});
    let output = json!({"columns": ["subject", field]});
    let view = made(&bench, GRACE, json!({"title": "Many", "all": [unsolved(), many], "output": output})).await;
    let executed = bench.get(ALAN, &format!("/api/v2/views/{view}/execute")).await;
    assert_eq!((ids(&executed, "rows"), &executed.body["rows"][0][field.to_string()]), (vec![2], &json!(7)));
    assert_eq!(executed.body["columns"][1], json!({"id": field, "title": "Count", "type": "integer"}));
    let shown = bench.get(ALAN, &format!("/api/v2/views/{view}")).await.body;
    assert_eq!(shown["view"]["execution"]["custom_fields"][0]["id"], field);

    assert_eq!(bench.delete(GRACE, &format!("/api/v2/ticket_fields/{field}")).await.status, 204);
    let executed = bench.get(ALAN, &format!("/api/v2/views/{view}/execute")).await;
    assert_eq!((ids(&executed, "rows"), executed.status.as_u16()), (Vec::new(), 200), "nothing holds anything in it");
    Ok(())
}
