//! Changing a ticket.

use super::*;

#[test]
fn an_update_is_one_audit_in_a_fixed_order() {
    let changes = Changes {
        subject: Some("B flat".to_owned().into()),
        ticket_type: Some(Some(TicketType::Problem)),
        priority: Some(Some(Priority::High)),
        group: Some(Some(GroupId::new(3))),
        tags: Some(vec!["kettle".to_owned()].into()),
        assignee: Some(Some(ADMIN.person)),
        status: Some(Status::Pending),
        ..Changes::default()
    };
    given::<Ticket>(ticket_in(Status::Open)).when(update_by(AGENT, changes, Some(public("Your turn")))).then([
        SubjectSet { subject: "B flat".to_owned().into() }.into(),
        TypeSet { ticket_type: Some(TicketType::Problem) }.into(),
        PrioritySet { priority: Some(Priority::High) }.into(),
        GroupSet { group: Some(GroupId::new(3)) }.into(),
        TagsSet { tags: vec!["kettle".to_owned()].into() }.into(),
        assignee_set(ADMIN),
        status_set(Status::Pending),
        said(AGENT, Visibility::Public, "Your turn"),
    ]);
}

#[test]
fn what_is_so_already_makes_no_event() {
    let changes = Changes {
        subject: Some(" Kettle".to_owned().into()),
        ticket_type: Some(None),
        priority: Some(None),
        group: Some(None),
        tags: Some(Vec::new().into()),
        assignee: Some(Some(AGENT.person)),
        status: Some(Status::Open),
        ..Changes::default()
    };
    given::<Ticket>(ticket_in(Status::Open)).when(change_by(AGENT, changes)).then_nothing();
    given::<Ticket>(ticket_in(Status::Open)).when(change_by(REQUESTER, Changes::default())).then_nothing();
}

#[test]
fn a_status_that_is_set_wins_over_the_one_a_comment_leads_to() {
    given::<Ticket>(ticket_in(Status::New))
        .when(update_by(AGENT, to_status(Status::New), Some(public("Hello"))))
        .then([said(AGENT, Visibility::Public, "Hello")]);
    given::<Ticket>(ticket_in(Status::Solved))
        .when(update_by(REQUESTER, to_status(Status::Solved), Some(public("Thanks!"))))
        .then([said(REQUESTER, Visibility::Public, "Thanks!")]);
}

#[test]
fn nothing_is_new_again() {
    for status in [Status::Open, Status::Pending, Status::Hold, Status::Solved] {
        given::<Ticket>(ticket_in(status))
            .when(change_by(AGENT, to_status(Status::New)))
            .then_refused(Rejection::NeverNewAgain);
    }
}

#[test]
fn a_closed_ticket_refuses_every_change() {
    for changes in [
        Changes::default(),
        to_status(Status::Open),
        to_status(Status::Closed),
        Changes { subject: Some(String::new().into()), ..Changes::default() },
    ] {
        given::<Ticket>(ticket_in(Status::Closed)).when(change_by(ADMIN, changes)).then_refused(Rejection::Closed);
    }
}

#[test]
fn the_agent_who_solves_a_ticket_that_nobody_has_becomes_its_assignee() {
    for status in [Status::Solved, Status::Closed] {
        given::<Ticket>(ticket_in(Status::New))
            .when(change_by(AGENT, to_status(status)))
            .then([assignee_set(AGENT), status_set(status)]);
    }
}

#[test]
fn solving_leaves_the_assignee_who_is_there() {
    given::<Ticket>(ticket_in(Status::Open))
        .when(change_by(ADMIN, to_status(Status::Solved)))
        .then([status_set(Status::Solved)]);
}

#[test]
fn a_solved_ticket_keeps_an_assignee() {
    let nobody = Changes { assignee: Some(None), ..Changes::default() };
    given::<Ticket>(ticket_in(Status::Solved))
        .when(change_by(ADMIN, nobody.clone()))
        .then_refused(Rejection::NeedsAssignee);
    // Solved by an admin at the same moment: then the admin has it.
    given::<Ticket>(ticket_in(Status::Open))
        .when(change_by(ADMIN, Changes { status: Some(Status::Solved), ..nobody }))
        .then([assignee_set(ADMIN), status_set(Status::Solved)]);
}

#[test]
fn the_requester_says_that_it_is_solved() {
    given::<Ticket>(ticket_in(Status::Open))
        .when(change_by(REQUESTER, to_status(Status::Solved)))
        .then([status_set(Status::Solved)]);
}

#[test]
fn the_requester_cannot_solve_what_nobody_has() {
    given::<Ticket>(ticket_in(Status::New))
        .when(change_by(REQUESTER, to_status(Status::Solved)))
        .then_refused(Rejection::NeedsAssignee);
}

#[test]
fn the_requester_solves_no_problem() {
    let mut problem = ticket_in(Status::Open);
    problem.push(TypeSet { ticket_type: Some(TicketType::Problem) }.into());
    given::<Ticket>(problem)
        .when(change_by(REQUESTER, to_status(Status::Solved)))
        .then_refused(Rejection::AgentsOnly { field: "status" });
}

#[test]
fn an_end_user_changes_nothing_else() {
    let none = Changes::default;
    for (changes, field) in [
        (Changes { subject: Some("Mine".to_owned().into()), ..none() }, "subject"),
        (Changes { ticket_type: Some(None), ..none() }, "type"),
        (Changes { priority: Some(Some(Priority::Urgent)), ..none() }, "priority"),
        (Changes { group: Some(None), ..none() }, "group_id"),
        (Changes { tags: Some(Vec::new().into()), ..none() }, "tags"),
        (Changes { assignee: Some(None), ..none() }, "assignee_id"),
        (to_status(Status::Closed), "status"),
        (to_status(Status::Open), "status"),
    ] {
        given::<Ticket>(ticket_in(Status::Open))
            .when(change_by(REQUESTER, changes))
            .then_refused(Rejection::AgentsOnly { field });
    }
}

#[test]
fn a_stranger_changes_nothing_at_all() {
    given::<Ticket>(ticket_in(Status::Open))
        .when(change_by(STRANGER, to_status(Status::Solved)))
        .then_refused(Rejection::NotYours);
}

#[test]
fn a_refused_field_refuses_the_whole_update() {
    let changes = Changes { tags: Some(vec!["a b".to_owned()].into()), ..to_status(Status::Pending) };
    given::<Ticket>(ticket_in(Status::Open)).when(change_by(AGENT, changes)).then_refused_field("tags");
    given::<Ticket>(ticket_in(Status::Open))
        .when(update_by(AGENT, to_status(Status::Pending), Some(public(""))))
        .then_refused_field("comment.body");
}
