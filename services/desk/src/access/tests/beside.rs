//! What an answer shows beside what was asked for, and what commands show that wrote nothing.

use serde_json::json;

use super::{flush, logs, told};
use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE};

#[tokio::test]
async fn people_and_groups_that_stand_beside_a_list_are_entries_of_their_own() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let printer =
        json!({"subject": "Printer", "comment": {"body": "It smokes"}, "assignee_id": ALAN.id, "group_id": 5});
    for who in [ADA, EVE] {
        let ticket = bench.ticket(who, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
        bench.put(ALAN, &format!("/api/v2/tickets/{ticket}"), json!({"ticket": printer})).await;
    }
    let view = json!({"view": {
        "title": "All", "all": [{"field": "status", "operator": "less_than", "value": "closed"}],
        "output": {"columns": ["requester", "group"]},
    }});
    assert_eq!(bench.post(GRACE, "/api/v2/views", view).await.status, 201);
    let view = bench.get(GRACE, "/api/v2/views").await.body["views"][0]["id"].clone();
    let asked = [
        ("/api/v2/tickets?include=users,groups".to_owned(), vec![1, 2], vec![ALAN.id, ADA.id, EVE.id], vec![5]),
        ("/api/v2/tickets/show_many?ids=1&include=users".to_owned(), vec![1], vec![ALAN.id, ADA.id], vec![]),
        ("/api/v2/tickets/2?include=users".to_owned(), vec![2], vec![ALAN.id, EVE.id], vec![]),
        ("/api/v2/tickets/1/comments?include=users".to_owned(), vec![1], vec![ADA.id, ALAN.id], vec![]),
        (format!("/api/v2/views/{view}/execute"), vec![1, 2], vec![ADA.id, EVE.id], vec![5]),
        (format!("/api/v2/views/{view}/tickets?include=users"), vec![1, 2], vec![ALAN.id, ADA.id, EVE.id], vec![]),
        (
            "/api/v2/incremental/tickets/cursor?start_time=0&include=users".to_owned(),
            vec![1, 2],
            vec![ALAN.id, ADA.id, EVE.id],
            vec![],
        ),
        ("/api/v2/tickets?include=comment_count".to_owned(), vec![1, 2], vec![], vec![]),
    ];
    flush(&bench).await;
    for (path, tickets, mut people, groups) in asked {
        let before = logs(&bench, "filter[user_id]=1").await.len();
        bench.advance_seconds(61);
        assert_eq!(bench.get(GRACE, &path).await.status, 200, "{path}");
        flush(&bench).await;
        let entries = logs(&bench, "filter[user_id]=1").await;
        let read: Vec<_> = entries[before..].iter().filter(|entry| entry["category"] != "access_log").collect();
        let of =
            |kind: &str| read.iter().find(|entry| entry["category"] == kind).map(|entry| entry["read_ids"].clone());
        people.sort_unstable();
        let some = |ids: Vec<i64>| (!ids.is_empty()).then(|| json!(ids));
        assert_eq!((of("ticket"), of("user"), of("group")), (some(tickets), some(people), some(groups)), "{path}");
        let urls: Vec<_> = read.iter().filter_map(|entry| entry["url"].as_str()).collect();
        assert!(urls.iter().all(|url| url.ends_with(&path)), "{urls:?}");
        let told_length = read.iter().filter(|entry| !entry["bytes_sent"].is_null()).count();
        assert_eq!(told_length, 1, "the length of the answer is told once: {path}");
    }
    Ok(())
}

#[tokio::test]
async fn whose_profile_fills_a_macro_is_read() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    let mut rules = Vec::new();
    for (title, words) in [("Greet", "Dear {{ticket.requester.name}}"), ("Ask", "About {{ticket.title}}")] {
        let actions = json!([{"field": "comment_value", "value": words}]);
        let made = bench.post(GRACE, "/api/v2/macros", json!({"macro": {"title": title, "actions": actions}})).await;
        let rule = made.body["macro"]["id"].clone();
        let path = format!("/api/v2/tickets/1/macros/{rule}/apply");
        rules.push(rule);
        let applied = bench.get(ALAN, &path).await;
        assert_eq!(applied.status, 200, "{}", applied.body);
    }
    flush(&bench).await;
    let read: Vec<_> = logs(&bench, "filter[user_id]=2").await.iter().map(told).collect();
    let expected = [
        json!([2, "GET", "ticket", [1], 200]),
        json!([2, "GET", "user", [3], 200]),
        json!([2, "GET", "rule", [rules[0]], 200]),
        json!([2, "GET", "ticket", [1], 200]),
        json!([2, "GET", "rule", [rules[1]], 200]),
    ];
    assert_eq!(read, expected, "the macro, and the one who is named");
    Ok(())
}

#[tokio::test]
async fn an_answer_repeated_is_a_read_of_what_it_shows() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let printer = json!({"ticket": {"subject": "Printer", "comment": {"body": "It smokes"}}});
    let said = json!({"body": "It burns"});
    for _ in 0..2 {
        let asked = [
            ("/api/v2/tickets", printer.clone()),
            ("/api/v2/imports/tickets", json!({"ticket": {"subject": "Old", "comment": {"body": "It smoked"}}})),
            ("/api/v2/users/create_or_update", json!({"user": {"name": "Ida", "email": "ida@acme.example"}})),
            ("/api/domicile/v1/tickets/1/comments", said.clone()),
        ];
        for ((path, body), key) in asked.into_iter().zip(["a", "b", "c", "d"]) {
            let answer = bench.keyed("POST", GRACE, (path, body), key).await;
            assert!(answer.status.is_success(), "{path}: {}", answer.body);
        }
    }
    let ida = bench.get(GRACE, "/api/v2/users/search?query=ida@acme.example").await.body["users"][0]["id"].clone();
    flush(&bench).await;
    let read: Vec<_> = logs(&bench, "").await.iter().map(told).collect();
    let expected = [
        json!([1, "POST", "ticket", [1], 201]),
        json!([1, "POST", "ticket", [2], 201]),
        json!([1, "POST", "user", [ida], 201]),
        json!([1, "POST", "ticket", [1], 201]),
        json!([1, "GET", "user", [ida], 200]),
    ];
    assert_eq!(read, expected);
    Ok(())
}
