//! Opening a ticket.

use super::*;

#[test]
fn a_ticket_opens_with_its_first_comment() {
    given::<Ticket>([])
        .when(open_by(REQUESTER))
        .then([opened().into(), said(REQUESTER, Visibility::Public, "It whistles.")]);
}

#[test]
fn another_first_status_follows_the_first_comment() {
    given::<Ticket>([]).when(Open { status: Some(Status::Pending), ..open_by(AGENT) }).then([
        TicketOpened { submitter: AGENT.person, ..opened() }.into(),
        said(AGENT, Visibility::Public, "It whistles."),
        status_set(Status::Pending),
    ]);
}

#[test]
fn a_ticket_that_opens_solved_belongs_to_the_agent_who_opens_it() {
    given::<Ticket>([]).when(Open { status: Some(Status::Solved), ..open_by(AGENT) }).then([
        TicketOpened { submitter: AGENT.person, assignee: Some(AGENT.person), ..opened() }.into(),
        said(AGENT, Visibility::Public, "It whistles."),
        status_set(Status::Solved),
    ]);
}

#[test]
fn what_the_ticket_is_about_is_recorded_in_its_normal_form() {
    let tags = vec!["Kettle".to_owned(), "b-flat".to_owned(), "kettle".to_owned()].into();
    let subject = "  Kettle ".to_owned().into();
    given::<Ticket>([]).when(Open { subject, tags, ..open_by(AGENT) }).then([
        TicketOpened {
            submitter: AGENT.person,
            tags: vec!["b-flat".to_owned(), "kettle".to_owned()].into(),
            ..opened()
        }
        .into(),
        said(AGENT, Visibility::Public, "It whistles."),
    ]);
}

#[test]
fn an_agent_opens_in_the_words_of_the_requester() {
    let comment = Comment { author: Some(REQUESTER), ..public("It whistles.") };
    given::<Ticket>([])
        .when(Open { comment, ..open_by(AGENT) })
        .then([opened().into(), said(REQUESTER, Visibility::Public, "It whistles.")]);
}

#[test]
fn an_agent_opens_with_an_internal_note() {
    given::<Ticket>([]).when(Open { comment: internal("They called."), ..open_by(AGENT) }).then([
        TicketOpened { submitter: AGENT.person, ..opened() }.into(),
        said(AGENT, Visibility::Internal, "They called."),
    ]);
}

#[test]
fn an_admin_opens_what_happened_elsewhere_and_then() {
    let at = |second| jiff::Timestamp::from_second(second).expect("a moment");
    let imported = Imported {
        created_at: at(1),
        updated_at: at(3),
        solved_at: None,
        comments: vec![Comment { author: Some(REQUESTER), ..public("Still?") }],
        said_at: vec![at(1), at(2)],
    };
    let open = |by| Open { imported: Some(imported.clone()), status: Some(Status::Open), ..open_by(by) };
    given::<Ticket>([]).when(open(ADMIN)).then([
        TicketOpened { submitter: ADMIN.person, ..opened() }.into(),
        said(ADMIN, Visibility::Public, "It whistles."),
        said(REQUESTER, Visibility::Public, "Still?"),
        status_set(Status::Open),
        TicketImported { created_at: at(1), updated_at: at(3), solved_at: None, said_at: vec![at(1), at(2)] }.into(),
    ]);
    for by in [AGENT, REQUESTER] {
        given::<Ticket>([]).when(open(by)).then_refused(Rejection::AdminsImport);
    }
}

#[test]
fn a_number_is_used_once() {
    for status in [Status::New, Status::Closed] {
        given::<Ticket>(ticket_in(status)).when(open_by(AGENT)).then_refused(Rejection::AlreadyExists);
    }
}

#[test]
fn an_end_user_opens_only_for_themselves() {
    given::<Ticket>([]).when(open_by(STRANGER)).then_refused(Rejection::NotYours);
}

#[test]
fn an_end_user_leaves_to_agents_what_agents_decide() {
    let open = || open_by(REQUESTER);
    for (command, field) in [
        (Open { status: Some(Status::Solved), ..open() }, "status"),
        (Open { assignee: Some(AGENT.person), ..open() }, "assignee_id"),
        (Open { group: Some(GroupId::new(3)), ..open() }, "group_id"),
        (Open { tags: vec!["vip".to_owned()].into(), ..open() }, "tags"),
        (Open { external_id: Some("X1".to_owned()).into(), ..open() }, "external_id"),
        (Open { comment: internal("psst"), ..open() }, "comment.public"),
        (Open { comment: Comment { author: Some(AGENT), ..public("yes") }, ..open() }, "comment.author_id"),
    ] {
        given::<Ticket>([]).when(command).then_refused(Rejection::AgentsOnly { field });
    }
}

#[test]
fn an_end_user_says_how_urgent_it_is_and_of_what_kind() {
    let (priority, ticket_type) = (Some(Priority::High), Some(TicketType::Question));
    given::<Ticket>([]).when(Open { priority, ticket_type, ..open_by(REQUESTER) }).then([
        TicketOpened { priority, ticket_type, ..opened() }.into(),
        said(REQUESTER, Visibility::Public, "It whistles."),
    ]);
}

#[test]
fn a_bad_field_is_named() {
    let open = || open_by(AGENT);
    for (command, field) in [
        (Open { subject: String::new().into(), ..open() }, "subject"),
        (Open { subject: "a\u{0}".to_owned().into(), ..open() }, "subject"),
        (Open { subject: "a".repeat(256).into(), ..open() }, "subject"),
        (Open { tags: vec!["a b".to_owned()].into(), ..open() }, "tags"),
        (Open { external_id: Some("\n".to_owned()).into(), ..open() }, "external_id"),
        (Open { comment: public(" \n"), ..open() }, "comment.body"),
    ] {
        given::<Ticket>([]).when(command).then_refused_field(field);
    }
}
