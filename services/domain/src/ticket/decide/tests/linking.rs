//! What ties a ticket to other tickets, people and moments.

use schemas::{
    TicketId,
    ticket::{
        DueSet, EmailCcsSet, ExternalIdSet, FollowersSet, FollowupLinked, ProblemSet, RecipientNoted, RequesterSet,
    },
};

use super::*;
use crate::ticket::{CIRCLE_MAX, Circle, Further};

fn people(ids: &[i64]) -> Vec<PersonId> {
    ids.iter().copied().map(PersonId::new).collect()
}

fn further(further: Further) -> Changes {
    Changes { further, ..Changes::default() }
}

fn an_incident() -> Vec<TicketEvent> {
    let mut history = ticket_in(Status::Open);
    history.push(TypeSet { ticket_type: Some(TicketType::Incident) }.into());
    history.push(ProblemSet { problem: Some(TicketId::new(41)) }.into());
    history
}

#[test]
fn an_incident_has_a_problem_and_loses_it_with_its_type() {
    let linked = Further { problem: Some(Some(TicketId::new(42))), ..Further::default() };
    given::<Ticket>(an_incident())
        .when(change_by(AGENT, further(linked.clone())))
        .then([ProblemSet { problem: Some(TicketId::new(42)) }.into()]);
    let task = Changes { ticket_type: Some(Some(TicketType::Task)), ..Changes::default() };
    given::<Ticket>(an_incident())
        .when(change_by(AGENT, task.clone()))
        .then([TypeSet { ticket_type: Some(TicketType::Task) }.into(), ProblemSet { problem: None }.into()]);
    given::<Ticket>(an_incident())
        .when(change_by(AGENT, Changes { further: linked.clone(), ..task }))
        .then_refused(Rejection::NoIncident);
    given::<Ticket>([]).when(Open { further: linked, ..open_by(AGENT) }).then_refused(Rejection::NoIncident);
}

#[test]
fn what_a_ticket_is_tied_to_is_set_when_it_opens_too() {
    let due_at = jiff::Timestamp::UNIX_EPOCH;
    let circle = |ids: &[i64]| Circle { all: Some(people(ids)), ..Circle::default() };
    let ties = Further {
        due_at: Some(Some(due_at)),
        problem: Some(Some(TicketId::new(41))),
        email_ccs: circle(&[5, 4, 5]),
        followers: circle(&[8]),
        ..Further::default()
    };
    let ticket_type = Some(TicketType::Incident);
    let open = Open { further: ties, ticket_type, followup_of: Some(TicketId::new(40)), ..open_by(AGENT) };
    given::<Ticket>([]).when(Open { recipient: Some("help@kettles.example".to_owned()).into(), ..open }).then([
        TicketOpened { submitter: AGENT.person, ticket_type, ..opened() }.into(),
        said(AGENT, Visibility::Public, "It whistles."),
        DueSet { due_at: Some(due_at) }.into(),
        ProblemSet { problem: Some(TicketId::new(41)) }.into(),
        EmailCcsSet { people: people(&[4, 5]) }.into(),
        FollowersSet { people: people(&[8]) }.into(),
        RecipientNoted { recipient: "help@kettles.example".to_owned().into() }.into(),
        FollowupLinked { source: TicketId::new(40) }.into(),
    ]);
}

#[test]
fn people_come_and_go_one_by_one() {
    let mut history = ticket_in(Status::Open);
    history.push(EmailCcsSet { people: people(&[4, 5]) }.into());
    let change = Circle { all: None, put: people(&[6, 5]), delete: people(&[4]) };
    given::<Ticket>(history)
        .when(change_by(AGENT, further(Further { email_ccs: change, ..Further::default() })))
        .then([EmailCcsSet { people: people(&[5, 6]) }.into()]);
}

#[test]
fn collaborators_stay_what_they_are_and_new_ones_get_copies() {
    let mut history = ticket_in(Status::Open);
    history.push(EmailCcsSet { people: people(&[4, 5]) }.into());
    history.push(FollowersSet { people: people(&[8, 9]) }.into());
    let all = Further { collaborators: Some(people(&[6, 8, 5])), ..Further::default() };
    given::<Ticket>(history)
        .when(change_by(AGENT, further(all)))
        .then([EmailCcsSet { people: people(&[5, 6]) }.into(), FollowersSet { people: people(&[8]) }.into()]);
}

#[test]
fn a_circle_ends_somewhere() {
    let last = i64::try_from(CIRCLE_MAX).unwrap_or(i64::MAX);
    for (count, is_taken) in [(last, true), (last + 1, false)] {
        let put = (1..=count).map(PersonId::new).collect();
        let change = further(Further { followers: Circle { put, ..Circle::default() }, ..Further::default() });
        let outcome = Ticket::after(&ticket_in(Status::Open)).decide(&change_by(AGENT, change).into());
        assert_eq!(outcome.is_ok(), is_taken, "{count}");
    }
}

#[test]
fn tags_come_and_go_whatever_there_is() {
    let mut history = ticket_in(Status::Open);
    history.push(TagsSet { tags: vec!["kettle".to_owned(), "old".to_owned()].into() }.into());
    let changes = Changes {
        added_tags: vec!["New".to_owned(), "kettle".to_owned()].into(),
        removed_tags: vec!["OLD".to_owned(), "never there".to_owned()].into(),
        ..Changes::default()
    };
    given::<Ticket>(history)
        .when(change_by(AGENT, changes))
        .then([TagsSet { tags: vec!["kettle".to_owned(), "new".to_owned()].into() }.into()]);
}

#[test]
fn the_requester_and_the_external_id_change() {
    let changes = Changes {
        external_id: Some(Some("x-1".to_owned()).into()),
        requester: Some(STRANGER.person),
        group: Some(Some(GroupId::new(3))),
        ..Changes::default()
    };
    given::<Ticket>(ticket_in(Status::Open)).when(change_by(AGENT, changes)).then([
        RequesterSet { requester: STRANGER.person }.into(),
        GroupSet { group: Some(GroupId::new(3)) }.into(),
        ExternalIdSet { external_id: Some("x-1".to_owned()).into() }.into(),
    ]);
}

#[test]
fn a_new_ticket_that_somebody_gets_is_open() {
    let taken = Changes { assignee: Some(Some(AGENT.person)), ..Changes::default() };
    given::<Ticket>(ticket_in(Status::New))
        .when(change_by(AGENT, taken.clone()))
        .then([assignee_set(AGENT), status_set(Status::Open)]);
    given::<Ticket>(ticket_in(Status::New))
        .when(change_by(AGENT, Changes { status: Some(Status::New), ..taken }))
        .then([assignee_set(AGENT)]);
    given::<Ticket>([]).when(Open { assignee: Some(AGENT.person), ..open_by(AGENT) }).then([
        TicketOpened { submitter: AGENT.person, assignee: Some(AGENT.person), ..opened() }.into(),
        said(AGENT, Visibility::Public, "It whistles."),
        status_set(Status::Open),
    ]);
}

#[test]
fn a_comment_that_does_not_say_who_may_read_it_is_as_the_ticket_is() {
    let unsaid = || Comment { visibility: None, ..public("Hm") };
    let private = || vec![opened().into(), said(AGENT, Visibility::Internal, "They called.")];
    for (history, visibility) in [(private(), Visibility::Internal), (ticket_in(Status::Open), Visibility::Public)] {
        given::<Ticket>(history).when(comment_by(AGENT, unsaid())).then([said(AGENT, visibility, "Hm")]);
    }
    // Whoever cannot read a note cannot have written it.
    given::<Ticket>(private()).when(comment_by(AGENT, Comment { author: Some(REQUESTER), ..unsaid() })).then([said(
        REQUESTER,
        Visibility::Public,
        "Hm",
    )]);
}

#[test]
fn ties_are_for_agents() {
    let none = Further::default;
    let circle = || Circle { put: people(&[4]), ..Circle::default() };
    for (ties, field) in [
        (Further { due_at: Some(None), ..none() }, "due_at"),
        (Further { problem: Some(None), ..none() }, "problem_id"),
        (Further { collaborators: Some(Vec::new()), ..none() }, "collaborator_ids"),
        (Further { email_ccs: circle(), ..none() }, "email_ccs"),
        (Further { followers: circle(), ..none() }, "followers"),
    ] {
        given::<Ticket>(ticket_in(Status::Open))
            .when(change_by(REQUESTER, further(ties.clone())))
            .then_refused(Rejection::AgentsOnly { field });
        given::<Ticket>([])
            .when(Open { further: ties, ..open_by(REQUESTER) })
            .then_refused(Rejection::AgentsOnly { field });
    }
}
