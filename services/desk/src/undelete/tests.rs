use regions::DatabaseRole;
use schemas::{Position, TicketId};
use serde_json::{Value, json};

use super::{Error, Moment, Restored, restore_ticket};
use crate::api::testing::{ADA, ALAN, Bench, GRACE, SUPPORT};

const TICKET: TicketId = TicketId::new(1);

async fn bench_with_ticket() -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    Ok(bench)
}

async fn restore(bench: &Bench, moment: Option<Moment>) -> Result<Restored, Error> {
    restore_ticket(&bench.test.desk, &bench.acme, TICKET, moment).await
}

async fn update(bench: &Bench, ticket: Value) {
    let answer = bench.put(ALAN, "/api/v2/tickets/1", json!({ "ticket": ticket })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn delete(bench: &Bench) {
    assert_eq!(bench.delete(ALAN, "/api/v2/tickets/1").await.status, 204);
}

/// Where the ticket's newest event stands.
async fn now(bench: &Bench) -> anyhow::Result<Position> {
    let mut owner = regions::connection(&bench.test.region.region, DatabaseRole::Owner).await?;
    let row = sqlx::query_scalar!(
        r#"select max(position) as "position!" from log.event where tenant_id = $1 and stream = 'ticket-1'"#,
        bench.acme.tenant_id().get()
    );
    Ok(Position::new(row.fetch_one(&mut owner).await?))
}

#[tokio::test]
async fn a_deleted_ticket_is_back_as_it_was_by_an_event_that_everybody_sees() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    update(&bench, json!({"status": "pending", "priority": "low"})).await;
    delete(&bench).await;
    let restored = restore(&bench, None).await?;
    assert!(restored.was_deleted && restored.events > 0, "{restored:?}");
    bench.settle(&bench.acme).await?;
    let ticket = bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"].clone();
    assert_eq!((&ticket["status"], &ticket["priority"]), (&"pending".into(), &"low".into()));
    let log = bench.get(GRACE, "/api/v2/audit_logs").await;
    let rows = log.body["audit_logs"].as_array().into_iter().flatten();
    let of_ticket: Vec<_> = rows.filter(|row| row["source_type"] == "ticket").map(|row| &row["action"]).collect();
    assert_eq!(of_ticket, ["update", "destroy"], "newest first: {}", log.body);

    assert!(matches!(restore(&bench, None).await, Err(Error::NotDeleted(_))), "once");
    let other = restore_ticket(&bench.test.desk, &bench.globex, TICKET, None).await;
    assert!(matches!(other, Err(Error::Unknown(_))), "another tenant's number: {other:?}");
    Ok(())
}

#[tokio::test]
async fn its_fields_are_set_to_a_moment_and_what_was_said_since_stays() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    update(&bench, json!({"status": "pending", "assignee_id": ALAN.id, "group_id": SUPPORT, "tags": ["hot"]})).await;
    let then = now(&bench).await?;
    let spoilt = json!({"subject": "Nothing", "status": "solved", "tags": [], "priority": "urgent"});
    update(&bench, spoilt).await;
    update(&bench, json!({"comment": {"body": "Oh", "public": false}})).await;
    delete(&bench).await;

    let restored = restore(&bench, Some(Moment::Position(then))).await?;
    assert!(restored.was_deleted, "{restored:?}");
    bench.settle(&bench.acme).await?;
    let ticket = bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"].clone();
    let fields = ["subject", "status", "tags", "priority", "assignee_id"].map(|field| ticket[field].clone());
    assert_eq!(json!(fields), json!(["Printer", "pending", ["hot"], null, ALAN.id]));
    assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/comments").await.body["count"], 2);
    // Everything is so already.
    let again = restore(&bench, Some(Moment::Position(then))).await?;
    assert_eq!((again.was_deleted, again.events), (false, 0));
    Ok(())
}

#[tokio::test]
async fn what_was_new_is_open_and_nobody_has_it() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let then = now(&bench).await?;
    update(&bench, json!({"status": "solved"})).await;
    restore(&bench, Some(Moment::Position(then))).await?;
    bench.settle(&bench.acme).await?;
    let ticket = bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"].clone();
    assert_eq!((&ticket["status"], &ticket["assignee_id"]), (&"open".into(), &Value::Null));
    Ok(())
}

#[tokio::test]
async fn what_cannot_come_back_is_refused_and_nothing_is_written() -> anyhow::Result<()> {
    let bench = bench_with_ticket().await?;
    let then = now(&bench).await?;
    let before = restore(&bench, Some(Moment::Time(jiff::Timestamp::UNIX_EPOCH))).await;
    assert!(matches!(before, Err(Error::NotThen(_))), "{before:?}");
    update(&bench, json!({"status": "closed"})).await;
    let closed = restore(&bench, Some(Moment::Position(then))).await;
    assert!(matches!(closed, Err(Error::Closed(_))), "{closed:?}");
    delete(&bench).await;
    let written = now(&bench).await?;
    let deleted = restore(&bench, Some(Moment::Position(written))).await;
    assert!(matches!(deleted, Err(Error::Closed(_))), "{deleted:?}");
    assert_eq!(now(&bench).await?, written);

    assert_eq!(bench.delete(GRACE, "/api/v2/deleted_tickets/1").await.status, 200);
    let written = now(&bench).await?;
    for moment in [None, Some(Moment::Position(then))] {
        let erased = restore(&bench, moment).await.expect_err("it is erased");
        assert!(erased.to_string().starts_with("ticket 1 was erased"), "{erased}");
    }
    assert_eq!(now(&bench).await?, written);
    Ok(())
}
