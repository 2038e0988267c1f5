use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use axum::body::Body;
use runtime::Clock;
use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Answer, Bench, GRACE, request};

const HOST: &str = "http://acme.localhost:8080";
/// Before anything of a test happened.
const BEGINNING: &str = "start_time=0";

/// What an answer's list says of each thing.
fn told(answer: &Answer, key: &str, of: &[&str]) -> Vec<Value> {
    let list = answer.body[key].as_array().expect("a list");
    list.iter().map(|thing| of.iter().map(|name| thing[name].clone()).collect()).collect()
}

fn path(link: &Value) -> String {
    link.as_str().and_then(|link| link.strip_prefix(HOST)).expect("a link to the tenant's own host").to_owned()
}

async fn ticket(bench: &Bench, subject: &str) -> i64 {
    bench.ticket(ALAN, json!({"subject": subject, "comment": {"body": subject}})).await
}

async fn rename(bench: &Bench, ticket: i64, subject: &str) {
    let answer = bench.put(ALAN, &format!("/api/v2/tickets/{ticket}"), json!({"ticket": {"subject": subject}})).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_cursor_goes_on_where_the_last_page_ended_and_tells_changes_again() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for subject in ["1", "2", "3"] {
        ticket(&bench, subject).await;
    }
    rename(&bench, 1, "1b").await;
    let first = bench.get(GRACE, &format!("/api/v2/incremental/tickets/cursor.json?{BEGINNING}&per_page=2")).await;
    assert_eq!(told(&first, "tickets", &["id", "subject"]), [json!([2, "2"]), json!([3, "3"])]);
    assert_eq!((&first.body["end_of_stream"], &first.body["before_cursor"]), (&json!(false), &json!(null)));
    rename(&bench, 2, "2b").await;
    let second = bench.get(GRACE, &path(&first.body["after_url"])).await;
    assert_eq!(told(&second, "tickets", &["id", "subject"]), [json!([1, "1b"]), json!([2, "2b"])]);
    assert_eq!(second.body["end_of_stream"], true);
    let nothing = bench.get(GRACE, &path(&second.body["after_url"])).await;
    assert_eq!((told(&nothing, "tickets", &["id"]).len(), &nothing.body["end_of_stream"]), (0, &json!(true)));
    rename(&bench, 3, "3b").await;
    let cursor = nothing.body["after_cursor"].as_str().expect("a cursor also where nothing is");
    let third = bench.get(GRACE, &format!("/api/v2/incremental/tickets/cursor?cursor={cursor}")).await;
    assert_eq!(told(&third, "tickets", &["subject"]), [json!(["3b"])]);
    let foreign = format!("/api/v2/incremental/tickets/cursor?cursor={cursor}");
    let foreign = bench.send(request("GET", "globex", Some(GRACE), &foreign, Body::empty())).await;
    assert_eq!(foreign.status, 400, "another tenant's cursor is none");
    Ok(())
}

#[tokio::test]
async fn deleted_and_erased_tickets_are_told_as_deleted() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for subject in ["1", "2", "3"] {
        ticket(&bench, subject).await;
    }
    for id in [2, 3] {
        assert_eq!(bench.delete(ALAN, &format!("/api/v2/tickets/{id}")).await.status, 204);
    }
    assert_eq!(bench.delete(ALAN, "/api/v2/deleted_tickets/3").await.status, 200);
    bench.settle(&bench.acme).await?;
    let answer = bench.get(GRACE, &format!("/api/v2/incremental/tickets/cursor?{BEGINNING}&include=users")).await;
    let of = ["id", "status", "subject", "description"];
    assert_eq!(
        told(&answer, "tickets", &of),
        [json!([1, "new", "1", "1"]), json!([2, "deleted", "2", "2"]), json!([3, "deleted", "SCRUBBED", "SCRUBBED"])]
    );
    assert_eq!(told(&answer, "users", &["id"]), [json!([ALAN.id])]);
    Ok(())
}

#[tokio::test]
async fn a_page_by_time_holds_all_of_its_last_second_and_leaves_out_the_newest_minute() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let begun = bench.test.region.clock.now().as_second();
    for (subject, pause) in [("1", 0), ("2", 1), ("3", 0), ("4", 0), ("5", 5), ("6", 61), ("7", 0)] {
        ticket(&bench, subject).await;
        bench.advance_seconds(pause);
    }
    // 1 and 2 in the first second, 3 to 5 in the next, 6 five later, 7 just now.
    let by_time = "/api/v2/incremental/tickets.json";
    let first = bench.get(GRACE, &format!("{by_time}?start_time={begun}&per_page=3")).await;
    assert_eq!(told(&first, "tickets", &["id"]), [1, 2, 3, 4, 5].map(|id| json!([id])));
    assert_eq!(
        (&first.body["count"], &first.body["end_time"], &first.body["end_of_stream"]),
        (&json!(5), &json!(begun + 1), &json!(false))
    );
    assert_eq!(first.body["tickets"][4]["generated_timestamp"], begun + 1);
    let second = bench.get(GRACE, &path(&first.body["next_page"])).await;
    assert_eq!(told(&second, "tickets", &["id"]), [3, 4, 5].map(|id| json!([id])), "a second that is a whole page");
    assert_eq!(second.body["end_time"], begun + 2, "is told once");
    let third = bench.get(GRACE, &path(&second.body["next_page"])).await;
    assert_eq!(told(&third, "tickets", &["id"]), [json!([6])]);
    assert_eq!((&third.body["end_of_stream"], &third.body["end_time"]), (&json!(true), &json!(begun + 6)));
    bench.advance_seconds(61);
    let fourth = bench.get(GRACE, &path(&third.body["next_page"])).await;
    assert_eq!(told(&fourth, "tickets", &["id"]), [json!([6]), json!([7])]);
    Ok(())
}

#[tokio::test]
async fn a_start_that_is_none_or_too_recent_is_refused() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let now = bench.test.region.clock.now().as_second();
    for export in ["tickets", "tickets/cursor", "users", "users/cursor", "ticket_events"] {
        let ask = async |query: &str| bench.get(GRACE, &format!("/api/v2/incremental/{export}?{query}")).await;
        for query in ["", "start_time=", "start_time=x", "start_time=-1", "start_time=1&per_page=0"] {
            assert_eq!(ask(query).await.status, 400, "{export} {query}");
        }
        let recent = ask(&format!("start_time={}", now - 59)).await;
        assert_eq!((recent.status.as_u16(), &recent.body["error"]), (422, &json!("StartTimeTooRecent")), "{export}");
        assert_eq!(ask(&format!("start_time={}.0", now - 60)).await.status, 200, "{export}");
    }
    Ok(())
}

#[tokio::test]
async fn users_are_exported_with_those_who_were_deleted_and_without_auditors() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let grant =
        json!({"name": "Otto", "email": "otto@audit.example", "expires_at": "2026-12-02T10:00:00Z", "tickets": null});
    assert_eq!(bench.post(GRACE, "/api/domicile/v1/auditor_grants", grant).await.status, 201);
    assert_eq!(bench.delete(GRACE, &format!("/api/v2/users/{}", ADA.id)).await.status, 200);
    bench.advance_seconds(61);
    for export in ["users/cursor", "users"] {
        let answer = bench.get(GRACE, &format!("/api/v2/incremental/{export}?{BEGINNING}")).await;
        let expected = [(1, true), (2, true), (4, true), (3, false)].map(|(id, active)| json!([id, active]));
        assert_eq!(told(&answer, "users", &["id", "active"]), expected, "{export}");
    }
    Ok(())
}

#[tokio::test]
async fn events_of_tickets_are_their_audits_and_show_comments_when_asked() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let id = ticket(&bench, "Kettle").await;
    rename(&bench, id, "Toaster").await;
    bench.advance_seconds(61);
    let answer = bench.get(GRACE, &format!("/api/v2/incremental/ticket_events?{BEGINNING}")).await;
    let audits = bench.get(GRACE, &format!("/api/v2/tickets/{id}/audits")).await;
    assert_eq!(told(&answer, "ticket_events", &["id"]), told(&audits, "audits", &["id"]));
    let children = |answer: &Answer, event: usize| answer.body["ticket_events"][event]["child_events"].clone();
    let changed = children(&answer, 1);
    assert_eq!(
        (&changed[0]["event_type"], &changed[0]["subject"], &changed[0]["previous_value"]),
        (&json!("Change"), &json!("Toaster"), &json!("Kettle"))
    );
    let comment_of = |answer: &Answer| {
        let children = children(answer, 0);
        children.as_array().into_iter().flatten().find(|child| child["event_type"] == "Comment").cloned()
    };
    let hidden = comment_of(&answer).expect("a comment");
    assert_eq!((&hidden["comment_public"], hidden.get("body")), (&json!(true), None));
    let with = format!("/api/v2/incremental/ticket_events?{BEGINNING}&include=comment_events");
    assert_eq!(comment_of(&bench.get(GRACE, &with).await).expect("a comment")["body"], "Kettle");
    Ok(())
}

#[tokio::test]
async fn an_event_of_a_ticket_says_which_rule_did_it() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let all = json!([{"field": "update_type", "operator": "is", "value": "Change"}]);
    let trigger = json!({"title": "Low", "all": all, "actions": [{"field": "priority", "value": "low"}]});
    let made = bench.post(GRACE, "/api/v2/triggers", json!({ "trigger": trigger })).await.body;
    let id = ticket(&bench, "Kettle").await;
    rename(&bench, id, "Toaster").await;
    bench.advance_seconds(61);
    let answer = bench.get(GRACE, &format!("/api/v2/incremental/ticket_events?{BEGINNING}")).await.body;
    let children = answer["ticket_events"][1]["child_events"].as_array().expect("children");
    let via: Vec<Value> = children
        .iter()
        .map(|child| json!([child["subject"], child["priority"], child["via"], child["via_reference_id"]]))
        .collect();
    let rule = &made["trigger"]["id"];
    assert_eq!(via, [json!(["Toaster", null, "api", null]), json!([null, "low", "rule", rule])]);
    Ok(())
}

/// Reads pages by cursor until `done`, and what it saw of each ticket last.
async fn follow(bench: &Bench, per_page: i64, done: impl Fn() -> bool) -> BTreeMap<i64, String> {
    let mut seen = BTreeMap::new();
    let mut next = format!("/api/v2/incremental/tickets/cursor?{BEGINNING}&per_page={per_page}");
    loop {
        let is_last = done();
        let answer = bench.get(GRACE, &next).await;
        assert_eq!(answer.status, 200);
        for ticket in answer.body["tickets"].as_array().expect("tickets") {
            let id = ticket["id"].as_i64().expect("an id");
            seen.insert(id, ticket["subject"].as_str().expect("a subject").to_owned());
        }
        next = path(&answer.body["after_url"]);
        if is_last && answer.body["end_of_stream"] == true {
            return seen;
        }
    }
}

#[tokio::test]
async fn nothing_is_skipped_however_many_write_meanwhile() -> anyhow::Result<()> {
    const WRITERS: u64 = 4;
    let bench = Bench::start().await?;
    let is_settled = AtomicBool::new(false);
    let is_done = || is_settled.load(Ordering::SeqCst);
    let write = async |seed: u64| {
        // A stretch of a linear congruential generator (Knuth, MMIX): who changes what, in another order for each writer.
        let mut state = seed;
        let mut own = Vec::new();
        for turn in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match own.get(usize::try_from(state >> 33).unwrap_or_default() % (own.len() + 1)).copied() {
                None => own.push(ticket(&bench, &format!("{seed}-{turn}")).await),
                Some(id) => rename(&bench, id, &format!("{seed}-{turn}")).await,
            }
        }
    };
    let writers = futures::future::join_all((0..WRITERS).map(write));
    let settled = async {
        writers.await;
        let settled = bench.settle(&bench.acme).await;
        is_settled.store(true, Ordering::SeqCst);
        settled
    };
    let (settled, one, five) = tokio::join!(settled, follow(&bench, 1, is_done), follow(&bench, 5, is_done));
    settled?;
    let all = bench.get(ALAN, "/api/v2/tickets?per_page=100").await;
    let expected: BTreeMap<i64, String> = told(&all, "tickets", &["id", "subject"])
        .iter()
        .map(|ticket| (ticket[0].as_i64().unwrap_or_default(), ticket[1].as_str().unwrap_or_default().to_owned()))
        .collect();
    assert!(!expected.is_empty());
    assert_eq!((&one, &five), (&expected, &expected));
    Ok(())
}
