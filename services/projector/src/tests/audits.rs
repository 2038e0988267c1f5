//! The projection `audits`.

use regions::Resident;
use schemas::{
    PersonId, RuleId,
    ticket::{AssigneeSet, PrioritySet, RuleApplied, StatusSet, TagsSet},
    values::{Priority, RuleKind, Status, Visibility},
};
use serde_json::{Value, json};

use super::world::{World, comment, comment_of, opened, ticket};

async fn audits(world: &World, tenant: &Resident) -> anyhow::Result<Vec<(i64, Option<i64>, String, Value)>> {
    let rows = sqlx::query!(
        "select audit_id, author_id, channel, events from audit where tenant_id = $1 order by audit_id",
        tenant.tenant_id().get()
    )
    .fetch_all(&mut world.reader().await?)
    .await?;
    Ok(rows.into_iter().map(|row| (row.audit_id, row.author_id, row.channel, row.events)).collect())
}

#[tokio::test]
async fn opening_a_ticket_is_one_audit_that_creates_fields_and_a_comment() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let opening = vec![
        opened("Kettle"),
        comment_of("It whistles.", Visibility::Public, &[20]),
        ticket(StatusSet { status: Status::Pending }),
        ticket(AssigneeSet { assignee: Some(PersonId::new(9)) }),
    ];
    world.say(&acme, "ticket-1", opening).await?;
    world.catch_up(&acme).await?;
    let events = json!([
        {"id": 64, "type": "Create", "field_name": "requester_id", "value": "3"},
        {"id": 65, "type": "Create", "field_name": "subject", "value": "Kettle"},
        {"id": 66, "type": "Create", "field_name": "status", "value": "pending"},
        {"id": 67, "type": "Create", "field_name": "group_id", "value": "5"},
        {"id": 68, "type": "Create", "field_name": "tags", "value": ["a", "b \"c\""]},
        {"id": 128, "type": "Comment", "author_id": 7, "body": "It whistles.", "html_body": null, "public": true,
         "attachments": [20], "audit_id": 127},
        {"id": 256, "type": "Create", "field_name": "assignee_id", "value": "9"},
    ]);
    assert_eq!(audits(&world, &acme).await?, [(127, Some(7), "web".to_owned(), events)]);
    Ok(())
}

#[tokio::test]
async fn a_change_tells_what_was_before_across_batches() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.catch_up(&acme).await?;
    let assigned = |person| ticket(AssigneeSet { assignee: person });
    world
        .say(&acme, "ticket-1", vec![ticket(StatusSet { status: Status::Open }), assigned(Some(PersonId::new(9)))])
        .await?;
    world.catch_up(&acme).await?;
    world.say(&acme, "ticket-1", vec![assigned(None), ticket(TagsSet { tags: vec![].into() })]).await?;
    world.say(&acme, "ticket-1", vec![ticket(StatusSet { status: Status::Solved })]).await?;
    world.catch_up(&acme).await?;
    let events: Vec<_> = audits(&world, &acme).await?.into_iter().skip(1).map(|(.., events)| events).collect();
    assert_eq!(
        Value::from(events),
        json!([
            [
                {"id": 192, "type": "Change", "field_name": "status", "value": "open", "previous_value": "new"},
                {"id": 256, "type": "Change", "field_name": "assignee_id", "value": "9", "previous_value": null},
            ],
            [
                {"id": 320, "type": "Change", "field_name": "assignee_id", "value": null, "previous_value": "9"},
                {"id": 384, "type": "Change", "field_name": "tags", "value": [], "previous_value": ["a", "b \"c\""]},
            ],
            [{"id": 448, "type": "Change", "field_name": "status", "value": "solved", "previous_value": "open"}],
        ])
    );
    Ok(())
}

#[tokio::test]
async fn what_a_rule_did_says_by_which_rule_and_is_a_change_where_the_ticket_was_opened() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let applied = |rule: i64, changes| {
        let (said_at, title) = (jiff::Timestamp::UNIX_EPOCH, format!("Rule {rule}").into());
        ticket(RuleApplied { rule: RuleId::new(rule), kind: RuleKind::Trigger, said_at, title, changes })
    };
    let opening = vec![
        opened("Kettle"),
        comment("It whistles."),
        applied(40, 2),
        ticket(PrioritySet { priority: Some(Priority::High) }),
        ticket(StatusSet { status: Status::Open }),
        applied(41, 1),
        ticket(PrioritySet { priority: None }),
    ];
    world.say(&acme, "ticket-1", opening).await?;
    world.say(&acme, "ticket-1", vec![ticket(PrioritySet { priority: Some(Priority::Low) })]).await?;
    world.catch_up(&acme).await?;
    let via = |rule: i64| {
        let from = json!({"id": rule, "title": format!("Rule {rule}")});
        json!({"channel": "rule", "source": {"from": from, "to": {}, "rel": "trigger"}})
    };
    let change = |event: &Value| json!([event["field_name"], event["value"], event["previous_value"], event["via"]]);
    let audits = audits(&world, &acme).await?;
    let changes = |audit: usize| -> Vec<Value> {
        let events = audits[audit].3.as_array().into_iter().flatten();
        events.filter(|event| event["type"] == "Change").map(change).collect()
    };
    assert_eq!(
        changes(0),
        [
            json!(["priority", "high", null, via(40)]),
            json!(["status", "open", "new", via(40)]),
            json!(["priority", null, "high", via(41)]),
        ]
    );
    assert_eq!(changes(1), [json!(["priority", "low", null, null])], "what people did names no rule");
    Ok(())
}

#[tokio::test]
async fn a_command_on_two_tickets_is_an_audit_on_each() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let both = vec![("ticket-1", vec![opened("One"), comment("1")]), ("ticket-2", vec![opened("Two"), comment("2")])];
    world.say_on(&acme, both).await?;
    world.catch_up(&acme).await?;
    let ids: Vec<_> = audits(&world, &acme).await?.into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids, [64 + 63, 3 * 64 + 63]);
    Ok(())
}
