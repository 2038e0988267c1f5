use serde_json::{Value, json};

use super::turns::AT_ONCE;
use crate::{
    access,
    api::testing::{ADA, ALAN, Answer, Bench, EVE, GRACE, request},
};

/// What is found, by kind and id, in its order.
fn found(answer: &Answer) -> Vec<String> {
    let results = answer.body["results"].as_array().unwrap_or_else(|| panic!("results: {}", answer.body));
    let name = |result: &Value| format!("{} {}", result["result_type"].as_str().unwrap_or_default(), result["id"]);
    results.iter().map(name).collect()
}

fn encoded(query: &str) -> String {
    crate::api::v2::page::encode(query)
}

async fn search(bench: &Bench, query: &str) -> Vec<String> {
    bench.settle(&bench.acme).await.expect("read models follow");
    let answer = bench.get(ALAN, &format!("/api/v2/search.json?query={}", encoded(query))).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    let counted = bench.get(ALAN, &format!("/api/v2/search/count.json?query={}", encoded(query))).await;
    assert_eq!(counted.body["count"], answer.body["count"], "{query}");
    found(&answer)
}

async fn bench_with_tickets() -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    for (who, subject, body) in [
        (ADA, "Printer smokes", "The kettle is fine."),
        (EVE, "Kettle", "Two kettles smoke beside the printer."),
        (ADA, "Rechnung", "Die Überweisungen nach München sind da."),
        (ADA, "プリンターが動かない", "東京都の事務所です。"),
    ] {
        bench.ticket(who, json!({"subject": subject, "comment": {"body": body}})).await;
    }
    Ok(bench)
}

#[tokio::test]
async fn tickets_are_found_in_three_languages_the_best_first() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    for (query, expected) in [
        ("kettles", vec!["ticket 2", "ticket 1"]),
        ("printers smoking", vec!["ticket 1", "ticket 2"]),
        ("\"the printer\"", vec!["ticket 2"]),
        ("überweisung muenchen", vec!["ticket 3"]),
        ("Rechnungen", vec!["ticket 3"]),
        ("東京", vec!["ticket 4"]),
        ("プリンター", vec!["ticket 4"]),
        ("ﾌﾟﾘﾝﾀｰ 事務所", vec!["ticket 4"]),
        ("kettle -smoke", vec![]),
        ("subject:kettle", vec!["ticket 2"]),
        ("type:ticket 3", vec!["ticket 3"]),
        ("type:ticket requester:eve@acme.example", vec!["ticket 2"]),
        ("type:ticket requester:\"eve\" -kettle", vec![]),
        ("toaster", vec![]),
    ] {
        assert_eq!(search(&bench, query).await, expected, "{query}");
    }
    Ok(())
}

#[tokio::test]
async fn what_changes_is_found_as_it_is_then() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    let change = json!({"ticket": {"subject": "Toaster", "tags": ["vip_guest"], "comment": {"body": "A lamp, too", "public": false}}});
    assert_eq!(bench.put(ALAN, "/api/v2/tickets/1", change).await.status, 200);
    for (query, expected) in [
        ("toaster", vec!["ticket 1"]),
        ("subject:printer", vec![]),
        ("lamp", vec!["ticket 1"]),
        ("tags:vip_guest", vec!["ticket 1"]),
        ("vip", vec!["ticket 1"]),
    ] {
        assert_eq!(search(&bench, query).await, expected, "{query}");
    }
    bench.delete(ALAN, "/api/v2/tickets/1").await;
    assert_eq!(search(&bench, "toaster").await, Vec::<String>::new(), "deleted");
    bench.put(ALAN, "/api/v2/deleted_tickets/1/restore.json", Value::Null).await;
    assert_eq!(search(&bench, "toaster").await, ["ticket 1"], "restored");
    let merged = json!({"ids": [1], "target_comment": "Merged the gramophone"});
    let job = bench.post(ALAN, "/api/v2/tickets/2/merge", merged).await.body["job_status"].clone();
    bench.finished(ALAN, &job).await;
    assert_eq!(search(&bench, "gramophone").await, ["ticket 2"], "merged");
    let imported = json!({"ticket": {"subject": "Old", "requester_id": ADA.id, "comments": [{"author_id": ADA.id, "value": "Samovar"}]}});
    let imported = bench.post(GRACE, "/api/v2/imports/tickets", imported).await;
    assert_eq!(imported.status, 201, "{}", imported.body);
    let id = imported.body["ticket"]["id"].as_i64().expect("an id");
    assert_eq!(search(&bench, "samovar").await, [format!("ticket {id}")]);
    Ok(())
}

#[tokio::test]
async fn what_is_erased_leaves_the_index() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    let change = json!({"ticket": {"subject": "canarysubject", "tags": ["canarytag"], "external_id": "canaryid",
        "comment": {"body": "canarynote", "public": false}}});
    assert_eq!(bench.put(ALAN, "/api/v2/tickets/3", change).await.status, 200);
    bench.delete(ALAN, "/api/v2/tickets/3").await;
    bench.settle(&bench.acme).await?;
    // One word, and in small letters: as it is written, and as it is indexed, behind bytes of the tenant's id.
    let words = ["uberweis", "canarysubject", "canarytag", "canaryid", "canarynote"];
    for word in words {
        assert!(bench.holds(word).await?, "the index holds what is there: {word}");
    }
    let erased = bench.delete(GRACE, "/api/v2/deleted_tickets/3").await;
    bench.finished(GRACE, &erased.body["job_status"]).await;
    for word in words {
        assert!(!bench.holds(word).await?, "{word}");
    }
    Ok(())
}

#[tokio::test]
async fn who_belonged_to_what_is_deleted_belongs_to_nothing() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let made = bench.post(GRACE, "/api/v2/organizations", json!({"organization": {"name": "Engines"}})).await;
    let engines = made.body["organization"]["id"].clone();
    bench.put(GRACE, "/api/v2/users/3", json!({"user": {"organization_id": engines}})).await;
    let made = bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": "Sales"}})).await;
    let sales = made.body["group"]["id"].clone();
    let member = json!({"group_membership": {"user_id": ALAN.id, "group_id": sales}});
    assert_eq!(bench.post(GRACE, "/api/v2/group_memberships", member).await.status, 201);
    bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It smokes"}})).await;
    let of_engines = format!("type:user organization:{engines}");
    let of_sales = format!("type:user group:{sales}");
    for (query, expected) in [(&of_engines, ["user 3"]), (&of_sales, ["user 2"])] {
        assert_eq!(search(&bench, query).await, expected, "{query}");
    }
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/organizations/{engines}")).await.status, 204);
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/groups/{sales}")).await.status, 204);
    for (query, expected) in [
        (of_engines.as_str(), vec![]),
        (of_sales.as_str(), vec![]),
        ("type:user organization:* role:end-user", vec![]),
        ("type:ticket organization:none", vec!["ticket 1"]),
    ] {
        assert_eq!(search(&bench, query).await, expected, "{query}");
    }
    let nowhere = search(&bench, "type:user organization:none role:end-user").await;
    assert!(nowhere.contains(&"user 3".to_owned()), "{nowhere:?}");
    Ok(())
}

#[tokio::test]
async fn searches_wait_for_their_turn_and_nothing_else_does() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    bench.settle(&bench.acme).await?;
    let mut turns = Vec::new();
    for _ in 0..AT_ONCE {
        turns.push(bench.test.desk.searches().turn().await);
    }
    for path in ["search?query=kettle", "search/count?query=kettle", "search/export?query=kettle&filter[type]=ticket"] {
        let path = format!("/api/v2/{path}");
        let mut search = std::pin::pin!(bench.get(ALAN, &path));
        let others = async {
            assert_eq!(bench.get(ALAN, "/api/v2/tickets").await.status, 200);
            assert_eq!(bench.get(ALAN, "/api/v2/tickets/1").await.status, 200);
        };
        let first = tokio::select! {
            biased;
            _ = &mut search => "the search",
            () = others => "what is no search",
        };
        assert_eq!(first, "what is no search", "{path}");
        turns.pop();
        assert_eq!(search.await.status, 200, "{path}");
        turns.push(bench.test.desk.searches().turn().await);
    }
    Ok(())
}

#[tokio::test]
async fn users_organizations_and_groups_are_found_too() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let made =
        bench.post(GRACE, "/api/v2/organizations", json!({"organization": {"name": "Analytical Engines"}})).await;
    let engines = made.body["organization"]["id"].clone();
    let told = json!({"user": {"notes": "Collects samovars", "tags": ["poet"], "organization_id": engines}});
    assert_eq!(bench.put(GRACE, "/api/v2/users/3", told).await.status, 200);
    bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It smokes"}})).await;
    let engines = format!("organization {engines}");
    for (query, expected) in [
        ("samovar", vec!["user 3"]),
        ("type:user ada", vec!["user 3"]),
        ("email:ada@acme.example", vec!["user 3"]),
        ("type:user acme.ex", vec!["user 1", "user 2", "user 3", "user 4"]),
        ("role:agent", vec!["user 2"]),
        ("type:user tags:poet", vec!["user 3"]),
        ("analytical", vec![engines.as_str()]),
        ("type:user organization:\"analytical engines\"", vec!["user 3"]),
        ("type:ticket organization:analytical", vec!["ticket 1"]),
        ("type:user organization:none role:end-user", vec!["user 4"]),
        ("type:group supp", vec!["group 5"]),
        ("type:user group:support", vec!["user 1", "user 2"]),
        ("notes:samovars -tags:poet", vec![]),
    ] {
        let mut found = search(&bench, query).await;
        found.sort();
        assert_eq!(found, expected, "{query}");
    }
    Ok(())
}

#[tokio::test]
async fn results_are_sorted_as_asked_and_end_after_a_thousand() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    for (ticket, priority) in [(1, "low"), (2, "urgent")] {
        bench.put(ALAN, &format!("/api/v2/tickets/{ticket}"), json!({"ticket": {"priority": priority}})).await;
    }
    bench.settle(&bench.acme).await?;
    let get = async |query: &str| bench.get(ALAN, &format!("/api/v2/search?query=type:ticket&{query}")).await;
    assert_eq!(found(&get("sort_by=priority").await)[..2], ["ticket 2", "ticket 1"]);
    assert_eq!(found(&get("sort_by=priority&sort_order=asc").await)[..2], ["ticket 1", "ticket 2"]);
    let page = get("per_page=3&page=2").await;
    assert_eq!((found(&page).len(), &page.body["count"], &page.body["facets"]), (1, &json!(4), &json!(null)));
    assert!(page.body["previous_page"].as_str().is_some_and(|url| url.contains("query=type%3Aticket")));
    assert_eq!(get("page=10").await.status, 200);
    for deep in ["page=11", "page=1001&per_page=1", "page=9999999"] {
        let answer = get(deep).await;
        assert_eq!((answer.status.as_u16(), &answer.body["error"]), (422, &json!("invalid")), "{deep}");
    }
    Ok(())
}

#[tokio::test]
async fn an_export_is_one_kind_by_cursor() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    bench.settle(&bench.acme).await?;
    let first = bench.get(ALAN, "/api/v2/search/export?query=created%3E2days&filter[type]=ticket&page[size]=3").await;
    assert_eq!(found(&first), ["ticket 1", "ticket 2", "ticket 3"]);
    assert_eq!((&first.body["meta"]["has_more"], &first.body["count"]), (&json!(true), &Value::Null));
    let next = first.body["links"]["next"].as_str().expect("a link").split_once("8080").expect("a host").1.to_owned();
    assert_eq!(found(&bench.get(ALAN, &next).await), ["ticket 4"]);
    let both = "/api/v2/search/export?query=type:ticket%20kettle&filter[type]=ticket";
    assert_eq!(found(&bench.get(ALAN, both).await), ["ticket 1", "ticket 2"], "as clients say it");
    for query in ["query=x", "query=x&filter[type]=article", "query=type:user&filter[type]=ticket", "filter[type]=user"]
    {
        assert_eq!(bench.get(ALAN, &format!("/api/v2/search/export?{query}")).await.status, 400, "{query}");
    }
    Ok(())
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for query in [
        "",
        "query=",
        "query=status:warm",
        "query=x&sort_by=size",
        "query=x&sort_order=up",
        "query=created:never",
        "query=created%3E9000years",
    ] {
        assert_eq!(bench.get(ALAN, &format!("/api/v2/search?{query}")).await.status, 400, "{query}");
    }
    assert_eq!(bench.get(ADA, "/api/v2/search?query=x").await.status, 403, "end users do not search");
    Ok(())
}

#[tokio::test]
async fn nothing_of_another_tenant_is_found() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    bench.settle(&bench.acme).await?;
    let path = format!("/api/v2/search?query={}", encoded("kettle"));
    let answer = bench.send(request("GET", "globex", Some(ALAN), &path, axum::body::Body::empty())).await;
    assert_eq!((answer.status.as_u16(), found(&answer).len()), (200, 0));
    Ok(())
}

#[tokio::test]
async fn a_search_is_a_read_of_what_it_shows() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    bench.settle(&bench.acme).await?;
    bench.get(ALAN, "/api/v2/search?query=kettle").await;
    bench.get(ALAN, "/api/v2/search?query=ada").await;
    access::flush(&bench).await;
    let logs = bench.get(GRACE, "/api/v2/access_logs.json").await.body["access_logs"].clone();
    let told: Vec<Value> = logs
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry["url"].as_str().is_some_and(|url| url.contains("search")))
        .map(|entry| json!([entry["user_id"], entry["category"], entry["read_ids"]]))
        .collect();
    let has = |entry: Value| assert!(told.contains(&entry), "{entry}: {told:?}");
    has(json!([ALAN.id, "ticket", [2, 1]]));
    has(json!([ALAN.id, "user", [ADA.id]]));
    Ok(())
}
