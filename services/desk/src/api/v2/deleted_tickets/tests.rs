use regions::DatabaseRole;
use schemas::TicketId;
use serde_json::{Value, json};
use vault::Scope;

use crate::{
    api::testing::{ADA, ALAN, Answer, Bench, EVE, GRACE},
    erase,
};

async fn bench_with_tickets() -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    for subject in ["Printer", "Kettle", "Lamp"] {
        bench.ticket(ADA, json!({"subject": subject, "comment": {"body": format!("{subject} smokes")}})).await;
    }
    Ok(bench)
}

fn ids(answer: &Answer, key: &str) -> Vec<i64> {
    answer.body[key].as_array().into_iter().flatten().filter_map(|row| row["id"].as_i64()).collect()
}

#[tokio::test]
async fn a_deleted_ticket_is_gone_everywhere_but_in_the_list_of_deleted_ones() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"status": "closed"}})).await;
    assert_eq!(bench.delete(ALAN, "/api/v2/tickets/1.json").await.status, 204, "closed, and deleted all the same");
    for path in ["1", "1/comments", "1/audits"] {
        assert_eq!(bench.get(ALAN, &format!("/api/v2/tickets/{path}")).await.status, 404, "{path}");
    }
    assert_eq!(ids(&bench.get(ALAN, "/api/v2/tickets").await, "tickets"), [2, 3]);
    assert_eq!(ids(&bench.get(ALAN, "/api/v2/tickets/show_many?ids=1,2").await, "tickets"), [2]);
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/count").await.body["count"]["value"], 2);
    assert_eq!(bench.get(ALAN, "/api/domicile/v1/tickets/1").await.status, 404);
    let update = bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"priority": "low"}})).await;
    assert_eq!(update.status, 404, "nobody works on it");
    assert_eq!(bench.delete(ALAN, "/api/v2/tickets/1").await.status, 404, "once");

    let deleted = bench.get(ALAN, "/api/v2/deleted_tickets.json").await;
    assert_eq!(deleted.body["count"], 1);
    assert_eq!(
        deleted.body["deleted_tickets"][0],
        json!({
            "id": 1, "subject": "Printer", "description": "Printer smokes", "previous_state": "closed",
            "actor": {"id": ALAN.id, "name": "alan"}, "deleted_at": "2026-11-22T10:00:00Z",
        })
    );
    Ok(())
}

#[tokio::test]
async fn restored_tickets_are_as_they_were_all_of_them_or_none() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    let before = bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"]["subject"].clone();
    for ticket in [1, 2] {
        bench.delete(ALAN, &format!("/api/v2/tickets/{ticket}")).await;
    }
    let none = bench.put(ALAN, "/api/v2/deleted_tickets/restore_many?ids=1,2,3", Value::Null).await;
    assert_eq!((none.status.as_u16(), ids(&bench.get(ALAN, "/api/v2/tickets").await, "tickets")), (404, vec![3]));
    let one = bench.put(ALAN, "/api/v2/deleted_tickets/1/restore.json", Value::Null).await;
    assert_eq!((one.status.as_u16(), &one.body), (200, &json!({})));
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"]["subject"], before);
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/comments").await.body["count"], 1);
    assert_eq!(bench.put(ALAN, "/api/v2/deleted_tickets/restore_many?ids=2,2", Value::Null).await.status, 200);
    assert_eq!(bench.get(ALAN, "/api/v2/deleted_tickets").await.body["count"], 0);
    Ok(())
}

#[tokio::test]
async fn only_agents_delete_restore_and_erase() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    assert_eq!(bench.delete(ADA, "/api/v2/tickets/1").await.status, 403);
    assert_eq!(bench.delete(EVE, "/api/v2/tickets/1").await.status, 404, "whose it is, is not told");
    bench.delete(ALAN, "/api/v2/tickets/1").await;
    assert_eq!(bench.get(ADA, "/api/v2/deleted_tickets").await.status, 403);
    assert_eq!(bench.put(ADA, "/api/v2/deleted_tickets/1/restore", Value::Null).await.status, 403);
    assert_eq!(bench.delete(ADA, "/api/v2/deleted_tickets/1").await.status, 403);
    assert_eq!(bench.delete(ALAN, "/api/v2/deleted_tickets/2").await.status, 404, "it is not deleted");
    Ok(())
}

#[tokio::test]
async fn an_erased_ticket_leaves_no_word_and_no_key_and_never_comes_back() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    let note = json!({"ticket": {"tags": ["canarytag"], "comment": {"body": "canarynote", "public": false}}});
    bench.put(ALAN, "/api/v2/tickets/1", note).await;
    bench.delete(ALAN, "/api/v2/tickets/1").await;
    assert!(bench.holds("Printer smokes").await? && bench.holds("canarynote").await?, "deleted only");

    let erased = bench.delete(ALAN, "/api/v2/deleted_tickets/1.json").await;
    assert_eq!((erased.status.as_u16(), &erased.body["job_status"]["status"]), (200, &json!("completed")));
    let job = erased.body["job_status"]["url"].as_str().and_then(|url| url.split_once(":8080")).expect("a URL").1;
    assert_eq!(bench.get(ALAN, job).await.body["job_status"]["results"], json!({"success": true}));
    assert_eq!(bench.get(ALAN, "/api/v2/job_statuses/V3-00000000000000000000000000000001").await.status, 404);

    for word in ["Printer", "canarynote", "canarytag"] {
        assert!(!bench.holds(word).await?, "{word}");
    }
    assert!(bench.holds("Kettle smokes").await?, "the search finds what is there");
    let keys = bench.test.desk.vault.living(&bench.acme, &[Scope::Ticket(TicketId::new(1))]).await?;
    assert_eq!(keys, []);
    assert_eq!(bench.get(ALAN, "/api/v2/deleted_tickets").await.body["count"], 0);
    assert_eq!(bench.put(ALAN, "/api/v2/deleted_tickets/1/restore", Value::Null).await.status, 404);
    assert_eq!(bench.delete(ALAN, "/api/v2/deleted_tickets/1").await.status, 404);
    let history = bench.get(ALAN, "/api/domicile/v1/tickets/1/history").await.body;
    let events: Vec<_> = history["events"].as_array().into_iter().flatten().collect();
    let is_erased = |event: &&&Value| event["is_erased"] == true && event["data"].is_null();
    assert_eq!(
        (events.iter().filter(is_erased).count(), events.len()),
        (5, 6),
        "all but that it was erased: {history}"
    );
    Ok(())
}

#[tokio::test]
async fn many_are_erased_and_the_others_are_named() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    for ticket in [1, 3] {
        bench.delete(GRACE, &format!("/api/v2/tickets/{ticket}")).await;
    }
    let answer = bench.delete(GRACE, "/api/v2/deleted_tickets/destroy_many?ids=1,2,3").await;
    let results = &answer.body["job_status"]["results"];
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!([0, 1, 2].map(|index| results[index]["success"] == true), [true, false, true]);
    assert_eq!(results[1]["error"], "TicketNotFound");
    assert_eq!(ids(&bench.get(ALAN, "/api/v2/tickets").await, "tickets"), [2]);
    assert_eq!(bench.delete(GRACE, "/api/v2/deleted_tickets/destroy_many?ids=2").await.status, 404);
    Ok(())
}

#[tokio::test]
async fn an_erasure_whose_keys_cannot_be_destroyed_at_once_works_on_until_they_are() -> anyhow::Result<()> {
    let bench = bench_with_tickets().await?;
    for ticket in [1, 2] {
        bench.delete(ALAN, &format!("/api/v2/tickets/{ticket}")).await;
    }
    let owner = bench.test.region.pool(DatabaseRole::Owner).await?;
    sqlx::query!("revoke execute on function vault.destroy_keys from domicile_desk").execute(&owner).await?;
    let erased = bench.delete(ALAN, "/api/v2/deleted_tickets/1").await;
    let job = &erased.body["job_status"];
    assert_eq!((erased.status.as_u16(), &job["status"], &job["results"]), (200, &json!("working"), &Value::Null));
    let place = job["url"].as_str().and_then(|url| url.split_once(":8080")).expect("a URL").1;
    assert_eq!(bench.get(ALAN, place).await.body["job_status"]["status"], "working");
    let many = bench.delete(ALAN, "/api/v2/deleted_tickets/destroy_many?ids=2,3").await;
    let job = &many.body["job_status"];
    assert_eq!((&job["status"], &job["total"], &job["progress"]), (&json!("working"), &json!(2), &Value::Null));
    assert_eq!([0, 1].map(|index| job["results"][index]["success"] == true), [true, false], "what is refused is told");

    sqlx::query!("grant execute on function vault.destroy_keys to domicile_desk").execute(&owner).await?;
    erase::carry_out(&bench.test.desk, &bench.acme).await?;
    let done = bench.get(ALAN, place).await;
    assert_eq!(done.body["job_status"]["status"], "completed");
    assert_eq!(done.body["job_status"]["results"], json!({"success": true}));
    Ok(())
}
