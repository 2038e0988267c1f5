use serde_json::json;

use super::super::testing::page;
use crate::api::testing::{ADA, ALAN, Bench, GRACE};

const HISTORY: &str = "/agent/tickets/1/history";

async fn bench_with_life() -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    let all = json!([{"field": "priority", "operator": "is", "value": "urgent"}]);
    let actions = json!([{"field": "current_tags", "value": "fire"}]);
    let trigger = json!({"trigger": {"title": "Fires", "all": all, "actions": actions}});
    assert_eq!(bench.post(GRACE, "/api/v2/triggers", trigger).await.status, 201);
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It <i>smokes</i>"}})).await;
    bench.advance_seconds(3_600);
    bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"priority": "urgent", "subject": "Fire"}})).await;
    Ok(bench)
}

#[tokio::test]
async fn any_state_of_a_ticket_is_shown_as_it_was_and_what_made_it_so() -> anyhow::Result<()> {
    let bench = bench_with_life().await?;
    let shown = |version: usize| {
        let path = format!("{HISTORY}?version={version}");
        let bench = &bench;
        async move { page(bench, ALAN, &path).await }
    };
    let opened = shown(1).await;
    assert!(opened.contains("<b><bdi>Printer</bdi></b>") && opened.contains("The ticket was opened"), "{opened}");
    assert!(!opened.contains("It &lt;i&gt;smokes") && !opened.contains("rel=\"prev\""), "nothing was said yet");
    let said = shown(2).await;
    assert!(said.contains("It &lt;i&gt;smokes&lt;/i&gt;") && said.contains(r#"max="6" value="2""#), "{said}");
    let last = page(&bench, ALAN, HISTORY).await;
    assert!(last.contains("<b><bdi>Fire</bdi></b>") && !last.contains("rel=\"next\""), "{last}");
    assert!(last.contains("<ins><bdi>fire</bdi></ins>") && last.contains("by the trigger <bdi>Fires</bdi>"), "{last}");
    assert!(last.contains("22 Nov 2026, 11:00"));
    let changed: String = [shown(3).await, shown(4).await].concat();
    assert!(changed.contains("<ins><bdi>Urgent</bdi></ins>"), "{changed}");
    assert!(changed.contains("<del><bdi>Printer</bdi></del>") && changed.contains("<bdi>alan</bdi>"), "{changed}");
    for wrong in ["0", "7", "x", "-1"] {
        assert_eq!(bench.get(ALAN, &format!("{HISTORY}?version={wrong}")).await.status, 400, "{wrong}");
    }
    assert_eq!(bench.get(ALAN, "/agent/tickets/9/history").await.status, 404);
    Ok(())
}

#[tokio::test]
async fn whoever_may_take_proofs_along_is_led_to_each_events_own() -> anyhow::Result<()> {
    let bench = bench_with_life().await?;
    let events = bench.get(ALAN, "/api/domicile/v1/tickets/1/history").await.body;
    let position = events["events"][2]["position"].to_string();
    let link = format!("/api/domicile/v1/audit/proof?event={position}\"");
    assert!(page(&bench, GRACE, &format!("{HISTORY}?version=3")).await.contains(&link));
    assert!(!page(&bench, ALAN, &format!("{HISTORY}?version=3")).await.contains("/audit/proof"));
    Ok(())
}

#[tokio::test]
async fn what_was_deleted_is_not_there_and_its_history_is() -> anyhow::Result<()> {
    let bench = bench_with_life().await?;
    assert_eq!(bench.delete(ALAN, "/api/v2/tickets/1").await.status, 204);
    let shown = page(&bench, ALAN, HISTORY).await;
    assert!(shown.contains("The ticket was deleted") && !shown.contains("<b><bdi>Fire"), "{shown}");
    assert!(page(&bench, ALAN, &format!("{HISTORY}?version=6")).await.contains("<b><bdi>Fire"));
    Ok(())
}
