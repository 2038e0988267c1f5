//! Many writers on one ticket.

use futures::future::{join_all, try_join_all};
use serde_json::json;
use system_tests::{Deployment, Tenant};

const WRITERS: usize = 8;
const COMMENTS: usize = 4;

#[tokio::test]
async fn comments_of_concurrent_writers_all_arrive_once() -> anyhow::Result<()> {
    let acme = Deployment::shared().await?.signup("eu", "concurrent").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?;
    try_join_all((0..WRITERS).map(|writer| write(&acme, ticket, writer))).await?;

    let mut comments = acme.comments(ticket).await?;
    assert_eq!(comments.remove(0), "It smokes");
    comments.sort();
    let mut expected: Vec<String> =
        (0..WRITERS).flat_map(|writer| (0..COMMENTS).map(move |number| text(writer, number))).collect();
    expected.sort();
    assert_eq!(comments, expected);
    acme.assert_dense().await?;
    Ok(())
}

/// Somebody else may win however often the desk decides anew; then the client comes again with the same key.
async fn write(acme: &Tenant, ticket: i64, writer: usize) -> anyhow::Result<()> {
    for number in 0..COMMENTS {
        let text = text(writer, number);
        let mut attempts = 0;
        loop {
            let answer = acme.comment(ticket, &text, &text.replace(' ', "-")).await?;
            if answer.status != 409 {
                answer.expect(200)?;
                break;
            }
            attempts += 1;
            anyhow::ensure!(attempts < 50, "{text}: {}", answer.text());
        }
    }
    Ok(())
}

fn text(writer: usize, number: usize) -> String {
    format!("writer {writer} says {number}")
}

#[tokio::test]
async fn of_safe_updates_of_one_version_one_is_taken() -> anyhow::Result<()> {
    let acme = Deployment::shared().await?.signup("eu", "concurrent-safe").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?;
    let path = format!("/api/v2/tickets/{ticket}.json");
    let version: i64 =
        acme.client.put(&path, &json!({"ticket": {}})).await?.expect(200)?.header("x-domicile-version").parse()?;
    let update =
        |number: usize| json!({"ticket": {"subject": format!("Subject {number}"), "expected_version": version}});
    let answers = join_all((0..WRITERS).map(async |number| acme.client.put(&path, &update(number)).await)).await;

    let mut taken = Vec::new();
    for answer in answers {
        let answer = answer?;
        if answer.status == 200 {
            taken.push(answer.body["ticket"]["subject"].clone());
        } else {
            assert_eq!((answer.status, &answer.body["error"]), (409, &json!("UpdateConflict")), "{}", answer.text());
        }
    }
    let shown = acme.client.get(&path).await?.expect(200)?.body;
    assert_eq!(taken, [shown["ticket"]["subject"].clone()]);
    let stale = acme.client.put(&path, &update(99)).await?;
    assert_eq!(stale.status, 409, "{}", stale.text());
    let history = acme.client.get(&format!("/api/domicile/v1/tickets/{ticket}/history")).await?.expect(200)?.body;
    assert_eq!(
        history["events"].as_array().map(Vec::len),
        Some(3),
        "opened, commented, and one new subject: {history}"
    );
    Ok(())
}

#[tokio::test]
async fn requests_repeated_at_once_with_one_key_are_done_once() -> anyhow::Result<()> {
    let acme = Deployment::shared().await?.signup("eu", "concurrent-key").await?;
    let ticket = acme.ticket("Printer", "It smokes").await?;
    let answers = join_all((0..WRITERS).map(|_| acme.comment(ticket, "once", "one-key"))).await;
    for answer in answers {
        let answer = answer?;
        // Two that decide at once: one is told that the other was first, and may come again.
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text());
    }
    assert_eq!(acme.comment(ticket, "once", "one-key").await?.status, 200);
    assert_eq!(acme.comments(ticket).await?, ["It smokes", "once"]);
    Ok(())
}
