//! Random histories: however they were cut into batches, the live rows are those of a rebuild.

use domain::{
    Aggregate,
    ticket::{AddComment, By, Changes, Circle, Command, Comment, Further, Open, Ticket, Update},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use regions::Resident;
use schemas::{
    AttachmentId, GroupId, PersonId, TenantLogEvent, TicketId,
    values::{Channel, Priority, Role, Status, TicketType, Visibility},
};

use super::{
    threads,
    world::{Draft, World},
};
use crate::{Selection, check, rebuild};

const AGENT: By = By { person: PersonId::new(8), role: Role::Agent };

/// A command on one of three tickets, and whether the projector catches up after it.
type Turn = (usize, Command, bool);

fn comments() -> impl Strategy<Value = Comment> {
    ("[a-z \"\\\\']{1,12}[a-z]", select(Visibility::ALL), vec((1..4_i64).prop_map(AttachmentId::new), 0..3)).prop_map(
        |(body, visibility, attachments)| Comment {
            visibility: Some(visibility),
            attachments,
            ..Comment::public(body)
        },
    )
}

fn changes() -> impl Strategy<Value = Changes> {
    (
        option::weighted(0.3, "[a-zé ]{0,9}[a-z]"),
        option::weighted(0.3, option::of(select(TicketType::ALL))),
        option::weighted(0.3, option::of(select(Priority::ALL))),
        option::weighted(0.3, vec("[a-c]{1,2}", 0..3)),
        option::weighted(0.3, option::of((1..3_i64).prop_map(GroupId::new))),
        option::weighted(0.3, option::of((8..10_i64).prop_map(PersonId::new))),
        option::weighted(0.5, select(&Status::ALL[..5])),
        further(),
    )
        .prop_map(|(subject, ticket_type, priority, tags, group, assignee, status, further)| Changes {
            subject: subject.map(Into::into),
            ticket_type,
            priority,
            tags: tags.map(Into::into),
            group,
            assignee,
            status,
            external_id: subject_of(further.problem),
            requester: further.collaborators.as_ref().and_then(|people| people.first().copied()),
            further,
            ..Changes::default()
        })
}

fn subject_of(problem: Option<Option<TicketId>>) -> Option<schemas::Personal<Option<String>>> {
    problem.map(|problem| problem.map(|problem| format!("x-{problem}")).into())
}

/// Problems are none: what the rules refuse is passed over, and few of the changes make incidents.
fn further() -> impl Strategy<Value = Further> {
    let people = || option::weighted(0.2, vec((3..6_i64).prop_map(PersonId::new), 0..3));
    let due_at = option::weighted(0.2, option::of(Just(jiff::Timestamp::UNIX_EPOCH)));
    let problem = option::weighted(0.1, option::of((1..3_i64).prop_map(TicketId::new)));
    (due_at, problem, people(), people(), people()).prop_map(
        |(due_at, problem, collaborators, email_ccs, followers)| {
            let circle = |all| Circle { all, ..Circle::default() };
            let (email_ccs, followers) = (circle(email_ccs), circle(followers));
            Further { due_at, problem, collaborators, email_ccs, followers, ..Further::default() }
        },
    )
}

fn commands() -> impl Strategy<Value = Command> {
    let update = (changes(), option::of(comments()))
        .prop_map(|(changes, comment)| Update { by: AGENT, changes, comment, channel: Channel::Api }.into());
    let add = comments().prop_map(|comment| AddComment { by: AGENT, comment, channel: Channel::Email }.into());
    let open = (comments(), option::of(select(&Status::ALL[..4])), further()).prop_map(|(comment, status, further)| {
        let (ticket_type, followup_of) = (Some(TicketType::Incident), Some(TicketId::new(3)));
        Open {
            status,
            further,
            ticket_type,
            followup_of,
            ..Open::new(AGENT, PersonId::new(3), "Kettle".to_owned(), comment)
        }
        .into()
    });
    prop_oneof![3 => update, 2 => add, 1 => open]
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    vec((0..3_usize, commands(), any::<bool>()), 1..30)
}

async fn live(world: &World, tenant: &Resident, turns: Vec<Turn>) -> anyhow::Result<()> {
    for attachment in 1..4 {
        world.say(tenant, &format!("upload-{attachment}"), vec![threads::received(attachment)]).await?;
    }
    let mut tickets = [Ticket::default(), Ticket::default(), Ticket::default()];
    for (index, command, catches_up) in turns {
        let Ok(events) = tickets[index].decide(&command) else { continue };
        if events.is_empty() {
            continue;
        }
        events.iter().for_each(|event| tickets[index].evolve(event));
        let drafts = events.into_iter().map(|event| Draft::from(TenantLogEvent::from(event))).collect();
        world.say(tenant, &format!("ticket-{}", index + 1), drafts).await?;
        if catches_up {
            world.catch_up(tenant).await?;
        }
    }
    world.catch_up(tenant).await?;
    Ok(())
}

#[test]
fn a_rebuild_makes_the_rows_that_live_batches_made() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let world = runtime.block_on(World::new())?;
    let case = std::cell::Cell::new(0);
    let config =
        ProptestConfig { cases: 12, max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(turns in turns())| {
        case.set(case.get() + 1);
        let slug = format!("case-{}", case.get());
        let outcome = runtime.block_on(async {
            let tenant = world.tenant(&slug).await?;
            live(&world, &tenant, turns).await?;
            let only = Selection::all().of(vec![tenant.tenant_id()]);
            let checked = check(&world.deps, &only, &|_| {}).await?;
            let before = world.fingerprints(&tenant).await?;
            rebuild(&world.deps, &only, &|_| {}).await?;
            anyhow::Ok((checked, before, world.fingerprints(&tenant).await?))
        });
        let (checked, live, rebuilt) = outcome.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        prop_assert!(checked.is_clean(), "{checked:?}");
        prop_assert_eq!(live, rebuilt);
    });
    Ok(())
}
