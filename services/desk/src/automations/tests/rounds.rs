//! What a round does when something comes between, and how much there may be of it.

use std::sync::Arc;

use domain::{
    rule::{AUTOMATION_WORDS_MAX, WORDS_MAX},
    ticket::Command,
};
use sqlx::{Postgres, QueryBuilder};

use super::*;
use crate::read::automations::Matching;

#[tokio::test]
async fn what_somebody_changes_between_the_look_and_the_deed_is_looked_at_again() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let pending =
        json!([said("status", "is", "pending"), said("PENDING", "greater_than", "1"), said("priority", "is", "low")]);
    let rule =
        RuleId::new(automation(&bench, "Raise", (pending, json!([{"field": "priority", "value": "high"}]))).await);
    let ticket = bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It whistles."}})).await;
    put(&bench, ALAN, ticket, json!({"status": "pending", "priority": "low"})).await;
    bench.advance_seconds(3 * HOUR);
    bench.settle(&bench.acme).await?;
    let (desk, hour, shutdown) = (&bench.test.desk, beginning(now(&bench)), Shutdown::new());
    let mut taken = hour::take(desk, &bench.acme, hour).await?.expect("nobody is at it");
    let round = work::Round { desk, resident: &bench.acme, taken: &mut taken, shutdown: &shutdown, watching: None };
    let raise = Arc::new(work::one(desk, &bench.acme, rule).await?.expect("it is in use"));
    let asking = work::asking(hour);
    let matching = Matching::conditions((&raise.conditions, &asking), (rule, hour));
    let found = round.page(&matching, (0, 10)).await?;
    put(&bench, ALAN, ticket, json!({"priority": "normal"})).await;
    let is_changed = round.to_one(&matching, found[0], &Command::Automated(raise.clone())).await?;
    assert_eq!((is_changed, shown(&bench, ticket, "priority").await), (false, json!("normal")));
    Ok(())
}

#[tokio::test]
async fn an_automation_that_fails_stops_no_other_and_is_left_alone_for_a_while() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let pending = json!([said("status", "is", "pending"), said("PENDING", "greater_than", "1")]);
    let failing = automation(&bench, "Wake", (pending, json!([{"field": "status", "value": "open"}]))).await;
    closing(&bench, 1).await;
    let [asleep, solved] = [json!("pending"), json!("solved")].map(|status| (status, "Kettle"));
    let mut tickets = Vec::new();
    for (status, subject) in [asleep, solved] {
        let ticket = bench.ticket(ADA, json!({"subject": subject, "comment": {"body": "It whistles."}})).await;
        put(&bench, ALAN, ticket, json!({ "status": status })).await;
        tickets.push(ticket);
    }
    bench.advance_seconds(5 * HOUR);
    bench.settle(&bench.acme).await?;
    let mut owner = regions::connection(&bench.test.region.region, regions::DatabaseRole::Owner).await?;
    let mut automated = async |moments: Value| {
        let mut set = QueryBuilder::<Postgres>::new("update read_ticket_metrics_1.ticket_metric set automated = ");
        set.push_bind(moments).push(" where ticket_id = ").push_bind(tickets[0]);
        set.build().execute(&mut owner).await
    };
    automated(json!({ failing.to_string(): "no moment" })).await?;
    pass(&bench).await?;
    assert_eq!(shown(&bench, tickets[1], "status").await, "closed", "the other one is asked");
    automated(json!({})).await?;
    pass(&bench).await?;
    assert_eq!(shown(&bench, tickets[0], "status").await, "pending", "not at once");
    bench.advance_seconds(6 * 60);
    pass(&bench).await?;
    assert_eq!(shown(&bench, tickets[0], "status").await, "open");
    Ok(())
}

#[tokio::test]
async fn automations_in_use_look_for_so_many_words_together() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let seeking = |count: usize, is_active: bool| {
        let words: Vec<String> = (0..count).map(|word| format!("w{word}")).collect();
        let all = json!([
            said("status", "is", "solved"),
            said("SOLVED", "greater_than", "96"),
            said("subject_includes_word", "includes", words.join(" "))
        ]);
        json!({"automation": {"title": "Close", "all": all, "active": is_active,
            "actions": [{"field": "status", "value": "closed"}]}})
    };
    let post = async |count, is_active| bench.post(GRACE, "/api/v2/automations", seeking(count, is_active)).await;
    for count in [WORDS_MAX; AUTOMATION_WORDS_MAX / WORDS_MAX] {
        assert_eq!(post(count, true).await.status, 201);
    }
    assert_eq!(post(1, true).await.wrong_fields(), ["conditions"]);
    let waiting = post(1, false).await;
    assert_eq!(waiting.status, 201, "{}", waiting.body);
    let address = format!("/api/v2/automations/{}", waiting.body["automation"]["id"]);
    let put_in = json!({"automation": {"active": true}});
    assert_eq!(bench.put(GRACE, &address, put_in).await.wrong_fields(), ["conditions"]);
    Ok(())
}
