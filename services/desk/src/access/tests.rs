mod beside;

use std::net::SocketAddr;

use axum::{
    body::Body,
    http::{Method, header},
};
use jiff::SignedDuration;
use runtime::{Clock, Shutdown};
use schemas::{Day, Position, StreamName};
use serde_json::{Value, json};

use super::{
    recorder, retention,
    routes::{self, ROWS, Reads},
};
use crate::{
    api::{
        permissions::filled,
        testing::{ADA, ALAN, Bench, GRACE, Who, request},
    },
    serve::Peer,
};

/// Appends what was read so far, as a desk does that ends.
pub(crate) async fn flush(bench: &Bench) {
    recorder::run(bench.test.desk.clone(), std::future::ready(()), Shutdown::new()).await;
}

async fn logs(bench: &Bench, query: &str) -> Vec<Value> {
    let answer = bench.get(GRACE, &format!("/api/v2/access_logs.json?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["access_logs"].as_array().expect("a list").clone()
}

fn told(entry: &Value) -> Value {
    json!([entry["user_id"], entry["method"], entry["category"], entry["read_ids"], entry["status"]])
}

#[tokio::test]
async fn every_read_is_an_entry_with_who_what_and_how_it_ended() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    bench.ticket(ADA, json!({"subject": "Copier", "comment": {"body": "It hums"}})).await;
    let mut known = request("GET", "acme", Some(ALAN), "/api/v2/tickets/1?x=1", Body::empty());
    known.headers_mut().insert(header::IF_NONE_MATCH, "*".parse()?);
    known.headers_mut().insert(header::USER_AGENT, "curl/8".parse()?);
    known.extensions_mut().insert(Peer { address: Some(SocketAddr::from(([192, 0, 2, 7], 999))), tls: false });
    bench.send(known).await;
    for path in ["/api/v2/tickets", "/api/v2/tickets/99", "/api/v2/users/search?query=ada", "/api/v2/users/me"] {
        bench.get(ALAN, path).await;
    }
    bench.get(ADA, "/api/v2/users").await;
    bench.send(request("GET", "acme", None, "/api/v2/users", Body::empty())).await;
    bench.send(request("HEAD", "acme", Some(ALAN), "/api/domicile/v1/tickets/2", Body::empty())).await;
    flush(&bench).await;
    let entries = logs(&bench, "").await;
    let expected = [
        json!([2, "GET", "ticket", [1], 304]),
        json!([2, "GET", "ticket", [1, 2], 200]),
        json!([2, "GET", "ticket", [99], 404]),
        json!([2, "GET", "user", [3], 200]),
        json!([2, "GET", "user", [2], 200]),
        json!([3, "GET", "user", [], 403]),
        json!([2, "HEAD", "ticket", [2], 200]),
    ];
    assert_eq!(entries.iter().map(told).collect::<Vec<_>>(), expected);
    let first = &entries[0];
    assert_eq!(first["ip_address"], "192.0.2.7");
    assert_eq!(first["client"], "curl/8");
    assert_eq!(first["url"], "http://acme.localhost:8080/api/v2/tickets/1?x=1");
    assert_eq!(first["authorization_type"], "bearer");
    assert_eq!(first["token_id"], 2);
    Ok(())
}

/// The ids of what an answer shows: of the things in its list, or of the one thing that it is.
fn shown(body: &Value) -> Vec<i64> {
    let roots = body.as_object().into_iter().flat_map(|body| body.values());
    let mut ids: Vec<i64> = roots
        .flat_map(|root| root.as_array().cloned().unwrap_or_else(|| vec![root.clone()]))
        .filter_map(|thing| {
            // What happened to a ticket is read of the ticket, and an event is known by its place.
            ["ticket_id", "position", "id"].iter().find_map(|name| thing[*name].as_i64())
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Whether asking a route leaves no entry.
fn is_told_nothing_of(reads: Reads) -> bool {
    matches!(reads, Reads::Nothing(_) | Reads::Answers(_))
}

/// A request that a route answers with something, where it takes more than its path.
fn query_of(path: &str) -> &'static str {
    match path {
        path if path.ends_with("/show_many") => "?ids=1,2,3",
        path if path.ends_with("/users/search") => "?query=a",
        path if path.ends_with("/users/autocomplete") => "?name=ad",
        path if path.contains("/incremental/") => "?start_time=0",
        _ => "",
    }
}

#[tokio::test]
async fn every_route_that_reads_tells_what_it_answered() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for subject in ["Printer", "Copier"] {
        bench.ticket(ALAN, json!({"subject": subject, "comment": {"body": "It smokes"}})).await;
    }
    bench.send(request("DELETE", "acme", Some(ALAN), "/api/v2/tickets/2", Body::empty())).await;
    let grant = json!({"name": "Otto", "email": "otto@audit.example", "expires_at": "2026-12-02T10:00:00Z"});
    assert_eq!(bench.post(GRACE, "/api/domicile/v1/auditor_grants", grant).await.status, 201);
    // Exports by time leave out the newest minute.
    bench.advance_seconds(120);
    bench.settle(&bench.acme).await?;
    // Pages are no JSON that tells what they show: their own tests say what is told of them.
    let is_page = |path: &str| path.starts_with("/agent");
    let routes = ROWS.iter().filter(|(path, _)| !path.contains("{token}") && !is_page(path));
    let routes = routes.filter(|(_, reads)| !is_told_nothing_of(*reads));
    let mut expected = Vec::new();
    let mut told_of_many = 0;
    for (path, reads) in routes {
        let target = format!("{}{}", filled(path, "GET", 1).replace("LOG", "1"), query_of(path));
        let answer = match routes::READ_BY_POST.contains(path) {
            true => bench.post(GRACE, &target, json!({})).await,
            false => bench.get(GRACE, &target).await,
        };
        let row = routes::row(path);
        // What a page shows is in no field of an answer: the tests of the pages hold it.
        let is_page = answer.body.is_null() && matches!(reads, Reads::Many(_));
        let ids = match reads {
            Reads::One(_) => vec![row.id_in(&target).expect("an id in the path")],
            Reads::Many(_) if answer.status == 200 => shown(&answer.body),
            Reads::Many(_) | Reads::All(_) | Reads::Answers(_) | Reads::Nothing(_) => Vec::new(),
        };
        told_of_many += usize::from(matches!(reads, Reads::Many(_)) && !ids.is_empty());
        let ids = if is_page { Value::Null } else { json!(ids) };
        expected.push(json!([path, row.kind().as_str(), ids, answer.status.as_u16()]));
    }
    flush(&bench).await;
    let told = logs(&bench, "").await;
    let told = told.iter().zip(&expected).map(|(entry, expected)| {
        let mut ids: Vec<i64> = entry["read_ids"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
        ids.sort_unstable();
        let ids = if expected[2].is_null() { Value::Null } else { json!(ids) };
        json!([expected[0], entry["category"], ids, entry["status"]])
    });
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert!(told_of_many >= 20, "{told_of_many} routes that find things found some");
    Ok(())
}

#[tokio::test]
async fn whoever_reads_a_rule_is_recorded_and_an_auditor_of_certain_tickets_reads_none() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ALAN, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    let open = json!({"title": "Open", "all": [{"field": "status", "operator": "is", "value": "open"}]});
    let view = bench.post(GRACE, "/api/v2/views", json!({ "view": open })).await.body["view"]["id"].clone();
    let close = json!({"title": "Close", "actions": [{"field": "status", "value": "solved"}]});
    let close = bench.post(GRACE, "/api/v2/macros", json!({ "macro": close })).await.body["macro"]["id"].clone();
    let low = json!({"title": "Low", "all": [{"field": "status", "operator": "is", "value": "open"}],
                     "actions": [{"field": "priority", "value": "low"}]});
    let low = bench.post(GRACE, "/api/v2/triggers", json!({ "trigger": low })).await.body["trigger"]["id"].clone();
    let mut auditors = Vec::new();
    for tickets in [json!(null), json!([1])] {
        let wanted = json!({"name": "Otto", "email": format!("otto{}@audit.example", auditors.len()),
                            "expires_at": "2026-12-02T10:00:00Z", "tickets": tickets});
        let made = bench.post(GRACE, "/api/domicile/v1/auditor_grants", wanted).await.body;
        auditors.push((made["auditor_grant"]["id"].clone(), made["token"].as_str().expect("a token").to_owned()));
    }
    bench.settle(&bench.acme).await?;
    let reads = [
        ("/api/v2/views".to_owned(), json!([view])),
        ("/api/v2/views/active".to_owned(), json!([view])),
        ("/api/v2/views/compact".to_owned(), json!([view])),
        (format!("/api/v2/views/show_many?ids={view},999"), json!([view])),
        ("/api/v2/views/count".to_owned(), json!([])),
        (format!("/api/v2/views/{view}"), json!([view])),
        ("/api/v2/macros".to_owned(), json!([close])),
        ("/api/v2/macros/active".to_owned(), json!([close])),
        (format!("/api/v2/macros/{close}"), json!([close])),
        ("/api/v2/triggers".to_owned(), json!([low])),
        ("/api/v2/triggers/active".to_owned(), json!([low])),
        (format!("/api/v2/triggers/{low}"), json!([low])),
    ];
    let mut expected = Vec::new();
    for (id, token) in &auditors {
        let is_of_all = id == &auditors[0].0;
        for (path, ids) in &reads {
            let mut asked = request("GET", "acme", None, path, Body::empty());
            asked.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse()?);
            let status = bench.send(asked).await.status.as_u16();
            assert_eq!(status, if is_of_all { 200 } else { 403 }, "{path}");
            // Of what is refused only that is told which the address names.
            let is_named = is_of_all || !path.contains('?') && path.ends_with(|last: char| last.is_ascii_digit());
            expected.push(json!([id, "GET", "rule", if is_named { ids.clone() } else { json!([]) }, status]));
        }
    }
    bench.get(ALAN, &format!("/api/v2/macros/{close}/apply")).await;
    expected.push(json!([ALAN.id, "GET", "rule", [close], 200]));
    flush(&bench).await;
    let entries = logs(&bench, "filter[category]=rule").await;
    assert_eq!(entries.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(entries[5]["summary"], format!("Read rule {view}"));
    Ok(())
}

#[tokio::test]
async fn the_access_log_is_for_admins_and_reading_it_is_an_entry() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for who in [ALAN, ADA] {
        assert_eq!(bench.get(who, "/api/v2/access_logs").await.status, 403);
    }
    logs(&bench, "").await;
    flush(&bench).await;
    let read: Vec<_> = logs(&bench, "filter[category]=access_log").await.iter().map(told).collect();
    let entry = |who: Who, status| json!([who.id, "GET", "access_log", [], status]);
    assert_eq!(read, [entry(ALAN, 403), entry(ADA, 403), entry(GRACE, 200)]);
    Ok(())
}

#[tokio::test]
async fn a_file_behind_a_link_is_an_entry_that_does_not_tell_the_link() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let upload = bench.upload(ADA, "filename=a.txt", b"bytes").await.body["upload"].clone();
    let comment = json!({"body": "see file", "uploads": [upload["token"]]});
    bench.ticket(ADA, json!({"subject": "x", "comment": comment})).await;
    let url = upload["attachment"]["content_url"].as_str().unwrap_or_default();
    let path = url.strip_prefix("http://acme.localhost:8080").unwrap_or_default();
    assert_eq!(bench.send(request("GET", "acme", None, path, Body::empty())).await.status, 200);
    assert_eq!(
        bench.send(request("GET", "acme", None, "/attachments/token/wrong/", Body::empty())).await.status,
        404,
        "a wrong link leads to nothing, so nothing was read"
    );
    flush(&bench).await;
    let entries = logs(&bench, "").await;
    let read: Vec<_> =
        entries.iter().map(|entry| (&entry["user_id"], &entry["means"], &entry["read_ids"][0])).collect();
    assert_eq!(read, [(&Value::Null, &json!("link"), &upload["attachment"]["id"])]);
    let secret = path.trim_start_matches("/attachments/token/").split('/').next().unwrap_or_default();
    assert!(!secret.is_empty() && !json!(entries).to_string().contains(secret));
    Ok(())
}

#[tokio::test]
async fn entries_are_filtered_and_come_page_by_page_in_both_directions() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for who in [ALAN, GRACE, ALAN, GRACE, ALAN] {
        bench.get(who, "/api/v2/groups/5").await;
        bench.advance_seconds(12 * 3600);
        flush(&bench).await;
    }
    assert_eq!(logs(&bench, "filter[user_id]=2").await.len(), 3);
    assert_eq!(logs(&bench, "filter[path]=/api/v2/groups/5.json&filter[user_id]=1").await.len(), 2);
    assert_eq!(logs(&bench, "filter[path]=/api/v2/tickets").await.len(), 0);
    assert_eq!(logs(&bench, "filter[read_id]=5&filter[category]=group&filter[status]=200").await.len(), 5);
    assert_eq!(logs(&bench, "filter[start]=2026-11-23T00:00:00Z&filter[end]=2026-11-24T00:00:00Z").await.len(), 2);
    for (name, value) in
        [("filter[start]", "x"), ("filter[user_id]", "x"), ("sort", "x"), ("page[after]", "x"), ("page[size]", "0")]
    {
        let answer = bench.get(GRACE, &format!("/api/v2/access_logs?{name}={value}")).await;
        assert_eq!(answer.status, 400, "{name}");
        assert!(answer.body.to_string().contains(name), "{}", answer.body);
    }

    let ids = |page: &Value| -> Vec<String> {
        let entries = page["access_logs"].as_array().expect("a list");
        entries.iter().map(|entry| entry["id"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let page = async |url: &str| bench.get(GRACE, url.trim_start_matches("http://acme.localhost:8080")).await.body;
    let all = ids(&page("/api/v2/access_logs").await);
    assert!(all.is_sorted() && all.len() == 5, "{all:?}");
    for (sort, expected) in [("created_at", all.clone()), ("-created_at", all.iter().rev().cloned().collect())] {
        let first = page(&format!("/api/v2/access_logs?page[size]=2&sort={sort}")).await;
        let second = page(first["links"]["next"].as_str().unwrap_or_default()).await;
        let third = page(second["links"]["next"].as_str().unwrap_or_default()).await;
        assert_eq!([ids(&first), ids(&second), ids(&third)].concat(), expected, "{sort}");
        let more = [&first, &second, &third].map(|page| page["meta"]["has_more"] == true);
        assert_eq!(more, [true, true, false], "{sort}");
        let back = page(third["links"]["prev"].as_str().unwrap_or_default()).await;
        assert_eq!(ids(&back), ids(&second), "{sort}");
    }
    Ok(())
}

#[tokio::test]
async fn two_tenants_with_the_same_ids_never_see_one_another() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let get = async |slug, path: &str| bench.send(request("GET", slug, Some(GRACE), path, Body::empty())).await;
    get("acme", "/api/v2/users/3?mark=acme").await;
    get("globex", "/api/v2/users/3?mark=globex").await;
    flush(&bench).await;
    let mut cursors = Vec::new();
    for (slug, other) in [("acme", "globex"), ("globex", "acme")] {
        let page = get(slug, "/api/v2/access_logs?filter[path]=/api/v2/users").await.body;
        let text = page["access_logs"].to_string();
        assert_eq!(page["access_logs"].as_array().map(Vec::len), Some(1), "{text}");
        assert!(text.contains(slug) && !text.contains(other), "{slug}: {text}");
        cursors.push(page["meta"]["after_cursor"].as_str().unwrap_or_default().to_owned());
    }
    let foreign = get("acme", &format!("/api/v2/access_logs?page[after]={}", cursors[1])).await;
    assert_eq!(foreign.status, 400, "a cursor of another tenant is none");
    Ok(())
}

#[tokio::test]
async fn what_is_read_at_midnight_is_in_the_stream_of_its_day() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let now = bench.test.region.clock.now();
    let midnight = Day::of(now + SignedDuration::from_hours(24)).start();
    bench.test.region.clock.advance(midnight.duration_since(now) - SignedDuration::from_secs(1));
    bench.get(ALAN, "/api/v2/groups/5").await;
    bench.advance_seconds(1);
    bench.get(ALAN, "/api/v2/groups/5").await;
    flush(&bench).await;
    bench.get(ALAN, "/api/v2/groups/5").await;
    flush(&bench).await;
    let desk = &bench.test.desk;
    let mut transaction = regions::begin(&desk.pool, &bench.acme).await?;
    for (day, events) in [(Day::of(midnight).before(1), 1), (Day::of(midnight), 2)] {
        let version = eventlog::stream_version(&mut transaction, &bench.acme, &StreamName::Access(day)).await?;
        assert_eq!(version.get(), events, "{day}");
    }
    drop(transaction);
    assert_eq!(logs(&bench, "").await.len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_flush_is_one_append_and_another_desk_does_not_disturb_it() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let head = async || -> anyhow::Result<Position> {
        let mut transaction = regions::begin(&bench.test.desk.pool, &bench.acme).await?;
        Ok(eventlog::head(&mut transaction, &bench.acme).await?)
    };
    let before = head().await?;
    for _ in 0..10 {
        bench.get(ALAN, "/api/v2/groups/5").await;
    }
    flush(&bench).await;
    assert_eq!(head().await?.get(), before.get() + 1, "ten reads, one event");
    // A desk that knows nothing of the stream, as after a restart or on another machine.
    let other = bench.test.another().await?;
    let app = crate::app::app(other.clone());
    let read = request("GET", "acme", Some(ALAN), "/api/v2/groups/5", Body::empty());
    tower::ServiceExt::oneshot(app, read).await?;
    recorder::run(other, std::future::ready(()), Shutdown::new()).await;
    bench.get(ALAN, "/api/v2/groups/5").await;
    flush(&bench).await;
    assert_eq!(logs(&bench, "").await.len(), 12);
    Ok(())
}

#[tokio::test]
async fn reads_wait_for_each_other_rather_than_be_appended_one_by_one() -> anyhow::Result<()> {
    const READS: i64 = 300;
    let bench = Bench::start().await?;
    let head = async || {
        let mut reader = bench.test.desk.pool.acquire().await?;
        anyhow::Ok(eventlog::head(&mut reader, &bench.acme).await?.get())
    };
    let before = head().await?;
    let (served, last) = tokio::sync::oneshot::channel::<()>();
    let recorder = recorder::run(bench.test.desk.clone(), async { last.await.unwrap_or(()) }, Shutdown::new());
    let started = std::time::Instant::now();
    let reads = async {
        for _ in 0..READS {
            bench.get(ALAN, "/api/v2/users/me").await;
        }
        drop(served);
    };
    tokio::join!(recorder, reads);
    // What lies between two appends is a pause, however long one read takes. A long append has more than one event.
    let pauses = i64::try_from(started.elapsed().as_millis() / recorder::FLUSH_EVERY.as_millis())?;
    let appended = head().await? - before;
    assert!((1..=pauses + 2 + READS / 64).contains(&appended), "{appended} events in {pauses} pauses");
    assert_eq!(logs(&bench, "page[size]=1000").await.len(), usize::try_from(READS)?);
    Ok(())
}

#[tokio::test]
async fn a_command_is_no_read() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "y"}})).await;
    flush(&bench).await;
    assert_eq!(logs(&bench, "").await, [] as [Value; 0]);
    assert!(!super::routes::row("/api/v2/tickets").is_read(&Method::POST));
    Ok(())
}

#[tokio::test]
async fn a_day_that_is_kept_long_enough_cannot_be_read_any_more_and_shows_that_it_was() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let pass = async || retention::pass(&bench.test.desk, &Shutdown::new()).await;
    bench.get(ALAN, "/api/v2/users/3?mark=first").await;
    bench.advance_seconds(24 * 3600);
    bench.get(ALAN, "/api/v2/users/3?mark=second").await;
    flush(&bench).await;
    // Day 0 is over when day 90 is.
    bench.advance_seconds(89 * 24 * 3600);
    pass().await;
    assert_eq!(logs(&bench, "filter[path]=/api/v2/users").await.len(), 2, "the last day it is kept");
    bench.advance_seconds(24 * 3600);
    pass().await;
    let left = logs(&bench, "filter[end]=2026-12-01T00:00:00Z").await;
    let told: Vec<_> = left.iter().map(|entry| (&entry["summary"], &entry["user_id"], &entry["url"])).collect();
    let (erased, read) = (json!("[erased]"), json!("Read user 3"));
    let url = json!("http://acme.localhost:8080/api/v2/users/3?mark=second");
    assert_eq!(told, [(&erased, &Value::Null, &Value::Null), (&read, &json!(ALAN.id), &url)]);
    assert_eq!(logs(&bench, "filter[user_id]=2").await.len(), 1, "whose it was is gone too");
    let keys = async || bench.get(GRACE, "/api/domicile/v1/events?limit=500").await.body.to_string();
    assert_eq!(keys().await.matches("access_log_expired").count(), 1, "on the erasure list, with the reason");
    pass().await;
    assert_eq!(keys().await.matches("access_log_expired").count(), 1, "once");
    Ok(())
}

#[tokio::test]
async fn a_command_that_writes_nothing_is_a_read_of_what_it_answers() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    let named = json!({"user": {"name": "ada"}});
    for _ in 0..2 {
        let renamed = json!({"user": {"name": "Ada L"}});
        bench.keyed("PUT", GRACE, ("/api/v2/users/3", renamed), "once").await;
    }
    bench.put(GRACE, "/api/v2/users/4", json!({"user": {}})).await;
    bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {}})).await;
    bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"priority": "low"}})).await;
    bench.put(ADA, "/api/v2/users/1", named).await;
    flush(&bench).await;
    let read: Vec<_> = logs(&bench, "").await.iter().map(told).collect();
    let expected = [
        json!([1, "PUT", "user", [3], 200]),
        json!([1, "PUT", "user", [4], 200]),
        json!([2, "PUT", "ticket", [1], 200]),
    ];
    assert_eq!(read, expected, "the one that was done already, and those that had nothing to do");
    Ok(())
}

#[tokio::test]
async fn what_was_read_of_a_tenant_that_is_closed_for_a_while_is_recorded_when_it_opens() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.get(ALAN, "/api/v2/groups/5").await;
    set_home(&bench, "eu", "restoring").await?;
    let refused = || bench.test.region.metrics.append_refusals.with_label_values(&["not_at_home"]).get() > 0;
    let reopen = async {
        testkit::until(refused).await?;
        set_home(&bench, "eu", "active").await
    };
    // Without a reopening it would try for ever.
    let flushed = async {
        flush(&bench).await;
        Ok(())
    };
    tokio::try_join!(flushed, reopen)?;
    assert_eq!(logs(&bench, "").await.len(), 1);
    assert_eq!(bench.test.region.metrics.accesses_lost.get(), 0);
    Ok(())
}

#[tokio::test]
async fn what_was_read_of_a_tenant_that_went_elsewhere_is_counted_as_lost() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.get(ALAN, "/api/v2/groups/5").await;
    bench.get(ALAN, "/api/v2/groups/5").await;
    set_home(&bench, "us", "closed").await?;
    flush(&bench).await;
    assert_eq!(bench.test.region.metrics.accesses_lost.get(), 2);
    Ok(())
}

/// Sets acme's home anew, as a move or a restore does.
pub(crate) async fn set_home(bench: &Bench, region: &str, state: &str) -> anyhow::Result<()> {
    let mut owner = regions::connection(&bench.test.region.region, regions::DatabaseRole::Owner).await?;
    sqlx::query!(
        "update log.tenant set region = $2, state = $3, epoch = epoch + 1 where tenant_id = $1",
        bench.acme.tenant_id().get(),
        region,
        state
    )
    .execute(&mut owner)
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_batch_that_perhaps_was_written_is_not_written_twice() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.get(ALAN, "/api/v2/groups/5").await;
    super::write::answered_too_late(&bench.test.desk, &bench.acme).await;
    assert_eq!(logs(&bench, "").await.len(), 1);
    Ok(())
}
