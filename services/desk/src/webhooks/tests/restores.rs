//! After a log was brought back nothing of before is sent, and what happens then is told.

use regions::DatabaseRole;
use sqlx::PgConnection;

use super::*;

/// Notes a restore, as whoever restored it does. `longer`: how many events more the log had.
async fn restore(bench: &Bench, owner: &mut PgConnection, longer: i64) -> anyhow::Result<()> {
    sqlx::query!(
        "insert into log.restored
             (tenant_id, restore_id, command, backup_id, archived, old_end, new_end, set_aside, restored_at)
         select tenant_id, gen_random_uuid(), 'restore', null, position, position + $2, position, 0, now()
         from log.tenant where tenant_id = $1",
        bench.acme.tenant_id().get(),
        longer,
    )
    .execute(owner)
    .await?;
    Ok(())
}

#[tokio::test]
async fn after_a_restore_nothing_of_before_is_sent() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["ticket.created"]).await;
    let desk = &bench.test.desk;
    ticket(&bench, "noted and not sent").await;
    follow::pass(desk, &Shutdown::new()).await;
    ticket(&bench, "not even noted").await;
    let mut owner = regions::connection(&bench.test.region.region, DatabaseRole::Owner).await?;
    restore(&bench, &mut owner, 0).await?;
    assert_eq!(pass(desk).await, 0);
    assert_eq!(server.heard().len(), 0);
    assert_eq!(invocations(&bench, &webhook).await[0]["status"], "terminated");
    ticket(&bench, "after it").await;
    assert_eq!(pass(desk).await, 1);
    assert_eq!(server.heard()[0].1["detail"]["subject"], "after it");
    sqlx::query!("delete from deliveries.invocation").execute(&mut owner).await?;
    assert_eq!(pass(desk).await, 0, "what was looked at is not looked at again");
    Ok(())
}

#[tokio::test]
async fn positions_that_a_shorter_log_gives_again_are_told_as_what_they_are_now() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let server = Server::start(&bench).await?;
    let webhook = made(&bench, &server.url, &["ticket.created"]).await;
    let (desk, other) = (&bench.test.desk, bench.test.another().await?);
    ticket(&bench, "of before").await;
    assert_eq!(pass(desk).await, 1);
    // There were 200 events more, of which the webhook was to be told.
    let mut owner = regions::connection(&bench.test.region.region, DatabaseRole::Owner).await?;
    sqlx::query!(
        "insert into deliveries.invocation
             (tenant_id, webhook_id, invocation_id, position, is_open, attempts, due_at, created_at)
         select told.tenant_id, told.webhook_id, (head.position + ahead) * 64, head.position + ahead, true, 0, told.due_at, told.created_at
         from deliveries.invocation as told join log.tenant as head on head.tenant_id = told.tenant_id, generate_series(1, 200) as ahead"
    )
    .execute(&mut owner)
    .await?;
    sqlx::query!("update deliveries.checkpoint set position = position + 200").execute(&mut owner).await?;
    restore(&bench, &mut owner, 200).await?;
    assert!(deliver::take(desk, 64).await.is_empty(), "nothing is sent before it is known what of it is left");
    assert_eq!(super::super::checkpoint::behind(desk).await?, [bench.acme.tenant_id()]);

    ticket(&bench, "after it").await;
    // Two desks see the restore at the same moment.
    let mut held = sqlx::Connection::begin(&mut owner).await?;
    sqlx::query!("select position from deliveries.checkpoint for update").fetch_all(&mut *held).await?;
    let shutdown = Shutdown::new();
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        held.commit().await
    };
    let ((), (), released) = tokio::join!(follow::pass(desk, &shutdown), follow::pass(&other, &shutdown), release);
    released?;
    follow::pass(&other, &shutdown).await;
    assert_eq!((pass(desk).await, pass(&other).await), (1, 0));
    let subjects: Vec<Value> = server.heard().iter().map(|(_, body)| body["detail"]["subject"].clone()).collect();
    assert_eq!(subjects, ["of before", "after it"]);
    let told: Vec<Value> = invocations(&bench, &webhook).await.iter().map(|one| one["status"].clone()).collect();
    assert_eq!(told, ["success", "success"], "of what is gone no row is left");
    Ok(())
}
