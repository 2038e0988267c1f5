//! What reads show when a key was destroyed.

use schemas::{
    AttachmentId,
    ticket::{StatusSet, TicketDeleted, TicketErased},
    values::{Status, Visibility},
};

use super::{
    accounts,
    checking::MENDING,
    people, threads,
    world::{Draft, World, comment, comment_of, opened, ticket},
};
use crate::{Selection, batch::Payload, catch_up, rebuild, rebuild_with};

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

#[tokio::test]
async fn rows_after_an_erasure_are_those_of_a_build_that_never_saw_what_was_erased() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "person-3", vec![people::added(3, "Ann", Some("ann@example.com"))]).await?;
    world.say(&acme, "upload-20", vec![threads::received(20)]).await?;
    let with_file = comment_of("It whistles.", Visibility::Public, &[20]);
    world.say(&acme, "ticket-1", vec![opened("Kettle"), with_file]).await?;
    world.say(&acme, "ticket-1", vec![ticket(StatusSet { status: Status::Open }), comment("Still.")]).await?;
    world.say(&acme, "ticket-2", vec![opened("Lamp"), comment("It flickers.")]).await?;
    world.catch_up(&acme).await?;

    world.say(&acme, "ticket-1", vec![ticket(TicketDeleted {})]).await?;
    world.say(&acme, "ticket-1", vec![ticket(TicketErased { attachments: vec![AttachmentId::new(20)] })]).await?;
    for event_type in ["person_deleted", "person_erased"] {
        world.say(&acme, "person-3", vec![Draft::raw(event_type, 1, "{}")]).await?;
    }
    // Keys that are still held in memory, as when a projector reads of an erasure.
    world.catch_up(&acme).await?;
    let live = world.fingerprints(&acme).await?;
    let left = sqlx::query_scalar!(
        r#"select concat_ws(' ', ticket_list.subject, comment.body, person.name, person.email) as "left!"
           from ticket_list join comment using (tenant_id) join person using (tenant_id)
           where tenant_id = $1 and not exists (select from attachment where attachment.tenant_id = $1)"#,
        acme.tenant_id().get()
    );
    let left = left.fetch_all(&mut world.reader().await?).await?;
    assert_eq!(
        left,
        ["Lamp It flickers. Permanently Deleted User"],
        "one ticket with one comment, and a person without a name"
    );

    let erase =
        "delete from vault.data_key where (scope in ('person-3', 'attachment-20') or (scope <> 'general' and key_id in
                 (select key_id from log.event where stream = 'ticket-1'))) and tenant_id = ";
    assert_eq!(world.as_owner(erase, &acme).await?, 5, "a person, a file, a ticket and its two comments");
    rebuild(&world.restarted().await?, &Selection::all(), &|_| {}).await?;
    assert_eq!(world.fingerprints(&acme).await?, live, "and the rebuild itself found no difference");
    Ok(())
}

#[tokio::test]
async fn what_no_projection_reads_is_not_opened() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "access-20261122", vec![Draft::raw("accesses_recorded", 1, "{\"accesses\": []}")]).await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle")]).await?;
    // Whoever opened it would find that its key is gone.
    world.as_owner("delete from vault.data_key where scope like 'access-%' and tenant_id = ", &acme).await?;
    let batch = crate::feed::read(&world.deps, &acme, schemas::Position::ZERO).await?;
    assert!(matches!(batch.events[0].payload, Payload::Unwanted), "{:?}", batch.events[0].payload);
    assert!(matches!(batch.events[1].payload, Payload::Event(_)), "{:?}", batch.events[1].payload);
    Ok(())
}
