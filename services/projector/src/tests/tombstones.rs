//! What reads show when a key was destroyed.

use schemas::{ticket::StatusSet, values::Status};

use super::{
    accounts,
    checking::MENDING,
    people, threads,
    world::{World, comment, opened, ticket},
};
use crate::{Selection, catch_up, rebuild_with};

#[tokio::test]
async fn an_erased_comment_leaves_a_tombstone_and_right_counts() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("Call me on 555-0100.")]).await?;
    world.say(&acme, "ticket-1", vec![comment("Will do.")]).await?;
    world.catch_up(&acme).await?;
    let erase_first = "delete from vault.data_key where key_id = (select key_id from log.event where position = 2
                       and tenant_id = data_key.tenant_id) and tenant_id = ";
    assert_eq!(world.as_owner(erase_first, &acme).await?, 1);
    let deps = world.restarted().await?;
    // The rows that serve still hold what was erased: the rebuild is to take it away.
    rebuild_with(&deps, &Selection::all(), MENDING, &|_| {}).await?;

    let bodies = sqlx::query!(
        "select body, is_public, author_id from comment where tenant_id = $1 order by comment_id",
        acme.tenant_id().get()
    )
    .fetch_all(&mut world.reader().await?)
    .await?;
    let bodies: Vec<_> = bodies.iter().map(|row| (row.body.as_str(), row.is_public, row.author_id)).collect();
    assert_eq!(bodies, [("[erased]", false, 7), ("Will do.", true, 7)]);
    let description =
        sqlx::query_scalar!("select description from ticket_list where tenant_id = $1", acme.tenant_id().get());
    assert_eq!(description.fetch_one(&mut world.reader().await?).await?, "[erased]");
    let body = sqlx::query_scalar!(
        r#"select events -> -1 ->> 'body' as "body!" from audit where tenant_id = $1 order by audit_id limit 1"#,
        acme.tenant_id().get()
    );
    assert_eq!(body.fetch_one(&mut world.reader().await?).await?, "[erased]");
    Ok(())
}

#[tokio::test]
async fn what_is_erased_before_it_is_read_leaves_tombstones_everywhere() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "tenant", vec![accounts::registered("Acme Inc.")]).await?;
    world.say(&acme, "person-3", vec![people::added(3, "Ann", Some("ann@example.com"))]).await?;
    world.say(&acme, "upload-20", vec![threads::received(20)]).await?;
    world
        .say(
            &acme,
            "ticket-1",
            vec![opened("Kettle"), comment("It whistles."), ticket(StatusSet { status: Status::Open })],
        )
        .await?;
    world.as_owner("delete from vault.data_key where tenant_id = ", &acme).await?;
    let head = catch_up(&world.restarted().await?, &acme).await?;
    assert_eq!(head.get(), 6, "a tombstone halts nobody");

    let row = sqlx::query!(
        r#"select account.company, account.slug, person.name, person.email, person.role, ticket.subject, ticket.status,
                  attachment.file_name, comment.body, jsonb_array_length(audit.events) as "entries!"
           from account
           join person using (tenant_id) join ticket_list as ticket using (tenant_id)
           join attachment using (tenant_id) join comment using (tenant_id) join audit using (tenant_id)
           where tenant_id = $1"#,
        acme.tenant_id().get()
    )
    .fetch_one(&mut world.reader().await?)
    .await?;
    assert_eq!((row.company.as_str(), row.slug.as_str()), ("[erased]", "acme"));
    assert_eq!((row.name.as_str(), row.email, row.role.as_str()), ("[erased]", None, "end-user"));
    assert_eq!((row.subject.as_str(), row.status.as_str()), ("[erased]", "closed"));
    assert_eq!((row.file_name.as_str(), row.body.as_str()), ("[erased]", "[erased]"));
    assert_eq!(row.entries, 3, "subject, comment and status");
    Ok(())
}
