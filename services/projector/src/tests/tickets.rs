//! The projection `ticket_list`.

use jiff::SignedDuration;
use schemas::{
    PersonId,
    ticket::{AssigneeSet, GroupSet, PrioritySet, StatusSet, SubjectSet, TagsSet, TypeSet},
    values::{Priority, Status, TicketType, Visibility},
};

use super::world::{World, comment, comment_of, opened, ticket};

#[tokio::test]
async fn a_ticket_is_listed_with_its_first_comment_as_description() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment_of("It whistles.", Visibility::Internal, &[])]).await?;
    world.say(&acme, "ticket-1", vec![comment_of("Unplug it.", Visibility::Internal, &[])]).await?;
    world.catch_up(&acme).await?;
    let row = sqlx::query!(
        "select subject, description, status, requester_id, submitter_id, group_id, tags, channel, is_public, version
         from ticket_list where tenant_id = $1 and ticket_id = 1",
        acme.tenant_id().get()
    )
    .fetch_one(&mut world.reader().await?)
    .await?;
    assert_eq!((row.subject.as_str(), row.description.as_str()), ("Kettle", "It whistles."));
    assert_eq!((row.status.as_str(), row.channel.as_str()), ("new", "web"));
    assert_eq!((row.requester_id, row.submitter_id, row.group_id), (3, 7, Some(5)));
    assert_eq!(row.tags, ["a", "b \"c\""]);
    assert!(!row.is_public, "nothing in it is public");
    assert_eq!(row.version, 3);
    Ok(())
}

#[tokio::test]
async fn a_ticket_shows_its_last_changes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment_of("It whistles.", Visibility::Internal, &[])]).await?;
    world.catch_up(&acme).await?;
    world.test.clock.advance(SignedDuration::from_secs(60));
    let changes = vec![
        ticket(SubjectSet { subject: "Teapot".to_owned().into() }),
        ticket(StatusSet { status: Status::Open }),
        ticket(PrioritySet { priority: Some(Priority::High) }),
        ticket(TypeSet { ticket_type: Some(TicketType::Task) }),
        ticket(AssigneeSet { assignee: Some(PersonId::new(9)) }),
        ticket(GroupSet { group: None }),
        ticket(TagsSet { tags: vec!["tea".to_owned()].into() }),
        comment("On it."),
    ];
    world.say(&acme, "ticket-1", changes).await?;
    world.catch_up(&acme).await?;
    let row = sqlx::query!(
        r#"select subject, description, status, priority, ticket_type, assignee_id, group_id, tags, is_public, version,
                  extract(epoch from updated_at - created_at)::bigint as "seconds!"
           from ticket_list where tenant_id = $1 and ticket_id = 1"#,
        acme.tenant_id().get()
    )
    .fetch_one(&mut world.reader().await?)
    .await?;
    assert_eq!((row.subject.as_str(), row.description.as_str()), ("Teapot", "It whistles."));
    assert_eq!(
        (row.status.as_str(), row.priority.as_deref(), row.ticket_type.as_deref()),
        ("open", Some("high"), Some("task"))
    );
    assert_eq!((row.assignee_id, row.group_id), (Some(9), None));
    assert_eq!(row.tags, ["tea"]);
    assert!(row.is_public);
    assert_eq!((row.version, row.seconds), (10, 60));
    Ok(())
}
