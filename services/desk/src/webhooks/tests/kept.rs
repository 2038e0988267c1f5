//! For how long it is kept what was told.

use super::{super::tidy, *};

const DAY_S: i64 = 24 * 3600;

#[tokio::test]
async fn old_tellings_are_forgotten_with_their_answers() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["ticket.created"]).await;
    let desk = &bench.test.desk;
    for subject in ["Printer", "Kettle", "Lamp"] {
        ticket(&bench, subject).await;
    }
    assert_eq!(pass(desk).await, 3);
    bench.advance_seconds(6 * DAY_S);
    let first = invocations(&bench, &webhook).await[0].clone();
    let again =
        format!("/api/domicile/v1/webhooks/{webhook}/invocations/{}/replay", first["id"].as_str().expect("an id"));
    assert_eq!(bench.post(GRACE, &again, json!({})).await.status, 202);
    assert_eq!(pass(desk).await, 1);
    tidy(desk, &Shutdown::new(), 1).await?;
    assert_eq!((invocations(&bench, &webhook).await.len(), attempts(&bench, &webhook, &first).await.len()), (3, 2));
    bench.advance_seconds(DAY_S + 1);
    tidy(desk, &Shutdown::new(), 1).await?;
    assert_eq!(invocations(&bench, &webhook).await.len(), 1, "all of it, however little at a time");
    assert_eq!(
        attempts(&bench, &webhook, &first).await.len(),
        1,
        "of what was sent once more, the first answer is old"
    );
    bench.advance_seconds(7 * DAY_S);
    tidy(desk, &Shutdown::new(), 1).await?;
    assert_eq!(invocations(&bench, &webhook).await.len(), 0);
    Ok(())
}

#[tokio::test]
async fn what_nobody_took_within_a_day_is_given_up() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["ticket.created"]).await;
    let desk = &bench.test.desk;
    ticket(&bench, "Printer").await;
    follow::pass(desk, &Shutdown::new()).await;
    tidy(desk, &Shutdown::new(), 1).await?;
    assert_eq!(invocations(&bench, &webhook).await.len(), 0, "it waits");
    bench.advance_seconds(DAY_S + 1);
    tidy(desk, &Shutdown::new(), 1).await?;
    assert_eq!(invocations(&bench, &webhook).await[0]["status"], "terminated");
    assert_eq!((pass(desk).await, server.heard().len()), (0, 0));
    Ok(())
}
